//! Waits by a thread that sleeps until the next of them ends, where the kernel has no timers to poll.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

/// The waits of one store; the thread starts with the first and ends when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Alarms(OnceLock<Option<Arc<Shared>>>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Notified when a wait has come that ends before all others, and at the end.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// By their ends; a number tells those apart that end at the same time.
    waits: BTreeMap<Key, oneshot::Sender<()>>,
    numbers: u64,
    is_over: bool,
}

type Key = (Instant, u64);

impl Alarms {
    /// Waits for this long, or as long as tokio makes of it where the system gives no thread.
    pub(crate) async fn sleep(&self, time: Duration) {
        let ends = Instant::now().checked_add(time);
        let (Some(shared), Some(ends)) = (self.shared(), ends) else {
            return tokio::time::sleep(time).await;
        };
        let (key, rung) = shared.add(ends);
        let _given_up = Wait { shared, key };
        if rung.await.is_err() {
            tokio::time::sleep_until(ends.into()).await;
        }
    }

    fn shared(&self) -> Option<&Shared> {
        let start = || {
            let shared = Arc::<Shared>::default();
            let rings = Arc::clone(&shared);
            let thread = thread::Builder::new().name("alarms".to_owned());
            thread.spawn(move || rings.ring()).ok().map(|_| shared)
        };
        self.0.get_or_init(start).as_deref()
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        if let Some(Some(shared)) = self.0.get() {
            shared.lock().is_over = true;
            shared.changed.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, ends: Instant) -> (Key, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.numbers += 1;
        let key = (ends, waiting.numbers);
        waiting.waits.insert(key, sender);
        let is_first = waiting.waits.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(waiting);
        if is_first {
            self.changed.notify_one();
        }
        (key, receiver)
    }

    /// Ends each wait at its time.
    fn ring(&self) {
        let mut waiting = self.lock();
        while !waiting.is_over {
            let now = Instant::now();
            waiting = match waiting.waits.first_entry() {
                Some(first) if first.key().0 <= now => {
                    // Whoever waited may have given up.
                    first.remove().send(()).ok();
                    continue;
                }
                Some(first) => {
                    let rest = first.key().0 - now;
                    let waited = self.changed.wait_timeout(waiting, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// A wait, which may be given up.
struct Wait<'a> {
    shared: &'a Shared,
    key: Key,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.shared.lock().waits.remove(&self.key);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("waits", &self.lock().waits.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_wait_lasts_as_long_as_it_was_told_to_and_one_that_was_given_up_leaves_nothing() {
        let alarms = Alarms::default();
        let gives_up = async { tokio::task::yield_now().await };
        tokio::select! {
            biased;
            () = alarms.sleep(MINUTE) => {}
            () = gives_up => {}
        }
        for time in [Duration::ZERO, Duration::from_micros(700), Duration::from_millis(20)] {
            let began = Instant::now();
            alarms.sleep(time).await;
            assert!(began.elapsed() >= time);
        }
        assert_eq!(alarms.shared().unwrap().lock().waits.len(), 0);
    }

    #[tokio::test]
    async fn each_of_many_waits_ends_at_its_own_time_whenever_it_came() {
        let alarms = Alarms::default();
        let wait = async |millis| {
            let (began, time) = (Instant::now(), Duration::from_millis(millis));
            alarms.sleep(time).await;
            assert!(began.elapsed() >= time);
        };
        tokio::select! {
            biased;
            () = alarms.sleep(MINUTE) => panic!("a later wait has ended before the others"),
            _ = async { tokio::join!(wait(60), wait(2), wait(30), wait(2)) } => {}
        }
    }

    #[tokio::test]
    async fn the_thread_ends_with_its_waits() {
        let alarms = Alarms::default();
        alarms.sleep(Duration::ZERO).await;
        let shared = Arc::downgrade(alarms.0.get().unwrap().as_ref().unwrap());
        drop(alarms);
        let deadline = Instant::now() + MINUTE;
        while shared.strong_count() > 0 {
            assert!(Instant::now() < deadline, "the thread goes on");
            thread::yield_now();
        }
    }
}
