//! What a job, a timer and a tick cost beside many timers that wait, and whether these take memory of the bot.

use std::{sync::Arc, time::Duration};

use yamabiko_queue::{Queue, Store};

use crate::{
    adapter::{BULK, store_all},
    bot::{self, BOT},
    figures::{Figure, shown},
    fresh::Fresh,
    options::Options,
    punctuality::far,
    record,
    spent::Spent,
    throughput::{Goal, run_until},
    topic::Bench,
};

/// How many timers are pending.
const PENDING: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// The same for `--quick`.
const FEW: [u32; 2] = [100, 2_000];

/// Measures the costs for each number of pending timers, and the bot's memory with none and with the most.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let n = bench.size(10_000, 1000);
    let rest = bench.size(bot::REST, Duration::from_millis(200));
    let memory = bot::memory_beside(&bench.fresh()?, 0, rest).await?;
    bench.note(memory);
    let sizes = bench.size(&PENDING[..], &FEW);
    for &pending in sizes {
        let fresh = bench.fresh()?;
        // The store is the bot's, so that it finds these timers.
        let store = fresh.open_as(BOT).await?;
        let queue = Queue::new(Arc::clone(&store));
        store_all(&queue, far(bench.options, pending), BULK).await?;
        let beside = format!("beside {} pending", shown(pending.into()));
        bench.note_all(ticks(&fresh, &*store, n / 10, &beside).await?);
        bench.note_all(jobs(&fresh, bench.options, &store, n, &beside).await?);
        bench.note_all(timers(&fresh, bench.options, &queue, n, &beside).await?);
        if sizes.last() == Some(&pending) {
            let memory = bot::memory_beside(&fresh, pending, rest).await?;
            bench.note(memory);
        }
    }
    Ok(())
}

async fn ticks(
    fresh: &Fresh,
    store: &dyn Store,
    n: u32,
    beside: &str,
) -> anyhow::Result<Vec<Figure>> {
    let start = Spent::so_far(fresh)?;
    for _ in 0..n {
        store.tick().await?;
    }
    let setting = format!("{n} ticks, nothing is due");
    Ok(start.since(fresh)?.figures(&format!("CPU of a tick {beside}"), n, &setting))
}

async fn jobs(
    fresh: &Fresh,
    options: &Options,
    store: &Arc<dyn Store>,
    n: u32,
    beside: &str,
) -> anyhow::Result<Vec<Figure>> {
    let goal = Arc::new(Goal::new(n.into()));
    let start = Spent::so_far(fresh)?;
    let jobs = (0..n).map(|index| options.job(record::payload(index.into())));
    store_all(&Queue::new(Arc::clone(store)), jobs, BULK).await?;
    run_until(store, options, &goal).await?.stop().await;
    let setting = format!("{n} jobs stored in bulk and drained{}", options.differences());
    Ok(start.since(fresh)?.figures(&format!("CPU of a job {beside}"), n, &setting))
}

async fn timers(
    fresh: &Fresh,
    options: &Options,
    queue: &Queue,
    n: u32,
    beside: &str,
) -> anyhow::Result<Vec<Figure>> {
    let start = Spent::so_far(fresh)?;
    store_all(queue, far(options, n), BULK).await?;
    let setting = format!("{n} timers armed in bulk{}", options.differences());
    Ok(start.since(fresh)?.figures(&format!("CPU of a timer {beside}"), n, &setting))
}
