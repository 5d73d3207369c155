//! One run of a job, from inside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    clock::{Clock, Stopwatch, in_run},
    error::{Error, Result},
    job::JobRecord,
    store::{Answer, Claim, Commit, Effect, Held, Outcome, Process, Store},
};

/// What a run tells its worker.
#[derive(Debug)]
pub(crate) enum Report {
    /// The run has come to its end.
    Finished(Commit),
    /// A checkpoint; the run waits for the answer.
    Checkpoint(Commit, oneshot::Sender<Answer>),
    /// The store says that the run no longer holds its job.
    Dropped(Claimed, Held),
}

/// Which run of which job.
pub(crate) type Claimed = (crate::job::JobId, crate::store::RunToken);

/// A run of a job: what was claimed, and the line to the worker.
#[derive(Debug, Clone)]
pub struct Run {
    /// What was claimed.
    pub claim: Arc<Claim>,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    store: Arc<dyn Store>,
    process: Arc<Process>,
    reports: mpsc::UnboundedSender<Report>,
    clock: Clock,
    /// Since before the turn that claimed the job was sent.
    asked: Stopwatch,
    checkpoints: AtomicU32,
}

/// Why a checkpoint did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The job was cancelled; the run should stop.
    #[error("the job was cancelled")]
    Cancelled,
    /// Another run may have the job; this one should stop.
    #[error("the claim was lost")]
    Lost,
    /// What was to be committed is over a limit.
    #[error(transparent)]
    Refused(#[from] Error),
}

impl Run {
    pub(crate) fn new(
        claim: Claim,
        store: Arc<dyn Store>,
        process: Arc<Process>,
        reports: mpsc::UnboundedSender<Report>,
        clock: Clock,
        asked: Stopwatch,
    ) -> Self {
        let checkpoints = AtomicU32::new(claim.job.checkpoint);
        Self {
            claim: Arc::new(claim),
            line: Arc::new(Line { store, process, reports, clock, asked, checkpoints }),
        }
    }

    /// Returns how many checkpoints the job has passed, those of this run among them.
    pub(crate) fn checkpoints(&self) -> u32 {
        self.line.checkpoints.load(Ordering::SeqCst)
    }

    pub(crate) fn claimed(&self) -> Claimed {
        (self.claim.job.id, self.claim.token)
    }

    /// Returns the clock that measures the run.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.line.clock
    }

    /// Returns how old the claim is at most, the way of its answer from the store included.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.line.asked.elapsed()
    }

    /// Does a part of the run's work: what sleeps in it sleeps for the run, in a task of its own too.
    pub async fn part<T>(&self, work: impl Future<Output = T>) -> T {
        in_run(self.claimed(), work).await
    }

    /// Waits for this long.
    pub async fn sleep(&self, time: Duration) {
        self.part(self.line.clock.sleep(time)).await;
    }

    /// Returns the live jobs of a chat, as `Store::live` does.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn live(&self, chat: &str) -> Result<Vec<JobRecord>> {
        self.line.clock.awake(self.claimed(), self.line.store.live(chat)).await
    }

    /// Returns the store, for look-ups.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.line.store
    }

    /// Commits `effects` and replaces the payload; a retry starts from the new one (K6).
    ///
    /// # Errors
    /// `Cancelled` or `Lost` if the run should stop, `Refused` if something is over a limit.
    pub async fn checkpoint(
        &self,
        payload: Vec<u8>,
        effects: Vec<Effect>,
    ) -> Result<(), CheckpointError> {
        let commit = Commit {
            id: self.claim.job.id,
            token: self.claim.token,
            checkpoints: self.checkpoints(),
            outcome: Outcome::Checkpoint { payload },
            effects,
        };
        commit.check(self.claim.claimed_at)?;
        let (answer, answered) = oneshot::channel();
        self.line
            .reports
            .send(Report::Checkpoint(commit, answer))
            .map_err(|_| CheckpointError::Lost)?;
        match self.line.clock.awake(self.claimed(), answered).await {
            Ok(Answer::Applied) => {
                self.line.checkpoints.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
            Ok(Answer::Cancelled) => Err(CheckpointError::Cancelled),
            Ok(Answer::Lost) | Err(_) => Err(CheckpointError::Lost),
        }
    }

    /// Asks the store whether this run still holds its job, and extends its lease (O6).
    ///
    /// # Errors
    /// `Unavailable` if the store cannot be asked.
    pub async fn confirm(&self) -> Result<bool> {
        let runs = [self.claimed()];
        let beat = self.line.store.beat(&self.line.process, &runs, &[]);
        let held = self.line.clock.awake(self.claimed(), beat).await?;
        Ok(held.first() == Some(&Held::Yes))
    }
}
