//! A write transaction: what all steps share, and the moves of a job from place to place.

use std::{collections::BTreeSet, time::Duration};

use rusqlite::{OptionalExtension, Params, Row, ToSql};

use super::{
    clock::{Reading, StoreClock},
    file,
    row::Text,
    statements::Statements,
};
use crate::{
    clock::{Timestamp, micros},
    error::Result,
    store::{Signal, StoreOptions},
};

/// The time between two writes of the latest time (T3).
const NOTE_TIME_EVERY: Duration = Duration::from_secs(1);

/// A write transaction and its time.
#[derive(Debug)]
pub(super) struct Step<'a, 'db> {
    pub(super) statements: &'a Statements<'db>,
    pub(super) options: &'a StoreOptions,
    /// The time by which jobs are due, and leases, pauses and delays end.
    pub(super) now: Timestamp,
    /// The time that records carry, and by which they grow old.
    pub(super) recorded: Timestamp,
    /// Whether records may be removed for their age.
    pub(super) is_trusted: bool,
    clock: &'a StoreClock,
    changes_before: u64,
    /// The row that all jobs share, as it was found and as it shall be.
    found: Shared,
    pub(super) shared: Shared,
    /// Queues that may have work for others after this.
    pub(super) touched: BTreeSet<String>,
    /// The earliest time for which something was scheduled.
    earliest: Option<Timestamp>,
}

/// The one row of what all jobs share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    front: i64,
    tail: i64,
    /// How many completed jobs are kept.
    pub(super) completed: i64,
    latest: Timestamp,
    /// When, and by how much, the stored time was last found to be ahead of the wall clock.
    set_back: Option<(i64, i64)>,
    /// How many jobs are scheduled.
    pub(super) scheduled: i64,
}

impl Shared {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            front: row.get(0)?,
            tail: row.get(1)?,
            completed: row.get(2)?,
            latest: Timestamp::from_micros(row.get(3)?),
            scheduled: row.get(4)?,
            set_back: row.get::<_, Option<i64>>(5)?.zip(row.get(6)?),
        })
    }
}

impl Shared {
    /// Takes the wall clock as right, of which the stored time was ahead (T3).
    fn set_back(self, now: Timestamp, ahead: Duration) -> Self {
        tracing::warn!(
            ahead_seconds = ahead.as_secs(),
            "the store had seen a time ahead of the machine's clock, which counts from now on"
        );
        Self { latest: now, set_back: Some((now.as_micros(), micros(ahead))), ..self }
    }
}

/// What the moves need to know of a job: the columns `seq, id, queue, lane, holds, remember`.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) seq: i64,
    pub(super) id: Vec<u8>,
    pub(super) queue: Text,
    pub(super) lane: Option<Text>,
    pub(super) holds: bool,
    pub(super) remember: i64,
}

/// Returns a count as SQLite takes it.
pub(super) fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Place {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            queue: row.get(2)?,
            lane: row.get(3)?,
            holds: row.get(4)?,
            remember: row.get(5)?,
        })
    }
}

impl<'a, 'db> Step<'a, 'db> {
    /// Begins a transaction, unless a newer version has taken over the file.
    pub(super) fn begin(
        statements: &'a Statements<'db>,
        options: &'a StoreOptions,
        clock: &'a StoreClock,
    ) -> Result<Self> {
        statements.with("BEGIN IMMEDIATE", |begin| begin.execute(())).map_err(file::meaning)?;
        let version =
            statements.with(file::VERSION, |select| select.query_one((), |row| row.get(0)));
        file::check_again(version.map_err(file::meaning)?)?;
        let shared = statements
            .with(
                "SELECT front, tail, completed, latest, scheduled, set_back_at, set_back_by FROM store",
                |select| select.query_one((), Shared::of),
            )
            .map_err(file::meaning)?;
        let Reading { now, recorded, ahead, is_trusted } = clock.read(shared.latest);
        Ok(Self {
            statements,
            options,
            now,
            recorded,
            is_trusted,
            clock,
            changes_before: statements.db.total_changes(),
            found: shared,
            shared: ahead.map_or(shared, |ahead| shared.set_back(now, ahead)),
            touched: BTreeSet::new(),
            earliest: None,
        })
    }

    /// Commits, and returns what others may have been waiting for; writes something in any case if it is to `prove` that it can.
    pub(super) fn commit(mut self, prove: bool) -> rusqlite::Result<Vec<Signal>> {
        let signals = self.signals()?;
        // What wrote nothing leaves no trace, so that nobody is woken by it.
        let wrote = self.statements.db.total_changes() > self.changes_before;
        if wrote
            && self.is_trusted
            && self.clock.is_own()
            && self.recorded >= self.shared.latest + NOTE_TIME_EVERY
        {
            self.shared.latest = self.recorded;
        }
        if prove && !wrote {
            // SQLite writes nothing where nothing changes; a place that nobody takes does no harm.
            self.tail();
        }
        if self.shared != self.found {
            let Shared { front, tail, completed, latest, set_back, scheduled } = self.shared;
            let (at, by) = set_back.unzip();
            self.run(
                "UPDATE store SET front = ?, tail = ?, completed = ?, latest = ?, scheduled = ?,
                     set_back_at = ?, set_back_by = ?",
                (front, tail, completed, latest.as_micros(), scheduled, at, by),
            )?;
        }
        self.run("COMMIT", ())?;
        Ok(signals)
    }

