//! How many jobs a second: stored, and run.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::{sync::Notify, task::JoinSet};
use yamabiko_queue::{Queue, State, Store, store::RunToken};

use crate::{
    adapter::{BULK, store_all},
    figures::{Figure, rate},
    fresh::Fresh,
    limits::{Limits, Rows},
    machine,
    options::{Options, StoreKind},
    record,
    spent::Spent,
    topic::Bench,
    work::Work,
};

/// Callers that store at the same time.
const PRODUCERS: u64 = 64;
/// Jobs at once of a worker as bots have it on two cores, and of one that is set up for throughput.
const AT_ONCE: [NonZeroUsize; 2] = [
    NonZeroUsize::new(32).expect("it is more than zero"),
    NonZeroUsize::new(256).expect("it is more than zero"),
];
/// Jobs at once, and jobs in a call, where processor time is measured.
const OF_CPU: (NonZeroUsize, usize) = (NonZeroUsize::new(64).expect("it is more than zero"), 32);

/// Measures all of it.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    if bench.kind == StoreKind::Sqlite {
        bench.note(machine::disk_sync()?);
    }
    let options = bench.options;
    let limits = Limits::measure(bench)?;
    let length = bench.size(Duration::from_secs(2), Duration::from_millis(200));
    for (producers, each) in [(1, 1), (PRODUCERS, 1), (1, BULK)] {
        let figure = enqueue(&bench.fresh()?, options, (producers, each), length).await?;
        limits.note(bench, figure, Rows::Stored(length), producers * each as u64)?;
    }
    let n = bench.size(40_000, 2000);
    for at_once in AT_ONCE {
        let (figure, turns) = drain(&bench.fresh()?, &options.at_once(at_once), n).await?;
        limits.note(bench, figure, Rows::Drained(n), n.div_ceil(turns))?;
        for options in [options.in_lanes(), options.keeping()] {
            bench.note(drain(&bench.fresh()?, &options.at_once(at_once), n).await?.0);
        }
    }
    let (figure, turns) = whole_way(&bench.fresh()?, options, n).await?;
    limits.note(bench, figure, Rows::Whole(n), n.div_ceil(turns))?;
    for options in [options, &options.in_lanes()] {
        let n = bench.size(40_000, 2000);
        bench.note_all(cpu(&bench.fresh()?, options, n).await?);
    }
    Ok(())
}

