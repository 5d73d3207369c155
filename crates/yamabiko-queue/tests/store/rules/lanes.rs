//! L: one job of a lane at a time, in order.

use yamabiko_queue::{
    NewJob, Outcome, State,
    store::{Answer, Cancelled, Query, Sending},
};

use crate::place::{Kind, Place, commit, dead, id, ids, in_lane, job, retry, secs, snooze, want};

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

pub(crate) async fn l2_ready_jobs_keep_their_order_when_others_among_them_leave(kind: Kind) {
    let place = Place::open(kind).await;
    let names: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    place.insert(&names.iter().map(|name| job(name)).collect::<Vec<_>>()).await;
    let mut standing: Vec<_> = names.iter().map(|name| id(name)).collect();
    let ready = async || place.store.counts().await.unwrap().queues["default"].ready;
    // At first one here and there, then most of them, with ticks in between.
    for (n, leaves) in [30, 3, 17, 0, 5, 6, 7, 8, 9, 10, 20, 21, 22, 23, 24, 25].iter().enumerate()
    {
        let id = id(&leaves.to_string());
        assert_eq!(place.cancel(id).await, Cancelled::Gone);
        assert_eq!(place.cancel(id).await, Cancelled::Unknown);
        standing.retain(|other| *other != id);
        if n % 3 == 0 {
            place.tick().await;
        }
        assert_eq!(place.line(State::Ready).await, standing);
        assert_eq!(ready().await, standing.len() as u64);
    }
    assert_eq!(ids(&place.claim(5).await), standing[..5]);
    place.insert(&[job("new")]).await;
    place.store.cancel(&standing[5..20]).await.unwrap();
    assert_eq!(ready().await, standing.len() as u64 - 19);
    let last = [&standing[20..], &[id("new")]].concat();
    assert_eq!(place.line(State::Ready).await, last);
    assert_eq!(ids(&place.claim(99).await), last);
}

pub(crate) async fn l2_a_long_line_that_most_have_left_keeps_its_order(kind: Kind) {
    let place = Place::open(kind).await;
    let names: Vec<_> = (0..900).map(|n| n.to_string()).collect();
    place.insert(&names.iter().map(|name| job(name)).collect::<Vec<_>>()).await;
    let all: Vec<_> = names.iter().map(|name| id(name)).collect();
    let (stay, leave): (Vec<_>, Vec<_>) = all.iter().partition(|id| id.as_bytes()[0] < 0x40);
    place.store.cancel(&leave).await.unwrap();
    let mut standing = stay;
    for _ in 0..6 {
        // Between two ticks, work goes on at both ends and in the middle.
        place.tick().await;
        let claims = place.claim(4).await;
        assert_eq!(ids(&claims), standing[..4]);
        for claim in claims[1..].iter().rev() {
            place.end(claim, Outcome::Release { unsure: false }).await;
        }
        standing.remove(0);
        place.cancel(standing.remove(20)).await;
        let new = format!("new {}", standing.len());
        place.insert(&[job(&new)]).await;
        standing.push(id(&new));
        assert_eq!(
            place.store.counts().await.unwrap().queues["default"].ready,
            standing.len() as u64
        );
        let query = Query { limit: 1000, ..Query::new(State::Ready) };
        let listed = place.store.list(&query).await.unwrap().records;
        assert_eq!(listed.iter().map(|record| record.job.id).collect::<Vec<_>>(), standing);
    }
    assert_eq!(ids(&place.claim(999).await), standing);
}

pub(crate) async fn l2_an_id_that_comes_back_stands_at_the_tail_of_the_line_that_it_left(
    kind: Kind,
) {
    let place = Place::open(kind).await;
    let fleeting = |name: &str| NewJob { remember: secs(0), ..job(name) };
    place.insert(&["a", "b", "c"].map(fleeting)).await;
    for round in 0..3 {
        for name in ["a", "c"] {
            assert_eq!(place.cancel(id(name)).await, Cancelled::Gone);
            place.insert(&[fleeting(name)]).await;
        }
        assert_eq!(place.line(State::Ready).await, ["b", "a", "c"].map(id), "{round}");
        assert_eq!(place.store.counts().await.unwrap().queues["default"].ready, 3);
    }
    let claims = place.claim(2).await;
    assert_eq!(ids(&claims), ["b", "a"].map(id));
    // It comes back to the front, past its own traces.
    place.end(&claims[1], Outcome::Release { unsure: false }).await;
    assert_eq!(place.line(State::Ready).await, ["a", "c"].map(id));
    place.cancel(id("a")).await;
    assert_eq!(ids(&place.claim(9).await), [id("c")]);
    place.pass(secs(10)).await;
    assert_eq!(ids(&place.claim(9).await), ["c", "b"].map(id), "those whose workers said nothing");
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