    pub(super) fn run(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<usize> {
        self.statements.with(sql, |statement| statement.execute(params))
    }

    pub(super) fn first<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.statements.with(sql, |statement| statement.query_row(params, read).optional())
    }

    pub(super) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.statements.with(sql, |statement| statement.query_map(params, read)?.collect())
    }

    pub(super) fn exists(&self, sql: &'static str, params: impl Params) -> rusqlite::Result<bool> {
        self.statements.with(sql, |statement| statement.exists(params))
    }

    /// Returns the next place at the tail of any line.
    pub(super) const fn tail(&mut self) -> i64 {
        self.shared.tail += 1;
        self.shared.tail
    }

    /// Says whether another job holds the lane.
    pub(super) fn is_taken(&self, lane: Option<impl ToSql>) -> rusqlite::Result<bool> {
        let Some(lane) = lane else { return Ok(false) };
        self.exists("SELECT 1 FROM job WHERE lane = ? AND holds = 1", (lane,))
    }

    /// Makes a job ready, or puts it at the tail of its lane if another holds it (L2).
    pub(super) fn enter(&mut self, job: &Place) -> rusqlite::Result<()> {
        if !job.holds && self.is_taken(job.lane.as_ref())? {
            let place = self.tail();
            self.run("UPDATE job SET state = 2, place = ? WHERE seq = ?", (place, job.seq))?;
            return Ok(());
        }
        self.make_ready(job.seq, &job.queue.lossy(), job.lane.is_some())
    }

    fn make_ready(&mut self, seq: i64, queue: &str, holds: bool) -> rusqlite::Result<()> {
        let place = self.tail();
        self.touch(queue);
        self.run(
            "UPDATE job SET state = 1, place = ?, holds = ? WHERE seq = ?",
            (place, holds, seq),
        )
        .map(drop)
    }

    /// Puts a job whose run ended without an outcome to the front of its queue; it keeps its lane.
    pub(super) fn put_in_front(&mut self, job: &Place) -> rusqlite::Result<()> {
        self.shared.front -= 1;
        self.touch(&job.queue.lossy());
        self.run(
            "UPDATE job SET state = 1, place = ?, token = NULL WHERE seq = ?",
            (self.shared.front, job.seq),
        )
        .map(drop)
    }

    /// Notes that something waits for a time.
    pub(super) fn waits_until(&mut self, time: Timestamp) {
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
    }

    /// Notes that a queue may have work.
    pub(super) fn touch(&mut self, queue: &str) {
        if !self.touched.contains(queue) {
            self.touched.insert(queue.to_owned());
        }
    }

    /// Takes a job out of the store and remembers its id (K5).
    pub(super) fn remove(&mut self, job: &Place) -> rusqlite::Result<()> {
        self.run("DELETE FROM job WHERE seq = ?", (job.seq,))?;
        self.ended(job)
    }

    /// Remembers the id of a job that has left the live ones, and passes its lane on; it holds it no longer.
    pub(super) fn ended(&mut self, job: &Place) -> rusqlite::Result<()> {
        if job.remember > 0 {
            let until = self.recorded.as_micros().saturating_add(job.remember);
            self.run(
                "INSERT INTO seen (id, until) VALUES (?, ?)
                 ON CONFLICT (id) DO UPDATE SET until = excluded.until",
                (&job.id, until),
            )?;
        }
        self.pass_lane_on(job)
    }

    /// Gives the lane that a job held to the next one that waits for it.
    pub(super) fn pass_lane_on(&mut self, job: &Place) -> rusqlite::Result<()> {
        let (true, Some(lane)) = (job.holds, &job.lane) else { return Ok(()) };
        let next = self.first(
            "SELECT seq, queue FROM job WHERE state = 2 AND lane = ? ORDER BY place LIMIT 1",
            (lane,),
            |row| Ok((row.get(0)?, row.get::<_, Text>(1)?)),
        )?;
        next.map_or(Ok(()), |(seq, queue)| self.make_ready(seq, &queue.lossy(), true))
    }

    /// Says whether claims from a queue are stopped.
    pub(super) fn is_paused(&self, queue: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM paused WHERE queue = ? AND (until IS NULL OR until > ?)";
        self.exists(sql, (queue, self.now.as_micros()))
    }

    /// Returns whom to wake: whoever serves a queue with ready jobs, and timers if theirs is not the next due time any more (W1).
    fn signals(&self) -> rusqlite::Result<Vec<Signal>> {
        let mut signals = Vec::new();
        for queue in &self.touched {
            let sql = "SELECT 1 FROM job WHERE state = 1 AND queue = ? LIMIT 1";
            if self.exists(sql, (queue,))? {
                signals.push(Signal::Queue(queue.clone()));
            }
        }
        if let Some(earliest) = self.earliest {
            let sql = "SELECT 1 FROM job WHERE state = 0 AND place < ? LIMIT 1";
            if !self.exists(sql, (earliest.as_micros(),))? {
                signals.push(Signal::Timers);
            }
        }
        Ok(signals)
    }
}
