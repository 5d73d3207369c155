//! A clock that a test moves by hand, and those who sleep until it has moved.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::sync::Notify;

use super::Timestamp;
use crate::run::Claimed;

/// How often all that is ready may go on before runs count as asleep: a run may have parts, of which only one sleeps.
const ROUNDS: u32 = 32;

tokio::task_local! {
    /// The run on whose behalf something sleeps.
    static RUN: Claimed;
}

/// Does a run's work; what sleeps in it sleeps for the run.
pub(crate) async fn in_run<T>(run: Claimed, work: impl Future<Output = T>) -> T {
    RUN.scope(run, work).await
}

/// A clock for tests; clones move together.
#[derive(Clone)]
pub struct ManualClock(Arc<Shared>);

struct Shared {
    face: Mutex<Face>,
    /// Somebody has fallen asleep.
    slept: Notify,
}

struct Face {
    now: Timestamp,
    /// Those who sleep, by the time at which they wake and by the order in which they fell asleep.
    sleepers: BTreeMap<(Timestamp, u64), Sleeper>,
    slept_so_far: u64,
    /// Runs that wait for the store, once for each call.
    awake: Vec<Claimed>,
}

struct Sleeper {
    waker: Waker,
    /// `None` for one who only guards a limit.
    run: Option<Claimed>,
}

impl ManualClock {
    /// Makes a clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        let face =
            Face { now: start, sleepers: BTreeMap::new(), slept_so_far: 0, awake: Vec::new() };
        Self(Arc::new(Shared { face: Mutex::new(face), slept: Notify::new() }))
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        self.0.face.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time at which the clock stands.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.face().now
    }

    /// Moves the clock forward.
    pub fn advance(&self, time: Duration) {
        self.set(self.now() + time);
    }

    /// Sets the clock, backward too, and wakes those whose time has come.
    pub fn set(&self, now: Timestamp) {
        let due = {
            let mut face = self.face();
            face.now = now;
            let later = face.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut face.sleepers, later)
        };
        for sleeper in due.into_values() {
            sleeper.waker.wake();
        }
    }

    /// Returns when the next sleeper wakes.
    #[must_use]
    pub fn next_waking(&self) -> Option<Timestamp> {
        self.face().sleepers.keys().next().map(|(due, _)| *due)
    }

    /// Sleeps until the clock has reached `due`.
    pub(super) fn sleep_until(&self, due: Timestamp) -> Sleep {
        Sleep { clock: self.clone(), due, number: None }
    }

    /// Marks a run as not asleep, whatever in it sleeps, until the answer is dropped.
    pub(super) fn awake(&self, run: Claimed) -> Awake {
        self.face().awake.push(run);
        Awake { clock: self.clone(), run }
    }

    /// Waits until all of `runs` are asleep.
    pub(super) async fn all_asleep(&self, runs: impl Iterator<Item = &Claimed> + Clone) {
        let mut rounds = 0;
        while rounds < ROUNDS {
            if runs.clone().all(|run| self.is_asleep(*run)) {
                rounds += 1;
                tokio::task::yield_now().await;
            } else {
                rounds = 0;
                self.0.slept.notified().await;
            }
        }
    }

    fn is_asleep(&self, run: Claimed) -> bool {
        let face = self.face();
        !face.awake.contains(&run) && face.sleepers.values().any(|sleeper| sleeper.run == Some(run))
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

/// Resolves when the clock has reached a time.
pub(super) struct Sleep {
    clock: ManualClock,
    due: Timestamp,
    /// Its place among the sleepers.
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut face = clock.face();
        if face.now >= self.due {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert(face.slept_so_far);
        face.slept_so_far = face.slept_so_far.max(number + 1);
        let sleeper = Sleeper { waker: cx.waker().clone(), run: RUN.try_get().ok() };
        let before = face.sleepers.insert((self.due, number), sleeper);
        drop(face);
        // Only now, since what goes with a waker may sleep, too.
        drop(before);
        clock.0.slept.notify_one();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut face = self.clock.face();
            let gone = face.sleepers.remove(&(self.due, number));
            drop(face);
            drop(gone);
        }
    }
}

/// A run that is not asleep.
pub(super) struct Awake {
    clock: ManualClock,
    run: Claimed,
}

impl Drop for Awake {
    fn drop(&mut self) {
        let mut face = self.clock.face();
        if let Some(at) = face.awake.iter().position(|run| *run == self.run) {
            face.awake.swap_remove(at);
        }
        self.clock.0.slept.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{job::JobId, store::Sending};

    const SECOND: Duration = Duration::from_secs(1);

    fn clock() -> ManualClock {
        ManualClock::new(Timestamp::from_millis(0))
    }

    #[test]
    fn b1_a_sleeper_wakes_when_the_clock_has_reached_its_time_and_not_before() {
        let clock = clock();
        let mut sleep = Box::pin(clock.sleep_until(clock.now() + SECOND));
        assert!((&mut sleep).now_or_never().is_none());
        assert_eq!(clock.next_waking(), Some(Timestamp::from_millis(1_000)));
        clock.advance(SECOND / 2);
        assert!((&mut sleep).now_or_never().is_none());
        clock.advance(SECOND / 2);
        assert!((&mut sleep).now_or_never().is_some());
        assert_eq!(clock.next_waking(), None);
    }

    #[test]
    fn b1_a_sleep_that_is_given_up_is_forgotten() {
        let clock = clock();
        let mut sleep = Box::pin(clock.sleep_until(clock.now() + SECOND));
        assert!((&mut sleep).now_or_never().is_none());
        drop(sleep);
        assert_eq!(clock.next_waking(), None);
    }

    #[test]
    fn b1_a_run_is_asleep_while_it_sleeps_and_waits_for_nothing_else() {
        let clock = clock();
        let run = (JobId::new(), Sending::once().token);
        let mut work = Box::pin(in_run(run, clock.sleep_until(clock.now() + SECOND)));
        assert!(!clock.is_asleep(run), "it has not begun");
        assert!((&mut work).now_or_never().is_none());
        assert!(clock.is_asleep(run));
        let awake = clock.awake(run);
        assert!(!clock.is_asleep(run), "it asks the store");
        drop(awake);
        clock.advance(SECOND);
        assert!(!clock.is_asleep(run), "its time has come");
    }

    #[test]
    fn b1_who_guards_a_limit_is_not_a_run_asleep() {
        let clock = clock();
        let run = (JobId::new(), Sending::once().token);
        let mut limit = Box::pin(clock.sleep_until(clock.now() + SECOND));
        assert!((&mut limit).now_or_never().is_none());
        assert!(!clock.is_asleep(run));
    }
}
