//! What a run hands to the store when it ends: what becomes of its job, and what it asked for.

use std::time::Duration;

use super::{MAX_COMMITS, MAX_EFFECTS, MAX_PARTS, MAX_STEP_BYTES, RunToken};
use crate::{
    clock::Timestamp,
    error::Result,
    job::{JobId, MAX_NAME_BYTES, MAX_PAYLOAD_BYTES, NewJob, check_delay, check_size},
};

/// The end, or a checkpoint, of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The job.
    pub id: JobId,
    /// The token of the claim.
    pub token: RunToken,
    /// How many checkpoints the run knows behind its job: what it was claimed with, and its own.
    ///
    /// A store whose job has fewer has lost some with a tail, with what they asked for; so it answers `Lost`, and the job
    /// runs again from what is stored (K6).
    pub checkpoints: u32,
    /// What becomes of the job.
    pub outcome: Outcome,
    /// What the run asked for, applied in the same step; at most 320.
    pub effects: Vec<Effect>,
}

/// What becomes of a job after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Complete,
    /// It goes on; the payload is replaced, and a retry starts from the new one (K6). Lost claims are counted anew (C4).
    ///
    /// A second arrival, where the job has more checkpoints than the commit knows of, changes nothing.
    Checkpoint {
        /// The new payload.
        payload: Vec<u8>,
    },
    /// It failed and is tried again.
    Retry {
        /// After how long, 10 years at most.
        after: Duration,
        /// What becomes of its lane until then (L4, O8).
        hold: Hold,
        /// What went wrong, for people.
        error: String,
        /// Whether the run may have done something outside that it could not report (O3).
        unsure: bool,
    },
    /// It is run again later; counts as no failure (C4).
    Snooze {
        /// After how long, 10 years at most.
        after: Duration,
        /// What becomes of its lane until then.
        hold: Hold,
        /// Why, for people.
        reason: Option<String>,
        /// Whether its next run counts as its first, as far as limits of time go.
        afresh: bool,
    },
    /// It is given up.
    Dead {
        /// Why, for people.
        error: String,
    },
    /// It goes back to the front of its queue, uncounted: its worker stops.
    Release {
        /// Whether the run may have done something outside that it could not report (O3).
        unsure: bool,
    },
    /// It called itself off.
    Cancel,
    /// It gives its lane back to the job that lent it, uncounted, and waits in the place in line that it had; it passes no
    /// other job any more (O8). A job that does not have its lane on loan goes to the front of its queue.
    GiveBack {
        /// Whether its next run counts as its first, as far as limits of time go.
        afresh: bool,
    },
}

/// What becomes of a job's lane while the job waits for its next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The job leaves it: the next job of the lane runs, and this one joins the tail when it is due.
    No,
    /// The job keeps it: the lane waits.
    Yes,
    /// The job keeps it, and lends it: until it is due, jobs of the lane that may pass it run, one at a time (O8).
    ///
    /// The first in line goes first. A job that has its lane on loan itself does not lend it, but keeps it.
    Lend,
}

impl Hold {
    /// Returns whether the job keeps its lane.
    #[must_use]
    pub const fn keeps(self) -> bool {
        !matches!(self, Self::No)
    }
}

/// What a run asks for.
#[expect(clippy::large_enum_variant, reason = "most effects insert jobs")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Stores a job.
    Insert(NewJob),
    /// Cancels another job.
    Cancel(JobId),
    /// Cancels the live jobs of the run's chat that were stored before this effect, however many there are; not the run's own (I4).
    ///
    /// From the commit on, none of them starts, none that is running can commit, and `live` shows none. Ticks remove them,
    /// 128 at a time. Ignored where the run has no chat.
    CancelAll {
        /// Which of them.
        group: Group,
        /// Spares what was started by something that happened later than this, by the clock outside (`origin_time`);
        /// what does not know that counts as of its arrival.
        origin_by: Option<Timestamp>,
    },
    /// Replaces the state of the run's lane, or removes it. Ignored where the run has no lane.
    SetState(Option<Vec<u8>>),
    /// Replaces the payloads of the run's chat's dead and completed jobs of this origin by `null` (I4).
    Scrub {
        /// The origin.
        origin: String,
    },
    /// Stops claims from a queue for a time; a pause that ends later stands (O5).
    Pause {
        /// The queue.
        queue: String,
        /// For how long, 10 years at most.
        time: Duration,
    },
}

