//! What a worker does about a turn that fails.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use yamabiko_queue::{
    Clock, Effect, Ending, Error, Finish, NewJob, Registry, RetryPolicy, State, StoreOptions,
    Worker, WorkerOptions,
    store::{self, Process},
};

const QUEUE: &str = "default";
/// A queue that the worker does not serve.
const ELSEWHERE: &str = "elsewhere";

fn elsewhere(kind: &str) -> NewJob {
    let mut job = NewJob::new(kind, "");
    ELSEWHERE.clone_into(&mut job.queue);
    job
}

/// A run that passes a checkpoint, and ends when it is told to go on.
fn registry(at_checkpoint: NewJob, at_end: NewJob, go_on: Arc<Notify>) -> Registry {
    let mut registry = Registry::new();
    let handler = move |run: yamabiko_queue::Run| -> yamabiko_queue::registry::RunFuture {
        let (at_checkpoint, at_end) = (at_checkpoint.clone(), at_end.clone());
        let go_on = Arc::clone(&go_on);
        Box::pin(async move {
            run.checkpoint(b"1".to_vec(), vec![Effect::Insert(at_checkpoint)]).await.unwrap();
            go_on.notified().await;
            Finish { ending: Ending::Done, effects: vec![Effect::Insert(at_end)] }
        })
    };
    registry.register("steps", RetryPolicy::default(), handler).unwrap();
    registry
}

#[tokio::test]
async fn c5_a_turn_that_fails_is_sent_again_with_its_checkpoints_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut options = StoreOptions::new("test");
    options.keep_completed = Duration::from_secs(60);
    let store = store::open(&format!("sqlite:{}", path.display()), options).await.unwrap();
    let (at_checkpoint, at_end) =
        (elsewhere("said at the checkpoint"), elsewhere("said at the end"));
    let steps = NewJob::new("steps", "0");
    store.insert(std::slice::from_ref(&steps)).await.unwrap();
    let go_on = Arc::new(Notify::new());
    let mut worker = Worker::new(
        Arc::clone(&store),
        Arc::new(registry(at_checkpoint.clone(), at_end.clone(), Arc::clone(&go_on))),
        WorkerOptions {
            concurrency: 1,
            queues: vec![(QUEUE.to_owned(), 1)],
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
            clock: Clock::Own,
        },
    );
    let is_stored = async |job: &NewJob| store.get(job.id).await.unwrap().is_some();
    let other = rusqlite::Connection::open(&path).unwrap();

    // The first step starts the run and hears of its checkpoint, the next would commit that.
    assert!(worker.step().await.unwrap());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(worker.step().await, Err(Error::Unavailable(_))));
    other.execute_batch("ROLLBACK").unwrap();
    assert!(!is_stored(&at_checkpoint).await);
    assert!(worker.step().await.unwrap());
    assert!(is_stored(&at_checkpoint).await, "the checkpoint is sent again");

    // Then the run goes on to its end.
    go_on.notify_one();
    assert!(worker.step().await.unwrap());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(worker.step().await, Err(Error::Unavailable(_))));
    other.execute_batch("ROLLBACK").unwrap();
    assert!(!is_stored(&at_end).await);
    assert!(worker.step().await.unwrap());
    assert!(is_stored(&at_end).await, "the end is sent again");
    assert_eq!(store.get(steps.id).await.unwrap().unwrap().state, State::Completed);
}
