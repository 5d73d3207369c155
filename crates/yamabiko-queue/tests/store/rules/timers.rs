//! T: timers fire when the store's clock has reached them, never before.

use yamabiko_queue::{
    Due, Error, NewJob, State,
    job::MAX_DELAY,
    store::{MAX_DUE, MAX_ENDED, TURN_LATER},
};

use crate::place::{Kind, LEASE, Place, START, id, ids, in_lane, job, micros, millis, retry, secs};

fn at(name: &str, due: yamabiko_queue::Timestamp) -> NewJob {
    NewJob { due: Due::At(due), ..job(name) }
}

pub(crate) async fn t1_a_timer_fires_at_its_microsecond_and_never_before(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[NewJob { due: Due::In(micros(180_000_007)), ..job("timer") }]).await;
    place.clock.advance(micros(180_000_006));
    assert_eq!((place.tick().await.promoted, place.claim(9).await.len()), (0, 0));
    place.clock.advance(micros(1));
    assert_eq!(place.tick().await.promoted, 1);
    let claim = place.claim_one().await;
    assert_eq!(claim.job.due, Some(START + micros(180_000_007)));
    assert_eq!(claim.claimed_at, place.now());
}

pub(crate) async fn t1_beyond_ten_years_is_refused_whole(kind: Kind) {
    let place = Place::open(kind).await;
    let furthest = START + MAX_DELAY;
    for due in [Due::At(furthest + micros(1)), Due::In(MAX_DELAY + micros(1))] {
        let refused = place.store.insert(&[job("a"), NewJob { due, ..job("timer") }]).await;
        assert!(matches!(refused, Err(Error::TooFar(_))), "{refused:?}");
        assert_eq!(place.state(id("a")).await, None);
    }
    place.insert(&[at("furthest", furthest)]).await;
    assert_eq!(place.record(id("furthest")).await.time, Some(furthest));
    assert_eq!(place.tick().await.next, Some(furthest));
}

pub(crate) async fn t1_due_jobs_are_made_ready_in_their_order(kind: Kind) {
    let place = Place::open(kind).await;
    let mut same = ["x", "y", "z"];
    same.sort_by_key(|name| id(name));
    let soon = START + secs(1);
    place
        .insert(&[
            at(same[2], soon),
            at("early", START + millis(999)),
            at(same[0], soon),
            at(same[1], soon),
        ])
        .await;
    place.insert(&[NewJob { lane: Some("chat".to_owned()), ..at("late", START + secs(2)) }]).await;
    place.insert(&[in_lane("chat's", "chat")]).await;
    place.pass(secs(3)).await;
    assert_eq!(
        place.line(State::Ready).await,
        ["early", same[0], same[1], same[2], "chat's"].map(id)
    );
    assert_eq!(place.line(State::Waiting).await, [id("late")]);
}

pub(crate) async fn t2_a_turn_makes_due_jobs_ready_50_ms_later(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[at("timer", START + secs(1))]).await;
    place.clock.advance(secs(1) + TURN_LATER - micros(1));
    let turn = place.turn(&[], 9).await;
    assert_eq!((turn.tick.promoted, turn.claims.len()), (0, 0));
    assert_eq!(turn.tick.next, Some(START + secs(1)), "it is due all the same");
    place.clock.advance(micros(1));
    let turn = place.turn(&[], 9).await;
    assert_eq!((turn.tick.promoted, ids(&turn.claims)), (1, vec![id("timer")]));
}

pub(crate) async fn t2_a_tick_takes_at_most_128_due_jobs(kind: Kind) {
    let place = Place::open(kind).await;
    let timers: Vec<_> =
        (0..MAX_DUE as u64 + 44).map(|n| at(&format!("{n}"), START + millis(1 + n))).collect();
    place.insert(&timers).await;
    place.clock.advance(secs(10));
    let tick = place.tick().await;
    assert_eq!(tick.promoted, MAX_DUE);
    assert!(tick.next.is_some_and(|next| next <= tick.now), "more is due: {tick:?}");
    let tick = place.tick().await;
    assert_eq!((tick.promoted, tick.next), (44, None));
    let order: Vec<_> = timers.iter().map(|timer| timer.id).collect();
    assert_eq!(ids(&place.claim(999).await), order);
}

pub(crate) async fn t2_a_tick_returns_at_most_64_claims(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    let jobs: Vec<_> = (0..MAX_ENDED + 6).map(|n| job(&format!("{n}"))).collect();
    place.insert(&jobs).await;
    place.claim(999).await;
    place.pass(LEASE - micros(1)).await;
    place.clock.advance(micros(1));
    let tick = place.tick().await;
    assert_eq!(tick.ended, MAX_ENDED);
    assert!(tick.next.is_some_and(|next| next <= tick.now));
    assert_eq!(place.turn(&[], 0).await.tick.ended, 6, "a turn returns them too");
    assert_eq!(place.line(State::Running).await, []);
}

pub(crate) async fn t2_a_tick_is_idempotent(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[at("timer", START + secs(1)), job("a")]).await;
    place.pass(LEASE).await;
    place.claim(1).await;
    place.pass(LEASE).await;
    let ready = place.line(State::Ready).await;
    for _ in 0..3 {
        let tick = place.tick().await;
        assert_eq!((tick.now, tick.promoted, tick.ended, tick.next), (place.now(), 0, 0, None));
    }
    assert_eq!(place.line(State::Ready).await, ready);
}

pub(crate) async fn t2_next_names_the_nearest_moment(kind: Kind) {
    let place = Place::open(kind).await;
    assert_eq!(place.tick().await.next, None);
    place.insert(&[at("timer", START + secs(100)), at("earlier", START + secs(50))]).await;
    assert_eq!(place.tick().await.next, Some(START + secs(50)), "the earliest timer");
    place.pass(LEASE).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    assert_eq!(place.tick().await.next, Some(START + 2 * LEASE), "the end of a lease");
    place.store.pause("low", Some(secs(3))).await.unwrap();
    assert_eq!(place.tick().await.next, Some(place.now() + secs(3)), "the end of a pause");
    place.store.pause("low", None).await.unwrap();
    assert_eq!(place.tick().await.next, Some(START + 2 * LEASE), "a pause without end is none");
    place.end(&claim, retry(secs(40), false)).await;
    let again = place.now() + secs(40);
    assert_eq!(place.tick().await.next, Some(again), "a retry");
    assert_eq!(place.store.counts().await.unwrap().next_due, Some(again));
}

pub(crate) async fn t3_the_given_time_counts(kind: Kind) {
    let place = Place::open(kind).await;
    place.clock.set(START + secs(1_000_000));
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    assert_eq!((claim.job.arrived, claim.claimed_at), (place.now(), place.now()));
    assert_eq!(place.tick().await.now, place.now());
    place.insert(&[at("timer", place.now() + secs(1))]).await;
    assert_eq!(place.tick().await.promoted, 0);
    place.clock.advance(secs(1));
    assert_eq!(place.other().await.tick().await.unwrap().promoted, 1, "every handle goes by it");
}

pub(crate) async fn t3_a_past_due_time_is_now(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[at("past", START - secs(5)), at("present", START)]).await;
    let claims = place.claim(9).await;
    assert_eq!(ids(&claims), [id("past"), id("present")]);
    assert_eq!(
        [claims[0].job.due, claims[1].job.due],
        [Some(START - secs(5)), Some(START)],
        "they can tell how late they are"
    );
}
