//! Says once that the store is away, and once that it is back.

use crate::error::Error;

/// Whether the store was away at the last look.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    away: bool,
}

impl Outage {
    /// Notes a failure; logged the first time.
    pub(crate) fn began(&mut self, role: &str, error: &Error) {
        if !self.away {
            tracing::warn!(
                role,
                error = &*error_chain(error),
                "the store is away, trying again until it is back"
            );
        }
        self.away = true;
    }

    /// Notes a success; logged if there was a failure before.
    pub(crate) fn over(&mut self) {
        if self.away {
            tracing::info!("the store is back");
        }
        self.away = false;
    }
}

/// Returns an error with all its sources, in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
