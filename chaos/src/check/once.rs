//! Each message is said exactly once.

use std::collections::HashMap;

use yamabiko_chaos::Said;

use super::{Asked, Chat, Verdict, Wrong};
use crate::conversation::Conversation;

/// How much later, in milliseconds, something else must have been asked for to be surely said later.
pub(super) const SURELY_LATER: i64 = 60_000;

impl<C: Conversation> Chat<C> {
    pub(super) fn check_once(&self, verdict: &mut Verdict) {
        let mut counts: HashMap<(u64, C::What), u64> = HashMap::new();
        for heard in &self.heard {
            *counts.entry((heard.said.request, C::bare(&heard.said.what))).or_default() += 1;
        }
        for said in self.told() {
            let Some(asked) = self.asked(said.request) else { continue };
            let wrong = match asked {
                Asked { in_standby: true, .. } => Wrong::InStandby,
                asked if self.is_revoked(asked) => Wrong::TakenBack,
                _ => continue,
            };
            counts.remove(&(said.request, C::bare(&said.what)));
            self.find(verdict, wrong, format!("{:?} was said for {asked:?}", said.what));
        }
        for asked in &self.asked {
            if asked.in_standby {
                verdict.in_standby += C::expected(&asked.ask).len() as u64;
                continue;
            }
            if self.is_revoked(asked) {
                verdict.revoked += 1;
                continue;
            }
            let reached =
                asked.taken.is_some() || self.told().any(|said| said.request == asked.request);
            for what in C::expected(&asked.ask) {
                match counts.remove(&(asked.request, what.clone())).unwrap_or(0) {
                    0 => self.missing(asked, &what, reached, verdict),
                    1 => verdict.matched += 1,
                    times => self.find(
                        verdict,
                        Wrong::Twice,
                        format!("{what:?} of {asked:?} was said {times} times"),
                    ),
                }
            }
        }
        let given_up = self.asked.iter().filter(|asked| self.given_up.contains(&asked.request));
        let given_up = given_up.count();
        if given_up > self.apologies && self.unfollows.is_empty() {
            let text = format!(
                "{given_up} requests were given up, and the chat heard of {}",
                self.apologies
            );
            self.find(verdict, Wrong::Lost, text);
        }
        // What is left was said by a run whose effects were dropped, or belongs to no request.
        for ((request, what), _) in counts {
            self.find(
                verdict,
                Wrong::HalfDone,
                format!("{request} {what:?} should never be said: {:?}", self.asked(request)),
            );
        }
    }

    fn missing(&self, asked: &Asked<C::Ask>, what: &C::What, reached: bool, verdict: &mut Verdict) {
        let is_it =
            |said: &Said<C::What>| said.request == asked.request && C::bare(&said.what) == *what;
        if self.uncertain.iter().any(is_it) {
            verdict.uncertain += 1;
        } else if self.too_late.iter().any(is_it) {
            verdict.too_late += 1;
        } else if self.refused.iter().any(is_it) {
            verdict.refused += 1;
        } else if self.given_up.contains(&asked.request) {
            verdict.given_up += 1;
        } else if self.damaged.contains(&asked.request) && C::is_timer(what) {
            verdict.damaged += 1;
        } else if !reached || self.is_called_off(asked, what) {
            verdict.called_off += 1;
        } else if self.is_forgotten(asked) {
            verdict.forgotten += 1;
        } else {
            self.find(verdict, Wrong::Lost, format!("{what:?} of {asked:?} is missing"));
        }
    }

    /// Says whether a message may rightly be missing.
    fn is_called_off(&self, asked: &Asked<C::Ask>, what: &C::What) -> bool {
        let is_cancelled = C::is_cancelled(self, asked.request, what);
        let is_left =
            self.unfollows.iter().any(|left| asked.at <= left.at && !self.was_over(asked, left.at));
        is_cancelled || asked.unsent.is_some() || is_left
    }

    /// Returns whether a request had ended by a time: the chat had received a push that comes after all of its messages.
    ///
    /// A reply to a later request is no sign of that, since it may have passed pushes (O8).
    fn was_over(&self, asked: &Asked<C::Ask>, at: i64) -> bool {
        let over =
            C::due(&asked.ask, asked.at).unwrap_or(asked.at).max(asked.taken.unwrap_or(i64::MAX));
        let is_later = |asked: &Asked<C::Ask>| {
            asked.sent.is_some_and(|sent| sent > over.saturating_add(SURELY_LATER))
        };
        let mut heard = self.heard.iter().filter(|heard| heard.at <= at && !heard.by_reply);
        heard.any(|heard| self.asked(heard.said.request).is_some_and(is_later))
    }

    /// Says whether something in the chat may have run without a trace.
    pub(super) fn has_traceless_runs(&self) -> bool {
        let is_traceless = |asked: &Asked<C::Ask>| {
            asked.unsent.is_some() || asked.taken.is_none() || asked.in_standby
        };
        !self.unfollows.is_empty()
            || self.asked.iter().any(|asked| self.given_up.contains(&asked.request))
            || self.asked.iter().any(is_traceless)
            || !self.shaken().is_empty()
    }
}
