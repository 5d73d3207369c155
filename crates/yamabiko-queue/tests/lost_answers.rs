//! What a worker does about an exchange that the store has done, but whose answer was lost on the way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "store/faulty.rs"]
#[expect(dead_code, reason = "it serves the store's suite as well")]
mod faulty;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use faulty::{Fault, Faulty};
use yamabiko_queue::{
    Clock, Ending, Error, Finish, JobId, JobRecord, ManualClock, NewJob, Registry, RetryPolicy,
    State, Store, StoreOptions, Timestamp, Worker, WorkerOptions,
    store::{self, Process},
};

const SECOND: Duration = Duration::from_secs(1);

struct Stage {
    clock: ManualClock,
    store: Arc<dyn Store>,
    /// How many answers to exchanges are still to be lost.
    to_lose: Arc<AtomicU32>,
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
        let to_lose = Arc::new(AtomicU32::new(0));
        let left = Arc::clone(&to_lose);
        let faults = Box::new(move |_: &[_], _: &[_]| {
            let less = |n: u32| n.checked_sub(1);
            let lost = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
            lost.is_ok().then(|| Fault::Behind(Error::Unavailable("the answer was lost".into())))
        });
        let store: Arc<dyn Store> = Arc::new(Faulty { store: inner, faults });
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
        let worker = Worker::new(Arc::clone(&store), Arc::new(registry), options);
        Self { clock, store, to_lose, worker, runs, _folder: folder }
    }

    async fn record(&self, id: JobId) -> JobRecord {
        self.store.get(id).await.unwrap().unwrap()
    }

    /// Has the answers to the next exchanges lost.
    fn lose(&self, answers: u32) {
        self.to_lose.store(answers, Ordering::SeqCst);
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
    stage.lose(3);
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
    stage.lose(1);
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
    stage.lose(2);
    assert!(matches!(stage.worker.step().await, Err(Error::Unavailable(_))));
    stage.clock.advance(60 * SECOND);
    // What is sent now is a release, whose answer arrives.
    assert!(stage.worker.step().await.unwrap());
    let record = stage.record(job.id).await;
    assert_eq!((record.state, stage.runs()), (State::Ready, 0));
    assert_eq!((record.job.lost, record.job.unsure, record.job.first_claimed), (0, false, None));
    stage.lose(0);
    while stage.worker.step().await.unwrap() {}
    assert_eq!((stage.record(job.id).await.state, stage.runs()), (State::Completed, 1));
}

#[tokio::test]
async fn c5_a_worker_that_stops_gives_back_claims_whose_answer_was_lost() {
    let mut stage = Stage::open().await;
    let job = NewJob::new("work", "");
    stage.store.insert(std::slice::from_ref(&job)).await.unwrap();
    stage.lose(1);
    assert!(matches!(stage.worker.step().await, Err(Error::Unavailable(_))));
    let Stage { store, worker, runs, _folder: folder, .. } = stage;
    worker.stop().await;
    let record = store.get(job.id).await.unwrap().unwrap();
    assert_eq!((record.state, runs.load(Ordering::SeqCst)), (State::Ready, 0));
    assert_eq!((record.job.lost, record.job.unsure, record.job.first_claimed), (0, false, None));
    drop(folder);
}
