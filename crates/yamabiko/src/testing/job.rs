//! A job that is over, or has failed, as a test looks at it.

use serde::de::DeserializeOwned;
use yamabiko_line::id::ChatId;
use yamabiko_queue::{JobId, JobRecord};

use crate::context::standby;

/// A job of a bot under test; a handler is one of kind `line.event`, a call to LINE one of kind `line.delivery`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestJob {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// The chat that it belongs to.
    pub chat: Option<ChatId>,
    /// What went wrong in each of its runs that failed, the first one first.
    pub errors: Vec<String>,
    payload: Vec<u8>,
}

impl TestJob {
    pub(super) fn of(record: JobRecord) -> Self {
        Self {
            id: record.job.id,
            kind: record.job.kind,
            chat: record.job.chat.map(ChatId::new),
            errors: record.history.into_iter().map(|failure| failure.error).collect(),
            payload: standby::read(&record.job.payload).0.to_vec(),
        }
    }

    /// Returns what went wrong last, empty if nothing did.
    #[must_use]
    pub fn error(&self) -> &str {
        self.errors.last().map_or("", String::as_str)
    }

    /// Returns the job itself, if it is one of this kind.
    #[must_use]
    pub fn job<J: DeserializeOwned>(&self) -> Option<J> {
        serde_json::from_slice(&self.payload).ok()
    }
}
