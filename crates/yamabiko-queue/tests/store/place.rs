//! A store of its own for each test, with a clock that the test moves, and short words for its steps.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use yamabiko_queue::{
    Effect, Hold, JobId, JobRecord, ManualClock, NewJob, Outcome, State, Store, StoreOptions,
    Timestamp,
    clock::Clock,
    store::{
        self, Answer, Cancelled, Claim, Commit, Held, Inserted, Line, MAX_CLAIMS, Process, Query,
        Sending, Tick, Turn, Want,
    },
};

pub(crate) use crate::ground::Kind;
use crate::{ground::Ground, model::Model};

/// When the clocks of the tests start.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// How long a claim holds in the tests.
pub(crate) const LEASE: Duration = Duration::from_secs(5);
/// The queues that the tests use.
pub(crate) const QUEUES: [&str; 4] = ["default", "events", "low", "outbox"];

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) const fn micros(n: u64) -> Duration {
    Duration::from_micros(n)
}

/// An open store.
pub(crate) struct Place {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: ManualClock,
    pub(crate) options: StoreOptions,
    pub(crate) ground: Arc<Ground>,
    line: Mutex<Line>,
}

impl Place {
    pub(crate) async fn open(kind: Kind) -> Self {
        Self::with(kind, |_| {}).await
    }

    pub(crate) async fn with(kind: Kind, change: impl FnOnce(&mut StoreOptions)) -> Self {
        Self::on(Ground::new(kind), ManualClock::new(START), change).await
    }

