//! A write transaction: what all steps share, and the moves of a job from place to place.

use std::{collections::BTreeSet, time::Duration};

use rusqlite::{OptionalExtension, Params, Row, ToSql};

use super::{
    clock::{Reading, StoreClock},
    damage::{Care, Work},
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
    pub(super) care: &'a Care,
    changes_before: u64,
    /// The row that all jobs share, as it was found and as it shall be.
    found: Shared,
    pub(super) shared: Shared,
    /// Whether groups of jobs are being cancelled.
    pub(super) has_groups: bool,
    /// Whether lanes are lent.
    pub(super) has_loans: bool,
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
    /// How many origins are revoked.
    pub(super) revoked: i64,
    /// How many jobs are damaged.
    pub(super) damaged: i64,
}

impl Shared {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            front: row.get(0)?,
            tail: row.get(1)?,
            completed: row.get(2)?,
            latest: Timestamp::from_micros(row.get(3)?),
            scheduled: row.get(4)?,
            revoked: row.get(8)?,
            set_back: row.get::<_, Option<i64>>(5)?.zip(row.get(6)?),
            damaged: row.get(7)?,
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
    /// Over 0 if it holds its lane.
    pub(super) holds: i64,
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
        care: &'a Care,
    ) -> Result<Self> {
        statements.with("BEGIN IMMEDIATE", |begin| begin.execute(())).map_err(file::meaning)?;
        let version =
            statements.with(file::VERSION, |select| select.query_one((), |row| row.get(0)));
        file::check_again(version.map_err(file::meaning)?)?;
        let (shared, has_groups, has_loans) = statements
            .with(
                "SELECT front, tail, completed, latest, scheduled, set_back_at, set_back_by, damaged, revoked,
                        EXISTS (SELECT 1 FROM cancelled_group), EXISTS (SELECT 1 FROM loan) FROM store",
                |select| select.query_one((), |row| Ok((Shared::of(row)?, row.get(9)?, row.get(10)?))),
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
            care,
            changes_before: statements.db.total_changes(),
            found: shared,
            shared: ahead.map_or(shared, |ahead| shared.set_back(now, ahead)),
            has_groups,
            has_loans,
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
            let Shared { front, tail, completed, latest, set_back, scheduled, damaged, revoked } =
                self.shared;
            let (at, by) = set_back.unzip();
            self.run(
                "UPDATE store SET front = ?, tail = ?, completed = ?, latest = ?, scheduled = ?,
                     set_back_at = ?, set_back_by = ?, damaged = ?, revoked = ?",
                (front, tail, completed, latest.as_micros(), scheduled, at, by, damaged, revoked),
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

    /// Returns the next place in front of any line.
    pub(super) const fn front(&mut self) -> i64 {
        self.shared.front -= 1;
        self.shared.front
    }

    /// Returns the next place at the tail of any line.
    pub(super) const fn tail(&mut self) -> i64 {
        self.shared.tail += 1;
        self.shared.tail
    }

    /// Says whether another job holds the lane.
    pub(super) fn is_taken(&self, lane: Option<impl ToSql>) -> rusqlite::Result<bool> {
        let Some(lane) = lane else { return Ok(false) };
        self.exists(
            "SELECT 1 FROM job WHERE lane = ? AND holds > 0 AND seq NOT IN (SELECT seq FROM damaged)",
            (lane,),
        )
    }

    /// Makes a job ready, or puts it at the tail of its lane if another holds it (L2).
    pub(super) fn enter(&mut self, job: &Place) -> rusqlite::Result<()> {
        if self.waits_in_front(job)? {
            return Ok(());
        }
        if job.holds == 0 && self.is_taken(job.lane.as_ref())? {
            let place = self.tail();
            let sql = "UPDATE job SET state = 2, place = ? WHERE seq = ?";
            self.change(Work::Change, job.seq, sql, (place, job.seq))?;
            return self.lend_again(job.lane.as_ref());
        }
        let holds = if job.holds > 0 { job.holds } else { self.next_hold(job.lane.as_ref())? };
        self.make_ready(job.seq, &job.queue.lossy(), holds)
    }

    /// Returns the number with which a job takes its free lane: damaged jobs that held it keep theirs.
    pub(super) fn next_hold(&self, lane: Option<impl ToSql>) -> rusqlite::Result<i64> {
        let Some(lane) = lane else { return Ok(0) };
        if self.shared.damaged == 0 {
            return Ok(1);
        }
        let sql = "SELECT ifnull(max(holds), 0) + 1 FROM job WHERE lane = ? AND holds > 0";
        self.statements.with(sql, |select| select.query_one((lane,), |row| row.get(0)))
    }

    pub(super) fn make_ready(&mut self, seq: i64, queue: &str, holds: i64) -> rusqlite::Result<()> {
        let place = self.tail();
        self.touch(queue);
        let sql = "UPDATE job SET state = 1, place = ?, holds = ? WHERE seq = ?";
        self.change(Work::Change, seq, sql, (place, holds, seq))
    }

    /// Puts a job whose run ended without an outcome to the front of its queue; it keeps its lane.
    pub(super) fn put_in_front(&mut self, job: &Place) -> rusqlite::Result<()> {
        let place = self.front();
        self.touch(&job.queue.lossy());
        let sql = "UPDATE job SET state = 1, place = ?, token = NULL WHERE seq = ?";
        self.change(Work::Change, job.seq, sql, (place, job.seq))
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
        self.forget(job)?;
        self.ended(job)
    }

    /// Takes a job out of the store.
    pub(super) fn forget(&mut self, job: &Place) -> rusqlite::Result<()> {
        if self.ends_without_a_trace(job)? {
            return Ok(());
        }
        self.change(Work::End, job.seq, "DELETE FROM job WHERE seq = ?", (job.seq,))
    }

    /// Remembers the id of a job that has left the live ones, and passes its lane on; it holds it no longer.
    pub(super) fn ended(&mut self, job: &Place) -> rusqlite::Result<()> {
        if job.remember > 0 {
            // Until the quarter of its time span ends, as on Redis.
            let quarter = (job.remember / 4).max(1);
            let until = self.recorded.as_micros().saturating_add(job.remember);
            let until = until.saturating_add(quarter - 1) / quarter * quarter;
            self.run(
                "INSERT INTO seen (id, until) VALUES (?, ?)
                 ON CONFLICT (id) DO UPDATE SET until = excluded.until",
                (&job.id, until),
            )?;
        }
        self.pass_lane_on(job)
    }

    /// Gives the lane that a job held to the next one that waits for it, or back to the one that lent it.
    pub(super) fn pass_lane_on(&mut self, job: &Place) -> rusqlite::Result<()> {
        if self.ends_loan(job)? {
            return Ok(());
        }
        match (job.holds, &job.lane) {
            (1.., Some(lane)) => self.hand_on(lane),
            _ => Ok(()),
        }
    }

    /// Gives a free lane to the next job that waits for it.
    pub(super) fn hand_on(&mut self, lane: &Text) -> rusqlite::Result<()> {
        self.check_jobs(
            "SELECT seq FROM job WHERE state = 2 AND lane = ? AND seq NOT IN (SELECT seq FROM damaged)
             ORDER BY place LIMIT 1",
            (lane,),
        )?;
        let next = self.first(
            "SELECT seq, queue FROM job
             WHERE state = 2 AND lane = ? AND seq NOT IN (SELECT seq FROM damaged) ORDER BY place LIMIT 1",
            (lane,),
            |row| Ok((row.get(0)?, row.get::<_, Text>(1)?)),
        )?;
        let Some((seq, queue)) = next else { return Ok(()) };
        let holds = self.next_hold(Some(lane))?;
        self.make_ready(seq, &queue.lossy(), holds)
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
            let sql = "SELECT 1 FROM job
                       WHERE state = 1 AND queue = ? AND seq NOT IN (SELECT seq FROM damaged) LIMIT 1";
            if self.exists(sql, (queue,))? {
                signals.push(Signal::Queue(queue.clone()));
            }
        }
        if let Some(earliest) = self.earliest {
            let sql = "SELECT 1 FROM job
                       WHERE state = 0 AND place < ? AND seq NOT IN (SELECT seq FROM damaged) LIMIT 1";
            if !self.exists(sql, (earliest.as_micros(),))? {
                signals.push(Signal::Timers);
            }
        }
        Ok(signals)
    }
}
