//! How many jobs a second: stored, and run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::{sync::Notify, task::JoinSet};
use yamabiko_queue::{Queue, State, Store};

use crate::{
    adapter::{BULK, store_all},
    figures::{Figure, rate},
    fresh::Fresh,
    options::Options,
    record,
    work::Work,
};

/// Callers that store at the same time.
const PRODUCERS: u64 = 64;

/// Measures how fast `producers` store, `each` jobs in a call that they await, for a while.
pub(crate) async fn enqueue(
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

/// Measures how fast one worker runs jobs that are there already, until all are committed.
pub(crate) async fn drain(fresh: &Fresh, options: &Options, n: u64) -> anyhow::Result<Figure> {
    let store = fresh.open().await?;
    let jobs = (0..n).map(|index| options.job(record::payload(index)));
    store_all(&Queue::new(Arc::clone(&store)), jobs, BULK).await?;
    let goal = Arc::new(Goal::new(n));
    let began = Instant::now();
    run_until(&store, options, &goal).await?.stop().await;
    let took = began.elapsed();
    nothing_is_left(&store).await?;
    let what = format!("drain, {} at once", options.concurrency());
    Ok(Figure::new(what, rate(n, took), "jobs/s", setting(options, n)))
}

/// Measures the whole way: many callers store while a worker runs, until all is committed.
pub(crate) async fn whole_way(fresh: &Fresh, options: &Options, n: u64) -> anyhow::Result<Figure> {
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
    Ok(Figure::new("enqueue, claim, run and commit", rate(n, took), "jobs/s", setting))
}

/// A number of runs to wait for.
#[derive(Debug)]
struct Goal {
    left: AtomicU64,
    reached: Notify,
}

impl Goal {
    fn new(runs: u64) -> Self {
        Self { left: AtomicU64::new(runs), reached: Notify::new() }
    }

    fn ran(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.reached.notify_one();
        }
    }
}

async fn run_until(
    store: &Arc<dyn Store>,
    options: &Options,
    goal: &Arc<Goal>,
) -> anyhow::Result<Work> {
    let counted = Arc::clone(goal);
    let work = Work::start(store, options, move |_| counted.ran())?;
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
