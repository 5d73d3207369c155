//! The author's jobs: units of work that take longer, or start later.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use yamabiko_queue::RetryPolicy;

use crate::{Context, Result};

/// A unit of work with a name; its fields are its payload.
///
/// A job may run more than once (a process may die in the middle of it); what it asks for through its context happens
/// once. Calls to third parties may be repeated: `cx.job_id()` is the same each time.
///
/// A job that was started for an event in standby runs as well, and so do the jobs that it starts, but nothing that
/// they say is sent, whatever has become of the chat meanwhile (I4).
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use yamabiko::{Context, Job, Lane, Result};
///
/// #[derive(Serialize, Deserialize)]
/// struct Report {
///     month: u8,
/// }
///
/// impl Job for Report {
///     const KIND: &'static str = "report";
///     const LANE: Lane = Lane::None;
///
///     async fn run(self, cx: Context) -> Result {
///         cx.push(format!("The report of month {} is ready", self.month));
///         Ok(())
///     }
/// }
/// ```
pub trait Job<S = ()>: Serialize + DeserializeOwned + Send + 'static {
    /// The job's stable name in the store; must not start with `line.`.
    const KIND: &'static str;
    /// Where it runs. Defaults to the chat's lane: in order with the chat's events.
    const LANE: Lane = Lane::Chat;
    /// The queue of a laneless job. Defaults to `default`.
    const QUEUE: &'static str = "default";
    /// How many runs may fail. Defaults to 10.
    const MAX_ATTEMPTS: u32 = 10;
    /// How long one run may take. Defaults to 5 minutes.
    const TIMEOUT: Duration = Duration::from_secs(5 * 60);

    /// Does the work.
    fn run(self, cx: Context<S>) -> impl Future<Output = Result> + Send;
}

/// Where a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// In the chat's lane: one at a time, in order with the chat's events; may write the chat's state.
    Chat,
    /// In no lane: for slow work; the chat goes on meanwhile.
    None,
}

/// Returns how often and when a kind of job is tried.
pub(crate) fn policy<S, J: Job<S>>() -> RetryPolicy {
    RetryPolicy { max_attempts: J::MAX_ATTEMPTS, timeout: J::TIMEOUT, ..RetryPolicy::default() }
}
