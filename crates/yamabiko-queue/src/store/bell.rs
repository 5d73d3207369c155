//! Wakes those who wait for work in this process (W1).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{clock::Alarms, store::Signal};

/// What has been signalled so far, counted through.
#[derive(Debug, Default)]
struct Signalled {
    count: u64,
    /// The last time for all signals at once.
    all: u64,
    /// The last time for each.
    each: HashMap<Signal, u64>,
}

impl Signalled {
    fn last(&self, signal: &Signal) -> u64 {
        self.each.get(signal).map_or(self.all, |last| self.all.max(*last))
    }
}

/// The waiting places of one open store.
#[derive(Debug, Default)]
pub(crate) struct Bell(watch::Sender<Signalled>);

impl Bell {
    /// Rings for signals.
    pub(crate) fn ring(&self, signals: &[Signal]) {
        if signals.is_empty() {
            return;
        }
        self.0.send_modify(|signalled| {
            signalled.count += 1;
            for signal in signals {
                signalled.each.insert(signal.clone(), signalled.count);
            }
        });
    }

    /// Rings for everybody.
    pub(crate) fn ring_all(&self) {
        self.0.send_modify(|signalled| {
            signalled.count += 1;
            signalled.all = signalled.count;
        });
    }

    /// Waits until one of the signals is given that `heard` has not heard of, at most `at_most`.
    pub(crate) async fn wait(&self, heard: &Heard, signals: &[Signal], at_most: Duration) {
        let mut signalled = self.0.subscribe();
        let _waiting = Waiting::begin(heard, signals);
        let rung = signalled.wait_for(|signalled| heard.is_news(signalled, signals));
        tokio::select! {
            biased;
            // An error says that the store is closed.
            _ = rung => {}
            () = heard.alarms.sleep(at_most) => {}
        }
    }

    /// Waits until a handle has heard the last ring for a signal, and says whether it has.
    ///
    /// Whoever waits for the signal now may take its time; if nobody does, somebody must come within `patience`.
    pub(crate) async fn is_heard(
        &self,
        heard: &Heard,
        signal: &Signal,
        patience: Duration,
    ) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            let news = heard.news.notified();
            tokio::pin!(news);
            // From now on, so that what happens between the look and the wait is not missed.
            news.as_mut().enable();
            if heard.last(signal) >= self.0.borrow().last(signal) {
                return true;
            }
            if heard.is_awaited(signal) {
                news.await;
            } else if tokio::time::timeout_at(deadline, news).await.is_err() {
                return false;
            }
        }
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

/// What one handle has heard of; a signal from before its wait is not lost.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    last: Mutex<HashMap<Signal, u64>>,
    /// Something was heard, or a wait has begun or ended.
    news: Notify,
    /// What is waited for now, once for each wait.
    awaited: Mutex<Vec<Signal>>,
    alarms: Alarms,
}

impl Heard {
    fn is_awaited(&self, signal: &Signal) -> bool {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).contains(signal)
    }

    fn last(&self, signal: &Signal) -> u64 {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(signal).copied().unwrap_or(0)
    }

    fn is_news(&self, signalled: &Signalled, signals: &[Signal]) -> bool {
        let mut heard = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = false;
        for signal in signals {
            let last = signalled.last(signal);
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
}

/// A wait for signals, from its begin to its end.
struct Waiting<'a> {
    heard: &'a Heard,
    signals: &'a [Signal],
}

impl<'a> Waiting<'a> {
    fn begin(heard: &'a Heard, signals: &'a [Signal]) -> Self {
        let mut awaited = heard.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.extend_from_slice(signals);
        heard.news.notify_waiters();
        Self { heard, signals }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut awaited = self.heard.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        for signal in self.signals {
            if let Some(place) = awaited.iter().position(|one| one == signal) {
                awaited.swap_remove(place);
            }
        }
        self.heard.news.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn queue(name: &str) -> Signal {
        Signal::Queue(name.to_owned())
    }

    #[test]
    fn w1_a_signal_from_before_the_wait_is_heard_once() {
        let (bell, heard) = (Bell::default(), Heard::default());
        bell.ring(&[queue("a")]);
        assert!(heard.is_news(&bell.0.borrow(), &[queue("b"), queue("a")]));
        assert!(!heard.is_news(&bell.0.borrow(), &[queue("b"), queue("a")]));
    }

    #[test]
    fn w1_a_signal_is_for_those_who_wait_for_it() {
        let (bell, heard) = (Bell::default(), Heard::default());
        bell.ring(&[queue("a"), Signal::Timers]);
        assert!(!heard.is_news(&bell.0.borrow(), &[queue("b")]));
        bell.ring_all();
        assert!(heard.is_news(&bell.0.borrow(), &[queue("b")]));
        assert!(heard.is_news(&bell.0.borrow(), &[Signal::Timers]));
    }

    #[tokio::test]
    async fn w1_a_ring_wakes_who_waits_on_another_handle() {
        let (bell, heard) = (Bell::default(), Heard::default());
        let ring = async { bell.ring(&[Signal::Timers]) };
        let waits = bell.wait(&heard, &[Signal::Timers], LONG);
        tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(waits, ring) })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn w1_a_signal_that_nobody_comes_to_hear_is_unheard() {
        let (bell, heard) = (Bell::default(), Heard::default());
        bell.ring(&[queue("a")]);
        assert!(!bell.is_heard(&heard, &queue("a"), Duration::ZERO).await);
        let a = [queue("a")];
        let (is_heard, ()) =
            tokio::join!(bell.is_heard(&heard, &a[0], LONG), bell.wait(&heard, &a, LONG));
        assert!(is_heard);
    }

    #[tokio::test]
    async fn w1_a_wait_that_is_given_up_before_it_hears_has_not_heard() {
        let (bell, heard) = (Bell::default(), Heard::default());
        {
            let (a, b) = ([queue("a")], [queue("b")]);
            let wait = bell.wait(&heard, &a, LONG);
            tokio::pin!(wait);
            tokio::select! {
                biased;
                () = &mut wait => {}
                () = bell.wait(&heard, &b, Duration::ZERO) => {}
            }
            bell.ring(&a);
        }
        assert!(!bell.is_heard(&heard, &queue("a"), Duration::ZERO).await);
    }
}
