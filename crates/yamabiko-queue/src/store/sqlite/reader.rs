//! The thread that reads, on a connection of its own, so that reads neither wait for writes nor hold them up.

use std::{ops::ControlFlow, sync::mpsc, thread};

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};
use tokio::sync::oneshot;

use super::{
    file,
    group::is_cancelled_group,
    row::{self, Text, job_columns},
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    job::{JobId, JobRecord},
    state::State,
    store::{Counts, Paused},
};

/// Counts the jobs in a state.
macro_rules! count_jobs {
    ($state:literal) => {
        concat!(
            "SELECT count(*) FROM job WHERE state = ",
            $state,
            " AND seq NOT IN (SELECT seq FROM damaged)"
        )
    };
}

/// Jobs of a chat that are returned at most.
const MAX_LIVE: u32 = 10_000;

type Request = Box<dyn FnOnce(&View) + Send>;

/// The way to the thread; it ends when the last one is dropped.
#[derive(Clone, Debug)]
pub(super) struct Reader(mpsc::Sender<Request>);

impl Reader {
    /// Starts the thread.
    pub(super) fn start(db: Connection, clock: Clock) -> Result<Self> {
        let (requests, incoming) = mpsc::channel::<Request>();
        let run = move || {
            let view = View::new(db, clock);
            incoming.into_iter().for_each(|request| request(&view));
        };
        thread::Builder::new()
            .name("sqlite-reader".to_owned())
            .spawn(run)
            .map_err(|error| Error::Unavailable(error.into()))?;
        Ok(Self(requests))
    }