/// A group of a chat's jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// Those of this kind.
    Kind(String),
    /// Those of this origin.
    Origin(String),
    /// All but those of this kind; of these, those that are scheduled.
    AllBut(String),
}

impl Group {
    /// Returns the kind or origin that tells the group.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Kind(name) | Self::Origin(name) | Self::AllBut(name) => name,
        }
    }
}

impl Commit {
    /// Returns an end that asks for nothing, whatever checkpoints the job has.
    #[must_use]
    pub fn bare(id: JobId, token: RunToken, outcome: Outcome) -> Self {
        Self { id, token, checkpoints: 0, outcome, effects: Vec::new() }
    }

    /// Checks sizes and due times (K3, T1) by the clock of the claim.
    ///
    /// # Errors
    /// `TooLarge` or `TooFar`, naming what is over which limit: permanent for the run.
    pub fn check(&self, claimed_at: Timestamp) -> Result<()> {
        check_size("the number of effects of a commit", self.effects.len(), MAX_EFFECTS)?;
        self.check_times()?;
        if let Outcome::Checkpoint { payload, .. } = &self.outcome {
            check_size("a checkpoint's payload", payload.len(), MAX_PAYLOAD_BYTES)?;
        }
        for effect in &self.effects {
            match effect {
                Effect::Insert(job) => {
                    job.check()?;
                    if let crate::job::Due::At(due) = job.due {
                        check_delay(due.since(claimed_at))?;
                    }
                }
                Effect::SetState(Some(state)) => {
                    check_size("a chat's state", state.len(), MAX_PAYLOAD_BYTES)?;
                }
                Effect::Scrub { origin } => {
                    check_size("an origin", origin.len(), MAX_NAME_BYTES)?;
                }
                Effect::CancelAll { group, .. } => {
                    check_size("a kind or origin", group.name().len(), MAX_NAME_BYTES)?;
                }
                Effect::SetState(None) | Effect::Cancel(_) | Effect::Pause { .. } => {}
            }
        }
        check_size("a commit", self.size(), MAX_STEP_BYTES)
    }

    /// Checks how long what is put off is put off (T1).
    pub(crate) fn check_times(&self) -> Result<()> {
        if let Outcome::Retry { after, .. } | Outcome::Snooze { after, .. } = &self.outcome {
            check_delay(*after)?;
        }
        self.effects.iter().try_for_each(|effect| match effect {
            Effect::Pause { time, .. } => check_delay(*time),
            _ => Ok(()),
        })
    }

    /// Returns of how many parts the commit is: itself, and its effects.
    #[must_use]
    pub const fn parts(&self) -> usize {
        1 + self.effects.len()
    }

    /// Returns about how many bytes the commit brings to the store.
    #[must_use]
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 128;
        let outcome = match &self.outcome {
            Outcome::Checkpoint { payload, .. } => payload.len(),
            Outcome::Retry { error, .. } | Outcome::Dead { error } => error.len(),
            _ => 0,
        };
        let effects = self.effects.iter().map(|effect| match effect {
            Effect::Insert(job) => job.payload.len() + OVERHEAD,
            Effect::SetState(Some(state)) => state.len(),
            _ => OVERHEAD,
        });
        OVERHEAD + outcome + effects.sum::<usize>()
    }
}

/// Checks that a turn carries no more than one may (K3), and how long what is put off is put off (T1).
pub(crate) fn check_commits(commits: &[Commit]) -> Result<()> {
    check_size("the number of commits of a turn", commits.len(), MAX_COMMITS)?;
    if commits.len() > 1 {
        let parts = commits.iter().map(Commit::parts).sum();
        check_size("the number of commits and effects of a turn", parts, MAX_PARTS)?;
    }
    commits.iter().try_for_each(Commit::check_times)
}
