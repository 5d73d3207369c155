//! The store on an SQLite file: each step is a transaction, and every process that opens the file shares it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    clock::Clock,
    error::{Error, Result},
    job::{JobId, JobRecord, NewJob, check_delay},
    store::{
        Cancelled, Commit, Counts, Held, Inserted, Page, Process, Query, RunToken, Sending, Signal,
        Store, StoreOptions, Tick, Turn, Want,
        bell::{Bell, Heard},
        check_commits,
        grace::Grace,
    },
};

mod backup;
mod clock;
mod commit;
mod correct;
mod damage;
mod exchange;
mod file;
mod group;
mod insert;
mod inspect;
mod list;
mod loan;
mod people;
mod reader;
mod revoked;
mod row;
mod set_aside;
mod statements;
mod step;
#[cfg(test)]
mod tests;
mod tick;
mod turn;
mod watch;
mod writer;

pub(super) use backup::backup;
use clock::StoreClock;
use damage::LastDamage;
pub(super) use inspect::inspect;
use reader::Reader;
use writer::Writer;

/// Jobs in an SQLite file.
///
/// Writes go through one thread and are on disk when they are answered; reads have a thread and a connection of their own.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    reader: Reader,
    bell: Arc<Bell>,
    heard: Heard,
    grace: Mutex<Grace>,
    clock: Clock,
    damage: Arc<LastDamage>,
}

impl SqliteStore {
    /// Opens the file at `path`, which is created if it does not exist.
    ///
    /// # Errors
    /// `NewerSchema` if a newer version wrote the file, `Foreign` if it is no database or that of another program,
    /// `Unavailable` if it cannot be opened or written.
    pub async fn open(path: &str, options: StoreOptions) -> Result<Self> {
        let path = path.to_owned();
        let (store, healed) = tokio::task::spawn_blocking(move || Self::open_now(&path, options))
            .await
            .map_err(|error| Error::Unavailable(error.into()))??;
        if !healed.is_empty() {
            tracing::info!(
                records = healed.len(),
                "damaged records of the store can be read again, or are gone; the former are brought back"
            );
            store.writer.write(move |step| step.bring_back(&healed)).await?;
        }
        Ok(store)
    }

    fn open_now(path: &str, options: StoreOptions) -> Result<(Self, Vec<damage::Record>)> {
        let mut db = file::open(path)?;
        file::migrate(path, &mut db)?;
        let healed = set_aside::healed(&db).map_err(file::meaning)?;
        let given = options.clock.clone();
        let (bell, damage) = (Arc::new(Bell::default()), Arc::default());
        let clock = StoreClock::new(given.clone());
        let store = Self {
            reader: Reader::start(file::open(path)?, given.clone())?,
            writer: Writer::start(db, options, clock, Arc::clone(&bell), Arc::clone(&damage))?,
            bell,
            heard: Heard::default(),
            grace: Mutex::default(),
            clock: given,
            damage,
        };
        Ok((store, healed))
    }

    fn grace(&self) -> Grace {
        *self.grace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a tick ended, and returns the answer that came with it.
    fn ticked<T>(&self, answer: Result<(T, Grace)>) -> Result<T> {
        let mut noted = self.grace.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok((answer, grace)) => {
                *noted = grace;
                Ok(answer)
            }
            Err(error) => {
                noted.failed();
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        jobs.iter().try_for_each(NewJob::check)?;
        if jobs.is_empty() {
            self.damage.check()?;
        }
        let jobs = jobs.to_vec();
        self.writer.write(move |step| step.insert(&jobs)).await?
    }

    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        check_commits(commits)?;
        let (commits, wants, before) = (commits.to_vec(), wants.to_vec(), self.grace());
        let write = move |step: &mut step::Step<'_, '_>| {
            let mut grace = before;
            step.turn(sending, &commits, &wants, &mut grace).map(|turn| (turn, grace))
        };
        self.ticked(self.writer.write(write).await)
    }

    async fn release(&self, token: RunToken) -> Result<usize> {
        self.writer.write(move |step| step.release(token)).await
    }

    async fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> Result<Vec<Held>> {
        let (process, runs, awaited) = (process.clone(), runs.to_vec(), awaited.to_vec());
        self.writer.write(move |step| step.beat(&process, &runs, &awaited)).await
    }

    async fn tick(&self) -> Result<Tick> {
        let before = self.grace();
        let write = move |step: &mut step::Step<'_, '_>| {
            let mut grace = before;
            step.tick(&mut grace, Duration::ZERO).map(|tick| (tick, grace))
        };
        self.ticked(self.writer.write(write).await)
    }

    async fn wait(&self, signals: &[Signal], at_most: Duration) -> Result<()> {
        self.bell.wait(&self.heard, signals, self.clock.real(at_most)).await;
        Ok(())
    }

    async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>> {
        let ids = ids.to_vec();
        self.writer.write(move |step| ids.iter().map(|id| step.cancel_one(*id)).collect()).await
    }

    async fn retry(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        let ids = ids.to_vec();
        self.writer.write(move |step| ids.iter().map(|id| step.retry_one(*id)).collect()).await
    }

    async fn delete(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        let ids = ids.to_vec();
        self.writer.write(move |step| ids.iter().map(|id| step.delete_one(*id)).collect()).await
    }

    async fn pause(&self, queue: &str, time: Option<Duration>) -> Result<()> {
        time.map_or(Ok(()), check_delay)?;
        let queue = queue.to_owned();
        self.writer.write(move |step| step.pause(&queue, time)).await
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        let queue = queue.to_owned();
        self.writer.write(move |step| step.resume(&queue)).await
    }

    async fn state(&self, lane: &str) -> Result<Option<Vec<u8>>> {
        let lane = lane.to_owned();
        self.reader.read(move |view| view.state(&lane)).await
    }

    async fn live(&self, chat: &str) -> Result<Vec<JobRecord>> {
        let chat = chat.to_owned();
        self.reader.read(move |view| view.live(&chat)).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.reader.read(reader::View::counts).await
    }

    async fn list(&self, query: &Query) -> Result<Page> {
        let query = query.clone();
        self.reader.read(move |view| view.list(&query)).await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.reader.read(move |view| view.get(id)).await
    }

    async fn handle(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(Self {
            writer: self.writer.clone(),
            reader: self.reader.clone(),
            bell: Arc::clone(&self.bell),
            heard: Heard::default(),
            grace: Mutex::default(),
            clock: self.clock.clone(),
            damage: Arc::clone(&self.damage),
        }))
    }
}
