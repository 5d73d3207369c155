//! Logs one line for each thing that goes wrong with the store, and one when it works again.

use std::collections::BTreeSet;

use crate::{
    error::{Error, ErrorKind},
    finding::because,
};

/// Counts and logs that the store refuses commits together; which of them is to blame shows when each is sent alone.
pub(crate) fn refused(role: &'static str, error: &Error, commits: usize) {
    count(role, error.kind());
    let error = &*because(error);
    tracing::warn!(role, error, commits, "the store refuses commits; they are sent one by one");
}

fn count(role: &'static str, kind: ErrorKind) {
    metrics::counter!("yamabiko_store_errors_total", "kind" => kind.name(), "role" => role)
        .increment(1);
}

/// What has been wrong with the store since it worked last.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    kinds: BTreeSet<ErrorKind>,
}

impl Outage {
    /// Counts a failure, and logs it if it is the first of its kind since the store worked.
    pub(crate) fn began(&mut self, role: &'static str, error: &Error) {
        let kind = error.kind();
        count(role, kind);
        if !self.kinds.insert(kind) {
            return;
        }
        let (words, error) = (kind.words(), &*because(error));
        match kind {
            ErrorKind::Unavailable | ErrorKind::Full => {
                tracing::warn!(role, error, "{words}; trying again until it works");
            }
            ErrorKind::Denied
            | ErrorKind::NewerSchema
            | ErrorKind::Damaged
            | ErrorKind::Refused => {
                tracing::error!(role, error, "{words}; trying again until it works");
            }
        }
    }

    /// Notes a success, and logs it if there was a failure before.
    pub(crate) fn over(&mut self) {
        if !self.kinds.is_empty() {
            tracing::info!("the store works again");
            self.kinds.clear();
        }
    }
}
