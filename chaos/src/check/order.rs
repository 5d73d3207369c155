//! Each chat's messages come in order, its events are handled in order, and each run counts once.

use std::collections::{BTreeMap, HashMap};

use yamabiko_chaos::{Said, What};

use super::{Chat, Heard, Verdict, Wrong};

/// How long LINE may take over a call, in milliseconds.
const LONGEST_CALL: i64 = 10_000;

/// The run of a request that said something: a request may have one for its event and one for what came of it.
fn phase(what: &What) -> u8 {
    match what {
        What::Rang | What::Done => 1,
        _ => 0,
    }
}

impl Chat {
    pub(super) fn check_order(&self, verdict: &mut Verdict) {
        self.messages_in_order(verdict);
        self.steps_in_order(verdict);
        self.events_in_order(verdict);
        self.runs_counted_once(verdict);
    }

    fn messages_in_order(&self, verdict: &mut Verdict) {
        let mut latest: Option<&Heard> = None;
        for heard in self.heard.iter().filter(|heard| heard.said.run.is_some()) {
            match latest {
                Some(latest) if latest.said.run > heard.said.run => {
                    if self.is_orphan(heard) {
                        verdict.orphans += 1;
                    } else {
                        let text = format!("{} came before {}", latest.said, heard.said);
                        self.find(verdict, Wrong::OutOfOrder, text);
                    }
                }
                _ => latest = Some(heard),
            }
        }
    }

    /// Says whether LINE took a message only after its request was taken back, or its chat was left.
    ///
    /// Then its delivery is cancelled. If its process dies during the call, nobody can hold up the chat's next messages for a
    /// call that LINE may take later, or never; so such a message may come late.
    fn is_orphan(&self, heard: &Heard) -> bool {
        let Some(asked) = self.asked(heard.said.request) else { return false };
        let is_left = self.unfollows.iter().any(|left| {
            let until = left.taken.unwrap_or(left.at) + LONGEST_CALL;
            asked.at <= left.at && (left.at..until).contains(&heard.at)
        });
        is_left || asked.unsent.is_some_and(|unsent| unsent.at <= heard.at)
    }

    fn steps_in_order(&self, verdict: &mut Verdict) {
        let mut last: HashMap<u64, &What> = HashMap::new();
        for Said { request, what, .. } in self.heard.iter().map(|heard| &heard.said) {
            if let Some(before) = last.insert(*request, what)
                && place(before) > place(what)
            {
                let text = format!("{before:?} of {request} came before {what:?}");
                self.find(verdict, Wrong::OutOfOrder, text);
            }
        }
    }

    /// An event that the bot had taken before another was sent is handled before it.
    fn events_in_order(&self, verdict: &mut Verdict) {
        let mut handled: BTreeMap<u64, u64> = BTreeMap::new();
        for said in self.told().filter(|said| phase(&said.what) == 0) {
            if let Some(run) = said.run {
                handled.insert(run, said.request);
            }
        }
        let events: Vec<_> = handled.values().filter_map(|request| self.asked(*request)).collect();
        for (at, later) in events.iter().enumerate() {
            for earlier in &events[at + 1..] {
                let must_come_first =
                    earlier.taken.zip(later.sent).is_some_and(|(taken, sent)| taken < sent);
                if must_come_first {
                    let text = format!("{later:?} was handled before {earlier:?}");
                    self.find(verdict, Wrong::OutOfOrder, text);
                }
            }
        }
    }

    /// Each run in the lane saw the state that the one before had left.
    fn runs_counted_once(&self, verdict: &mut Verdict) {
        let mut by_run: BTreeMap<u64, (u64, u8)> = BTreeMap::new();
        let mut by_phase: HashMap<(u64, u8), u64> = HashMap::new();
        for said in self.told() {
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

/// Where a message stands among those of its request.
fn place(what: &What) -> u32 {
    match what {
        What::Step(n) | What::Part(n) => *n,
        What::Rang | What::Done => u32::MAX,
        _ => 0,
    }
}
