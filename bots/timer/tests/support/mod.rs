//! What the tests of whole processes share: LINE's side, and processes that can be killed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test uses a part of it"
)]

#[path = "../../../../crates/yamabiko/tests/third_bot/full_pipe.rs"]
mod full_pipe;
pub mod line;
mod process;
#[path = "../../../../crates/yamabiko-queue/tests/store/redis_server.rs"]
pub(crate) mod redis_server;

pub(crate) use full_pipe::full_pipe;
pub use line::{Line, Said};
pub use process::{Process, free_port, settings, tool};

use std::time::Duration;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test's future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}