    /// Opens the store that is on this ground.
    pub(crate) async fn on(
        ground: Arc<Ground>,
        clock: ManualClock,
        change: impl FnOnce(&mut StoreOptions),
    ) -> Self {
        let mut options = StoreOptions::new("test");
        options.clock = Clock::Manual(clock.clone());
        options.lease = LEASE;
        change(&mut options);
        let store: Arc<dyn Store> = match ground.url() {
            Some(url) => store::open(&url, options.clone()).await.unwrap(),
            None => Arc::new(Model::new(clock.clone(), options.clone())),
        };
        Self { store, clock, options, ground, line: Mutex::new(Line::start()) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Opens the same store as another process would.
    pub(crate) async fn other(&self) -> Arc<dyn Store> {
        match self.ground.url() {
            Some(url) => store::open(&url, self.options.clone()).await.unwrap(),
            None => self.store.clone(),
        }
    }

    /// Returns the names of tables or keys that hold anything, but for those that always do.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        self.ground.leftovers(&self.options.name)
    }

    pub(crate) async fn insert(&self, jobs: &[NewJob]) -> Vec<Inserted> {
        self.store.insert(jobs).await.unwrap()
    }

    pub(crate) async fn turn(&self, commits: &[Commit], at_most: usize) -> Turn {
        self.store.turn(self.next_sending(), commits, &[want(&QUEUES, at_most)]).await.unwrap()
    }

    /// Returns what names the next exchange of the only worker.
    pub(crate) fn next_sending(&self) -> Sending {
        Sending { token: self.line.lock().unwrap().next_token(), again: false }
    }

    /// Claims from all queues, in as many turns as it takes.
    pub(crate) async fn claim(&self, at_most: usize) -> Vec<Claim> {
        let mut claims = self.turn(&[], at_most).await.claims;
        while at_most > MAX_CLAIMS && claims.len() < at_most {
            let more = self.turn(&[], at_most - claims.len()).await.claims;
            if more.is_empty() {
                break;
            }
            claims.extend(more);
        }
        claims
    }

    /// Claims the one job that there is to claim.
    pub(crate) async fn claim_one(&self) -> Claim {
        let mut claims = self.claim(2).await;
        assert_eq!(claims.len(), 1, "one job is ready");
        claims.remove(0)
    }

    pub(crate) async fn end(&self, claim: &Claim, outcome: Outcome) -> Answer {
        self.end_with(claim, outcome, vec![]).await
    }

    pub(crate) async fn end_with(
        &self,
        claim: &Claim,
        outcome: Outcome,
        effects: Vec<Effect>,
    ) -> Answer {
        self.turn(&[commit(claim, outcome, effects)], 0).await.answers[0]
    }

    /// Lets time pass, and returns how many claims the last tick returned.
    pub(crate) async fn ended_after(&self, time: Duration) -> usize {
        self.pass(time - micros(1)).await;
        self.clock.advance(micros(1));
        self.tick().await.ended
    }

    pub(crate) async fn tick(&self) -> Tick {
        self.store.tick().await.unwrap()
    }

    /// Lets time pass as a process does that ticks all the while.
    pub(crate) async fn pass(&self, time: Duration) {
        let mut left = time;
        while left > Duration::ZERO {
            let step = left.min(secs(1));
            self.clock.advance(step);
            self.tick().await;
            left -= step;
        }
    }

    /// Lets so much time pass that everything is forgotten that is remembered for a time.
    pub(crate) async fn forget(&self) {
        self.clock.advance(secs(100_000));
        for _ in 0..4 {
            self.tick().await;
        }
    }

    pub(crate) async fn beat(&self, claims: &[&Claim]) -> Vec<Held> {
        let runs: Vec<_> = claims.iter().map(|claim| (claim.job.id, claim.token)).collect();
        self.store.beat(&process("worker-1"), &runs, &[]).await.unwrap()
    }

    pub(crate) async fn cancel(&self, id: JobId) -> Cancelled {
        self.store.cancel(&[id]).await.unwrap()[0]
    }

    pub(crate) async fn retry(&self, id: JobId) -> bool {
        self.store.retry(&[id]).await.unwrap()[0]
    }

    pub(crate) async fn get(&self, id: JobId) -> Option<JobRecord> {
        self.store.get(id).await.unwrap()
    }

    pub(crate) async fn record(&self, id: JobId) -> JobRecord {
        self.get(id).await.expect("the job is stored")
    }

    /// Returns where a job is; `None` if the store has none of this id.
    pub(crate) async fn state(&self, id: JobId) -> Option<State> {
        self.get(id).await.map(|record| record.state)
    }

    /// Returns the jobs of a state in the order in which they are listed.
    pub(crate) async fn line(&self, state: State) -> Vec<JobId> {
        let page = self.store.list(&Query::new(state)).await.unwrap();
        page.records.iter().map(|record| record.job.id).collect()
    }
}

/// Makes a job of the default queue whose id and payload come from its name.
pub(crate) fn job(name: &str) -> NewJob {
    NewJob { id: id(name), ..NewJob::new("kind", name) }
}

/// Makes a job of a lane in the queue of events.
pub(crate) fn in_lane(name: &str, lane: &str) -> NewJob {
    NewJob { lane: Some(lane.to_owned()), queue: "events".to_owned(), ..job(name) }
}

/// Returns the id of the job of this name.
pub(crate) fn id(name: &str) -> JobId {
    JobId::of_key(name)
}

pub(crate) fn want(queues: &[&str], at_most: usize) -> Want {
    Want { queues: queues.iter().map(|queue| (*queue).to_owned()).collect(), at_most }
}

pub(crate) fn commit(claim: &Claim, outcome: Outcome, effects: Vec<Effect>) -> Commit {
    let Claim { job, token, .. } = claim;
    Commit { id: job.id, token: *token, checkpoints: job.checkpoint, outcome, effects }
}

pub(crate) fn retry(after: Duration, hold: bool) -> Outcome {
    let hold = if hold { Hold::Yes } else { Hold::No };
    Outcome::Retry { after, hold, error: "it went wrong".to_owned(), unsure: false }
}

pub(crate) fn snooze(after: Duration, hold: bool) -> Outcome {
    let hold = if hold { Hold::Yes } else { Hold::No };
    Outcome::Snooze { after, hold, reason: None, afresh: false }
}

pub(crate) fn dead() -> Outcome {
    Outcome::Dead { error: "no hope".to_owned() }
}

/// Returns the ids of claims, in their order.
pub(crate) fn ids(claims: &[Claim]) -> Vec<JobId> {
    claims.iter().map(|claim| claim.job.id).collect()
}

pub(crate) fn process(name: &str) -> Process {
    Process {
        name: name.to_owned(),
        role: "worker".to_owned(),
        host: "here".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
        queues: Vec::new(),
    }
}
