//! Counts of what was broken, and figures of how the bot came through.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{clocks::now_ms, refusals::UsedUp};

/// What was counted so far; shared by all who break something.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// What was counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// How often each kind of thing was broken.
    pub(crate) broken: BTreeMap<&'static str, u64>,
    /// When each was, in milliseconds since 1970; for people.
    pub(crate) timeline: Vec<(i64, String)>,
    /// How long the store was away, each time.
    pub(crate) outages: Vec<Duration>,
    /// How long processes took to end after SIGTERM.
    pub(crate) stops: Vec<Duration>,
    /// How long processes took to be ready again after the store came back.
    pub(crate) returns: Vec<Duration>,
    /// When the month's messages were used up.
    pub(crate) used_up: Vec<UsedUp>,
    /// What a process did that it must not, such as ending by itself.
    pub(crate) misdeeds: Vec<String>,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something that was broken.
    pub(crate) fn broke(&self, what: &'static str) {
        self.add(what, 1);
        self.counts().timeline.push((now_ms(), what.to_owned()));
    }

    /// Notes when the month's messages were used up.
    pub(crate) fn used_up(&self, month: UsedUp) {
        self.counts().used_up.push(month);
    }

    /// Notes something for people.
    pub(crate) fn note(&self, what: String) {
        self.counts().timeline.push((now_ms(), what));
    }

    /// Counts something that was broken several times.
    pub(crate) fn add(&self, what: &'static str, times: u64) {
        *self.counts().broken.entry(what).or_default() += times;
    }

    pub(crate) fn outage(&self, what: &'static str, time: Duration) {
        self.broke(what);
        self.counts().outages.push(time);
    }

    pub(crate) fn stopped(&self, after: Duration) {
        self.counts().stops.push(after);
    }

    pub(crate) fn returned(&self, after: Duration) {
        self.counts().returns.push(after);
    }

    /// Forgets how long processes took to be ready: at their start there was no store that came back.
    pub(crate) fn forget_returns(&self) {
        self.counts().returns.clear();
    }

    pub(crate) fn misdeed(&self, what: String) {
        let mut counts = self.counts();
        counts.timeline.push((now_ms(), what.clone()));
        counts.misdeeds.push(what);
    }

    pub(crate) fn get(&self) -> Counts {
        self.counts().clone()
    }
}
