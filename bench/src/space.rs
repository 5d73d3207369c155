//! What a job takes in the store.

use std::time::Duration;

use anyhow::Context as _;
use rusqlite::Connection;
use yamabiko_queue::{Due, NewJob, Queue};

use crate::{
    adapter::{BULK, store_all},
    figures::Figure,
    fresh::Fresh,
    options::Options,
    record,
    redis_info::RedisInfo,
    topic::Bench,
};

/// The bytes of each payload.
const PAYLOAD: usize = 60;
/// When delayed jobs are due.
const LATER: Duration = Duration::from_secs(24 * 60 * 60);

/// Measures waiting and delayed jobs.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    for (what, due, many) in [("waiting", Due::Now, 20_000), ("delayed", Due::In(LATER), 100_000)] {
        let n = bench.size(many, 2000);
        let bytes = bytes_of_each(&bench.fresh()?, bench.options, due, n).await?;
        let setting =
            format!("{n} jobs, payloads of {PAYLOAD} bytes{}", bench.options.differences());
        bench.note(Figure::new(format!("bytes of a {what} job"), bytes, "bytes", setting));
    }
    Ok(())
}

async fn bytes_of_each(fresh: &Fresh, options: &Options, due: Due, n: u32) -> anyhow::Result<f64> {
    let job = |index: u32| {
        let mut payload = record::payload(index.into());
        payload.resize(PAYLOAD, b' ');
        NewJob { due, ..options.job(payload) }
    };
    let queue = Queue::new(fresh.open().await?);
    // What the first job brings with it, the others share.
    store_all(&queue, [job(n)].into_iter(), 1).await?;
    let before = bytes(fresh)?;
    store_all(&queue, (0..n).map(job), BULK).await?;
    let more = bytes(fresh)?.checked_sub(before).context("the store has become smaller")?;
    Ok(f64::from(u32::try_from(more)?) / f64::from(n))
}

/// Returns how many bytes all data takes.
fn bytes(fresh: &Fresh) -> anyhow::Result<u64> {
    if let Some(server) = fresh.redis() {
        return RedisInfo::ask(&server.url())?.data();
    }
    let db = Connection::open(fresh.file())?;
    let pragma =
        |name| db.pragma_query_value(None, name, |row| row.get::<_, u32>(0)).map(u64::from);
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}
