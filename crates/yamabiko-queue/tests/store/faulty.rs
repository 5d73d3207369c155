//! A store before which exchanges fail, or behind which their answers are lost.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use yamabiko_queue::{
    Error, JobId, JobRecord, NewJob, Result, Store,
    store::{
        Cancelled, Commit, Counts, Held, Inserted, Page, Process, Query, RunToken, Sending, Signal,
        Tick, Turn, Want,
    },
};

/// What goes wrong with an exchange.
pub(crate) enum Fault {
    /// It never reaches the store.
    Before(Error),
    /// Its answer is another.
    Behind(Error),
}

/// What is to go wrong with an exchange, by what it carries and asks for.
pub(crate) type Faults = Box<dyn Fn(&[Commit], &[Want]) -> Option<Fault> + Send + Sync>;

/// A store with faults.
pub(crate) struct Faulty {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) faults: Faults,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Faulty {
    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        match (self.faults)(commits, wants) {
            None => self.store.turn(sending, commits, wants).await,
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::Behind(error)) => {
                self.store.turn(sending, commits, wants).await?;
                Err(error)
            }
        }
    }

    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.store.insert(jobs).await
    }

    async fn release(&self, token: RunToken) -> Result<usize> {
        self.store.release(token).await
    }

    async fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> Result<Vec<Held>> {
        self.store.beat(process, runs, awaited).await
    }

    async fn tick(&self) -> Result<Tick> {
        self.store.tick().await
    }

    async fn wait(&self, signals: &[Signal], at_most: Duration) -> Result<()> {
        self.store.wait(signals, at_most).await
    }

    async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>> {
        self.store.cancel(ids).await
    }

    async fn retry(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.store.retry(ids).await
    }

    async fn delete(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.store.delete(ids).await
    }

    async fn pause(&self, queue: &str, time: Option<Duration>) -> Result<()> {
        self.store.pause(queue, time).await
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        self.store.resume(queue).await
    }

    async fn state(&self, lane: &str) -> Result<Option<Vec<u8>>> {
        self.store.state(lane).await
    }

    async fn live(&self, chat: &str) -> Result<Vec<JobRecord>> {
        self.store.live(chat).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.store.counts().await
    }

    async fn list(&self, query: &Query) -> Result<Page> {
        self.store.list(query).await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.store.get(id).await
    }

    async fn handle(&self) -> Result<Arc<dyn Store>> {
        self.store.handle().await
    }
}
