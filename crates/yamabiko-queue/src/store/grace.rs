//! Spares claims after an outage until workers had the time to beat (C3).

use std::time::Duration;

use crate::{clock::Timestamp, store::StoreOptions};

/// Ticks come at least once a second; a longer time without one means that the store was away, or the process stood still.
const GAP: Duration = Duration::from_secs(2);
/// How long a worker takes at most to beat again once the store is back: a connect that fails with all sentinels asked (3 s),
/// the wait after it, and a beat.
const RECOVERY: Duration = Duration::from_secs(5);
/// When to come again where claims are spared.
const AGAIN: Duration = Duration::from_secs(1);

/// The spans that spare claims, by the store's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spans {
    /// The longest time between two ticks that is no gap.
    pub(crate) gap: Duration,
    /// For how long claims are spared after a gap.
    pub(crate) spared: Duration,
    /// When to come again where claims are spared.
    pub(crate) again: Duration,
}

impl Spans {
    pub(crate) fn of(options: &StoreOptions) -> Self {
        let stretched = |span| options.clock.stretched(span);
        Self {
            gap: stretched(GAP),
            spared: stretched(options.lease.max(RECOVERY)),
            again: stretched(AGAIN),
        }
    }
}

/// For how long a handle has been ticking without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grace {
    /// The first tick after the last gap.
    pub(crate) since: Timestamp,
    /// The last tick; `None` before the first one, and after one that failed.
    pub(crate) last: Option<Timestamp>,
}

impl Grace {
    /// Notes a tick, and returns whether it may return ended claims.
    pub(crate) fn step(&mut self, now: Timestamp, spans: Spans) -> bool {
        let goes_on =
            self.last.is_some_and(|last| last <= now + spans.gap && now <= last + spans.gap);
        if !goes_on {
            self.since = now;
        }
        self.last = Some(now);
        now >= self.since + spans.spared
    }

    /// Notes a tick that failed.
    pub(crate) const fn failed(&mut self) {
        self.last = None;
    }

    /// Returns when to come again for a claim whose lease ends at `lease_end`, after a tick at `now` that `may_end` claims.
    pub(crate) fn next_end(
        &self,
        lease_end: Timestamp,
        now: Timestamp,
        may_end: bool,
        spans: Spans,
    ) -> Timestamp {
        // Ticks that come too rarely would look like a gap again.
        if may_end { lease_end } else { (self.since + spans.spared).min(now + spans.again) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(grace: &mut Grace, millis: &[i64]) -> Vec<bool> {
        let spans = Spans::of(&StoreOptions::new("test"));
        let at = |&at| grace.step(Timestamp::from_millis(at), spans);
        millis.iter().map(at).collect()
    }

    /// Ticks twice a second up to this moment, and returns what the last tick said.
    fn ticks_until(grace: &mut Grace, millis: i64) -> bool {
        let first = grace.last.map_or(millis, |last| last.as_millis() + 500);
        let ticks: Vec<_> = (first..millis).step_by(500).chain([millis]).collect();
        *steps(grace, &ticks).last().expect("there is a tick")
    }

    #[test]
    fn c3_claims_end_once_ticks_have_come_for_five_seconds() {
        let mut grace = Grace::default();
        steps(&mut grace, &[1_000]);
        assert!(!ticks_until(&mut grace, 5_999));
        assert!(ticks_until(&mut grace, 6_000));
    }

    #[test]
    fn c3_two_seconds_without_a_tick_spare_the_claims_again() {
        let mut grace = Grace::default();
        steps(&mut grace, &[1_000]);
        assert!(ticks_until(&mut grace, 8_000));
        assert_eq!(steps(&mut grace, &[10_000]), [true], "no gap");
        assert_eq!(steps(&mut grace, &[12_001]), [false], "a gap");
        assert!(!ticks_until(&mut grace, 17_000));
        assert!(ticks_until(&mut grace, 17_001));
    }

    #[test]
    fn c3_a_tick_that_failed_spares_the_claims_again() {
        let mut grace = Grace::default();
        steps(&mut grace, &[1_000]);
        assert!(ticks_until(&mut grace, 8_000));
        grace.failed();
        assert_eq!(steps(&mut grace, &[8_200]), [false]);
        assert!(!ticks_until(&mut grace, 13_199));
        assert!(ticks_until(&mut grace, 13_200));
    }

    #[test]
    fn c3_a_clock_that_steps_spares_the_claims_again() {
        let mut grace = Grace::default();
        steps(&mut grace, &[100_000]);
        assert!(ticks_until(&mut grace, 106_000));
        assert_eq!(steps(&mut grace, &[104_000]), [false], "it waits for the time to come back");
        assert!(ticks_until(&mut grace, 105_000));
        assert_eq!(steps(&mut grace, &[50_000]), [false], "an hour back");
        assert!(ticks_until(&mut grace, 55_000), "claims are spared for five seconds, not an hour");
    }

    #[test]
    fn c3_short_leases_are_spared_as_long_as_a_worker_needs_to_beat_again() {
        let mut options = StoreOptions::new("test");
        options.lease = Duration::from_secs(2);
        assert_eq!(Spans::of(&options).spared, Duration::from_secs(5));
        options.lease = Duration::from_secs(60);
        assert_eq!(Spans::of(&options).spared, Duration::from_secs(60));
    }
}
