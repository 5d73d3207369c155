//! The test kit itself: time, chats, events, LINE's rules and faults, failures, crashes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod chats;
mod events;
mod failures;
mod forbidden;
mod heavy;
mod kept;
mod late;
mod line;
mod media;
mod ornaments;
mod panics;
mod passing;
mod restarts;
mod sources;
mod standby;
mod time;
mod unsent;

use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
