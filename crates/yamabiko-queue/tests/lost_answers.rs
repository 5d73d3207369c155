//! What a worker does about an exchange that the store has done, but whose answer was lost on the way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use yamabiko_queue::{
    Clock, Ending, Error, Finish, JobId, JobRecord, ManualClock, NewJob, Registry, Result,
    RetryPolicy, State, Store, StoreOptions, Timestamp, Worker, WorkerOptions,
    store::{
        self, Cancelled, Commit, Counts, Held, Inserted, Page, Process, Query, RunToken, Sending,
        Signal, Tick, Turn, Want,
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// A store whose answers to exchanges are lost as long as there are some to lose.
#[derive(Debug)]
struct Lossy {
    store: Arc<dyn Store>,
    to_lose: AtomicU32,
}

impl Lossy {
    fn lose(&self, answers: u32) {
        self.to_lose.store(answers, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Lossy {
    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        let turn = self.store.turn(sending, commits, wants).await;
        let left = |n: u32| n.checked_sub(1);
        match self.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
            Ok(_) => Err(Error::Unavailable("the answer was lost".into())),
            Err(_) => turn,
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

struct Stage {
    clock: ManualClock,
    store: Arc<Lossy>,
    worker: Worker,
    runs: Arc<AtomicU32>,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let mut options = StoreOptions::new("test");
        options.clock = Clock::Manual(clock.clone());
        options.keep_completed = 3600 * SECOND;
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let inner = store::open(&url, options).await.unwrap();
        let store = Arc::new(Lossy { store: inner, to_lose: AtomicU32::new(0) });
        let runs = Arc::new(AtomicU32::new(0));
        let mut registry = Registry::new();
        let count = Arc::clone(&runs);
        registry
            .register("work", RetryPolicy::default(), move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                Box::pin(async { Finish { ending: Ending::Done, effects: Vec::new() } })
            })
            .unwrap();
        let options = WorkerOptions {
            concurrency: 4,
            queues: vec![("default".to_owned(), 1)],
            limits: std::collections::BTreeMap::new(),
            shutdown: Duration::ZERO,
            process: Process {
                name: "test".to_owned(),
                role: "worker".to_owned(),
                host: String::new(),
                pid: 1,
                version: String::new(),
                queues: Vec::new(),
            },
            clock: Clock::Manual(clock.clone()),
        };
        let shared: Arc<dyn Store> = Arc::<Lossy>::clone(&store);
        let worker = Worker::new(shared, Arc::new(registry), options);
        Self { clock, store, worker, runs, _folder: folder }
    }

    async fn record(&self, id: JobId) -> JobRecord {
        self.store.get(id).await.unwrap().unwrap()
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn c5_claims_whose_answer_was_lost_run_when_the_exchange_is_sent_again() {
    let mut stage = Stage::open().await;
    let job = NewJob::new("work", "");
    stage.store.insert(std::slice::from_ref(&job)).await.unwrap();
    stage.store.lose(3);
    for _ in 0..3 {
        assert!(matches!(stage.worker.step().await, Err(Error::Unavailable(_))));
        stage.clock.advance(SECOND);
    }
    while stage.worker.step().await.unwrap() {}
    let record = stage.record(job.id).await;
    assert_eq!((record.state, stage.runs()), (State::Completed, 1));
    assert_eq!((record.job.lost, record.job.unsure, record.history.len()), (0, false, 0));
}

#[tokio::test]
async fn c5_commits_of_an_exchange_that_was_sent_again_happen_once() {
    let mut stage = Stage::open().await;
    let job = NewJob::new("work", "");
    stage.store.insert(std::slice::from_ref(&job)).await.unwrap();
    // The first step starts the run, the next one commits its end.
    assert!(stage.worker.step().await.unwrap());
    stage.store.lose(1);
    assert!(matches!(stage.worker.step().await, Err(Error::Unavailable(_))));
    assert_eq!(stage.record(job.id).await.state, State::Completed, "only the answer was lost");
    while stage.worker.step().await.unwrap() {}
    assert!(stage.worker.running().is_empty(), "the worker knows that its run has ended");
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn c5_claims_are_given_back_uncounted_when_a_minute_brings_no_answer() {
    let mut stage = Stage::open().await;
    let job = NewJob::new("work", "");
    stage.store.insert(std::slice::from_ref(&job)).await.unwrap();
    stage.store.lose(2);
    assert!(matches!(stage.worker.step().await, Err(Error::Unavailable(_))));
    stage.clock.advance(60 * SECOND);
    // What is sent now is a release, whose answer arrives.
    assert!(stage.worker.step().await.unwrap());
    let record = stage.record(job.id).await;
    assert_eq!((record.state, stage.runs()), (State::Ready, 0));
    assert_eq!((record.job.lost, record.job.unsure, record.job.first_claimed), (0, false, None));
    stage.store.lose(0);
    while stage.worker.step().await.unwrap() {}
    assert_eq!((stage.record(job.id).await.state, stage.runs()), (State::Completed, 1));
}

#[tokio::test]
async fn c5_a_worker_that_stops_gives_back_claims_whose_answer_was_lost() {
    let mut stage = Stage::open().await;
    let job = NewJob::new("work", "");
    stage.store.insert(std::slice::from_ref(&job)).await.unwrap();
    stage.store.lose(1);
    assert!(matches!(stage.worker.step().await, Err(Error::Unavailable(_))));
    let Stage { store, worker, runs, _folder: folder, .. } = stage;
    worker.stop().await;
    let record = store.get(job.id).await.unwrap().unwrap();
    assert_eq!((record.state, runs.load(Ordering::SeqCst)), (State::Ready, 0));
    assert_eq!((record.job.lost, record.job.unsure, record.job.first_claimed), (0, false, None));
    drop(folder);
}
