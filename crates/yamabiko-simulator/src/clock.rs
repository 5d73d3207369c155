//! The simulator's time: the machine's clock plus an offset, or a clock that only a test moves.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the simulator's time; clones share it.
///
/// It rules time stamps, reply tokens, retry keys and quotas, not the deadline of a webhook.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Follows the machine's clock if true.
    runs: bool,
    /// Milliseconds: added to the machine's clock, or the time itself if the clock stands.
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Follows the machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { runs: true, offset_ms: Arc::default() }
    }

    /// Stands at `start_ms` (milliseconds since 1970, UTC) until it is moved.
    #[must_use]
    pub fn manual(start_ms: i64) -> Self {
        Self { runs: false, offset_ms: Arc::new(AtomicI64::new(start_ms)) }
    }

    /// Tells the time in milliseconds since 1970, UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let offset = self.offset_ms.load(Ordering::SeqCst);
        if self.runs { machine_ms() + offset } else { offset }
    }

    /// Moves the time forward by `by`.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.offset_ms.fetch_add(by, Ordering::SeqCst);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn machine_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(1_000);
        assert_eq!(clock.now_ms(), 1_000);
        let shared = clock.clone();
        shared.advance(Duration::from_secs(2));
        assert_eq!((clock.now_ms(), shared.now_ms()), (3_000, 3_000));
    }

    #[test]
    fn a_running_clock_can_be_moved_forward() {
        let clock = Clock::system();
        let before = clock.now_ms();
        clock.advance(Duration::from_secs(3_600));
        assert!(clock.now_ms() >= before + 3_600_000);
    }
}
