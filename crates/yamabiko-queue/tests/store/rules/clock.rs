//! T3: a clock that was wrong holds nothing up for longer than its length, and makes nothing fire early.

use std::time::Duration;

use yamabiko_queue::{
    Due, Effect, NewJob, Outcome, State, Timestamp,
    store::{Held, Paused},
};

use crate::place::{Kind, LEASE, Place, START, id, ids, job, micros, retry, secs, snooze};

const STEP: Duration = secs(2 * 3600);

fn at(name: &str, due: Timestamp) -> NewJob {
    NewJob { due: Due::At(due), ..job(name) }
}

fn after(name: &str, delay: Duration) -> NewJob {
    NewJob { due: Due::In(delay), ..job(name) }
}

/// Sets the clock two hours back, as the machine that has the store's clock would.
async fn set_back(place: &Place) {
    place.clock.set(place.now() - STEP);
    place.tick().await;
}

pub(crate) async fn t3_a_clock_set_back_holds_delays_retries_and_snoozes_up_for_their_length_only(
    kind: Kind,
) {
    let place = Place::open(kind).await;
    place.insert(&[after("delay", secs(40)), job("retry"), job("snooze")]).await;
    let claims = place.claim(2).await;
    place.clock.advance(secs(10));
    for claim in &claims {
        let is_retry = claim.job.id == id("retry");
        let outcome = if is_retry { retry(secs(20), false) } else { snooze(secs(30), true) };
        place.end(claim, outcome).await;
    }
    set_back(&place).await;
    let back = place.now();
    assert_eq!(place.line(State::Scheduled).await, [id("retry"), id("snooze"), id("delay")]);
    assert_eq!(place.tick().await.next, Some(back + secs(20)), "the retry counts from now");
    place.pass(secs(20) - micros(1)).await;
    assert_eq!(place.line(State::Ready).await, []);
    place.pass(secs(20) + micros(1)).await;
    assert_eq!(place.line(State::Ready).await, ["retry", "snooze", "delay"].map(id));
}

pub(crate) async fn t3_a_clock_set_back_leaves_moments_where_they_are(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[at("timer", START + secs(60)), after("delay", secs(60))]).await;
    set_back(&place).await;
    place.pass(secs(60)).await;
    assert_eq!(place.line(State::Scheduled).await, [id("timer")], "only the delay has passed");
    place.clock.set(START + secs(60) - micros(1));
    assert_eq!(place.tick().await.promoted, 0, "no timer fires before its moment");
    place.clock.advance(micros(1));
    assert_eq!(place.tick().await.promoted, 1);
}

pub(crate) async fn t3_what_was_set_before_the_clock_was_wrong_keeps_its_time(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[after("delay", secs(100))]).await;
    place.clock.advance(STEP);
    place.clock.set(START + secs(10));
    place.tick().await;
    assert_eq!(place.tick().await.next, Some(START + secs(100)));
}

pub(crate) async fn t3_a_clock_set_back_lets_a_claim_end_after_one_lease(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b")]).await;
    place.pass(LEASE).await;
    let claims = place.claim(2).await;
    set_back(&place).await;
    assert_eq!(place.ended_after(secs(2)).await, 0, "its worker may be alive");
    assert_eq!(place.beat(&[&claims[0]]).await, [Held::Yes]);
    assert_eq!(place.ended_after(LEASE - secs(2)).await, 1, "the other has had a full lease");
    assert_eq!(place.line(State::Ready).await, [claims[1].job.id]);
    assert_eq!(place.ended_after(secs(2)).await, 1, "a heartbeat counts by the new time");
}

pub(crate) async fn t3_a_clock_set_back_holds_a_pause_up_for_its_length_only(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b")]).await;
    let claim = place.claim(1).await.remove(0);
    let pause = Effect::Pause { queue: "default".to_owned(), time: secs(30) };
    place.end_with(&claim, Outcome::Complete, vec![pause]).await;
    place.store.pause("low", None).await.unwrap();
    set_back(&place).await;
    let queues = place.store.counts().await.unwrap().queues;
    assert_eq!(queues["default"].paused, Some(Paused::Until(place.now() + secs(30))));
    assert_eq!(queues["low"].paused, Some(Paused::UntilResumed));
    place.pass(secs(30) - micros(1)).await;
    assert_eq!(place.claim(1).await, []);
    place.pass(micros(1)).await;
    assert_eq!(ids(&place.claim(1).await), [id("b")]);
}

pub(crate) async fn t3_a_worker_whose_clock_was_set_back_needs_no_timer_role(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    place.end(&claim, retry(secs(3), false)).await;
    place.clock.set(place.now() - STEP);
    assert_eq!(place.claim(1).await, []);
    place.clock.advance(secs(4));
    assert_eq!(ids(&place.claim(1).await), [id("a")], "a turn ticks too");
}

pub(crate) async fn t3_a_tick_sets_256_delays_right_and_comes_again_at_once(kind: Kind) {
    let place = Place::open(kind).await;
    let jobs: Vec<_> = (0..300).map(|n| after(&format!("{n}"), secs(60))).collect();
    for some in jobs.chunks(100) {
        place.insert(some).await;
    }
    place.clock.set(place.now() - STEP);
    let tick = place.tick().await;
    if kind != Kind::Model {
        assert_eq!(tick.next, Some(tick.now), "more is to be set right");
    }
    place.tick().await;
    assert_eq!(place.tick().await.next, Some(place.now() + secs(60)));
    place.pass(secs(60)).await;
    while place.tick().await.promoted > 0 {}
    assert_eq!(place.line(State::Scheduled).await, []);
}
