//! What a store does at most: bare writes, without a queue around them.

use std::time::Duration;

use crate::{figures::Figure, fresh::Fresh, topic::Bench};

mod redis;
mod sqlite;

/// Commands of one measurement with Redis; fewer for `--quick`.
const COMMANDS: [u64; 2] = [300_000, 20_000];

/// What is done with bare rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows {
    /// They are stored, for so long.
    Stored(Duration),
    /// So many, stored before, are claimed and completed.
    Drained(u64),
    /// So many are stored, claimed and completed.
    Whole(u64),
}

/// The limits of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limits {
    /// Scripts a second, of two commands each: all that one thread does can be no faster.
    Redis(f64),
    /// What SQLite does depends on what is asked of it, so it is measured beside each figure.
    Sqlite,
}

impl Limits {
    /// Measures what is the same for all figures of a store.
    pub(crate) fn measure(bench: &mut Bench<'_>) -> anyhow::Result<Self> {
        let fresh = bench.fresh()?;
        let Some(server) = fresh.redis() else { return Ok(Self::Sqlite) };
        let [many, few] = COMMANDS;
        let [push, script] = redis::limits(server, bench.size(many, few))?;
        let limit = Self::Redis(script.value());
        bench.note_all([push, script]);
        Ok(limit)
    }

    /// Notes a figure with the limit beside it; `batch` rows go with one transaction.
    pub(crate) fn note(
        self,
        bench: &mut Bench<'_>,
        figure: Figure,
        rows: Rows,
        batch: u64,
    ) -> anyhow::Result<()> {
        match self {
            Self::Redis(scripts) => bench.note(figure.of_limit(scripts)),
            Self::Sqlite => {
                let bare = bare(&bench.fresh()?, figure.what(), rows, batch)?;
                bench.note(figure.of_limit(bare.value()));
                bench.note(bare);
            }
        }
        Ok(())
    }
}

fn bare(fresh: &Fresh, of: &str, rows: Rows, batch: u64) -> anyhow::Result<Figure> {
    let rate = sqlite::rate(&fresh.file(), rows, batch)?;
    let setting =
        format!("bare rusqlite loop over the same columns, {batch} in a transaction, synced");
    Ok(Figure::new(format!("limit: {of}"), rate, "jobs/s", setting))
}
