//! What a request asks for comes in order, and a chat's events are handled in order.

use std::collections::HashMap;

use yamabiko_chaos::Said;

use super::{Chat, Heard, Verdict, Wrong};
use crate::conversation::Conversation;

/// How long LINE may take over a call, in milliseconds.
const LONGEST_CALL: i64 = 10_000;

impl<W> Heard<W> {
    /// Returns whether this message may come before another one that a run before it said (O8).
    pub(crate) fn may_pass(&self, other: &Self) -> bool {
        self.by_reply && !other.by_reply && self.said.request != other.said.request
    }
}

impl<C: Conversation> Chat<C> {
    pub(super) fn check_order(&self, verdict: &mut Verdict) {
        self.steps_in_order(verdict);
        self.events_in_order(verdict);
    }

    /// Says whether LINE took a message only after its request was taken back, or its chat was left.
    ///
    /// Then its delivery is cancelled. If its process dies during the call, nobody can hold up the chat's next messages for a
    /// call that LINE may take later, or never; so such a message may come late.
    pub(crate) fn is_orphan(&self, heard: &Heard<C::What>) -> bool {
        let Some(asked) = self.asked(heard.said.request) else { return false };
        let is_left = self.unfollows.iter().any(|left| {
            let until = left.taken.unwrap_or(left.at) + LONGEST_CALL;
            asked.at <= left.at && (left.at..until).contains(&heard.at)
        });
        is_left || asked.unsent.is_some_and(|unsent| unsent.at <= heard.at)
    }

    fn steps_in_order(&self, verdict: &mut Verdict) {
        let mut last: HashMap<u64, &C::What> = HashMap::new();
        for Said { request, what, .. } in self.heard.iter().map(|heard| &heard.said) {
            if let Some(before) = last.insert(*request, what)
                && C::place(before) > C::place(what)
            {
                let text = format!("{before:?} of {request} came before {what:?}");
                self.find(verdict, Wrong::OutOfOrder, text);
            }
        }
    }

    /// An event that the bot had taken before another was sent is handled before it.
    fn events_in_order(&self, verdict: &mut Verdict) {
        let events = C::handled(self).into_iter().filter_map(|request| self.asked(request));
        let shaken = self.shaken();
        let events: Vec<_> = events.filter(|asked| !shaken.contains(&asked.request)).collect();
        for (at, later) in events.iter().enumerate() {
            for earlier in &events[at + 1..] {
                let must_come_first =
                    earlier.taken.zip(later.sent).is_some_and(|(taken, sent)| taken < sent);
                if must_come_first && !C::may_have_passed(self, later.request, earlier.request) {
                    let text = format!("{later:?} was handled before {earlier:?}");
                    self.find(verdict, Wrong::OutOfOrder, text);
                }
            }
        }
    }
}
