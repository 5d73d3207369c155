//! The ledger of a run: what was broken, what the users saw, and whether it was as it should be.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::{
    check::{Verdict, Wrong},
    conversation::Load,
    herd::KILLED,
    options::{Options, StoreKind},
    tally::Counts,
};

/// What a run must break and do at least, for each minute of it.
const KILLS_A_MINUTE: f64 = 20.0;
const OUTAGES_A_MINUTE: f64 = 0.5;
/// Outages are counted by their length, in steps of so many seconds.
const OUTAGE_STEP: u64 = 2;
/// The length up to which outages of each length must come, in seconds.
const LONGEST_OUTAGE: u64 = 8;

/// All that a run has brought.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) options: Options,
    pub(crate) verdict: Verdict,
    pub(crate) counts: Counts,
    /// What must have been broken, with how often in a minute at least.
    pub(crate) needed: Vec<(&'static str, f64)>,
    pub(crate) chats: usize,
    pub(crate) requests: usize,
    pub(crate) timers: usize,
    /// How much the users did.
    pub(crate) load: Load,
    /// How many published pictures were looked at.
    pub(crate) pictures: usize,
    pub(crate) messages: usize,
    /// Jobs that were not over when the patience was, and what was left in the store.
    pub(crate) left_over: Vec<String>,
    /// Dead jobs that nobody asked to fail.
    pub(crate) dead: Vec<String>,
    /// How long the bot took to finish once nothing broke any more.
    pub(crate) finished_after: Duration,
    pub(crate) disk_was_full: bool,
}

impl Report {
    fn wrong(&self, wrong: Wrong) -> usize {
        self.verdict.findings.iter().filter(|finding| finding.wrong == wrong).count()
    }

    /// Returns what the run must not have done, with how often it did.
    fn zeros(&self) -> [(&'static str, usize); 10] {
        [
            ("lost", self.wrong(Wrong::Lost)),
            ("said twice", self.wrong(Wrong::Twice)),
            ("out of order within a chat", self.wrong(Wrong::OutOfOrder)),
            ("fired early", self.wrong(Wrong::Early)),
            ("effects half done", self.wrong(Wrong::HalfDone)),
            ("sent for events in standby", self.wrong(Wrong::InStandby)),
            ("sent for messages that were taken back first", self.wrong(Wrong::TakenBack)),
            ("keys, rows or jobs left over", self.left_over.len()),
            ("jobs dead that were not to fail", self.dead.len()),
            ("processes that ended wrongly or late", self.counts.misdeeds.len()),
        ]
    }

    /// Returns what was broken or done too rarely.
    fn too_little(&self) -> Vec<String> {
        if self.options.any_load {
            return Vec::new();
        }
        let needed = |a_minute: f64| (a_minute * self.options.minutes).ceil();
        let mut too_little = Vec::new();
        let mut check = |what: &str, times: f64, a_minute: f64| {
            if times < needed(a_minute) {
                too_little.push(format!("{what}: {times}, at least {}", needed(a_minute)));
            }
        };
        for (kind, a_minute) in &self.needed {
            let times = self.counts.broken.get(kind).copied().unwrap_or(0);
            check(kind, times as f64, *a_minute);
        }
        check("processes killed", self.kills() as f64, KILLS_A_MINUTE);
        let by_length = self.outages_by_length();
        for seconds in (0..LONGEST_OUTAGE).filter(|seconds| seconds % OUTAGE_STEP == 0) {
            let times = by_length.get(&seconds).copied().unwrap_or(0);
            let what = format!("outages of {seconds} to {} s", seconds + OUTAGE_STEP);
            check(&what, times as f64, OUTAGES_A_MINUTE);
        }
        check("timers", self.timers as f64, self.load.timers_a_minute);
        too_little
    }

    fn kills(&self) -> u64 {
        self.counts.broken.get(KILLED).copied().unwrap_or(0)
    }

    pub(crate) fn passed(&self) -> bool {
        self.zeros().iter().all(|(_, times)| *times == 0) && self.too_little().is_empty()
    }

    /// Returns the ledger as Markdown.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = String::new();
        let store = match self.options.store {
            StoreKind::Sqlite => "SQLite",
            StoreKind::Redis => "Redis",
        };
        let Options { minutes, seed, .. } = self.options;
        line(&mut text, &format!("### {store}, seed {seed}, {minutes} minutes\n"));
        line(&mut text, "| promise | broken |\n|---|---:|");
        for (what, times) in self.zeros() {
            line(&mut text, &format!("| {what} | {times} |"));
        }
        line(&mut text, "\n| seen | times |\n|---|---:|");
        let verdict = &self.verdict;
        for (what, times) in [
            ("chats", self.chats as u64),
            ("requests", self.requests as u64),
            ("timers asked for", self.timers as u64),
            ("timers that rang", verdict.rung),
            ("timers that rang early by a clock that was set ahead or back (T3)", verdict.misled),
            ("messages of the bot", self.messages as u64),
            ("pictures that the bot has published", self.pictures as u64),
            ("messages matched to their request", verdict.matched),
            (
                "messages rightly not said (cancelled, taken back, blocked, never taken)",
                verdict.called_off,
            ),
            ("uncertain replies past their token's age, dropped (O3)", verdict.uncertain),
            ("free-only messages past their token's age, dropped (O9)", verdict.too_late),
            (
                "messages of events that a replica of Redis lacked when it was promoted (R3)",
                verdict.forgotten,
            ),
            ("messages that LINE refused for good (O5)", verdict.refused),
            ("messages rightly not said in standby (I4)", verdict.in_standby),
            (
                "requests given up after three deaths of their process (C4), or repeated panics (D1)",
                verdict.given_up,
            ),
            ("timers that did not ring since their records were damaged", verdict.damaged),
            (
                "messages that LINE took after their request was taken back, and out of order",
                verdict.orphans,
            ),
            ("outages of the store", self.counts.outages.len() as u64),
        ] {
            line(&mut text, &format!("| {what} | {times} |"));
        }
        for (seconds, outages) in self.outages_by_length() {
            let until = seconds + OUTAGE_STEP;
            line(&mut text, &format!("| outages of {seconds} to {until} s | {outages} |"));
        }
        line(&mut text, "\n| broken | times |\n|---|---:|");
        for (what, times) in &self.counts.broken {
            line(&mut text, &format!("| {what} | {times} |"));
        }
        if !self.disk_was_full {
            line(&mut text, "| disk full (no file system could be mounted) | left out |");
        }
        line(&mut text, &format!("\n{}", self.figures()));
        self.problems(&mut text);
        text
    }

