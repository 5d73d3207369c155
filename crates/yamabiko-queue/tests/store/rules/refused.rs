//! C5: commits that the store refuses, in a worker's hands.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use yamabiko_queue::{
    Clock, Effect, Ending, Error, Finish, JobId, NewJob, Registry, RetryPolicy, Run, State, Store,
    Worker, WorkerOptions,
    registry::RunFuture,
    store::{Commit, Outcome, Want},
};

use crate::{
    faulty::{Fault, Faulty},
    place::{Kind, Place, id, job, process, secs},
};

/// The jobs that a worker runs at once.
const NAMES: [&str; 4] = ["a", "bad", "b", "c"];

/// A worker whose store refuses some of its exchanges.
struct Stage {
    place: Place,
    worker: Worker,
    ran: Arc<Mutex<Vec<JobId>>>,
}

/// Says whether one of the commits is of a job's run, and not the job's death.
fn has_run_of(commits: &[Commit], name: &str) -> bool {
    let is_it =
        |commit: &Commit| commit.id == id(name) && !matches!(commit.outcome, Outcome::Dead { .. });
    commits.iter().any(is_it)
}

impl Stage {
    /// Stores jobs and opens a worker; each run stores a job of another queue.
    async fn open(
        kind: Kind,
        faults: impl Fn(&[Commit], &[Want]) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let place = Place::with(kind, |options| options.keep_completed = secs(60)).await;
        let faults = Box::new(faults);
        let store: Arc<dyn Store> = Arc::new(Faulty { store: Arc::clone(&place.store), faults });
        let ran = Arc::new(Mutex::new(Vec::new()));
        let mut registry = Registry::new();
        let noted = Arc::clone(&ran);
        let run = move |run: Run| {
            let job = run.claim.job.id;
            noted.lock().unwrap().push(job);
            let points = run.claim.job.payload.ends_with(b"point");
            Box::pin(async move {
                if points {
                    run.checkpoint(b"passed".to_vec(), Vec::new()).await.unwrap();
                }
                let effects = vec![Effect::Insert(effect_of(job))];
                Finish { ending: Ending::Done, effects }
            }) as RunFuture
        };
        registry.register("kind", RetryPolicy::default(), run).unwrap();
        registry.on_dead(|claim, _| vec![Effect::Insert(word_of(claim.job.id))]);
        let options = WorkerOptions {
            concurrency: 4,
            queues: vec![("default".to_owned(), 1)],
            limits: std::collections::BTreeMap::new(),
            shutdown: secs(0),
            process: process("worker"),
            clock: Clock::Manual(place.clock.clone()),
        };
        let worker = Worker::new(store, Arc::new(registry), options);
        place.insert(&NAMES.map(job)).await;
        Self { place, worker, ran }
    }

    /// Steps until there is nothing left to do.
    async fn work(&mut self) {
        // A worker that sends the same again and again would go on for ever.
        for _ in 0..200 {
            if self.worker.step().await.is_ok_and(|goes_on| !goes_on) {
                return;
            }
        }
        panic!("the worker comes to no end");
    }

    async fn states(&self, names: &[&str]) -> Vec<State> {
        let mut states = Vec::new();
        for name in names {
            states.push(self.place.record(id(name)).await.state);
        }
        states
    }

    async fn has_effect(&self, name: &str) -> bool {
        self.place.get(effect_of(id(name)).id).await.is_some()
    }
}

fn elsewhere(name: &str) -> NewJob {
    NewJob { queue: "low".to_owned(), ..job(name) }
}

fn effect_of(job: JobId) -> NewJob {
    elsewhere(&format!("effect of {job}"))
}

/// What a chat is told of a death.
fn word_of(job: JobId) -> NewJob {
    elsewhere(&format!("word of {job}"))
}

fn refusal() -> Error {
    Error::Refused("it is the wrong sort of job".into())
}

pub(crate) async fn c5_a_commit_that_the_store_refuses_fails_alone(kind: Kind) {
    let refuses = |commits: &[Commit], _: &[Want]| {
        has_run_of(commits, "bad").then(|| Fault::Before(refusal()))
    };
    let mut stage = Stage::open(kind, refuses).await;
    stage.work().await;
    assert_eq!(stage.states(&["a", "b", "c"]).await, [State::Completed; 3]);
    for name in ["a", "b", "c"] {
        assert!(stage.has_effect(name).await, "{name}");
    }
    let bad = stage.place.record(id("bad")).await;
    assert_eq!(bad.state, State::Dead);
    let why = &bad.history.last().unwrap().error;
    assert!(why.contains("the store refuses") && why.contains("wrong sort"), "{why}");
    assert!(!stage.has_effect("bad").await, "it asked for that in vain");
    assert!(stage.place.get(word_of(id("bad")).id).await.is_some(), "its chat is told");
    assert_eq!(stage.ran.lock().unwrap().len(), 4, "each ran once");
    stage.place.insert(&[job("next")]).await;
    stage.work().await;
    assert_eq!(stage.states(&["next"]).await, [State::Completed]);
}

