//! What can go wrong with the wiki, by what the caller can do about it.

use std::time::Duration;

use thiserror::Error;

use super::network::is_about_private_address;

/// A question to the wiki that got no answer.
///
/// No text holds what was asked, so all can be logged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum WikiError {
    /// The wiki asked for a pause: try again after it, no request goes out before.
    #[error("the wiki asks for a pause of {} s", .retry_after.as_secs())]
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The wiki was not reached, was too slow, or broke: try again later.
    #[error("the wiki is unavailable: {0}")]
    Unavailable(String),
    /// The wiki does not accept the question: do without.
    #[error("the wiki refuses: {0}")]
    Refused(String),
    /// The wiki's answer is not what its interface promises: do without.
    #[error("the wiki's answer is not understood: {0}")]
    Unexpected(String),
}

impl WikiError {
    /// Tells of a request that brought no answer; the address, which holds what was asked, is left out.
    pub(super) fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let cause = std::iter::successors(std::error::Error::source(&error), |one| one.source());
        let text = cause.last().map_or_else(|| error.to_string(), ToString::to_string);
        if is_about_private_address(&error) {
            Self::Refused(text)
        } else if error.is_redirect() || error.is_builder() {
            Self::Unexpected(text)
        } else {
            Self::Unavailable(text)
        }
    }
}