    /// Returns how many outages were about as long, by seconds.
    fn outages_by_length(&self) -> BTreeMap<u64, usize> {
        let mut by_length = BTreeMap::new();
        for outage in &self.counts.outages {
            *by_length.entry(outage.as_secs() / OUTAGE_STEP * OUTAGE_STEP).or_default() += 1;
        }
        by_length
    }

    fn figures(&self) -> String {
        let longest = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
        let mut returns = self.counts.returns.clone();
        returns.sort_unstable();
        let median = returns.get(returns.len() / 2).copied().unwrap_or_default();
        format!(
            "Ready again after the store was back: median {median:.0?}, longest {:.0?} of {}. \
             Ended after SIGTERM: longest {:.1?} of {}. \
             Finished {:.0?} after the last harm.",
            longest(&returns),
            returns.len(),
            longest(&self.counts.stops),
            self.counts.stops.len(),
            self.finished_after
        )
    }

    fn problems(&self, text: &mut String) {
        const SHOWN: usize = 20;
        let mut all = self
            .too_little()
            .into_iter()
            .map(|what| format!("too little: {what}"))
            .collect::<Vec<_>>();
        all.extend(self.counts.misdeeds.iter().cloned());
        let findings = self.verdict.findings.iter();
        all.extend(findings.map(|finding| format!("{:?}: {}", finding.wrong, finding.text)));
        all.extend(self.left_over.iter().map(|what| format!("left over: {what}")));
        all.extend(self.dead.iter().map(|what| format!("dead: {what}")));
        for problem in all.iter().take(SHOWN) {
            line(text, &format!("- {problem}"));
        }
        if all.len() > SHOWN {
            line(text, &format!("- and {} more", all.len() - SHOWN));
        }
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}
