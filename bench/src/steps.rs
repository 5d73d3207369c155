//! Measures the worst case of each step on a Redis server that holds a million jobs.
//!
//! A server does one step after the other, so the longest of them is what every other one may have to wait for.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use redis::{Connection, Value};
use tokio::runtime::Handle;
use yamabiko_queue::{
    Clock, JobId, ManualClock, NewJob, Result, Store, StoreOptions, Timestamp,
    store::{self, Claim, Commit, Effect, MAX_COMMITS, Outcome, Sending, Turn, Want},
};

use crate::{figures::Figure, fresh::Fresh, redis_info::RedisInfo, topic::Bench};

mod ended;
mod lanes;
mod large;
mod ready;
mod timers;

/// The number of jobs in the store while a step is measured.
const JOBS: u32 = 1_000_000;
/// The same for `--quick`.
const FEW: u32 = 20_000;
/// Jobs that are stored in one call.
const BULK: usize = 1000;
/// How often each step is taken.
const TIMES: usize = 5;
/// The queue of all jobs here.
const QUEUE: &str = "default";
/// The chat of all jobs that have one.
const CHAT: &str = "chat";
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);
/// The commands of the measurement itself.
const OURS: [&[u8]; 2] = [b"INFO", b"SLOWLOG"];
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Measures the steps on stores that are full of one thing each.
pub(crate) fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    // Steps borrow what they are asked, which a task that may change threads could not.
    tokio::task::block_in_place(|| {
        Handle::current().block_on(async {
            ready::measure(bench).await?;
            lanes::measure(bench).await?;
            timers::measure(bench).await?;
            ended::measure(bench).await?;
            large::measure(bench).await
        })
    })
}

/// A store with many jobs, and a look at how long its server takes for each call.
struct Stage<'a, 'b> {
    bench: &'a mut Bench<'b>,
    store: Arc<dyn Store>,
    server: Connection,
    clock: ManualClock,
    /// How many jobs are to be in the store.
    jobs: u32,
    /// How many were made, so that each has a name of its own.
    made: u32,
    _fresh: Fresh,
}

impl<'a, 'b> Stage<'a, 'b> {
    async fn open(
        bench: &'a mut Bench<'b>,
        change: impl FnOnce(&mut StoreOptions),
    ) -> anyhow::Result<Self> {
        let fresh = bench.fresh()?;
        let clock = ManualClock::new(START);
        let mut options = StoreOptions::new("bench");
        options.clock = Clock::Manual(clock.clone());
        change(&mut options);
        let store = store::open(&fresh.url(), options).await?;
        let mut server = redis::Client::open(fresh.url())?.get_connection()?;
        for (name, value) in [("slowlog-log-slower-than", "0"), ("slowlog-max-len", "1000000")] {
            redis::cmd("CONFIG").arg("SET").arg(name).arg(value).exec(&mut server)?;
        }
        let jobs = bench.size(JOBS, FEW);
        let stage = Self { bench, store, server, clock, jobs, made: 0, _fresh: fresh };
        // The first call loads the library.
        stage.store.tick().await?;
        Ok(stage)
    }

    /// Takes a step, and notes how long the server took for it: for the longest of its calls if it needs several.
    async fn step<T>(
        &mut self,
        what: &str,
        asked: &str,
        step: impl AsyncFnOnce(&dyn Store) -> Result<T>,
    ) -> anyhow::Result<T> {
        let before = RedisInfo::of(&mut self.server)?.main_thread()?;
        redis::cmd("SLOWLOG").arg("RESET").exec(&mut self.server)?;
        let done = step(&*self.store).await.with_context(|| what.to_owned())?;
        let spent = RedisInfo::of(&mut self.server)?.main_thread()? - before;
        let calls: Vec<Vec<Value>> =
            redis::cmd("SLOWLOG").arg("GET").arg(-1).query(&mut self.server)?;
        let (mut longest, mut all) = (Duration::ZERO, Duration::ZERO);
        for (name, took) in calls.iter().filter_map(|call| call_of(call)) {
            all += took;
            if !OURS.contains(&name) {
                longest = longest.max(took);
            }
        }
        // The server's clock runs on while other programs have its core.
        let share = (spent.as_secs_f64() / all.as_secs_f64()).min(1.0);
        let millis = longest.as_secs_f64() * 1e3 * share;
        self.bench.note(Figure::new(what, millis, "ms", asked));
        Ok(done)
    }

    /// Makes jobs that differ in their names.
    fn make(&mut self, count: usize, job: impl Fn(u32) -> NewJob) -> Vec<NewJob> {
        let named = |n: u32| NewJob { id: id(n), ..job(n) };
        let jobs: Vec<_> = (self.made..).take(count).map(named).collect();
        self.made += u32::try_from(count).expect("it makes a million jobs");
        jobs
    }

    /// Stores jobs until the asked number is reached.
    async fn fill(&mut self, job: impl Fn(u32) -> NewJob) -> anyhow::Result<()> {
        while self.made < self.jobs {
            let jobs = self.make(BULK, &job);
            self.store.insert(&jobs).await?;
        }
        Ok(())
    }

    /// Returns the ids of the jobs that were made last.
    fn newest(&self, count: usize) -> Vec<JobId> {
        (0..self.made).rev().take(count).map(id).rev().collect()
    }

    async fn claim(&self, at_most: usize) -> Result<Vec<Claim>> {
        Ok(turn(&*self.store, &[], at_most).await?.claims)
    }

    /// Runs all there is, so that it ends like this.
    async fn drain(&self, outcome: Outcome) -> anyhow::Result<()> {
        let mut commits = Vec::new();
        loop {
            let turn = turn(&*self.store, &commits, MAX_COMMITS).await?;
            commits = turn.claims.iter().map(|claim| end(claim, outcome.clone())).collect();
            if commits.is_empty() {
                return Ok(());
            }
        }
    }
}

/// Returns the command of an entry of the server's log, and how long the server took for it.
fn call_of(entry: &[Value]) -> Option<(&[u8], Duration)> {
    let [_, _, Value::Int(micros), Value::Array(command), ..] = entry else { return None };
    let Some(Value::BulkString(name)) = command.first() else { return None };
    Some((name, Duration::from_micros(micros.unsigned_abs())))
}

fn id(n: u32) -> JobId {
    JobId::of_key(&n.to_string())
}

/// A job with a payload of 60 bytes.
fn job() -> NewJob {
    NewJob { queue: QUEUE.to_owned(), ..NewJob::new("kind", vec![b' '; 60]) }
}

async fn turn(store: &dyn Store, commits: &[Commit], at_most: usize) -> Result<Turn> {
    store.turn(Sending::once(), commits, &[Want { queues: vec![QUEUE.to_owned()], at_most }]).await
}

fn end(claim: &Claim, outcome: Outcome) -> Commit {
    end_with(claim, outcome, Vec::new())
}

fn end_with(claim: &Claim, outcome: Outcome, effects: Vec<Effect>) -> Commit {
    Commit { effects, ..Commit::bare(claim.job.id, claim.token, outcome) }
}
