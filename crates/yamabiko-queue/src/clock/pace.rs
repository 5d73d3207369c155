//! A clock that goes at another pace than the machine's, such as that of a `dev` that is sped up.

use std::{fmt, time::Duration};

use super::Timestamp;

/// How often those who wait look again, since the pace may have changed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Tells a time that goes faster or slower than the machine's, or stands; its pace may change at any moment.
pub trait Pace: Send + Sync + fmt::Debug {
    /// Returns the time.
    fn now(&self) -> Timestamp;

    /// Returns how long a span of this time really takes at the pace of now; `None` while the time stands.
    fn real(&self, span: Duration) -> Option<Duration>;
}

/// Waits until it is `end`.
pub(super) async fn sleep_until(pace: &dyn Pace, end: Timestamp) {
    while pace.now() < end {
        tokio::time::sleep(at_most(pace, end.since(pace.now()))).await;
    }
}

/// Returns how long to really wait for a span before looking again.
pub(super) fn at_most(pace: &dyn Pace, span: Duration) -> Duration {
    pace.real(span).map_or(LOOK_EVERY, |real| real.min(LOOK_EVERY))
}

/// Returns the span of this time in which really `span` passes; no less than `span`.
pub(super) fn stretched(pace: &dyn Pace, span: Duration) -> Duration {
    let real = pace.real(span).map_or(0, |real| real.as_nanos());
    let times = span.as_nanos().checked_div(real).unwrap_or(1);
    span * u32::try_from(times.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(Option<u32>);

    impl Pace for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn real(&self, span: Duration) -> Option<Duration> {
            self.0.map(|speed| span / speed)
        }
    }

    #[test]
    fn a_lease_is_as_long_in_real_time_as_it_says_however_fast_time_goes() {
        let five = Duration::from_secs(5);
        assert_eq!(stretched(&Fixed(Some(60)), five), five * 60);
        assert_eq!(stretched(&Fixed(Some(1)), five), five);
        assert_eq!(stretched(&Fixed(None), five), five);
    }

    #[test]
    fn who_waits_looks_again_soon_since_the_pace_may_change() {
        let at_speed = |speed| at_most(&Fixed(speed), Duration::from_secs(1));
        assert_eq!(at_speed(Some(100)), Duration::from_millis(10));
        assert_eq!((at_speed(Some(1)), at_speed(None)), (LOOK_EVERY, LOOK_EVERY));
    }
}
