//! What a store has lost with its last second, since a replica without it took its place (R3).

use std::collections::HashSet;

use super::{Asked, CalledOff, Chat};
use crate::conversation::Conversation;

/// How much later, in milliseconds, something may end of which no message tells.
const LATEST: i64 = 120_000;

/// A time of which the store has lost all that was stored; in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Loss {
    fn meets(self, first: i64, last: i64) -> bool {
        first <= self.until && self.from <= last
    }
}

impl<C: Conversation> Chat<C> {
    /// Says whether the event of a request may have been lost after the bot took it.
    pub(super) fn is_forgotten(&self, asked: &Asked<C::Ask>) -> bool {
        asked.sent.zip(asked.taken).is_some_and(|(sent, taken)| self.has_lost(sent, taken))
    }

    /// Says whether the event may have been lost by which something ended that was asked for before.
    pub(super) fn has_forgotten(&self, off: &CalledOff) -> bool {
        self.has_lost(off.at, off.taken.unwrap_or(i64::MAX))
    }

    /// Returns the requests for which something was under way when the store lost its last second: a run may have been lost
    /// whose messages were heard, and made again after others, on another state.
    pub(crate) fn shaken(&self) -> HashSet<u64> {
        if self.losses.is_empty() {
            return HashSet::new();
        }
        let asked = self.asked.iter().filter(|asked| self.is_shaken(asked));
        asked.map(|asked| asked.request).collect()
    }

    fn is_shaken(&self, asked: &Asked<C::Ask>) -> bool {
        let heard = self.heard.iter().filter(|heard| heard.said.request == asked.request);
        let told = self.told().filter(|said| said.request == asked.request).count();
        let is_all_heard = told > 0 && told == heard.clone().count();
        let last = heard.map(|heard| heard.at).max().max(asked.taken).unwrap_or(asked.at);
        self.has_lost(asked.at, if is_all_heard { last } else { last + LATEST })
    }

    fn has_lost(&self, first: i64, last: i64) -> bool {
        self.losses.iter().any(|loss| loss.meets(first, last))
    }
}
