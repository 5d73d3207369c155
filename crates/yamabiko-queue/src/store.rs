//! What a store promises; the rules behind each step are numbered in ARCHITECTURE.md.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    error::Result,
    job::{Job, JobId, JobRecord, NewJob},
    state::State,
};

pub(crate) mod bell;
mod commit;
pub(crate) mod grace;
mod limits;
mod losses;
mod open;
pub mod redis;
pub mod sqlite;
mod token;
mod upkeep;

pub(crate) use commit::check_commits;
pub use commit::{Commit, Effect, Group, Hold, Outcome};
pub(crate) use limits::{
    LINE_KEPT, LINE_RENEWED, MAX_CORRECTED, MAX_REVOKED, REVOKED_FOR, count_forgotten_revocations,
};
pub use limits::{
    MAX_CLAIMS, MAX_COMMITS, MAX_DROPPED, MAX_DUE, MAX_EFFECTS, MAX_ENDED, MAX_PARTS, MAX_SCAN,
    MAX_STEP_BYTES, TURN_LATER,
};
pub use losses::Losses;
pub use open::{StoreOptions, open, open_when_there, without_password};
pub use token::{Line, RunToken, Sending};
pub use upkeep::{Depth, Inspection, backup, inspect};

/// The store: durable jobs, lanes, timers and the chats' state.
///
/// An exchange, a tick and a heartbeat are one atomic step each; so is every other call for one job. A call for many jobs may
/// be several steps on Redis, where no step may keep the server for long: what it did before a failure stays done.
/// None starts work of its own; workers and timers call them.
/// All methods may fail with `Unavailable` or `Full`, after which the same call may be sent again (C5).
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Stores jobs durably and answers for each whether it is new (K5).
    ///
    /// A duplicate changes nothing, except that it renews secret and arrival of a job that nobody has claimed yet (I2).
    /// Without any jobs it tells whether the store would take some.
    ///
    /// # Errors
    /// `TooLarge` or `TooFar` if one of the jobs is over a limit; then none is stored.
    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>>;

    /// Ends or checkpoints runs together with their effects, ticks, and claims the next jobs.
    ///
    /// Takes at most 256 commits, and of several commits at most 512 together with their effects.
    ///
    /// Claims at most 256 jobs, and fewer where their payloads are large; whoever asked for more, and got fewer than there
    /// are, is woken for another turn.
    ///
    /// May be sent again, unchanged: `Lost` then means "done before, or no longer yours", nothing new is claimed, and the
    /// answer has the claims that still stand under its token, in no particular order, with a full lease. An exchange
    /// with a lower number than the last one of its line does nothing (C5).
    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn>;

    /// Puts back what an exchange claimed whose answer never arrived, as if it had claimed nothing, and returns how many jobs.
    ///
    /// The exchange claims nothing any more, even if it arrives later (C5).
    async fn release(&self, token: RunToken) -> Result<usize>;

    /// Keeps a process's claims: extends the leases of its runs, and returns for each whether the process still holds it (C2).
    ///
    /// Extends also what was claimed under `awaited`: the tokens of exchanges whose answers are still to come (C5).
    async fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> Result<Vec<Held>>;

    /// Makes due jobs ready, returns ended claims, and prunes; bounded, and idempotent (T2).
    async fn tick(&self) -> Result<Tick>;

    /// Waits until one of `signals` may have work, at most `at_most` by the store's clock; may return early without reason (W1).
    async fn wait(&self, signals: &[Signal], at_most: Duration) -> Result<()>;

    /// Cancels jobs; a running one is marked, and ends when its worker hears of it (D4).
    async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>>;

    /// Runs dead or scheduled jobs now, for people; each joins the tail of its lane (L4). Answers for each whether it did.
    async fn retry(&self, ids: &[JobId]) -> Result<Vec<bool>>;

    /// Deletes dead or completed jobs, for people. Answers for each whether it did.
    async fn delete(&self, ids: &[JobId]) -> Result<Vec<bool>>;

    /// Stops claims from a queue for this long, or until `resume` if `None`; a pause that ends later stands.
    ///
    /// # Errors
    /// `TooFar` for more than 10 years.
    async fn pause(&self, queue: &str, time: Option<Duration>) -> Result<()>;

    /// Takes the pause from a queue and wakes its workers.
    async fn resume(&self, queue: &str) -> Result<()>;

    /// Returns the state of a lane.
    async fn state(&self, lane: &str) -> Result<Option<Vec<u8>>>;

    /// Returns the live jobs of a chat, by due time, those due at once first; at most 10,000 (S3).
    async fn live(&self, chat: &str) -> Result<Vec<JobRecord>>;

    /// Counts what there is, for people.
    async fn counts(&self) -> Result<Counts>;

    /// Lists jobs in one state, looking at 10,000 records at most, with a way to continue (Q4).
    async fn list(&self, query: &Query) -> Result<Page>;

    /// Returns one job with its place and its past.
    async fn get(&self, id: JobId) -> Result<Option<JobRecord>>;

    /// Returns when the store may have lost what it had acknowledged shortly before.
    ///
    /// A Redis server that started anew, and a replica that was promoted, may lack the last second (R3). A file is synced at
    /// each step and loses nothing.
    async fn losses(&self) -> Result<Losses> {
        Ok(Losses::default())
    }

    /// Opens another handle to the same store, for a thread with a runtime of its own.
    async fn handle(&self) -> Result<Arc<dyn Store>>;
}

