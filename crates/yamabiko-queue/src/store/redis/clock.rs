//! What a process knows of the server's clock (T3).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use redis::{AsyncCommands as _, RedisResult};

use super::{decode, link::Link, meaning::error};
use crate::{
    clock::{ClockCheck, Timestamp},
    error::Result,
};

/// The time between two notes of the server's time.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// Returns the time that a process noted last on the server.
pub(super) async fn latest(connection: &Link, prefix: &str) -> Result<Option<Timestamp>> {
    let noted: RedisResult<Option<String>> =
        connection.clone().get(format!("{prefix}latest")).await;
    match noted {
        // What is no time is written anew.
        Err(error) if error.code() == Some("WRONGTYPE") => Ok(None),
        noted => Ok(noted.map_err(error)?.as_deref().and_then(decode::time)),
    }
}

/// The server's clock, as all handles of a process see it.
#[derive(Debug, Default)]
pub(super) struct ServerClock(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    check: ClockCheck,
    /// The time that was noted last when the store was opened.
    stored: Option<Timestamp>,
    /// When the time was noted last, by the time since boot.
    noted: Option<Duration>,
}

impl ServerClock {
    pub(super) fn new(stored: Option<Timestamp>) -> Self {
        Self(Mutex::new(Known { stored, ..Known::default() }))
    }

    /// Returns what the clock must show if it was not set; `None` if it is in doubt or not known yet.
    pub(super) fn expected(&self, since_boot: Duration) -> Option<Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = known.check.expected(since_boot);
        expected.filter(|_| known.check.trusts(since_boot))
    }

    /// Says whether the time is to be noted, which it then counts as.
    pub(super) fn take_note(&self, since_boot: Duration) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = known.noted.is_none_or(|noted| since_boot >= noted + NOTE_EVERY);
        if is_due {
            known.noted = Some(since_boot);
        }
        is_due
    }

    /// Takes a reading that was asked for at `sent` and came at `received`, by the time since boot.
    pub(super) fn read(&self, now: Timestamp, sent: Duration, received: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = known.stored;
        known.check.read(now, sent..=received, stored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn t3_before_its_first_reading_the_servers_clock_is_not_trusted_with_ages() {
        let clock = ServerClock::default();
        assert_eq!(clock.expected(secs(5)), None);
        clock.read(NOON, secs(5), secs(6));
        assert_eq!(clock.expected(secs(6)), Some(NOON));
        assert!(clock.take_note(secs(6)));
        assert_eq!(clock.expected(secs(65)), Some(NOON + secs(59)));
        assert!(!clock.take_note(secs(65)));
        assert!(clock.take_note(secs(66)), "once a minute");
    }

    #[test]
    fn t3_a_slow_answer_is_no_clock_that_was_set() {
        let clock = ServerClock::default();
        clock.read(NOON, secs(0), secs(1));
        clock.read(NOON + secs(1), secs(1), secs(31));
        clock.read(NOON + secs(31), secs(31), secs(32));
        assert!(clock.expected(secs(32)).is_some());
        clock.read(NOON + secs(45), secs(32), secs(33));
        assert_eq!(clock.expected(secs(33)), None);
    }

    #[test]
    fn t3_a_server_whose_clock_is_far_ahead_of_the_store_is_in_doubt_for_an_hour() {
        let clock = ServerClock::new(Some(NOON - 32 * DAY));
        clock.read(NOON, secs(0), secs(0));
        assert_eq!(clock.expected(secs(3_599)), None);
        clock.read(NOON + secs(3_599), secs(3_599), secs(3_599));
        assert!(clock.expected(secs(3_600)).is_some());
    }
}
