//! How soon jobs run: after they are stored, and after they fall due.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::sync::mpsc;
use yamabiko_queue::{Due, NewJob, Queue};

use crate::{
    adapter::{BULK, not_before, pause, store_all},
    figures::{Figure, shown},
    fresh::Fresh,
    options::Options,
    record,
    topic::Bench,
    work::Work,
};

/// How long any one job may take before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between the storing of timers and the first due time.
const LEAD: Duration = Duration::from_secs(2);
/// How much longer for each of them, so that all are stored before.
const LEAD_OF_EACH: Duration = Duration::from_micros(200);
/// How far away at least the timers are that never fall due here.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// The timers of two measurements, and fewer of them for `--quick`.
const TIMERS: [(Timers, Timers); 2] = [
    (
        Timers { n: 2000, window: Duration::from_secs(10), far: 0 },
        Timers { n: 200, window: Duration::from_secs(1), far: 0 },
    ),
    (
        Timers { n: 2000, window: Duration::from_secs(10), far: 100_000 },
        Timers { n: 200, window: Duration::from_secs(1), far: 2000 },
    ),
];
/// Timers that fall due within one second; fewer for `--quick`.
const BURST: [u32; 2] = [20_000, 500];

/// Measures all of it.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let options = bench.options;
    for apart in [false, true] {
        let n = bench.size(300, 30);
        bench.note_all(pick_up(&bench.fresh()?, options, apart, n).await?);
    }
    for (many, few) in TIMERS {
        let timers = bench.size(many, few);
        bench.note_all(lateness(&bench.fresh()?, options, timers).await?);
    }
    let [many, few] = BURST;
    let n = bench.size(many, few);
    let figure = burst(&bench.fresh()?, options, n).await?;
    bench.note(figure);
    Ok(())
}

/// Measures the time from just before a job is stored to its run by an idle worker.
///
/// With `apart`, producer and worker open the store each for itself, as two processes do.
async fn pick_up(
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
    Ok(Figure::percentiles(what, &took, &[("p50", 50.0), ("p99", 99.0)], &setting))
}

/// The timers of a measurement.
#[derive(Clone, Copy, Debug)]
struct Timers {
    /// How many fall due.
    n: u32,
    /// The time within which they do.
    window: Duration,
    /// How many others are pending.
    far: u32,
}

/// Makes timers that never fall due here.
pub(crate) fn far(options: &Options, n: u32) -> impl Iterator<Item = NewJob> {
    (0..n).map(|index| {
        let due = Due::In(FAR.mul_f64(1.0 + fastrand::f64()));
        NewJob { due, ..options.job(record::payload(index.into())) }
    })
}

/// When a timer ran, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Ran {
    /// How much later than its due time; less than 0 is early.
    late: i64,
    /// How long after the start of the window.
    after: i64,
}

/// Stores timers before they fall due, and notes when each runs.
async fn run_timers(
    fresh: &Fresh,
    options: &Options,
    Timers { n, window, far }: Timers,
) -> anyhow::Result<Vec<Ran>> {
    let store = fresh.open().await?;
    let queue = Queue::new(Arc::clone(&store));
    store_all(&queue, self::far(options, far), BULK).await?;
    let first = record::wall_clock() + nanos(LEAD + LEAD_OF_EACH * n);
    let (runs, mut ran) = mpsc::unbounded_channel();
    let work = Work::start(&store, options, move |run| {
        let (now, due) = (micros(record::wall_clock()), run.job.due);
        let due = due.expect("all jobs here are timers");
        runs.send(Ran { late: now - due.as_micros(), after: now - micros(first) }).ok();
    })?;
    let due_soon = (0..n).map(|index| {
        let mut job = options.job(record::payload(index.into()));
        job.due = Due::At(not_before(first + fastrand::u64(0..nanos(window))));
        job
    });
    store_all(&queue, due_soon, BULK).await?;
    let mut all = Vec::new();
    for _ in 0..n {
        let patience = PATIENCE + window;
        all.push(tokio::time::timeout(patience, ran.recv()).await?.context("no worker")?);
    }
    work.stop().await;
    Ok(all)
}

/// Measures how late timers run, and counts those that run early.
async fn lateness(fresh: &Fresh, options: &Options, timers: Timers) -> anyhow::Result<Vec<Figure>> {
    let ran = run_timers(fresh, options, timers).await?;
    let late: Vec<_> = ran.iter().map(|ran| to_millis(ran.late)).collect();
    let early = ran.iter().filter(|ran| ran.late < 0).count();
    let Timers { n, window, far } = timers;
    let beside = match far {
        0 => String::new(),
        far => format!(" beside {} others", shown(far.into())),
    };
    let setting = format!("{n} due within {} s{}", window.as_secs(), options.differences());
    let shown = [("p50", 50.0), ("p99", 99.0), ("max", 100.0)];
    let mut figures =
        Figure::percentiles(&format!("timer lateness{beside}"), &late, &shown, &setting);
    let early = f64::from(u32::try_from(early)?);
    figures.push(Figure::new(format!("timers that ran early{beside}"), early, "timers", setting));
    Ok(figures)
}

/// Measures when the last of many timers ran that fall due within one second.
async fn burst(fresh: &Fresh, options: &Options, n: u32) -> anyhow::Result<Figure> {
    let window = Duration::from_secs(1);
    let ran = run_timers(fresh, options, Timers { n, window, far: 0 }).await?;
    let last = ran.iter().map(|ran| to_millis(ran.after)).fold(0.0, f64::max);
    let setting = format!(
        "{n} timers due at random within a second, from its start{}",
        options.differences()
    );
    Ok(Figure::new("burst: the last timer ran after", last / 1000.0, "s", setting))
}

fn micros(nanos: u64) -> i64 {
    i64::try_from(nanos / 1000).unwrap_or(i64::MAX)
}

fn to_millis(micros: i64) -> f64 {
    i32::try_from(micros).map_or(f64::INFINITY, f64::from) / 1000.0
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns a duration in milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