/// What became of a job that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored.
    Stored,
    /// Its id existed already, or is still remembered; nothing changed.
    Duplicate,
}

/// A job in the hands of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The job as it stands; `first_claimed` is set, to `claimed_at` in the first run.
    pub job: Job,
    /// What the run must show to change anything.
    pub token: RunToken,
    /// When the job was claimed.
    pub claimed_at: Timestamp,
    /// The state of its lane; `None` where the lane has none, or the job no lane.
    pub state: Option<Vec<u8>>,
    /// Whether it has its lane on loan, from a job that waits: `Outcome::GiveBack` returns it (O8).
    pub on_loan: bool,
}

/// What a worker takes: at most `at_most` jobs from these queues, those named first before those named later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The queues, in the order to take from.
    pub queues: Vec<String>,
    /// How many jobs at most.
    pub at_most: usize,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It happened.
    Applied,
    /// The job was cancelled meanwhile: nothing was applied, and the job is gone (D4).
    Cancelled,
    /// The token is no longer current: done before, or no longer yours; nothing changed (C1).
    Lost,
}

/// What a turn brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What became of each commit, in their order.
    pub answers: Vec<Answer>,
    /// What was claimed.
    pub claims: Vec<Claim>,
    /// What the tick within the turn found.
    pub tick: Tick,
}

/// What a tick found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The time by the store's clock.
    pub now: Timestamp,
    /// Jobs that fell due and became ready, or wait for their lane.
    pub promoted: usize,
    /// Claims that ended without a report and came back.
    pub ended: usize,
    /// Dead jobs that were removed before their time since more were kept than may be; 0 where the tick is part of a turn.
    pub dropped: usize,
    /// Ids that were forgotten before their time since more were remembered than may be (K5); 0 as `dropped`.
    pub forgotten: usize,
    /// When to come again: the next due time, end of a lease or of a pause; not before `now` if more is due than one tick takes.
    pub next: Option<Timestamp>,
}

/// Whether a run still holds its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It does, and its lease is extended.
    Yes,
    /// The job was cancelled: stop the run, then commit `Cancel`.
    Cancelled,
    /// Somebody else may have it: stop the run; nothing is to be committed.
    Lost,
}

/// What became of a job that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It is gone.
    Gone,
    /// It is running and marked; or the store's record of it cannot be read, and it ends without a run when its turn comes.
    Marked,
    /// It is dead or completed already.
    Over,
    /// There is no such job.
    Unknown,
}

/// What `wait` waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// A job in this queue.
    Queue(String),
    /// A timer that is due earlier than all others.
    Timers,
}

/// A process, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its name, unique among the processes of a bot.
    pub name: String,
    /// What it does: `web`, `worker`, `timer` or `all`.
    pub role: String,
    /// The host it runs on.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The queues that it serves (C6).
    #[serde(default)]
    pub queues: Vec<String>,
}

/// What there is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The queues that have ready jobs or are paused.
    pub queues: BTreeMap<String, QueueCounts>,
    /// How many jobs are in each state but `cancelled`.
    pub states: BTreeMap<State, u64>,
    /// The next due time.
    pub next_due: Option<Timestamp>,
    /// The processes that have beaten within a lease.
    pub processes: Vec<Process>,
    /// How many records are damaged and were set aside; they count nowhere else.
    pub damaged: u64,
}

impl Counts {
    /// Says whether a process that has beaten serves this queue (C6).
    #[must_use]
    pub fn is_served(&self, queue: &str) -> bool {
        self.processes.iter().any(|process| process.queues.iter().any(|name| name == queue))
    }
}

/// What there is in one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// How many jobs are ready.
    pub ready: u64,
    /// Whether claims are stopped, and until when.
    pub paused: Option<Paused>,
}

/// A pause of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// Until a person ends it.
    UntilResumed,
    /// Until this moment.
    Until(Timestamp),
}

/// Which jobs to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Those in this state. Not `cancelled`: such jobs are gone.
    pub state: State,
    /// Only those of this queue.
    pub queue: Option<String>,
    /// Only those of this lane.
    pub lane: Option<String>,
    /// Only those of this chat.
    pub chat: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// How many at most. Defaults to 100.
    pub limit: usize,
}

impl Query {
    /// Makes a query for the first 100 jobs in a state.
    ///
    /// Order: scheduled and running by time, ready and waiting by their place in line, dead and completed newest first.
    #[must_use]
    pub const fn new(state: State) -> Self {
        Self { state, queue: None, lane: None, chat: None, kind: None, after: None, limit: 100 }
    }

    /// Says whether a job that is in the state matches the rest of the query.
    #[must_use]
    pub fn matches(&self, job: &Job) -> bool {
        let same = |wanted: &Option<String>, found: Option<&String>| {
            wanted.is_none() || wanted.as_ref() == found
        };
        same(&self.queue, Some(&job.queue))
            && same(&self.lane, job.lane.as_ref())
            && same(&self.chat, job.chat.as_ref())
            && same(&self.kind, Some(&job.kind))
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The jobs found.
    pub records: Vec<JobRecord>,
    /// Where to continue, if there may be more.
    pub next: Option<String>,
}
