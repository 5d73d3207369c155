//! A reply that a run has asked for, to say more about it.

use std::fmt;

use super::Context;
use crate::state::ChatState;

/// A reply that a run has asked for, from [`Context::reply`].
pub struct Reply<'a, S = ()> {
    pub(super) cx: &'a Context<S>,
    /// Its number among the messages of the run.
    pub(super) number: usize,
}

impl<S> fmt::Debug for Reply<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<S: ChatState> Reply<'_, S> {
    /// Sends the message by the reply token or not at all: it is never pushed, since it is not worth one.
    ///
    /// It is dropped and counted where it comes too late for the token, where the run has none or leaves it to a job, and
    /// behind the first five messages of the run.
    #[expect(clippy::must_use_candidate, reason = "nothing more is to be said of most replies")]
    pub fn free_only(self) -> Self {
        self.cx.inner.collected.free_only(self.number);
        self
    }
}
