//! Wakes those who wait for work in this process (W1).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::store::Signal;

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
        let rung = signalled.wait_for(|signalled| heard.is_news(signalled, signals));
        // In vain after `at_most`, or when the store is closed.
        drop(tokio::time::timeout(at_most, rung).await);
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

impl Bell {
    /// Says whether a handle has heard the last ring for a signal.
    pub(crate) fn is_heard(&self, heard: &Heard, signal: &Signal) -> bool {
        let last = self.0.borrow().last(signal);
        let heard = heard.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(signal).copied().unwrap_or(0) >= last
    }
}

/// What one handle has heard of; a signal from before its wait is not lost.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<HashMap<Signal, u64>>);

impl Heard {
    fn is_news(&self, signalled: &Signalled, signals: &[Signal]) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = false;
        for signal in signals {
            let last = signalled.last(signal);
            if last > heard.get(signal).copied().unwrap_or(0) {
                heard.insert(signal.clone(), last);
                news = true;
            }
        }
        news
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
}
