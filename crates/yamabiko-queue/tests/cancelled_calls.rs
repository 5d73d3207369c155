//! What a worker does about a cancelled run that calls somebody outside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use yamabiko_queue::{
    Clock, Ending, Finish, ManualClock, NewJob, Registry, RetryPolicy, State, StoreOptions,
    Timestamp, Worker, WorkerOptions,
    job::OUTBOX,
    store::{self, Cancelled, Process},
};

const SECOND: Duration = Duration::from_secs(1);

fn in_lane(kind: &str) -> NewJob {
    NewJob { queue: OUTBOX.to_owned(), lane: Some("chat".to_owned()), ..NewJob::new(kind, "") }
}

#[tokio::test]
async fn d4_a_cancelled_call_goes_on_to_its_end_and_nothing_overtakes_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
    let mut options = StoreOptions::new("test");
    options.clock = Clock::Manual(clock.clone());
    options.keep_completed = Duration::from_secs(60);
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let store = store::open(&url, options).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut registry = Registry::new();
    let over = Arc::clone(&is_over);
    registry
        .register("call", RetryPolicy::deliveries(), move |run| {
            let over = Arc::clone(&over);
            Box::pin(async move {
                run.sleep(2 * SECOND).await;
                over.store(true, Ordering::SeqCst);
                Finish { ending: Ending::Done, effects: Vec::new() }
            })
        })
        .unwrap();
    let process = Process {
        name: "test".to_owned(),
        role: "worker".to_owned(),
        host: String::new(),
        pid: 1,
        version: String::new(),
        queues: Vec::new(),
    };
    let options = WorkerOptions {
        concurrency: 2,
        queues: Vec::new(),
        limits: std::collections::BTreeMap::new(),
        shutdown: Duration::ZERO,
        process,
        clock: Clock::Manual(clock.clone()),
    };
    let mut worker = Worker::new(Arc::clone(&store), Arc::new(registry), options);
    let (call, next) = (in_lane("call"), in_lane("call"));
    store.insert(&[call.clone(), next.clone()]).await.unwrap();
    worker.step().await.unwrap();
    assert_eq!(store.cancel(&[call.id]).await.unwrap(), [Cancelled::Marked]);

    // The worker hears of it with its beat, and lets the call go on.
    clock.advance(SECOND);
    worker.step().await.unwrap();
    assert_eq!(store.get(next.id).await.unwrap().unwrap().state, State::Waiting);
    clock.advance(SECOND);
    while store.get(call.id).await.unwrap().is_some() {
        worker.step().await.unwrap();
    }
    assert!(is_over.load(Ordering::SeqCst), "the call was made to its end");
    assert_eq!(store.get(next.id).await.unwrap().unwrap().state, State::Running);
}
