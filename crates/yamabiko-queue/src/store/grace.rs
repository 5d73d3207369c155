//! Spares claims after an outage until workers had the time to beat (C3).

use std::time::Duration;

use crate::clock::Timestamp;

/// For how long a handle has been ticking without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grace {
    /// The first tick after the last gap.
    pub(crate) since: Timestamp,
    /// The last tick.
    pub(crate) last: Option<Timestamp>,
}

impl Grace {
    /// Notes a tick and says whether it may return ended claims.
    ///
    /// It may once ticks have come for a lease, none of them more than a lease after the one before.
    pub(crate) fn step(&mut self, now: Timestamp, lease: Duration) -> bool {
        let goes_on = self.last.is_some_and(|last| last <= now + lease && now <= last + lease);
        if !goes_on {
            self.since = now;
        }
        self.last = Some(now);
        now >= self.since + lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_millis(5_000);

    fn steps(grace: &mut Grace, millis: &[i64]) -> Vec<bool> {
        let at = |&at| grace.step(Timestamp::from_millis(at), LEASE);
        millis.iter().map(at).collect()
    }

    #[test]
    fn c3_claims_end_once_ticks_have_come_for_a_lease() {
        let mut grace = Grace::default();
        assert_eq!(steps(&mut grace, &[1_000, 5_999, 6_000]), [false, false, true]);
    }

    #[test]
    fn c3_a_gap_of_more_than_a_lease_starts_again() {
        let mut grace = Grace::default();
        steps(&mut grace, &[1_000, 6_000]);
        assert_eq!(steps(&mut grace, &[11_000]), [true], "a gap of a lease is none");
        let after_gap = steps(&mut grace, &[16_001, 21_000, 21_001]);
        assert_eq!(after_gap, [false, false, true]);
    }

    #[test]
    fn c3_a_clock_set_back_by_more_than_a_lease_starts_again() {
        let mut grace = Grace::default();
        steps(&mut grace, &[100_000, 105_000]);
        assert_eq!(steps(&mut grace, &[102_000, 105_000]), [false, true], "a small step back");
        assert_eq!(steps(&mut grace, &[99_999, 104_999]), [false, true], "a large one");
        assert_eq!(grace.since, Timestamp::from_millis(99_999));
    }
}