pub(crate) async fn c5_a_job_whose_word_is_refused_too_dies_without_it(kind: Kind) {
    let refuses = |commits: &[Commit], _: &[Want]| {
        let is_bad = |commit: &Commit| commit.id == id("bad") && !commit.effects.is_empty();
        commits.iter().any(is_bad).then(|| Fault::Before(refusal()))
    };
    let mut stage = Stage::open(kind, refuses).await;
    stage.work().await;
    assert_eq!(stage.states(&NAMES).await.iter().filter(|it| **it == State::Dead).count(), 1);
    assert_eq!(stage.states(&["bad"]).await, [State::Dead]);
    assert!(stage.place.get(word_of(id("bad")).id).await.is_none());
}

pub(crate) async fn c5_a_job_that_cannot_be_ended_is_left_and_stops_no_other(kind: Kind) {
    let refuses = |commits: &[Commit], _: &[Want]| {
        commits.iter().any(|commit| commit.id == id("bad")).then(|| Fault::Before(refusal()))
    };
    let mut stage = Stage::open(kind, refuses).await;
    stage.work().await;
    assert_eq!(stage.states(&["a", "b", "c"]).await, [State::Completed; 3]);
    assert_eq!(stage.states(&["bad"]).await, [State::Running], "until its lease ends");
    assert!(stage.worker.running().is_empty(), "its slot is free");
}

pub(crate) async fn c5_a_refused_checkpoint_ends_its_job(kind: Kind) {
    let refuses = |commits: &[Commit], _: &[Want]| {
        let is_point = |commit: &Commit| matches!(commit.outcome, Outcome::Checkpoint { .. });
        commits.iter().any(is_point).then(|| Fault::Before(refusal()))
    };
    let mut stage = Stage::open(kind, refuses).await;
    stage.place.insert(&[NewJob { payload: b"point".to_vec(), ..job("with a point") }]).await;
    stage.work().await;
    assert_eq!(stage.states(&NAMES).await, [State::Completed; 4]);
    assert_eq!(stage.states(&["with a point"]).await, [State::Dead]);
    assert!(!stage.has_effect("with a point").await);
    assert!(stage.worker.running().is_empty());
}

pub(crate) async fn c5_a_store_that_refuses_everything_for_a_while_costs_no_job(kind: Kind) {
    let left = AtomicU32::new(20);
    let refuses = move |commits: &[Commit], wants: &[Want]| {
        // It begins when there is something to commit.
        let begins = !commits.is_empty() || left.load(Ordering::SeqCst) < 20;
        let less = |n: u32| n.checked_sub(1);
        let is_refused =
            begins && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        assert!(commits.len() + wants.len() > 0 || begins);
        is_refused.then(|| Fault::Before(refusal()))
    };
    let mut stage = Stage::open(kind, refuses).await;
    stage.work().await;
    assert_eq!(stage.states(&NAMES).await, [State::Completed; 4]);
}

pub(crate) async fn c5_what_a_damaged_store_cannot_take_is_kept_and_all_else_is_made(kind: Kind) {
    let left = Arc::new(AtomicU32::new(30));
    let damaged = Arc::clone(&left);
    let fails = move |commits: &[Commit], _: &[Want]| {
        let less = |n: u32| n.checked_sub(1);
        let fails = has_run_of(commits, "bad")
            && damaged.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        fails.then(|| Fault::Before(Error::Damaged("a page cannot be read".into())))
    };
    let mut stage = Stage::open(kind, fails).await;
    for _ in 0..30 {
        // Each failure is told, so that the worker rests before the next.
        drop(stage.worker.step().await);
    }
    assert_eq!(stage.states(&["a", "b", "c"]).await, [State::Completed; 3]);
    assert_eq!(stage.states(&["bad"]).await, [State::Running], "it is not to blame");
    stage.place.insert(&[job("next")]).await;
    left.store(0, Ordering::SeqCst);
    stage.work().await;
    assert_eq!(stage.states(&["bad", "next"]).await, [State::Completed; 2]);
    assert!(stage.has_effect("bad").await);
}

pub(crate) async fn c5_an_exchange_that_failed_half_way_is_given_up_and_taken_apart(kind: Kind) {
    let fails = |commits: &[Commit], wants: &[Want]| {
        // With others, it is done all the same; alone, it is refused.
        let error = match (has_run_of(commits, "bad"), wants.is_empty()) {
            (true, false) => Fault::Behind(Error::OutcomeUnknown("it broke".into())),
            (true, true) => Fault::Before(refusal()),
            _ => return None,
        };
        Some(error)
    };
    let mut stage = Stage::open(kind, fails).await;
    stage.work().await;
    assert_eq!(stage.states(&NAMES).await, [State::Completed; 4]);
    assert_eq!(stage.ran.lock().unwrap().len(), 4, "each ran once");
}
