//! Waiting for a store that is away for a moment.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use yamabiko_queue::Result;

/// How long the store may be away when all is over.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon it is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// Asks the store until it answers: a disk that is busy may hold it up for seconds, which is no loss.
///
/// # Errors
/// What the store says to the question, or that it stays away.
pub(crate) async fn patiently<T>(ask: impl AsyncFn() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Err(error) if error.is_retryable() && Instant::now() < deadline => sleep(AGAIN).await,
            answer => return answer,
        }
    }
}
