//! The one place that reads the time: the store's clock, or a clock that a test moves by hand; waits go by the same.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::run::Claimed;

mod check;
mod manual;
mod pace;
mod precise;

pub(crate) use check::{ClockCheck, FAR_BACK, since_boot};
pub use manual::ManualClock;
pub(crate) use manual::in_run;
pub use pace::Pace;
pub(crate) use precise::Alarms;

/// A moment by the store's clock, in microseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes a moment from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Makes a moment from milliseconds since the Unix epoch, the unit of LINE's timestamps.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Returns microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns whole milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the time from `earlier` to this moment, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(micros(time)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(micros(time)))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}µs", self.0)
    }
}

/// Returns a duration in whole microseconds, as large as fits.
#[must_use]
pub fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Where the time comes from, and by what waits are measured.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The store's own clock: the Redis server's, or the machine's for an SQLite file; waits are real.
    #[default]
    Own,
    /// A clock that only moves when it is told to; whoever waits sleeps until then.
    Manual(ManualClock),
    /// A clock at a pace of its own; leases are as long in real time as at the machine's pace.
    Paced(Arc<dyn Pace>),
}

impl Clock {
    /// Returns the time to hand to the store, or `None` where the store's own clock counts.
    #[must_use]
    pub fn given(&self) -> Option<Timestamp> {
        match self {
            Self::Own => None,
            Self::Manual(clock) => Some(clock.now()),
            Self::Paced(pace) => Some(pace.now()),
        }
    }

    /// Returns the time, this machine's where the store's own clock counts: for what needs no agreement to the second.
    #[must_use]
    pub fn roughly_now(&self) -> Timestamp {
        self.given().unwrap_or_else(wall_clock)
    }

    /// Returns how long to really wait for this long, before looking again.
    pub(crate) fn real(&self, time: Duration) -> Duration {
        match self {
            Self::Own | Self::Manual(_) => time,
            Self::Paced(pace) => pace::at_most(&**pace, time),
        }
    }

    /// Returns the span of this clock's time that holds as long as `span` does by the machine's.
    pub(crate) fn stretched(&self, span: Duration) -> Duration {
        match self {
            Self::Own | Self::Manual(_) => span,
            Self::Paced(pace) => pace::stretched(&**pace, span),
        }
    }

    /// Waits for this long.
    pub async fn sleep(&self, time: Duration) {
        match self {
            Self::Own => tokio::time::sleep(time).await,
            Self::Manual(clock) => clock.sleep_until(clock.now() + time).await,
            Self::Paced(pace) => pace::sleep_until(&**pace, pace.now() + time).await,
        }
    }

    /// Does `work` for this long at most; `None` if it takes longer.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match self {
            Self::Own => tokio::time::timeout(limit, work).await.ok(),
            Self::Manual(clock) => tokio::select! {
                biased;
                done = work => Some(done),
                () = clock.sleep_until(clock.now() + limit) => None,
            },
            Self::Paced(_) => tokio::select! {
                biased;
                done = work => Some(done),
                () = self.sleep(limit) => None,
            },
        }
    }

    /// Starts to measure how long something takes.
    #[must_use]
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch(match self {
            Self::Own => Started::Own(Instant::now()),
            Self::Manual(clock) => Started::Manual(clock.clone(), clock.now()),
            Self::Paced(pace) => Started::Paced(Arc::clone(pace), pace.now()),
        })
    }

    /// Returns a number from 0 to 1: by chance, or always the middle, so that tests know how long waits are.
    pub(crate) fn chance(&self) -> f64 {
        match self {
            Self::Own | Self::Paced(_) => fastrand::f64(),
            Self::Manual(_) => 0.5,
        }
    }

    /// Waits until all of `runs` sleep by a clock that stands still; for ever by one that goes on.
    pub(crate) async fn all_asleep(&self, runs: impl Iterator<Item = &Claimed> + Clone) {
        match self {
            Self::Own | Self::Paced(_) if runs.clone().next().is_none() => {}
            Self::Own | Self::Paced(_) => std::future::pending().await,
            Self::Manual(clock) => clock.all_asleep(runs).await,
        }
    }

    /// Does what a run waits for without sleeping: a call to the store.
    pub(crate) async fn awake<T>(&self, run: Claimed, call: impl Future<Output = T>) -> T {
        let _awake = match self {
            Self::Own | Self::Paced(_) => None,
            Self::Manual(clock) => Some(clock.awake(run)),
        };
        call.await
    }
}

/// Measures how long something takes.
#[derive(Clone, Debug)]
pub struct Stopwatch(Started);

#[derive(Clone, Debug)]
enum Started {
    Own(Instant),
    Manual(ManualClock, Timestamp),
    Paced(Arc<dyn Pace>, Timestamp),
}

impl Stopwatch {
    /// Returns the time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Started::Own(start) => start.elapsed(),
            Started::Manual(clock, start) => clock.now().since(*start),
            Started::Paced(pace, start) => pace.now().since(*start),
        }
    }
}

/// Reads the machine's wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(micros(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_another_is_no_time_since() {
        let (early, late) = (Timestamp::from_millis(1), Timestamp::from_millis(5));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = ManualClock::new(Timestamp::from_millis(10));
        let other = Clock::Manual(clock.clone());
        clock.advance(Duration::from_millis(5));
        assert_eq!(other.given(), Some(Timestamp::from_millis(15)));
    }

    #[tokio::test]
    async fn b1_a_limit_and_a_stopwatch_go_by_the_clock() {
        let manual = ManualClock::new(Timestamp::from_millis(0));
        let clock = Clock::Manual(manual.clone());
        let (watch, hour) = (clock.stopwatch(), Duration::from_secs(3600));
        let moves = async { manual.advance(hour) };
        let (limited, ()) = tokio::join!(clock.timeout(hour, clock.sleep(hour * 2)), moves);
        assert_eq!((limited, watch.elapsed()), (None, hour));
    }

    #[tokio::test]
    async fn b1_work_that_ends_at_its_limit_is_in_time() {
        let manual = ManualClock::new(Timestamp::from_millis(0));
        let clock = Clock::Manual(manual.clone());
        let (hour, moves) =
            (Duration::from_secs(3600), async { manual.advance(Duration::from_secs(3600)) });
        let (limited, ()) = tokio::join!(clock.timeout(hour, clock.sleep(hour)), moves);
        assert_eq!(limited, Some(()));
    }
}
