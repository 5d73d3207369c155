//! The clock of an SQLite store: the wall clock, but never behind a time that was stored (T3).

use std::{
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use crate::clock::{Clock, Timestamp, wall_clock};

/// A stored time that is further ahead of the wall clock than this is not followed.
pub(super) const FOLLOWED: Duration = Duration::from_secs(60 * 60);

/// Returns the time by the wall clock and a time that was stored.
pub(super) fn later(wall: Timestamp, stored: Timestamp) -> Timestamp {
    if stored <= wall + FOLLOWED { wall.max(stored) } else { wall }
}

/// The clock of one open store.
#[derive(Debug, Default)]
pub(super) struct StoreClock {
    given: Clock,
    latest: AtomicI64,
    warned: AtomicBool,
}

impl StoreClock {
    pub(super) fn new(given: Clock) -> Self {
        Self { given, ..Self::default() }
    }

    /// Returns the time, given the highest that is stored.
    pub(super) fn now(&self, stored: Timestamp) -> Timestamp {
        self.given.given().unwrap_or_else(|| self.own(wall_clock(), stored))
    }

    /// Says whether the times of this clock are to be stored.
    pub(super) fn is_own(&self) -> bool {
        self.given.given().is_none()
    }

    fn own(&self, wall: Timestamp, stored: Timestamp) -> Timestamp {
        if stored > wall + FOLLOWED && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                ahead_seconds = stored.since(wall).as_secs(),
                "the store has seen a time far ahead of the machine's clock, which is not followed; `doctor --confirm-clock` makes the store forget it"
            );
        }
        let latest = Timestamp::from_micros(self.latest.load(Ordering::Relaxed));
        let now = later(wall, stored).max(later(wall, latest));
        self.latest.store(now.as_micros(), Ordering::Relaxed);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn t3_a_wall_clock_set_back_does_not_take_the_store_back() {
        let clock = StoreClock::default();
        assert_eq!(clock.own(NOON, NOON - SECOND), NOON);
        assert_eq!(clock.own(NOON - HOUR, NOON - SECOND), NOON);
        assert_eq!(clock.own(NOON + SECOND, NOON), NOON + SECOND);
    }

    #[test]
    fn t3_a_time_that_another_process_stored_is_followed() {
        assert_eq!(StoreClock::default().own(NOON, NOON + HOUR), NOON + HOUR);
    }

    #[test]
    fn t3_a_stored_time_more_than_an_hour_ahead_is_not_followed() {
        let clock = StoreClock::default();
        assert_eq!(clock.own(NOON, NOON + HOUR + SECOND), NOON);
        assert!(clock.warned.load(Ordering::Relaxed));
        assert_eq!(clock.own(NOON + SECOND, NOON + HOUR + SECOND), NOON + HOUR + SECOND);
    }

    #[test]
    fn t3_a_given_clock_counts_alone() {
        let clock = StoreClock::new(Clock::Manual(crate::ManualClock::new(NOON)));
        assert_eq!(clock.now(NOON + HOUR), NOON);
        assert!(!clock.is_own());
    }
}
