//! L: one job of a lane at a time, in order.

use yamabiko_queue::{
    NewJob, Outcome, State,
    store::{Answer, Cancelled, Sending},
};

use crate::place::{Kind, Place, commit, dead, id, ids, in_lane, retry, secs, snooze, want};

pub(crate) async fn l1_jobs_of_one_lane_in_two_queues_never_run_together(kind: Kind) {
    let place = Place::open(kind).await;
    let second = NewJob { queue: "low".to_owned(), ..in_lane("second", "chat") };
    place.insert(&[in_lane("first", "chat"), second]).await;
    let first = place.claim_one().await;
    assert_eq!(first.job.id, id("first"));
    let turn = place.turn(&[commit(&first, Outcome::Complete, vec![])], 0).await;
    assert_eq!(turn.answers, [Answer::Applied]);
    let turn = place.store.turn(Sending::once(), &[], &[want(&["low"], 9)]).await.unwrap();
    assert_eq!(ids(&turn.claims), [id("second")], "it became ready in its own queue");
}

pub(crate) async fn l2_one_job_of_a_lane_runs_and_the_others_follow_in_order(kind: Kind) {
    let place = Place::open(kind).await;
    for name in ["a", "b", "c"] {
        place.insert(&[in_lane(name, "chat")]).await;
    }
    for name in ["a", "b", "c"] {
        let claim = place.claim_one().await;
        assert_eq!(claim.job.id, id(name));
        assert!(place.claim(9).await.is_empty(), "the lane is taken");
        place.end(&claim, Outcome::Complete).await;
    }
    assert!(place.claim(9).await.is_empty());
}

pub(crate) async fn l2_a_waiting_job_that_is_cancelled_leaves_the_line(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c"].map(|name| in_lane(name, "chat"))).await;
    assert_eq!(place.cancel(id("b")).await, Cancelled::Gone);
    let first = place.claim_one().await;
    let turn = place.turn(&[commit(&first, Outcome::Complete, vec![])], 9).await;
    assert_eq!(ids(&turn.claims), [id("c")]);
}

pub(crate) async fn l2_jobs_stored_in_one_step_stand_in_their_order(kind: Kind) {
    let place = Place::open(kind).await;
    let names = ["c", "a", "b", "d"];
    place.insert(&names.map(|name| in_lane(name, "chat"))).await;
    assert_eq!(place.line(State::Ready).await, [id("c")]);
    assert_eq!(place.line(State::Waiting).await, [id("a"), id("b"), id("d")]);
}

pub(crate) async fn l4_a_retry_without_hold_joins_the_tail_of_its_lane(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, retry(secs(1), false)).await;
    let second = place.claim_one().await;
    assert_eq!(second.job.id, id("b"), "the lane goes on meanwhile");
    place.pass(secs(1)).await;
    assert_eq!(place.line(State::Waiting).await, [id("c"), id("a")]);
}

pub(crate) async fn l4_a_retry_that_holds_keeps_its_lane(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, retry(secs(1), true)).await;
    assert!(place.claim(9).await.is_empty(), "the lane waits");
    place.insert(&[in_lane("c", "chat")]).await;
    place.pass(secs(1)).await;
    let again = place.claim_one().await;
    assert_eq!(again.job.id, id("a"));
    place.end(&again, Outcome::Complete).await;
    assert_eq!(place.claim_one().await.job.id, id("b"));
}

pub(crate) async fn l4_a_snooze_keeps_its_lane_only_if_it_holds(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, snooze(secs(1), true)).await;
    assert!(place.claim(9).await.is_empty());
    place.pass(secs(1)).await;
    let again = place.claim_one().await;
    assert_eq!(again.job.id, id("a"));
    place.end(&again, snooze(secs(1), false)).await;
    assert_eq!(place.claim_one().await.job.id, id("b"));
    place.pass(secs(1)).await;
    assert_eq!(place.state(id("a")).await, Some(State::Waiting));
}

pub(crate) async fn l4_a_dead_job_releases_its_lane(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, dead()).await;
    assert_eq!(place.claim_one().await.job.id, id("b"));
}

pub(crate) async fn l4_a_rerun_by_a_person_joins_the_tail(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, dead()).await;
    assert!(place.retry(id("a")).await);
    assert_eq!(place.line(State::Ready).await, [id("b")]);
    assert_eq!(place.line(State::Waiting).await, [id("c"), id("a")]);
}

pub(crate) async fn l4_a_scheduled_job_that_holds_its_lane_runs_when_a_person_says_so(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, retry(secs(60), true)).await;
    assert!(place.retry(id("a")).await);
    assert_eq!(place.claim_one().await.job.id, id("a"));
    assert_eq!(place.line(State::Waiting).await, [id("b")]);
}

pub(crate) async fn l4_a_cancelled_job_that_holds_its_lane_passes_it_on(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c"].map(|name| in_lane(name, "chat"))).await;
    let first = place.claim_one().await;
    place.end(&first, retry(secs(60), true)).await;
    assert_eq!(place.cancel(id("a")).await, Cancelled::Gone, "scheduled");
    assert_eq!(place.line(State::Ready).await, [id("b")]);
    assert_eq!(place.cancel(id("b")).await, Cancelled::Gone, "ready");
    assert_eq!(place.claim_one().await.job.id, id("c"));
}

pub(crate) async fn l5_each_lane_has_one_job_among_the_ready(kind: Kind) {
    let place = Place::open(kind).await;
    let many: Vec<_> = (0..5).map(|n| in_lane(&format!("a{n}"), "loud chat")).collect();
    place.insert(&many).await;
    place.insert(&[in_lane("b", "quiet chat"), in_lane("c", "other chat")]).await;
    assert_eq!(place.line(State::Ready).await, [id("a0"), id("b"), id("c")]);
    let claims = place.claim(2).await;
    let turn = place.turn(&[commit(&claims[0], Outcome::Complete, vec![])], 1).await;
    assert_eq!(ids(&turn.claims), [id("c")], "the loud chat's next stands behind");
}
