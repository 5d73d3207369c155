//! The simulator's time: it follows the machine's clock at any speed, or stands until it is moved.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::timeout;

/// Tells the simulator's time; clones share it.
///
/// It rules time stamps, waits, reply tokens, retry keys, rate limits and quotas,
/// not the deadline of a webhook: the bot is a real process.
#[derive(Clone, Debug)]
pub struct Clock(Arc<watch::Sender<Pace>>);

/// Is how the time goes on from a moment at which both clocks were read.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// The simulator's time at that moment, in microseconds.
    start_us: i64,
    /// The machine's time at that moment, in microseconds.
    machine_us: i64,
    /// How many times faster than the machine's.
    speed: u32,
    stands: bool,
}

impl Pace {
    fn at(&self, machine_us: i64) -> i64 {
        if self.stands {
            return self.start_us;
        }
        let passed = machine_us.saturating_sub(self.machine_us);
        self.start_us.saturating_add(passed.saturating_mul(self.speed.into()))
    }

    fn real(&self, span: Duration) -> Option<Duration> {
        (!self.stands).then(|| span / self.speed)
    }
}

impl Clock {
    /// The highest speed.
    pub const MAX_SPEED: u32 = 1_000;

    /// Follows the machine's clock.
    #[must_use]
    pub fn system() -> Self {
        let machine_us = machine_us();
        Self::with(Pace { start_us: machine_us, machine_us, speed: 1, stands: false })
    }

    /// Stands at `start_ms` (milliseconds since 1970, UTC) until it is moved or runs.
    #[must_use]
    pub fn manual(start_ms: i64) -> Self {
        let start_us = start_ms.saturating_mul(1_000);
        Self::with(Pace { start_us, machine_us: machine_us(), speed: 1, stands: true })
    }

    fn with(pace: Pace) -> Self {
        Self(Arc::new(watch::Sender::new(pace)))
    }

    /// Tells the time in milliseconds since 1970, UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_us() / 1_000
    }

    /// Tells the time in microseconds since 1970, UTC.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        self.0.borrow().at(machine_us())
    }

    /// Tells how many times faster than the machine's clock it runs, when it runs.
    #[must_use]
    pub fn speed(&self) -> u32 {
        self.0.borrow().speed
    }

    /// Tells whether it stands until it is moved.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.0.borrow().stands
    }

    /// Moves the time forward by `by`.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.change(|pace| pace.start_us = pace.start_us.saturating_add(by));
    }

    /// Lets the time go on `speed` times as fast, 1 to [`MAX_SPEED`](Self::MAX_SPEED).
    ///
    /// What lies outside of that is taken as the nearer end of it.
    pub fn set_speed(&self, speed: u32) {
        self.change(|pace| pace.speed = speed.clamp(1, Self::MAX_SPEED));
    }

    /// Lets the time stand; only [`advance`](Self::advance) moves it then.
    pub fn stand(&self) {
        self.change(|pace| pace.stands = true);
    }

    /// Lets the time go on from where it stands.
    pub fn run(&self) {
        self.change(|pace| pace.stands = false);
    }

    /// Tells how long a span of the simulator's time really takes at the speed of now.
    ///
    /// `None` while the time stands.
    #[must_use]
    pub fn real(&self, span: Duration) -> Option<Duration> {
        self.0.borrow().real(span)
    }

    /// Ends when the simulator's time is `at_ms`, however it gets there.
    pub(crate) async fn reach(&self, at_ms: i64) {
        let mut changes = self.0.subscribe();
        let at_us = at_ms.saturating_mul(1_000);
        loop {
            let pace = *changes.borrow_and_update();
            let left = u64::try_from(at_us.saturating_sub(pace.at(machine_us()))).unwrap_or(0);
            if left == 0 {
                return;
            }
            match pace.real(Duration::from_micros(left)) {
                // The end of the wait is as good a reason to look again as a change is.
                Some(real) => timeout(real, changes.changed()).await.is_ok(),
                None => changes.changed().await.is_ok(),
            };
        }
    }

    /// Changes how the time goes on from now, so that it never jumps by itself.
    fn change(&self, change: impl FnOnce(&mut Pace)) {
        self.0.send_modify(|pace| {
            let machine_us = machine_us();
            *pace = Pace { start_us: pace.at(machine_us), machine_us, ..*pace };
            change(pace);
        });
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn machine_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

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
        assert!(clock.now_ms() >= before + HOUR_MS);
    }

    #[test]
    fn a_clock_of_speed_60_lets_a_minute_pass_in_a_second() {
        let pace = Pace { start_us: 5_000_000, machine_us: 1_000_000, speed: 60, stands: false };
        assert_eq!(pace.at(2_000_000), 65_000_000);
        assert_eq!(pace.real(Duration::from_secs(60)), Some(Duration::from_secs(1)));
        assert_eq!(Pace { stands: true, ..pace }.real(Duration::from_secs(60)), None);
    }

    #[test]
    fn a_change_of_speed_moves_no_time() {
        let clock = Clock::system();
        clock.advance(Duration::from_secs(3_600));
        let before = clock.now_ms();
        for speed in [1_000, 1, 60, 1] {
            clock.set_speed(speed);
            clock.stand();
            clock.run();
        }
        let passed = clock.now_ms() - before;
        // A jump would be of hours: the clock's offset times its speed.
        assert!((0..HOUR_MS).contains(&passed), "{passed} ms");
    }

    #[test]
    fn the_speed_is_1_to_1000() {
        let clock = Clock::manual(0);
        for (given, taken) in [(0, 1), (1, 1), (1_000, 1_000), (1_001, 1_000)] {
            clock.set_speed(given);
            assert_eq!(clock.speed(), taken);
        }
    }

    #[tokio::test]
    async fn a_wait_ends_when_a_standing_clock_is_moved_far_enough() {
        let clock = Clock::manual(0);
        let wait = clock.reach(2_000);
        tokio::pin!(wait);
        for _ in 0..2 {
            assert!((&mut wait).now_or_never().is_none());
            clock.advance(Duration::from_millis(999));
        }
        assert!((&mut wait).now_or_never().is_none());
        clock.advance(Duration::from_millis(2));
        wait.await;
    }

    #[tokio::test]
    async fn a_wait_gets_shorter_when_the_clock_gets_faster() {
        let clock = Clock::system();
        let wait = clock.reach(clock.now_ms() + HOUR_MS / 60);
        tokio::pin!(wait);
        assert!((&mut wait).now_or_never().is_none());
        clock.set_speed(1_000);
        let soon = timeout(Duration::from_secs(10), wait).await;
        assert!(soon.is_ok(), "a minute takes 60 ms");
    }
}
