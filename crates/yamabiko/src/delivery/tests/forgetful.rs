//! A store that says that it may have lost what it acknowledged, as a Redis server does that was promoted.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use yamabiko_queue::{
    JobId, JobRecord, NewJob, Result, Store, Timestamp,
    store::{
        Cancelled, Commit, Counts, Held, Inserted, Page, Process, Query, RunToken, Sending, Signal,
        Tick, Turn, Want,
    },
};

#[derive(Debug)]
pub(super) struct Forgetful {
    pub(super) store: Arc<dyn Store>,
    pub(super) lost: Arc<Mutex<Option<Timestamp>>>,
}

#[async_trait]
impl Store for Forgetful {
    async fn last_loss(&self) -> Result<Option<Timestamp>> {
        Ok(*self.lost.lock().unwrap())
    }

    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.store.insert(jobs).await
    }

    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        self.store.turn(sending, commits, wants).await
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
        let (store, lost) = (self.store.handle().await?, Arc::clone(&self.lost));
        Ok(Arc::new(Self { store, lost }))
    }
}
