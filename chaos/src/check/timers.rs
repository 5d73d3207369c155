//! Timers ring at their time and not after they were called off, and lists tell the truth.

use std::collections::HashMap;

use yamabiko_chaos::{Ask, What};

use super::{Asked, Chat, Heard, Verdict, Wrong, once::SURELY_LATER};
use crate::conversation::{Conversation as _, Requests};

impl Chat {
    pub(crate) fn check_timers(&self, verdict: &mut Verdict) {
        let shaken = self.shaken();
        // What a lost run has cancelled may run on.
        let cancelled = self.cancelled(|request| !shaken.contains(&request));
        let maybe_cancelled = self.cancelled(|request| shaken.contains(&request));
        for heard in self.heard.iter().filter(|heard| heard.said.what == What::Rang) {
            verdict.rung += 1;
            self.rang(heard, &cancelled, verdict);
        }
        let runs = |wanted: fn(&What) -> bool| -> HashMap<u64, u64> {
            let told = self.told().filter(|said| wanted(&said.what));
            told.filter_map(|said| Some((said.request, said.run?))).collect()
        };
        let set = runs(|what| *what == What::Set);
        let rang = runs(|what| *what == What::Rang);
        for heard in self.heard.iter().filter(|heard| !shaken.contains(&heard.said.request)) {
            let (What::Listed(listed) | What::Cancelled(listed), Some(run)) =
                (&heard.said.what, heard.said.run)
            else {
                continue;
            };
            let over = |timer: u64| {
                let by = |runs: &HashMap<u64, u64>| runs.get(&timer).is_some_and(|by| *by < run);
                by(&rang) || by(&cancelled)
            };
            for timer in listed.iter().filter(|timer| !shaken.contains(timer)) {
                if set.get(timer).is_some_and(|by| *by > run) || over(*timer) {
                    self.find(
                        verdict,
                        Wrong::HalfDone,
                        format!("{} lists {timer}, which does not run", heard.said),
                    );
                }
            }
            for asked in &self.asked {
                // One that fell due before the list was said may have been on its way already.
                let runs = set.get(&asked.request).is_some_and(|by| *by < run)
                    && !over(asked.request)
                    && !shaken.contains(&asked.request)
                    && !maybe_cancelled.contains_key(&asked.request)
                    && !self.may_be_cancelled_unheard(asked.request)
                    && !self.damaged.contains(&asked.request)
                    && Requests::due(&asked.ask, asked.at)
                        .is_some_and(|due| due > heard.at && !self.is_misled(asked, due, heard.at))
                    && asked.unsent.is_none()
                    && !self.unfollows.iter().any(|left| asked.at <= left.at);
                if runs && !listed.contains(&asked.request) {
                    self.find(
                        verdict,
                        Wrong::HalfDone,
                        format!("{} does not list {asked:?}", heard.said),
                    );
                }
            }
        }
    }

    /// Returns whether a timer may have been cancelled by a request whose answer was ended: its user left before it was said.
    ///
    /// The request may come late, and then ends timers that were asked for after the user had left, and had come back.
    pub(crate) fn may_be_cancelled_unheard(&self, timer: u64) -> bool {
        let Some(set) = self.asked(timer).and_then(|timer| timer.taken) else { return false };
        let is_unheard = |asked: &&Asked| {
            matches!(asked.ask, Ask::Cancel | Ask::CancelAll)
                && asked.taken.is_some()
                && !self.told().any(|said| said.request == asked.request)
        };
        // The request was handled before the user's leaving was.
        self.asked.iter().filter(is_unheard).any(|cancel| {
            self.unfollows.iter().filter(|left| cancel.at <= left.at).any(|left| {
                left.taken.is_some_and(|taken| set <= taken.saturating_add(SURELY_LATER))
            })
        })
    }

    fn rang(&self, heard: &Heard, cancelled: &HashMap<u64, u64>, verdict: &mut Verdict) {
        let request = heard.said.request;
        let Some(asked) =
            self.asked(request).filter(|asked| matches!(asked.ask, Ask::Timer(_) | Ask::Bulky(_)))
        else {
            return;
        };
        let Some(due) = Requests::due(&asked.ask, asked.at) else { return };
        let is_misled = self.is_misled(asked, due, heard.at);
        if heard.at < due && is_misled {
            verdict.misled += 1;
        } else if heard.at < due {
            let text = format!("{asked:?} rang {} ms early", due - heard.at);
            self.find(verdict, Wrong::Early, text);
        }
        let by_run = cancelled.contains_key(&request);
        // The timer's lane is the chat's: what the bot took note of before the timer fell due was handled before it,
        // and what it took note of before another event happened was handled before that.
        let by_user = asked.unsent.iter().chain(&self.unfollows).any(|off| {
            asked.taken.is_some_and(|taken| taken < off.at)
                && !is_misled
                && !self.has_forgotten(off)
                && off.taken.is_some_and(|taken| taken < due)
                // Where the end of a chat is told late, what was stored after it happened is left alone.
                && self.heard.iter().any(|set| {
                    set.said.request == request && set.said.what == What::Set && set.at < off.at
                })
        });
        if by_run || by_user {
            let text = format!("{asked:?} rang though it was called off");
            self.find(verdict, Wrong::HalfDone, text);
        }
    }

    /// Says whether the store's clock was so wrong that a timer which was due later may have come at this time, or a timer
    /// that was due then before what was handled earlier (T3).
    fn is_misled(&self, asked: &Asked, due: i64, at: i64) -> bool {
        let mut set = self
            .heard
            .iter()
            .filter(|heard| heard.said.request == asked.request && heard.said.what == What::Set);
        // Its event was stored at the latest when the chat heard of it.
        let stored = set.next().map(|set| set.at).max(asked.taken);
        let stored = asked.sent.zip(stored);
        self.clock_steps.iter().any(|step| {
            step.brings(due, asked.at, at)
                || stored.is_some_and(|(sent, at)| step.dates_back(sent, at))
        })
    }
}
