//! The adapter for a comparison with other queues.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde_json::json;
use yamabiko_queue::{Due, NewJob, Queue, Store, Timestamp, store};

use crate::{
    options::{Options, StoreKind},
    record::{self, Records},
    work::Work,
};

/// Jobs that go into one call by the bulk API.
pub(crate) const BULK: usize = 1000;
/// How often a look is taken at whether a job has run.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// Where the jobs and the records are.
#[derive(Args, Clone, Debug)]
pub(crate) struct Adapter {
    /// The Redis server; unused with SQLite.
    #[arg(long, env = "BENCH_REDIS_URL", default_value = "redis://127.0.0.1:6379")]
    redis_url: String,

    /// Where each job notes that it runs. With SQLite, the store is a file beside it.
    #[arg(long, env = "BENCH_RAN")]
    ran: PathBuf,
}

/// How jobs are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// One by one, each awaited.
    One,
    /// 1,000 in each call.
    Bulk,
}

impl Adapter {
    async fn open(&self, options: &Options) -> anyhow::Result<Arc<dyn Store>> {
        let url = match options.store.unwrap_or(StoreKind::Redis) {
            StoreKind::Redis => self.redis_url.clone(),
            StoreKind::Sqlite => format!("sqlite:{}.db", self.ran.display()),
        };
        store::open(&url, options.store_options()).await.context("the store")
    }

    /// Stores jobs that are due at once.
    pub(crate) async fn enqueue(
        &self,
        options: &Options,
        start: u64,
        n: u64,
        by: By,
    ) -> anyhow::Result<String> {
        let queue = Queue::new(self.open(options).await?);
        let each = if by == By::One { 1 } else { BULK };
        let jobs = (start..start + n).map(|index| options.job(record::payload(index)));
        let took = store_all(&queue, jobs, each).await?;
        Ok(json!({"n": n, "seconds": took.as_secs_f64()}).to_string())
    }

    /// Stores timers.
    pub(crate) async fn timers(&self, options: &Options, file: &Path) -> anyhow::Result<String> {
        let timers = record::read(file)?;
        let queue = Queue::new(self.open(options).await?);
        let jobs = timers.iter().map(|(index, due)| {
            let mut job = options.job(record::payload(*index));
            job.due = Due::At(not_before(*due));
            job
        });
        let took = store_all(&queue, jobs, BULK).await?;
        Ok(json!({"n": timers.len(), "seconds": took.as_secs_f64()}).to_string())
    }

    /// Stores jobs for an idle worker, one at a time.
    pub(crate) async fn latency(
        &self,
        options: &Options,
        sent: &Path,
        start: u64,
        n: u64,
        max_s: f64,
    ) -> anyhow::Result<String> {
        let queue = Queue::new(self.open(options).await?);
        let (ran, sent) = (Records::open(&self.ran)?, Records::open(sent)?);
        let deadline = Instant::now() + Duration::try_from_secs_f64(max_s)?;
        let (before, mut count) = (ran.count()?, 0);
        while count < n && Instant::now() < deadline {
            let index = start + count;
            sent.add(index, record::wall_clock())?;
            queue.enqueue(vec![options.job(record::payload(index))]).await?;
            count += 1;
            while ran.count()? < before + count && Instant::now() < deadline {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            tokio::time::sleep(pause()).await;
        }
        Ok(json!({"n": count}).to_string())
    }

    /// Runs jobs and timers until killed.
    pub(crate) async fn worker(&self, options: &Options) -> anyhow::Result<String> {
        let ran = Records::open(&self.ran)?;
        let note = move |payload: &[u8]| {
            let now = record::wall_clock();
            let index = record::index(payload).expect("all jobs have payloads of ours");
            ran.add(index, now).expect("a job that cannot be noted makes the figures wrong");
        };
        let work =
            Work::start(&self.open(options).await?, options, move |run| note(&run.job.payload))?;
        work.ended().await;
        bail!("the worker has ended by itself")
    }
}

/// Stores jobs, `each` in a call, and returns how long that took.
pub(crate) async fn store_all(
    queue: &Queue,
    mut jobs: impl Iterator<Item = NewJob>,
    each: usize,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        let call: Vec<_> = jobs.by_ref().take(each).collect();
        if call.is_empty() {
            return Ok(began.elapsed());
        }
        queue.enqueue(call).await?;
    }
}

/// Returns the first moment of the store's clock that is not before a time in Unix nanoseconds.
pub(crate) fn not_before(nanos: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(nanos.div_ceil(1000)).unwrap_or(i64::MAX))
}

/// Returns a pause in which a worker becomes idle again, never in step with anything.
pub(crate) fn pause() -> Duration {
    Duration::from_micros(fastrand::u64(4_000..12_000))
}
