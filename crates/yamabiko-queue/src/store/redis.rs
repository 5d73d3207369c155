//! The store on a Redis server: one script call per atomic step.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    Cancelled, Commit, Counts, Held, Inserted, Page, Process, Query, RunToken, Signal, Store,
    StoreOptions, Tick, Turn, Want,
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    job::{JobId, JobRecord, NewJob},
};

/// The store on a Redis server.
#[derive(Debug)]
pub struct RedisStore;

fn not_yet<T>() -> Result<T> {
    Err(Error::Unavailable("not there yet".into()))
}

impl RedisStore {
    /// Opens the store at `url`.
    ///
    /// # Errors
    /// `Unavailable` always, for the moment.
    pub async fn open(_url: &str, _options: StoreOptions) -> Result<Self> {
        not_yet()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn insert(&self, _jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        not_yet()
    }
    async fn turn(&self, _commits: &[Commit], _wants: &[Want]) -> Result<Turn> {
        not_yet()
    }
    async fn beat(&self, _process: &Process, _runs: &[(JobId, RunToken)]) -> Result<Vec<Held>> {
        not_yet()
    }
    async fn tick(&self) -> Result<Tick> {
        not_yet()
    }
    async fn wait(&self, _signals: &[Signal], _at_most: Duration) -> Result<()> {
        not_yet()
    }
    async fn cancel(&self, _ids: &[JobId]) -> Result<Vec<Cancelled>> {
        not_yet()
    }
    async fn retry(&self, _ids: &[JobId]) -> Result<Vec<bool>> {
        not_yet()
    }
    async fn delete(&self, _ids: &[JobId]) -> Result<Vec<bool>> {
        not_yet()
    }
    async fn pause(&self, _queue: &str, _until: Option<Timestamp>) -> Result<()> {
        not_yet()
    }
    async fn resume(&self, _queue: &str) -> Result<()> {
        not_yet()
    }
    async fn state(&self, _lane: &str) -> Result<Option<Vec<u8>>> {
        not_yet()
    }
    async fn live(&self, _chat: &str) -> Result<Vec<JobRecord>> {
        not_yet()
    }
    async fn counts(&self) -> Result<Counts> {
        not_yet()
    }
    async fn list(&self, _query: &Query) -> Result<Page> {
        not_yet()
    }
    async fn get(&self, _id: JobId) -> Result<Option<JobRecord>> {
        not_yet()
    }
    async fn handle(&self) -> Result<Arc<dyn Store>> {
        not_yet()
    }
}
