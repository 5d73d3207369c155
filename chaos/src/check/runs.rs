//! Each chat's messages come in the order of the runs that said them, but for replies that pass pushes (O8), and each run
//! counts once.

use std::collections::{BTreeMap, HashMap};

use super::{Chat, Heard, Verdict, Wrong};
use crate::{clocks::Step, conversation::phase};

/// How far a token's arrival may lie ahead, in milliseconds, before the bot takes it for too old.
const CLOCKS_DIFFER_BY: i64 = 5_000;

impl Chat {
    pub(crate) fn check_runs(&self, verdict: &mut Verdict) {
        self.messages_in_order(verdict);
        self.runs_counted_once(verdict);
    }

    fn messages_in_order(&self, verdict: &mut Verdict) {
        let mut earlier: Vec<&Heard> = Vec::new();
        let shaken = self.shaken();
        let is_of_order =
            |heard: &&Heard| heard.said.run.is_some() && !shaken.contains(&heard.said.request);
        for heard in self.heard.iter().filter(is_of_order) {
            let may_not_pass = |other: &&&Heard| {
                other.said.run > heard.said.run
                    && !other.may_pass(heard)
                    && !self.seemed_too_old(heard, other)
            };
            let latest = earlier.iter().filter(may_not_pass).max_by_key(|other| other.said.run);
            match latest {
                Some(_) if self.is_orphan(heard) => verdict.orphans += 1,
                Some(latest) => {
                    let text = format!("{} came before {}", latest.said, heard.said);
                    self.find(verdict, Wrong::OutOfOrder, text);
                }
                None => earlier.push(heard),
            }
        }
    }

    /// Returns whether one reply may pass another because the store's clock was wrong in between: the token of the passed one
    /// may have seemed too old, so that it waited as a push (O8).
    fn seemed_too_old(&self, passed: &Heard, passing: &Heard) -> bool {
        let since = self.asked(passed.said.request).map_or(passed.at, |asked| asked.at);
        let is_misled = |step: &Step| {
            step.ahead.abs() > CLOCKS_DIFFER_BY && step.from < passing.at && since < step.until
        };
        passing.by_reply
            && passing.said.request != passed.said.request
            && self.clock_steps.iter().any(is_misled)
    }

    /// Each run in the lane saw the state that the one before had left.
    fn runs_counted_once(&self, verdict: &mut Verdict) {
        let mut by_run: BTreeMap<u64, (u64, u8)> = BTreeMap::new();
        let mut by_phase: HashMap<(u64, u8), u64> = HashMap::new();
        let shaken = self.shaken();
        for said in self.told().filter(|said| !shaken.contains(&said.request)) {
            let Some(run) = said.run else { continue };
            let who = (said.request, phase(&said.what));
            if *by_run.entry(run).or_insert(who) != who {
                self.find(verdict, Wrong::HalfDone, format!("run {run} counted twice: {said}"));
            }
            if *by_phase.entry(who).or_insert(run) != run {
                self.find(verdict, Wrong::HalfDone, format!("{said} has two runs"));
            }
        }
        let last = by_run.keys().next_back().copied().unwrap_or(0);
        let missing = (1..=last).filter(|run| !by_run.contains_key(run)).collect::<Vec<_>>();
        let traceless = self.has_traceless_runs();
        if !missing.is_empty() && !traceless {
            self.find(
                verdict,
                Wrong::HalfDone,
                format!("runs {missing:?} counted, and said nothing"),
            );
        }
        if self.runs < last || (self.runs != last && !traceless) {
            let text = format!("the state counts {} runs, the last was {last}", self.runs);
            self.find(verdict, Wrong::HalfDone, text);
        }
    }
}
