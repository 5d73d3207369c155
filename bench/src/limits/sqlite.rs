//! SQLite without a queue: a loop over bare rows, with leases and remembered ids but without anything that asks or checks.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use yamabiko_queue::JobId;

use super::Rows;
use crate::{figures::rate as per_second, options::KIND, record};

/// The columns of a job, and those indexes without which jobs, ended leases and old ids are not found.
const SCHEMA: &str = "
    CREATE TABLE job (
        seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, state INTEGER NOT NULL, place INTEGER NOT NULL,
        holds INTEGER NOT NULL DEFAULT 0, token INTEGER, cancelled INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, checkpoint INTEGER NOT NULL DEFAULT 0,
        reruns INTEGER NOT NULL DEFAULT 0, unsure INTEGER NOT NULL DEFAULT 0, first_claimed INTEGER,
        arrived INTEGER NOT NULL, due INTEGER, remember INTEGER NOT NULL, queue TEXT NOT NULL, lane TEXT, chat TEXT,
        kind TEXT NOT NULL, origin TEXT, parent BLOB, secret TEXT, history TEXT NOT NULL DEFAULT '', payload BLOB NOT NULL
    ) STRICT;
    CREATE INDEX job_ready ON job (queue, place) WHERE state = 1;
    CREATE INDEX job_running ON job (place, id) WHERE state = 3;
    CREATE TABLE seen (id BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX seen_until ON seen (until);";
/// A time in microseconds, as long as any of our days.
const NOW: i64 = 1_800_000_000_000_000;
/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;
const QUEUE: &str = "default";

/// Returns how many rows a second go through transactions of `batch` rows each.
pub(super) fn rate(file: &Path, rows: Rows, batch: u64) -> rusqlite::Result<f64> {
    let mut bare = Bare::open(file)?;
    match rows {
        Rows::Stored(length) => bare.store_for(length, batch),
        Rows::Drained(n) => {
            bare.turn(n, 0)?;
            bare.timed(n, |bare| bare.drain(batch))
        }
        Rows::Whole(n) => bare.timed(n, |bare| {
            for _ in 0..n / batch {
                bare.turn(batch, batch)?;
            }
            bare.turn(n % batch, batch)?;
            bare.drain(batch)
        }),
    }
}

/// An open file.
struct Bare {
    db: Connection,
    stored: i64,
    token: i64,
    held: Vec<Vec<u8>>,
}

impl Bare {
    fn open(file: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(file)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "cache_size", -8000)?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, stored: 0, token: 0, held: Vec::new() })
    }

    fn timed(
        &mut self,
        n: u64,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<f64> {
        let began = Instant::now();
        work(self)?;
        Ok(per_second(n, began.elapsed()))
    }

    fn store_for(&mut self, length: Duration, batch: u64) -> rusqlite::Result<f64> {
        let (began, mut count) = (Instant::now(), 0);
        while began.elapsed() < length {
            self.turn(batch, 0)?;
            count += batch;
        }
        Ok(per_second(count, began.elapsed()))
    }

    fn drain(&mut self, batch: u64) -> rusqlite::Result<()> {
        loop {
            self.turn(0, batch)?;
            if self.held.is_empty() {
                return Ok(());
            }
        }
    }

    /// Stores rows, completes those that are held, and claims others, in one transaction.
    fn turn(&mut self, new: u64, at_most: u64) -> rusqlite::Result<()> {
        let step = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..new {
            self.stored += 1;
            store(&step, self.stored)?;
        }
        for id in self.held.drain(..) {
            complete(&step, &id, self.token)?;
        }
        if at_most > 0 {
            self.token += 1;
            self.held = claim(&step, at_most.cast_signed(), self.token)?;
        }
        step.commit()
    }
}

fn store(step: &Transaction<'_>, place: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO job (id, state, place, arrived, remember, queue, kind, payload)
               VALUES (?, 1, ?, ?, ?, ?, ?, ?)";
    let payload = record::payload(place.cast_unsigned());
    let id = JobId::new();
    let row = (id.as_bytes(), place, NOW + place, HOUR, QUEUE, KIND, payload);
    step.prepare_cached(sql)?.execute(row).map(drop)
}

/// Claims rows and returns their ids.
fn claim(step: &Transaction<'_>, at_most: i64, token: i64) -> rusqlite::Result<Vec<Vec<u8>>> {
    let found = step
        .prepare_cached("SELECT * FROM job WHERE state = 1 AND queue = ? ORDER BY place LIMIT ?")?
        .query_map((QUEUE, at_most), |row| {
            // A queue hands out the payload too.
            row.get::<_, Vec<u8>>("payload")?;
            Ok((row.get::<_, i64>("seq")?, row.get("id")?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let sql = "UPDATE job SET state = 3, place = ?, token = ?, first_claimed = ? WHERE seq = ?";
    let mut update = step.prepare_cached(sql)?;
    for (seq, _) in &found {
        update.execute((NOW + HOUR, token, NOW, seq))?;
    }
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

fn complete(step: &Transaction<'_>, id: &[u8], token: i64) -> rusqlite::Result<()> {
    step.prepare_cached("DELETE FROM job WHERE id = ? AND token = ?")?.execute((id, token))?;
    step.prepare_cached("INSERT INTO seen VALUES (?, ?)")?.execute((id, NOW + HOUR)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_stored_claimed_and_completed() {
        for rows in [Rows::Drained(100), Rows::Whole(100)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("bare.db");
            assert!(rate(&file, rows, 32).unwrap() > 0.0);
            let db = Connection::open(&file).unwrap();
            let sql = "SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM seen)";
            let left: (u32, u32) =
                db.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            assert_eq!(left, (0, 100), "{rows:?}");
        }
    }
}
