//! The clock of an SQLite store: the wall clock, and beside it the latest time that was stored (T3).

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::clock::{Clock, ClockCheck, Timestamp, since_boot, wall_clock};

/// How far a record's time may be ahead of the wall clock, so that it is not before the records that are there already.
pub(super) const HELD_UP: Duration = Duration::from_secs(10);

/// The clock of one open store.
#[derive(Debug, Default)]
pub(super) struct StoreClock {
    given: Clock,
    /// The latest time of a record.
    latest: AtomicI64,
    check: Mutex<ClockCheck>,
}

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The wall clock: what is due, leases, pauses and delays go by it.
    pub(super) now: Timestamp,
    /// The time for records and retention: the wall clock, held up where it was set back by little.
    pub(super) recorded: Timestamp,
    /// By how much more than that the stored time is ahead of the wall clock.
    pub(super) ahead: Option<Duration>,
    /// Whether things may be removed for their age.
    pub(super) is_trusted: bool,
}

impl StoreClock {
    pub(super) fn new(given: Clock) -> Self {
        Self { given, ..Self::default() }
    }

    /// Reads the clock; `stored` is the latest time that is stored.
    pub(super) fn read(&self, stored: Timestamp) -> Reading {
        match self.given.given() {
            Some(now) => Reading { now, recorded: now, ahead: None, is_trusted: true },
            None => self.own(wall_clock(), since_boot(), stored),
        }
    }

    /// Says whether the times of this clock are to be stored.
    pub(super) fn is_own(&self) -> bool {
        self.given.given().is_none()
    }

    fn own(&self, now: Timestamp, since_boot: Duration, stored: Timestamp) -> Reading {
        let mut check = self.check.lock().unwrap_or_else(PoisonError::into_inner);
        let last = (stored.as_micros() > 0).then_some(stored);
        let is_trusted = check.read(now, since_boot..=since_boot, last);
        let latest = Timestamp::from_micros(self.latest.load(Ordering::Relaxed)).max(stored);
        let recorded = if latest <= now + HELD_UP { now.max(latest) } else { now };
        self.latest.store(recorded.as_micros(), Ordering::Relaxed);
        let ahead = (stored > now + HELD_UP).then(|| stored.since(now));
        Reading { now, recorded, ahead, is_trusted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn t3_a_clock_set_back_by_little_holds_up_records_and_nothing_else() {
        let clock = StoreClock::default();
        clock.own(NOON, HOUR, NOON - SECOND);
        let reading = clock.own(NOON - 9 * SECOND, HOUR, NOON - SECOND);
        assert_eq!((reading.now, reading.recorded), (NOON - 9 * SECOND, NOON));
        assert_eq!((reading.ahead, reading.is_trusted), (None, true));
        let reading = clock.own(NOON + SECOND, HOUR + 10 * SECOND, NOON);
        assert_eq!((reading.now, reading.recorded), (NOON + SECOND, NOON + SECOND));
    }

    #[test]
    fn t3_a_time_that_another_process_stored_holds_up_records_by_ten_seconds_at_most() {
        let clock = StoreClock::default();
        let reading = clock.own(NOON, HOUR, NOON + HELD_UP);
        assert_eq!((reading.now, reading.recorded, reading.ahead), (NOON, NOON + HELD_UP, None));
        for ahead in [11 * SECOND, HOUR, 2 * HOUR] {
            let reading = StoreClock::default().own(NOON, HOUR, NOON + ahead);
            assert_eq!((reading.now, reading.recorded), (NOON, NOON));
            assert_eq!(reading.ahead, Some(ahead));
        }
    }

    #[test]
    fn t3_a_time_that_was_ahead_is_forgotten_in_memory_too() {
        let clock = StoreClock::default();
        clock.own(NOON + HOUR, HOUR, NOON);
        assert_eq!(clock.own(NOON, HOUR, NOON + HOUR).recorded, NOON);
        // What it was before lies within the hold again, and is gone all the same.
        assert_eq!(clock.own(NOON + HOUR - SECOND, 2 * HOUR, NOON).recorded, NOON + HOUR - SECOND);
    }

    #[test]
    fn t3_a_clock_that_was_set_is_not_trusted_with_ages() {
        let clock = StoreClock::default();
        assert!(clock.own(NOON, HOUR, NOON).is_trusted);
        assert!(!clock.own(NOON + 2 * HOUR, HOUR + SECOND, NOON).is_trusted);
    }

    #[test]
    fn t3_a_given_clock_counts_alone() {
        let clock = StoreClock::new(Clock::Manual(crate::ManualClock::new(NOON)));
        let reading = clock.read(NOON + HOUR);
        assert_eq!((reading.now, reading.recorded, reading.ahead), (NOON, NOON, None));
        assert!(reading.is_trusted && !clock.is_own());
    }
}
