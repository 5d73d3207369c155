//! How soon jobs run: after they are stored, and after they fall due.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::sync::mpsc;
use yamabiko_queue::{Due, Queue};

use crate::{
    adapter::{BULK, not_before, pause, store_all},
    figures::{Figure, percentile},
    fresh::Fresh,
    options::Options,
    record,
    work::Work,
};

/// How long any one job may take before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between the storing of timers and the first due time.
const LEAD: Duration = Duration::from_secs(2);
/// How far away at least the timers are that never fall due here.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// Measures the time from just before a job is stored to its run by an idle worker.
///
/// With `apart`, producer and worker open the store each for itself, as two processes do.
pub(crate) async fn pick_up(
    fresh: &Fresh,
    options: &Options,
    apart: bool,
    n: u64,
) -> anyhow::Result<Vec<Figure>> {
    let store = fresh.open().await?;
    let queue = Queue::new(if apart { fresh.open().await? } else { Arc::clone(&store) });
    let (runs, mut ran) = mpsc::unbounded_channel();
    // Nobody listens any more if the measurement has failed.
    let work = Work::start(&store, options, move |_| {
        runs.send(Instant::now()).ok();
    })?;
    let mut took = Vec::new();
    for index in 0..=n {
        let began = Instant::now();
        queue.enqueue(vec![options.job(record::payload(index))]).await?;
        let run = tokio::time::timeout(PATIENCE, ran.recv()).await?.context("no worker")?;
        // The first finds a worker that has only just begun.
        if index > 0 {
            took.push(millis(run - began));
        }
        tokio::time::sleep(pause()).await;
    }
    work.stop().await;
    let (what, opened) = if apart {
        ("pick-up by another process", "opened by each")
    } else {
        ("pick-up in the same process", "opened once")
    };
    let setting =
        format!("{n} jobs, one at a time, idle worker, store {opened}{}", options.differences());
    Ok([50.0, 99.0]
        .map(|p| Figure::new(format!("{what}, p{p}"), percentile(&took, p), "ms", setting.as_str()))
        .into())
}

/// The timers of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers {
    /// How many fall due.
    pub(crate) n: u32,
    /// The time within which they do.
    pub(crate) window: Duration,
    /// How many others are pending.
    pub(crate) far: u32,
}

/// Measures how late timers run, and counts those that run early.
pub(crate) async fn timers(
    fresh: &Fresh,
    options: &Options,
    Timers { n, window, far }: Timers,
) -> anyhow::Result<Vec<Figure>> {
    let store = fresh.open().await?;
    let queue = Queue::new(Arc::clone(&store));
    let pending = (0..far).map(|index| {
        let mut job = options.job(record::payload(index.into()));
        job.due = Due::In(FAR.mul_f64(1.0 + fastrand::f64()));
        job
    });
    store_all(&queue, pending, BULK).await?;
    let (runs, mut ran) = mpsc::unbounded_channel();
    let work = Work::start(&store, options, move |job| {
        let now = i64::try_from(record::wall_clock() / 1000).unwrap_or(i64::MAX);
        let due = job.due.expect("all jobs here are timers");
        runs.send(now - due.as_micros()).ok();
    })?;
    let first = record::wall_clock() + nanos(LEAD);
    let due_soon = (0..n).map(|index| {
        let mut job = options.job(record::payload(index.into()));
        job.due = Due::At(not_before(first + fastrand::u64(0..nanos(window))));
        job
    });
    store_all(&queue, due_soon, BULK).await?;
    let mut late = Vec::new();
    for _ in 0..n {
        let micros =
            tokio::time::timeout(PATIENCE + window, ran.recv()).await?.context("no worker")?;
        late.push(f64::from(i32::try_from(micros)?) / 1000.0);
    }
    work.stop().await;
    let early: u32 = late.iter().map(|late| u32::from(*late < 0.0)).sum();
    let setting = format!(
        "{n} due within {} s, {far} others pending{}",
        window.as_secs(),
        options.differences()
    );
    let lateness = [("p50", 50.0), ("p99", 99.0), ("max", 100.0)].map(|(name, p)| {
        Figure::new(format!("timer lateness, {name}"), percentile(&late, p), "ms", setting.as_str())
    });
    let early = Figure::new("timers that ran early", f64::from(early), "timers", setting.as_str());
    Ok(lateness.into_iter().chain([early]).collect())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns a duration in milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
