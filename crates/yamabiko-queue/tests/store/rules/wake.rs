//! W1: whoever waits for work hears of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use yamabiko_queue::{
    Due, Effect, NewJob, Outcome, Store,
    store::{MAX_CLAIMS, Signal},
};

use crate::place::{Kind, Place, START, commit, id, in_lane, job, millis, secs, want};

/// Much longer than any wake-up takes, and shorter than `DEADLINE`: a wait that lasts so long has missed it.
const LONG: Duration = Duration::from_secs(30);
/// Within which a wake-up must come.
const DEADLINE: Duration = Duration::from_secs(10);

fn queue(name: &str) -> Signal {
    Signal::Queue(name.to_owned())
}

/// Waits for a signal until `found` holds, as a worker does: look, wait, look again.
async fn until<F: Future<Output = bool>>(
    store: &Arc<dyn Store>,
    signal: Signal,
    found: impl Fn() -> F,
) {
    let started = Instant::now();
    while !found().await {
        store.wait(std::slice::from_ref(&signal), LONG).await.unwrap();
        assert!(started.elapsed() < DEADLINE, "a wait for {signal:?} missed its wake-up");
    }
}

/// Waits on one handle while another acts, and sees that the wait ends.
async fn ends<T>(place: &Place, signal: Signal, act: impl AsyncFnOnce() -> T) {
    let store = place.store.clone();
    // Wake-ups from before are no business of this wait.
    store.wait(std::slice::from_ref(&signal), millis(20)).await.unwrap();
    let started = Instant::now();
    let waiting = tokio::spawn(async move { store.wait(&[signal], LONG).await.unwrap() });
    tokio::task::yield_now().await;
    drop(act().await);
    waiting.await.unwrap();
    assert!(started.elapsed() < DEADLINE, "the wake-up was missed");
}

pub(crate) async fn w1_new_work_ends_a_wait(kind: Kind) {
    let place = Place::open(kind).await;
    ends(&place, queue("default"), async || place.insert(&[job("a")]).await).await;
    assert_eq!(place.claim_one().await.job.id, id("a"));
}

pub(crate) async fn w1_work_that_came_before_the_wait_is_not_missed(kind: Kind) {
    let place = Place::open(kind).await;
    for n in 0..5 {
        assert!(place.claim(9).await.is_empty());
        place.insert(&[job(&format!("{n}"))]).await;
        let started = Instant::now();
        place.store.wait(&[queue("default")], LONG).await.unwrap();
        assert!(started.elapsed() < DEADLINE, "it came between the turn and the wait");
        let claim = place.claim_one().await;
        place.end(&claim, Outcome::Complete).await;
    }
}

pub(crate) async fn w1_a_freed_lane_ends_a_wait(kind: Kind) {
    let place = Place::open(kind).await;
    let next = NewJob { queue: "low".to_owned(), ..in_lane("b", "chat") };
    place.insert(&[in_lane("a", "chat"), next]).await;
    let claim = place.claim_one().await;
    ends(&place, queue("low"), async || place.end(&claim, Outcome::Complete).await).await;
    assert_eq!(place.claim_one().await.job.id, id("b"));
}

pub(crate) async fn w1_an_effect_a_release_and_a_resume_end_a_wait(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b")]).await;
    let claims = place.claim(9).await;
    let effect = Effect::Insert(NewJob { queue: "outbox".to_owned(), ..job("x") });
    let end = commit(&claims[0], Outcome::Complete, vec![effect]);
    ends(&place, queue("outbox"), async || place.turn(&[end], 0).await).await;
    let release = Outcome::Release { unsure: false };
    ends(&place, queue("default"), async || place.end(&claims[1], release).await).await;
    place.store.pause("default", Some(secs(5))).await.unwrap();
    ends(&place, queue("default"), async || place.store.resume("default").await.unwrap()).await;
    place.store.pause("default", Some(secs(5))).await.unwrap();
    place.clock.advance(secs(5));
    ends(&place, queue("default"), async || place.tick().await).await;
}

pub(crate) async fn w1_an_earlier_timer_ends_the_wait_for_timers(kind: Kind) {
    let place = Place::open(kind).await;
    let timer = |name: &str, n| NewJob { due: Due::In(secs(n)), ..job(name) };
    place.insert(&[timer("late", 600)]).await;
    place.tick().await;
    ends(&place, Signal::Timers, async || place.insert(&[timer("early", 60)]).await).await;
    place.insert(&[timer("earliest", 30)]).await;
    assert_eq!(place.tick().await.next, Some(START + secs(30)));
}

pub(crate) async fn w1_a_turn_that_leaves_jobs_has_its_worker_woken(kind: Kind) {
    for left in ["default", "events"] {
        let place = Place::open(kind).await;
        let jobs: Vec<_> = (0..MAX_CLAIMS + 10).map(|n| job(&n.to_string())).collect();
        place.insert(&jobs).await;
        place.insert(&[in_lane("event", "chat")]).await;
        // What woke the worker for this turn.
        for queue_name in ["default", "events"] {
            place.store.wait(&[queue(queue_name)], millis(20)).await.unwrap();
        }
        let wants = [want(&["default"], 1000), want(&["events"], 1000)];
        let turn = place.store.turn(place.next_sending(), &[], &wants).await.unwrap();
        assert_eq!(turn.claims.len(), MAX_CLAIMS);
        let started = Instant::now();
        place.store.wait(&[queue(left)], LONG).await.unwrap();
        assert!(started.elapsed() < DEADLINE, "nobody hears of what is left in {left}");
    }
}

pub(crate) async fn w1_other_handles_hear_of_work(kind: Kind) {
    let place = Place::open(kind).await;
    let other = place.other().await;
    for n in 0..3 {
        let name = format!("{n}");
        let waiting = {
            let (other, name) = (other.clone(), id(&name));
            tokio::spawn(async move {
                let there = || async { other.get(name).await.unwrap().is_some() };
                until(&other, queue("default"), there).await;
            })
        };
        tokio::task::yield_now().await;
        place.insert(&[job(&name)]).await;
        waiting.await.unwrap();
    }
    let handle = place.store.handle().await.unwrap();
    assert!(handle.get(id("2")).await.unwrap().is_some());
}

pub(crate) async fn w1_a_wait_with_nothing_to_do_lasts(kind: Kind) {
    let place = Place::open(kind).await;
    let started = Instant::now();
    let mut waits = 0;
    while started.elapsed() < millis(100) {
        place.store.wait(&[queue("default"), Signal::Timers], millis(50)).await.unwrap();
        waits += 1;
    }
    assert!(waits < 20, "{waits} waits: the processor never rests");
    assert!(started.elapsed() < secs(5), "a wait ends when its time is over");
}
