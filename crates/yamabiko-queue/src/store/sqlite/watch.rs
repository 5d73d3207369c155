//! Wakes those who wait for work: at once in this process, by looking at the file for others (W1).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::watch;

use crate::store::Signal;

/// How often the file is looked at for what other processes wrote.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);

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
pub(super) struct Bell(watch::Sender<Signalled>);

impl Bell {
    /// Rings for signals.
    pub(super) fn ring(&self, signals: &[Signal]) {
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
    fn ring_all(&self) {
        self.0.send_modify(|signalled| {
            signalled.count += 1;
            signalled.all = signalled.count;
        });
    }

    /// Waits until one of the signals is given that `heard` has not heard of, at most `at_most`.
    pub(super) async fn wait(&self, heard: &Heard, signals: &[Signal], at_most: Duration) {
        let mut signalled = self.0.subscribe();
        let rung = signalled.wait_for(|signalled| heard.is_news(signalled, signals));
        // In vain after `at_most`, or when the store is closed.
        drop(tokio::time::timeout(at_most, rung).await);
    }

    fn has_listeners(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

/// What one handle has heard of; a signal from before its wait is not lost.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<HashMap<Signal, u64>>);

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

/// Looks for what other processes wrote.
#[derive(Debug)]
pub(super) struct Lookout {
    version: i64,
    looked: Instant,
}

impl Lookout {
    pub(super) fn new(db: &Connection) -> Self {
        Self { version: version(db).unwrap_or(0), looked: Instant::now() }
    }

    /// Rings for everybody if another connection has written to the file; `db` does not see its own commits.
    pub(super) fn look(&mut self, db: &Connection, bell: &Bell) {
        if self.looked.elapsed() < LOOK_EVERY || !bell.has_listeners() {
            return;
        }
        self.looked = Instant::now();
        // A file that cannot be read has nothing new; whoever uses it hears of the error.
        if let Ok(version) = version(db)
            && version != self.version
        {
            self.version = version;
            bell.ring_all();
        }
    }
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA data_version")?.query_one((), |row| row.get(0))
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