    /// Reads what one moment shows.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::Unavailable("the store's thread has ended".into());
        let request = move |view: &View| {
            // A caller that has gone away needs no answer.
            drop(answer.send(view.at_one_moment(look)));
        };
        self.0.send(Box::new(request)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// What the file shows.
#[derive(Debug)]
pub(super) struct View {
    pub(super) db: Connection,
    clock: Clock,
}

impl View {
    pub(super) fn new(db: Connection, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Reads what one moment shows, unless a newer version has taken over the file.
    pub(super) fn at_one_moment<T>(
        &self,
        look: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let moment = self.db.unchecked_transaction().map_err(file::meaning)?;
        let version = self
            .db
            .prepare_cached(file::VERSION)
            .and_then(|mut look| look.query_one((), |row| row.get(0)));
        file::check_again(version.map_err(file::meaning)?)?;
        let found = look(self).map_err(file::meaning)?;
        // Nothing was written, and SQLite commits no transaction that has met damage.
        moment.rollback().map_err(file::meaning)?;
        Ok(found)
    }

    /// Returns the state of a lane; what cannot be read is none.
    pub(super) fn state(&self, lane: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT value FROM state
                   WHERE lane = ? AND seq NOT IN (SELECT seq FROM damaged_state)";
        let state = self.db.prepare_cached(sql)?.query_row((lane,), |row| row.get(0));
        readable(state.optional()).map(Option::flatten)
    }

    /// Returns a job, unless it is damaged.
    pub(super) fn get(&self, id: JobId) -> rusqlite::Result<Option<JobRecord>> {
        let sql = concat!(
            "SELECT ",
            job_columns!(),
            " FROM job WHERE id = ? AND seq NOT IN (SELECT seq FROM damaged)"
        );
        let job = self.db.prepare_cached(sql)?.query_row((id.as_bytes(),), row::record);
        readable(job.optional()).map(Option::flatten)
    }

    /// Returns the live jobs of a chat (S3).
    pub(super) fn live(&self, chat: &str) -> rusqlite::Result<Vec<JobRecord>> {
        let live = format!(
            "chat = ? AND state BETWEEN 0 AND 3 AND NOT {} ORDER BY due, id LIMIT {MAX_LIVE}",
            is_cancelled_group!()
        );
        or_one_by_one(|one_by_one| {
            // What an index tells is whole where a row may not be.
            let which = if one_by_one { "chat = ?" } else { &live };
            let mut found = Vec::new();
            self.jobs(which, &[chat.to_owned().into()], one_by_one, |record, _| {
                if !matches!(record.state, State::Dead | State::Completed) {
                    found.push(record);
                }
                ControlFlow::Continue(())
            })?;
            if one_by_one {
                let mut left = Vec::with_capacity(found.len());
                for record in found {
                    if !self.is_cancelled_group(record.job.id)? {
                        left.push(record);
                    }
                }
                found = left;
                found.sort_by_key(|record| (record.job.due, record.job.id));
            }
            Ok(found)
        })
    }

    fn is_cancelled_group(&self, id: JobId) -> rusqlite::Result<bool> {
        let sql = concat!("SELECT 1 FROM job WHERE id = ? AND ", is_cancelled_group!());
        self.db.prepare_cached(sql)?.exists((id.as_bytes(),))
    }

    /// Reads jobs with their places, until `take` has enough.
    pub(super) fn jobs(
        &self,
        which: &str,
        values: &[Value],
        one_by_one: bool,
        mut take: impl FnMut(JobRecord, i64) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let columns = if one_by_one { "seq" } else { job_columns!() };
        let sql = format!(
            "SELECT {columns} FROM job WHERE seq NOT IN (SELECT seq FROM damaged) AND {which}"
        );
        let read = |row: &Row<'_>| Ok((row::record(row)?, row.get(row::PLACE)?));
        let one = concat!("SELECT ", job_columns!(), " FROM job WHERE seq = ?");
        let mut one = self.db.prepare_cached(one)?;
        let mut select = self.db.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let job = if one_by_one {
                readable(one.query_row((row.get::<_, i64>(0)?,), read))?
            } else {
                Some(read(row)?)
            };
            if let Some((record, place)) = job
                && take(record, place).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// Counts what there is.
    pub(super) fn counts(&self) -> rusqlite::Result<Counts> {
        let mut counts = Counts::default();
        for (state, sql) in [
            (State::Scheduled, "SELECT scheduled FROM store"),
            (State::Waiting, count_jobs!(2)),
            (State::Running, count_jobs!(3)),
            (State::Dead, count_jobs!(4)),
            (State::Completed, "SELECT completed FROM store"),
        ] {
            let count = self.db.prepare_cached(sql)?.query_one((), |row| row.get::<_, i64>(0))?;
            counts.states.insert(state, count.unsigned_abs());
        }
        let sql = "SELECT min(place) FROM job
                   WHERE state = 0 AND seq NOT IN (SELECT seq FROM damaged)";
        counts.next_due = self.db.prepare_cached(sql)?.query_one((), |row| row::time(row, 0))?;
        let sql = "SELECT (SELECT count(*) FROM damaged) + (SELECT count(*) FROM damaged_state)";
        let damaged = self.db.prepare_cached(sql)?.query_one((), |row| row.get::<_, i64>(0))?;
        counts.damaged = damaged.unsigned_abs();
        let now = self.clock.roughly_now().as_micros();
        self.count_queues(now, &mut counts)?;
        let sql = "SELECT about FROM process WHERE until > ? ORDER BY name";
        let mut processes = self.db.prepare_cached(sql)?;
        let abouts = processes.query_map((now,), |row| row.get::<_, Text>(0))?;
        for about in abouts {
            // What a newer version says of itself may be unreadable.
            counts.processes.extend(serde_json::from_str(&about?.lossy()).ok());
        }
        Ok(counts)
    }

    fn count_queues(&self, now: i64, counts: &mut Counts) -> rusqlite::Result<()> {
        let sql = "SELECT queue, count(*) FROM job
                   WHERE state = 1 AND seq NOT IN (SELECT seq FROM damaged) GROUP BY queue";
        let mut ready = self.db.prepare_cached(sql)?;
        for row in ready.query_map((), |row| Ok((row.get::<_, Text>(0)?, row.get::<_, i64>(1)?)))? {
            let (queue, count) = row?;
            counts.queues.entry(queue.lossy()).or_default().ready += count.unsigned_abs();
        }
        let ready = counts.queues.values().map(|queue| queue.ready).sum();
        counts.states.insert(State::Ready, ready);
        let sql = "SELECT queue, until FROM paused WHERE until IS NULL OR until > ?";
        let mut paused = self.db.prepare_cached(sql)?;
        for row in
            paused.query_map((now,), |row| Ok((row.get::<_, Text>(0)?, row::time(row, 1)?)))?
        {
            let (queue, until) = row?;
            let until = until.map_or(Paused::UntilResumed, Paused::Until);
            counts.queues.entry(queue.lossy()).or_default().paused = Some(until);
        }
        Ok(())
    }
}

/// Reads jobs, or if one of them is damaged and not set aside yet, all others, `one_by_one`.
pub(super) fn or_one_by_one<T>(read: impl Fn(bool) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    match read(false) {
        Err(error) if file::is_damage(&error) => read(true),
        read => read,
    }
}

/// Takes a record that is damaged for none: a step that needs it sets it aside.
fn readable<T>(read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match read {
        Err(error) if file::is_damage(&error) => Ok(None),
        read => read.map(Some),
    }
}