/// Measures how fast `producers` store, `each` jobs in a call that they await, for a while.
async fn enqueue(
    fresh: &Fresh,
    options: &Options,
    (producers, each): (u64, usize),
    length: Duration,
) -> anyhow::Result<Figure> {
    let queue = Queue::new(fresh.open().await?);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..producers {
        let (queue, options) = (queue.clone(), options.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while began.elapsed() < length {
                let jobs: Vec<_> =
                    (0..each).map(|_| options.job(record::payload(fastrand::u64(..)))).collect();
                count += queue.enqueue(jobs).await?.len() as u64;
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    for stored in tasks.join_all().await {
        count += stored?;
    }
    let (what, setting) = match (producers, each) {
        (1, 1) => ("enqueue one by one".to_owned(), "1 producer awaits each".to_owned()),
        (1, _) => ("enqueue in bulk".to_owned(), format!("1 producer, {each} jobs a call")),
        _ => (
            format!("enqueue by {producers} producers"),
            "each awaits each; one `Queue` gathers".to_owned(),
        ),
    };
    let setting = format!("{setting}{}", options.differences());
    Ok(Figure::new(what, rate(count, began.elapsed()), "jobs/s", setting))
}

/// Measures how fast one worker runs jobs that are there already, until all are committed; also returns its turns.
async fn drain(fresh: &Fresh, options: &Options, n: u64) -> anyhow::Result<(Figure, u64)> {
    let store = fresh.open().await?;
    let jobs = (0..n).map(|index| options.job(record::payload(index)));
    store_all(&Queue::new(Arc::clone(&store)), jobs, BULK).await?;
    let goal = Arc::new(Goal::new(n));
    let began = Instant::now();
    run_until(&store, options, &goal).await?.stop().await;
    let took = began.elapsed();
    nothing_is_left(&store).await?;
    let what = format!("drain, {} at once{}", options.concurrency(), options.differences());
    Ok((Figure::new(what, rate(n, took), "jobs/s", setting(options, n)), goal.turns()))
}

/// Measures the whole way: many callers store while a worker runs, until all is committed; also returns the worker's turns.
async fn whole_way(fresh: &Fresh, options: &Options, n: u64) -> anyhow::Result<(Figure, u64)> {
    let store = fresh.open().await?;
    let queue = Queue::new(Arc::clone(&store));
    let each = n / PRODUCERS;
    let n = each * PRODUCERS;
    let goal = Arc::new(Goal::new(n));
    let began = Instant::now();
    let mut producers = JoinSet::new();
    for _ in 0..PRODUCERS {
        let (queue, options) = (queue.clone(), options.clone());
        producers.spawn(async move {
            store_all(&queue, (0..each).map(|index| options.job(record::payload(index))), 1).await
        });
    }
    run_until(&store, options, &goal).await?.stop().await;
    let took = began.elapsed();
    for stored in producers.join_all().await {
        stored?;
    }
    nothing_is_left(&store).await?;
    let setting = format!("{PRODUCERS} producers, {}", setting(options, n));
    let figure = Figure::new("enqueue, claim, run and commit", rate(n, took), "jobs/s", setting);
    Ok((figure, goal.turns()))
}

/// Measures what a job costs, and where.
async fn cpu(fresh: &Fresh, options: &Options, n: u32) -> anyhow::Result<Vec<Figure>> {
    let (at_once, each) = OF_CPU;
    let options = &options.at_once(at_once);
    let store = fresh.open().await?;
    let goal = Arc::new(Goal::new(n.into()));
    let start = Spent::so_far(fresh)?;
    let jobs = (0..n).map(|index| options.job(record::payload(index.into())));
    store_all(&Queue::new(Arc::clone(&store)), jobs, each).await?;
    let stored = start.since(fresh)?;
    run_until(&store, options, &goal).await?.stop().await;
    let all = start.since(fresh)?;
    nothing_is_left(&store).await?;
    let turn = u64::from(n).div_ceil(goal.turns());
    let setting = format!("{each} jobs a call; {}; {turn} a turn", setting(options, n.into()));
    let of = format!("CPU of a job{}", options.differences());
    let mut figures = stored.figures(&format!("{of}: enqueue"), n, &setting);
    figures.extend(all.figures(&format!("{of}: enqueue and drain"), n, &setting));
    figures.extend(all.parts(&format!("{of}: enqueue and drain"), n, &setting));
    Ok(figures)
}

/// A number of runs to wait for.
#[derive(Debug)]
pub(crate) struct Goal {
    left: AtomicU64,
    reached: Notify,
    turns: Mutex<HashSet<RunToken>>,
}

impl Goal {
    /// Makes one of so many runs.
    pub(crate) fn new(runs: u64) -> Self {
        Self { left: AtomicU64::new(runs), reached: Notify::new(), turns: Mutex::default() }
    }

    fn ran(&self, token: RunToken) {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(token);
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.reached.notify_one();
        }
    }

    /// Returns how many turns of the worker claimed what ran: each has a token of its own.
    fn turns(&self) -> u64 {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

/// Starts a worker and waits until the goal is reached; the last runs may not be committed yet.
pub(crate) async fn run_until(
    store: &Arc<dyn Store>,
    options: &Options,
    goal: &Arc<Goal>,
) -> anyhow::Result<Work> {
    let counted = Arc::clone(goal);
    let work = Work::start(store, options, move |run| counted.ran(run.token))?;
    goal.reached.notified().await;
    Ok(work)
}

fn setting(options: &Options, n: u64) -> String {
    format!("{n} no-op jobs, 1 worker, {} at once{}", options.concurrency(), options.differences())
}

/// Fails if a job that should be committed is still there: its figure would be too good.
async fn nothing_is_left(store: &Arc<dyn Store>) -> anyhow::Result<()> {
    let states = store.counts().await?.states;
    let left: u64 = states
        .iter()
        .filter(|(state, _)| **state != State::Completed)
        .map(|(_, count)| count)
        .sum();
    ensure!(left == 0, "{left} jobs were not run and committed");
    Ok(())
}
