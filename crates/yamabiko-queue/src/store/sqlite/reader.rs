//! The thread that reads, on a connection of its own, so that reads neither wait for writes nor hold them up.

use std::{sync::mpsc, thread};

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::oneshot;

use super::{
    file,
    row::{self, Text, job_columns},
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    job::{JobId, JobRecord},
    state::State,
    store::{Counts, Paused},
};

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
        moment.commit().map_err(file::meaning)?;
        Ok(found)
    }

    /// Returns the state of a lane.
    pub(super) fn state(&self, lane: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT value FROM state WHERE lane = ?";
        self.db.prepare_cached(sql)?.query_row((lane,), |row| row.get(0)).optional()
    }

    /// Returns a job.
    pub(super) fn get(&self, id: JobId) -> rusqlite::Result<Option<JobRecord>> {
        let sql = concat!("SELECT ", job_columns!(), " FROM job WHERE id = ?");
        self.db.prepare_cached(sql)?.query_row((id.as_bytes(),), row::record).optional()
    }

    /// Returns the live jobs of a chat (S3).
    pub(super) fn live(&self, chat: &str) -> rusqlite::Result<Vec<JobRecord>> {
        let sql = concat!(
            "SELECT ",
            job_columns!(),
            " FROM job WHERE chat = ? AND state BETWEEN 0 AND 3 ORDER BY due, id LIMIT ?"
        );
        self.db.prepare_cached(sql)?.query_map((chat, MAX_LIVE), row::record)?.collect()
    }

    /// Counts what there is.
    pub(super) fn counts(&self) -> rusqlite::Result<Counts> {
        let mut counts = Counts::default();
        for (state, sql) in [
            (State::Scheduled, "SELECT scheduled FROM store"),
            (State::Waiting, "SELECT count(*) FROM job WHERE state = 2"),
            (State::Running, "SELECT count(*) FROM job WHERE state = 3"),
            (State::Dead, "SELECT count(*) FROM job WHERE state = 4"),
            (State::Completed, "SELECT completed FROM store"),
        ] {
            let count = self.db.prepare_cached(sql)?.query_one((), |row| row.get::<_, i64>(0))?;
            counts.states.insert(state, count.unsigned_abs());
        }
        let sql = "SELECT min(place) FROM job WHERE state = 0";
        counts.next_due = self.db.prepare_cached(sql)?.query_one((), |row| row::time(row, 0))?;
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
        let sql = "SELECT queue, count(*) FROM job WHERE state = 1 GROUP BY queue";
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
