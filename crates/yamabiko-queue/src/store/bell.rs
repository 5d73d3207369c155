//! Wakes those who wait for work in this process (W1).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{clock::Alarms, store::Signal};

/// The waiting places of one open store.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rings: Mutex<Rings>,
    /// A wait was given up although it had been rung for.
    missed: Notify,
}

/// What has been rung for so far, counted through, and who waits.
#[derive(Debug, Default)]
struct Rings {
    count: u64,
    /// The last ring for everybody.
    all: u64,
    /// The last ring for each signal.
    each: HashMap<Signal, u64>,
    waits: Vec<Wait>,
}

#[derive(Debug)]
struct Wait {
    signals: Vec<Signal>,
    rung: Arc<Notify>,
}

impl Rings {
    fn last(&self, signal: &Signal) -> u64 {
        self.each.get(signal).map_or(self.all, |last| self.all.max(*last))
    }
}

impl Bell {
    /// Rings for signals: only those are woken who wait for one of them.
    pub(crate) fn ring(&self, signals: &[Signal]) {
        if signals.is_empty() {
            return;
        }
        let mut rings = self.rings();
        rings.count += 1;
        let count = rings.count;
        for signal in signals {
            rings.each.insert(signal.clone(), count);
        }
        for wait in &rings.waits {
            if signals.iter().any(|signal| wait.signals.contains(signal)) {
                wait.rung.notify_one();
            }
        }
    }

    /// Rings for everybody.
    pub(crate) fn ring_all(&self) {
        let mut rings = self.rings();
        rings.count += 1;
        rings.all = rings.count;
        for wait in &rings.waits {
            wait.rung.notify_one();
        }
    }

    /// Waits until one of the signals is given that `heard` has not heard of, at most `at_most`.
    pub(crate) async fn wait(&self, heard: &Heard, signals: &[Signal], at_most: Duration) {
        let Some(waiting) = self.begin(heard, signals) else { return };
        tokio::select! {
            biased;
            () = waiting.rung.notified() => {}
            () = heard.alarms.sleep(at_most) => {}
        }
        heard.hears(&self.rings(), signals);
    }

    /// Gets in line, unless there is news.
    fn begin<'a>(&'a self, heard: &'a Heard, signals: &'a [Signal]) -> Option<Waiting<'a>> {
        let mut rings = self.rings();
        if heard.hears(&rings, signals) {
            return None;
        }
        let rung = Arc::new(Notify::new());
        rings.waits.push(Wait { signals: signals.to_vec(), rung: Arc::clone(&rung) });
        Some(Waiting { bell: self, heard, signals, rung })
    }

    /// Says whether somebody waits for a signal.
    pub(crate) fn is_awaited(&self, signal: &Signal) -> bool {
        self.rings().waits.iter().any(|wait| wait.signals.contains(signal))
    }

    /// Waits until a handle has heard the last ring for each signal.
    pub(crate) async fn all_heard(&self, heard: &Heard, signals: &[Signal]) {
        loop {
            let news = heard.news.notified();
            tokio::pin!(news);
            // From now on, so that what is heard between the look and the wait is not missed.
            news.as_mut().enable();
            if signals.iter().all(|signal| self.is_heard(heard, signal)) {
                return;
            }
            news.await;
        }
    }

    /// Says whether a handle has heard the last ring for a signal.
    pub(crate) fn is_heard(&self, heard: &Heard, signal: &Signal) -> bool {
        let last = self.rings().last(signal);
        heard.last().get(signal).copied().unwrap_or(0) >= last
    }

    /// Waits until a wait is given up that has not heard what was rung for it.
    pub(crate) async fn missed(&self) {
        self.missed.notified().await;
    }

    pub(crate) fn has_listeners(&self) -> bool {
        !self.rings().waits.is_empty()
    }

    fn rings(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one handle has heard of; a signal from before its wait is not lost.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    last: Mutex<HashMap<Signal, u64>>,
    /// Something was heard.
    news: Notify,
    alarms: Alarms,
}

impl Heard {
    /// Notes what has been rung for, and says whether it is news.
    fn hears(&self, rings: &Rings, signals: &[Signal]) -> bool {
        let mut heard = self.last();
        let mut news = false;
        for signal in signals {
            let last = rings.last(signal);
            if last > heard.get(signal).copied().unwrap_or(0) {
                heard.insert(signal.clone(), last);
                news = true;
            }
        }
        if news {
            self.news.notify_waiters();
        }
        news
    }

    fn last(&self) -> MutexGuard<'_, HashMap<Signal, u64>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait, from its begin to its end or until it is given up.
struct Waiting<'a> {
    bell: &'a Bell,
    heard: &'a Heard,
    signals: &'a [Signal],
    rung: Arc<Notify>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.bell.rings().waits.retain(|wait| !Arc::ptr_eq(&wait.rung, &self.rung));
        if !self.signals.iter().all(|signal| self.bell.is_heard(self.heard, signal)) {
            self.bell.missed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn queue(name: &str) -> Signal {
        Signal::Queue(name.to_owned())
    }

    #[tokio::test]
    async fn w1_a_signal_from_before_the_wait_is_heard_once() {
        let (bell, heard) = (Bell::default(), Heard::default());
        bell.ring(&[queue("a")]);
        bell.wait(&heard, &[queue("b"), queue("a")], LONG).await;
        assert!(bell.wait(&heard, &[queue("b"), queue("a")], LONG).now_or_never().is_none());
    }

    #[tokio::test]
    async fn w1_a_signal_is_for_those_who_wait_for_it() {
        let (bell, heard) = (Bell::default(), Heard::default());
        bell.ring(&[queue("a"), Signal::Timers]);
        assert!(bell.wait(&heard, &[queue("b")], LONG).now_or_never().is_none());
        bell.ring_all();
        bell.wait(&heard, &[queue("b")], LONG).await;
        bell.wait(&heard, &[Signal::Timers], LONG).await;
    }

    #[tokio::test]
    async fn w1_a_ring_wakes_who_waits_on_another_handle() {
        let (bell, heard) = (Bell::default(), Heard::default());
        let ring = async { bell.ring(&[Signal::Timers]) };
        let timers = [Signal::Timers];
        let waits = bell.wait(&heard, &timers, LONG);
        tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(waits, ring) })
            .await
            .unwrap();
        assert!(bell.is_heard(&heard, &Signal::Timers) && !bell.has_listeners());
    }

    #[tokio::test]
    async fn w1_a_wait_that_is_given_up_before_it_hears_has_missed_the_ring() {
        let (bell, heard) = (Bell::default(), Heard::default());
        let a = [queue("a")];
        {
            let wait = bell.wait(&heard, &a, LONG);
            tokio::pin!(wait);
            assert!((&mut wait).now_or_never().is_none() && bell.is_awaited(&a[0]));
            bell.ring(&a);
        }
        assert!(bell.missed().now_or_never().is_some());
        assert!(!bell.is_heard(&heard, &a[0]) && !bell.is_awaited(&a[0]));
        assert!(bell.all_heard(&heard, &a).now_or_never().is_none());
        tokio::join!(bell.all_heard(&heard, &a), bell.wait(&heard, &a, LONG));
    }
}
