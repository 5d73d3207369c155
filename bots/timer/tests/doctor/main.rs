//! `timer-bot doctor` against a simulator and real stores, in good and in bad shape.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod line;
mod patient;
mod redis;
mod sqlite;
mod start;
#[path = "../support/mod.rs"]
mod support;
mod work;
