//! When a failed job is tried again.

use std::time::Duration;

use crate::store::Hold;

/// How often and when a kind of job is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Runs that may fail before the job is dead. Defaults to 10.
    pub max_attempts: u32,
    /// How long one run may take. Defaults to 5 minutes.
    pub timeout: Duration,
    /// The wait after the first failure; it doubles with each further one. Defaults to 2 s.
    pub first_wait: Duration,
    /// The longest wait. Defaults to 1 h.
    pub longest_wait: Duration,
    /// How long all attempts may take together, from the first claim on. Defaults to no limit.
    pub within: Option<Duration>,
    /// Whether `within` begins anew when the time went by without a failure: with processes that died, or a store that was
    /// away. Defaults to false.
    pub forgives_outages: bool,
    /// Whether a job that waits for its next attempt keeps its lane (L4). Defaults to false.
    pub holds_lane: bool,
    /// Whether a run that is cancelled goes on to its end and keeps its lane until then: what it does outside happens all the
    /// same, and nothing may overtake it. Defaults to false.
    pub sees_through: bool,
    /// How often its process may die while running it before the job is dead (C4). Defaults to 3.
    pub max_lost: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 10,
            timeout: Duration::from_secs(5 * 60),
            first_wait: Duration::from_secs(2),
            longest_wait: Duration::from_secs(60 * 60),
            within: None,
            forgives_outages: false,
            holds_lane: false,
            sees_through: false,
            max_lost: 3,
        }
    }
}

/// The share by which a wait is varied, up and down.
const JITTER: f64 = 0.2;

impl RetryPolicy {
    /// Returns what becomes of the lane of a job that waits for its next attempt.
    pub(crate) const fn hold(&self, lends: bool) -> Hold {
        match (self.holds_lane, lends) {
            (false, _) => Hold::No,
            (true, false) => Hold::Yes,
            (true, true) => Hold::Lend,
        }
    }

    /// The policy of event handlers: 5 attempts within 20 s, during which the chat's lane is held (D1).
    #[must_use]
    pub fn events() -> Self {
        Self {
            max_attempts: 5,
            timeout: Duration::from_secs(20),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(4),
            within: Some(Duration::from_secs(20)),
            forgives_outages: true,
            holds_lane: true,
            sees_through: false,
            max_lost: 3,
        }
    }

    /// The policy of deliveries: tried until 23 h after the first attempt, the lane held (O4, O5).
    #[must_use]
    pub fn deliveries() -> Self {
        Self {
            max_attempts: u32::MAX,
            timeout: Duration::from_secs(20),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(5 * 60),
            within: Some(Duration::from_secs(23 * 60 * 60)),
            forgives_outages: false,
            holds_lane: true,
            sees_through: true,
            // No author's code runs in a delivery: a process that died did not die of it.
            max_lost: u32::MAX,
        }
    }

    /// Returns the wait before the next attempt after `failures` failed ones (at least 1).
    ///
    /// `chance`, from 0 to 1, spreads the wait from 20 % below to 20 % above its middle.
    #[must_use]
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(32);
        let middle = self.first_wait.saturating_mul(1 << doublings.min(31)).min(self.longest_wait);
        middle.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0))
    }

    /// Returns how long the next run may take when `spent` has passed since the first claim.
    #[must_use]
    pub fn time_left(&self, spent: Duration) -> Duration {
        self.within.map_or(self.timeout, |within| self.timeout.min(within.saturating_sub(spent)))
    }

    /// Says whether the time that a job has left at a claim, `spent` after its first one, is to begin anew.
    ///
    /// A job whose time is over dies at its failure. So if it is over at a claim, no failing run has used it up; and where
    /// claims were lost, a part of the time was not the job's own.
    #[must_use]
    pub fn begins_anew(&self, lost: u32, spent: Duration) -> bool {
        let Some(within) = self.within.filter(|_| self.forgives_outages) else { return false };
        spent >= within || (lost > 0 && spent >= within / 5)
    }

    /// Says whether no further attempt may follow the `failures`-th failure, if it would start `spent` after the first claim.
    #[must_use]
    pub fn is_exhausted(&self, failures: u32, spent: Duration) -> bool {
        failures >= self.max_attempts || self.within.is_some_and(|within| spent >= within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn waits_double_from_two_seconds_to_an_hour() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (1..=13).map(|n| policy.wait(n, 0.5)).collect();
        assert_eq!(waits[..4], [secs(2), secs(4), secs(8), secs(16)]);
        assert_eq!(waits[11..], [secs(3600), secs(3600)]);
        assert_eq!(policy.wait(u32::MAX, 0.5), secs(3600));
    }

    #[test]
    fn jitter_is_a_fifth_each_way() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(1, 0.0), Duration::from_millis(1600));
        assert_eq!(policy.wait(1, 1.0), Duration::from_millis(2400));
    }

    #[test]
    fn d1_events_have_five_attempts_within_twenty_seconds() {
        let policy = RetryPolicy::events();
        assert!(!policy.is_exhausted(4, secs(19)));
        assert!(policy.is_exhausted(5, secs(1)));
        assert!(policy.is_exhausted(1, secs(20)));
        assert_eq!(policy.time_left(secs(5)), secs(15));
        let longest: Duration = (1..5).map(|n| policy.wait(n, 1.0)).sum();
        assert!(longest < secs(20), "the waits alone leave room for the runs: {longest:?}");
    }

    #[test]
    fn d1_time_that_went_by_without_a_failure_is_not_the_events() {
        let policy = RetryPolicy::events();
        assert!(policy.begins_anew(0, secs(20)), "the store was away");
        assert!(policy.begins_anew(1, secs(4)), "a process died");
        assert!(!policy.begins_anew(1, secs(3)));
        assert!(!policy.begins_anew(0, secs(19)), "its own failures took the time");
        assert!(
            !RetryPolicy::deliveries().begins_anew(1, secs(24 * 3600)),
            "a retry key has its age"
        );
        assert!(!RetryPolicy::default().begins_anew(1, secs(24 * 3600)), "there is no limit");
    }

    #[test]
    fn o4_deliveries_are_tried_until_23_hours() {
        let policy = RetryPolicy::deliveries();
        assert!(!policy.is_exhausted(1000, secs(23 * 3600 - 1)));
        assert!(policy.is_exhausted(1, secs(23 * 3600)));
    }
}
