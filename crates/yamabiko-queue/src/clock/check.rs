//! Whether a clock can be trusted to say how old something is (T3).

use std::{ops::RangeInclusive, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use super::Timestamp;

/// A clock that is further from the time since boot than this was set.
const DIVERGED: Duration = Duration::from_secs(10);
/// A store whose last time is further back than this was away for long, or its clock is wrong.
pub(crate) const FAR_BACK: Duration = Duration::from_secs(31 * 24 * 60 * 60);
/// For how long a clock is in doubt.
const IN_DOUBT: Duration = Duration::from_secs(60 * 60);

/// A clock that does not stop while the machine is suspended.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// Returns how long the machine has been on, suspends included.
pub(crate) fn since_boot() -> Duration {
    clock_gettime(SINCE_BOOT).try_into().unwrap_or_default()
}

/// Compares the readings of a clock with the time since boot, and with the last time that a store has seen.
///
/// A clock that was set, and one that is far ahead of the store, is in doubt for an hour: time enough for NTP or an
/// operator to set it right before anything is removed for its age.
#[derive(Debug, Default)]
pub(crate) struct ClockCheck {
    /// The last reading, and the span of time since boot within which it was taken.
    last: Option<(Timestamp, RangeInclusive<Duration>)>,
    doubted_until: Option<Duration>,
    /// The stored time that was found to be far back.
    far_back: Option<Timestamp>,
}

impl ClockCheck {
    /// Takes a reading of the clock, taken within a span of the time since boot, and the last time that the store has seen;
    /// returns whether the clock is trusted.
    pub(crate) fn read(
        &mut self,
        now: Timestamp,
        taken: RangeInclusive<Duration>,
        stored: Option<Timestamp>,
    ) -> bool {
        let since_boot = *taken.end();
        if let Some((last, then)) = &self.last
            && let (ahead, behind) = (
                now.since(*last + taken.end().saturating_sub(*then.start())),
                (*last + taken.start().saturating_sub(*then.end())).since(now),
            )
            && ahead.max(behind) > DIVERGED
        {
            tracing::warn!(
                ahead_seconds = ahead.as_secs(),
                behind_seconds = behind.as_secs(),
                "the store's clock was set; for an hour nothing is removed for its age"
            );
            self.doubted_until = Some(since_boot + IN_DOUBT);
        }
        if let Some(stored) = stored.filter(|stored| now.since(*stored) > FAR_BACK)
            && self.far_back.replace(stored) != Some(stored)
        {
            tracing::warn!(
                days = now.since(stored).as_secs() / (24 * 60 * 60),
                "the store was written last a long time ago by its clock; for an hour nothing is removed for its age"
            );
            self.doubted_until = Some(since_boot + IN_DOUBT);
        }
        self.last = Some((now, taken));
        self.trusts(since_boot)
    }

    /// Returns what the clock must show now if it was not set since the last reading; `None` before the first.
    pub(crate) fn expected(&self, since_boot: Duration) -> Option<Timestamp> {
        let (last, then) = self.last.as_ref()?;
        Some(*last + since_boot.saturating_sub(*then.end()))
    }

    /// Says whether the clock is not in doubt.
    pub(crate) fn trusts(&self, since_boot: Duration) -> bool {
        self.doubted_until.is_none_or(|until| since_boot >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(24 * 3_600);

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn read(
        check: &mut ClockCheck,
        now: Timestamp,
        at: Duration,
        stored: Option<Timestamp>,
    ) -> bool {
        check.read(now, at..=at, stored)
    }

    fn started() -> ClockCheck {
        let mut check = ClockCheck::default();
        assert!(read(&mut check, NOON, secs(100), None));
        check
    }

    #[test]
    fn t3_a_clock_that_goes_with_the_time_since_boot_is_trusted() {
        let mut check = started();
        assert_eq!(check.expected(secs(160)), Some(NOON + secs(60)));
        assert!(read(&mut check, NOON + secs(60), secs(160), None));
        assert!(read(&mut check, NOON + DAY, secs(100) + DAY, None), "a suspend counts in both");
        assert!(read(&mut check, NOON + DAY + secs(10), secs(100) + DAY, None), "NTP sets little");
    }

    #[test]
    fn t3_a_clock_that_was_set_is_in_doubt_for_an_hour() {
        for (set, then) in [(NOON + HOUR, secs(101)), (NOON - HOUR, secs(101))] {
            let mut check = started();
            assert!(!read(&mut check, set, then, None));
            assert!(!read(&mut check, set + HOUR - secs(1), then + HOUR - secs(1), None));
            assert!(read(&mut check, set + HOUR, then + HOUR, None));
        }
    }

    #[test]
    fn t3_a_clock_that_is_set_twice_is_in_doubt_from_the_second_time_on() {
        let mut check = started();
        assert!(!read(&mut check, NOON + HOUR, secs(100), None));
        assert!(!read(&mut check, NOON + secs(1_800), secs(1_900), None));
        assert!(!read(&mut check, NOON + secs(1_800) + HOUR - secs(1), secs(1_899) + HOUR, None));
        assert!(read(&mut check, NOON + secs(1_800) + HOUR, secs(1_900) + HOUR, None));
    }

    #[test]
    fn t3_a_store_whose_last_time_is_over_31_days_back_is_in_doubt_for_an_hour() {
        let mut check = ClockCheck::default();
        assert!(read(&mut check, NOON, secs(5), Some(NOON - 31 * DAY)));
        let stored = Some(NOON - 31 * DAY - secs(1));
        assert!(!read(&mut check, NOON, secs(5), stored));
        assert!(!read(&mut check, NOON + secs(3_599), secs(3_604), stored), "it stays what it was");
        assert!(read(&mut check, NOON + HOUR, secs(3_605), stored));
    }
}
