//! O8: a job that waits may lend its lane to jobs that may pass it.

use yamabiko_queue::{
    Effect, Hold, NewJob, Outcome, State,
    store::{Answer, Cancelled, Claim, Group, Held, Sending},
};

use crate::place::{Kind, Place, commit, dead, id, ids, in_lane, process, retry, secs, want};

/// Makes a job that may pass a lender for 50 s; its origin has its name.
fn passer(place: &Place, name: &str) -> NewJob {
    NewJob { passes_until: Some(place.now() + secs(50)), ..plain(name) }
}

/// Makes a job that may pass nobody.
fn plain(name: &str) -> NewJob {
    NewJob { origin: Some(name.to_owned()), chat: Some("chat".to_owned()), ..in_lane(name, "lane") }
}

pub(crate) fn lend(after: u64) -> Outcome {
    let error = "it went wrong".to_owned();
    Outcome::Retry { after: secs(after), hold: Hold::Lend, error, unsure: false }
}

/// Opens a store in which the job `lender` lends its lane for 4 s, less than a lease.
async fn lent(kind: Kind) -> Place {
    let place = Place::open(kind).await;
    place.insert(&[plain("lender")]).await;
    let lender = place.claim_one().await;
    assert!(!lender.on_loan);
    place.end(&lender, lend(4)).await;
    place
}

async fn claim_on_loan(place: &Place, name: &str) -> Claim {
    let claim = place.claim_one().await;
    assert_eq!((claim.job.id, claim.on_loan), (id(name), true));
    claim
}

async fn claim_own(place: &Place, name: &str) -> Claim {
    let claim = place.claim_one().await;
    assert_eq!((claim.job.id, claim.on_loan), (id(name), false));
    claim
}

pub(crate) async fn o8_jobs_that_may_pass_run_one_at_a_time_while_the_lender_waits(kind: Kind) {
    let place = Place::open(kind).await;
    let jobs = [plain("lender"), plain("a"), passer(&place, "b"), plain("c"), passer(&place, "d")];
    place.insert(&jobs).await;
    let lender = place.claim_one().await;
    place.end(&lender, lend(4)).await;
    for name in ["b", "d"] {
        let claim = claim_on_loan(&place, name).await;
        assert!(place.claim(9).await.is_empty(), "the lane is taken");
        place.end(&claim, Outcome::Complete).await;
    }
    assert!(place.claim(9).await.is_empty(), "the others wait behind the lender");
    place.insert(&[passer(&place, "e")]).await;
    place.end(&claim_on_loan(&place, "e").await, Outcome::Complete).await;
    place.pass(secs(4)).await;
    for name in ["lender", "a", "c"] {
        place.end(&claim_own(&place, name).await, Outcome::Complete).await;
    }
}

pub(crate) async fn o8_only_those_pass_that_have_time_left_and_another_origin(kind: Kind) {
    let place = lent(kind).await;
    let until = place.now() + secs(1);
    let with_origin = |name: &str, origin: Option<&str>| NewJob {
        origin: origin.map(str::to_owned),
        ..passer(&place, name)
    };
    place
        .insert(&[
            plain("unmarked"),
            with_origin("its own", Some("lender")),
            with_origin("of nothing", None),
            NewJob { passes_until: Some(place.now()), ..plain("over") },
            NewJob { passes_until: Some(until), ..plain("first") },
            NewJob { passes_until: Some(until), ..plain("too late") },
        ])
        .await;
    let first = claim_on_loan(&place, "first").await;
    place.pass(secs(1)).await;
    place.end(&first, Outcome::Complete).await;
    assert!(place.claim(9).await.is_empty(), "its time is over as it comes");
    place.pass(secs(3)).await;
    for name in ["lender", "unmarked", "its own", "of nothing", "over", "too late"] {
        place.end(&claim_own(&place, name).await, Outcome::Complete).await;
    }
}

pub(crate) async fn o8_a_lender_that_keeps_its_lane_lends_it_to_nobody(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[plain("holder"), passer(&place, "passer")]).await;
    let holder = place.claim_one().await;
    place.end(&holder, retry(secs(4), true)).await;
    assert!(place.claim(9).await.is_empty());
    place.insert(&[passer(&place, "later")]).await;
    assert!(place.claim(9).await.is_empty());
    place.pass(secs(4)).await;
    claim_own(&place, "holder").await;
}

pub(crate) async fn o8_a_lender_that_is_due_goes_before_the_next_in_line(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a"), passer(&place, "b"), passer(&place, "c")]).await;
    let borrower = claim_on_loan(&place, "b").await;
    place.pass(secs(4)).await;
    assert_eq!(place.state(id("lender")).await, Some(State::Waiting), "the lane is taken");
    assert_eq!(place.line(State::Waiting).await, ["lender", "a", "c"].map(id));
    assert_eq!(place.beat(&[&borrower]).await, [Held::Yes]);
    place.end(&borrower, Outcome::Complete).await;
    let lender = claim_own(&place, "lender").await;
    // It lends again, and is due again before any tick has come to it.
    place.end(&lender, lend(4)).await;
    let borrower = claim_on_loan(&place, "c").await;
    place.insert(&[passer(&place, "d")]).await;
    place.pass(secs(3)).await;
    place.clock.advance(secs(1));
    let turn = place.turn(&[commit(&borrower, Outcome::Complete, vec![])], 9).await;
    assert_eq!(turn.claims, [], "its turn has come, and only a tick says so");
    place.tick().await;
    claim_own(&place, "lender").await;
}

pub(crate) async fn o8_a_job_that_gives_its_lane_back_waits_in_its_place(kind: Kind) {
    let place = lent(kind).await;
    let jobs = [plain("a"), passer(&place, "b"), plain("c"), passer(&place, "d")];
    place.insert(&jobs).await;
    let borrower = claim_on_loan(&place, "b").await;
    place.insert(&[plain("e")]).await;
    let checkpoint = Outcome::Checkpoint { payload: b"as a push".to_vec() };
    place.end(&borrower, checkpoint).await;
    let given_back = [commit(&borrower, Outcome::GiveBack { afresh: true }, vec![])];
    let turn = place.turn(&given_back, 9).await;
    assert_eq!(ids(&turn.claims), [id("d")], "the next that may pass");
    assert_eq!(place.line(State::Waiting).await, ["a", "b", "c", "e"].map(id));
    let job = place.record(id("b")).await.job;
    assert_eq!((job.failures, job.lost, job.first_claimed), (0, 0, None), "uncounted");
    assert_eq!(job.payload, b"as a push");
    place.end(&turn.claims[0], Outcome::Complete).await;
    assert!(place.claim(9).await.is_empty(), "it does not pass a second time");
    place.pass(secs(4)).await;
    for name in ["lender", "a", "b", "c", "e"] {
        place.end(&claim_own(&place, name).await, Outcome::Complete).await;
    }
}

pub(crate) async fn o8_a_job_gives_its_lane_back_to_a_lender_that_is_due_or_gone(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a"), passer(&place, "b")]).await;
    let borrower = claim_on_loan(&place, "b").await;
    place.pass(secs(4)).await;
    assert_eq!(place.beat(&[&borrower]).await, [Held::Yes]);
    place.end(&borrower, Outcome::GiveBack { afresh: false }).await;
    assert_eq!(place.line(State::Waiting).await, ["a", "b"].map(id));
    assert_eq!(
        place.record(id("b")).await.job.first_claimed,
        Some(borrower.claimed_at),
        "not afresh"
    );
    place.end(&claim_own(&place, "lender").await, Outcome::Complete).await;

    let place = lent(kind).await;
    place.insert(&[passer(&place, "b")]).await;
    let borrower = claim_on_loan(&place, "b").await;
    assert_eq!(place.cancel(id("lender")).await, Cancelled::Gone);
    place.end(&borrower, Outcome::GiveBack { afresh: true }).await;
    place.end(&claim_own(&place, "b").await, Outcome::Complete).await;
}

pub(crate) async fn o8_a_job_with_a_lane_of_its_own_keeps_it_when_it_gives_it_back(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[plain("a"), plain("b")]).await;
    let own = claim_own(&place, "a").await;
    place.end(&own, Outcome::GiveBack { afresh: true }).await;
    assert_eq!(place.line(State::Ready).await, [id("a")]);
    let again = claim_own(&place, "a").await;
    place.end(&again, Outcome::Complete).await;
    claim_own(&place, "b").await;
}

pub(crate) async fn o8_the_lane_returns_to_the_lender_however_the_borrower_ends(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a")]).await;
    let passers = ["dead", "left", "called off", "running", "ready", "revoked", "grouped"];
    for name in passers {
        place.insert(&[passer(&place, name)]).await;
    }
    place.end(&claim_on_loan(&place, "dead").await, dead()).await;
    place.end(&claim_on_loan(&place, "left").await, retry(secs(500), false)).await;
    place.end(&claim_on_loan(&place, "called off").await, Outcome::Cancel).await;
    let running = claim_on_loan(&place, "running").await;
    assert_eq!(place.cancel(id("running")).await, Cancelled::Marked);
    assert!(place.claim(9).await.is_empty(), "its worker has not heard of it");
    assert_eq!(place.end(&running, Outcome::Complete).await, Answer::Cancelled);
    assert_eq!(place.line(State::Ready).await, [id("ready")]);
    assert_eq!(place.cancel(id("ready")).await, Cancelled::Gone);
    assert_eq!(place.line(State::Ready).await, [id("revoked")]);
    let revokes =
        NewJob { revokes: Some("revoked".to_owned()), ..in_lane("revokes", "another lane") };
    place.insert(&[revokes]).await;
    place.end(&claim_own(&place, "revokes").await, Outcome::Complete).await;
    assert_eq!(place.line(State::Ready).await, [id("grouped")], "as the other was to be claimed");
    place
        .insert(&[NewJob { chat: Some("chat".to_owned()), ..in_lane("cancels", "a third lane") }])
        .await;
    let claims = place.claim(9).await;
    assert_eq!(ids(&claims), ["grouped", "cancels"].map(id));
    let group = Effect::CancelAll { group: Group::Origin("grouped".into()), origin_by: None };
    place.end_with(&claims[1], Outcome::Complete, vec![group]).await;
    assert_eq!(place.end(&claims[0], Outcome::Complete).await, Answer::Cancelled);
    assert!(place.claim(9).await.is_empty());
    place.pass(secs(4)).await;
    place.end(&claim_own(&place, "lender").await, Outcome::Complete).await;
    claim_own(&place, "a").await;
}

pub(crate) async fn o8_a_lender_that_is_cancelled_leaves_the_lane_to_its_borrower(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a"), passer(&place, "b"), passer(&place, "c")]).await;
    let borrower = claim_on_loan(&place, "b").await;
    assert_eq!(place.cancel(id("lender")).await, Cancelled::Gone);
    assert!(place.claim(9).await.is_empty());
    place.end(&borrower, Outcome::Complete).await;
    place.end(&claim_own(&place, "a").await, Outcome::Complete).await;
    place.end(&claim_own(&place, "c").await, Outcome::Complete).await;

    let place = lent(kind).await;
    place.insert(&[plain("a"), plain("b")]).await;
    assert_eq!(place.cancel(id("lender")).await, Cancelled::Gone);
    place.end(&claim_own(&place, "a").await, Outcome::Complete).await;
    claim_own(&place, "b").await;
}

pub(crate) async fn o8_a_lender_whose_group_is_cancelled_leaves_the_lane(kind: Kind) {
    for is_lent in [false, true] {
        let place = lent(kind).await;
        place.insert(&[plain("a")]).await;
        let borrower = if is_lent {
            place.insert(&[passer(&place, "b")]).await;
            Some(claim_on_loan(&place, "b").await)
        } else {
            None
        };
        let cancels =
            NewJob { chat: Some("chat".to_owned()), ..in_lane("cancels", "another lane") };
        place.insert(&[cancels]).await;
        let cancels = claim_own(&place, "cancels").await;
        let group = Effect::CancelAll { group: Group::Origin("lender".into()), origin_by: None };
        place.end_with(&cancels, Outcome::Complete, vec![group]).await;
        place.tick().await;
        assert_eq!(place.state(id("lender")).await, None);
        if let Some(borrower) = borrower {
            assert_eq!(place.end(&borrower, Outcome::Complete).await, Answer::Applied);
        }
        claim_own(&place, "a").await;
    }
}

pub(crate) async fn o8_a_lender_that_a_person_runs_now_goes_first(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a"), passer(&place, "b")]).await;
    let borrower = claim_on_loan(&place, "b").await;
    assert!(place.retry(id("lender")).await);
    assert_eq!(place.line(State::Waiting).await, ["lender", "a"].map(id));
    place.end(&borrower, Outcome::Complete).await;
    place.end(&claim_own(&place, "lender").await, lend(4)).await;
    assert!(place.retry(id("lender")).await);
    claim_own(&place, "lender").await;
}

pub(crate) async fn o8_a_borrower_keeps_the_lane_until_it_is_settled(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a"), passer(&place, "b"), passer(&place, "c")]).await;
    for outcome in [retry(secs(1), true), lend(1), Outcome::Release { unsure: true }] {
        let borrower = claim_on_loan(&place, "b").await;
        place.end(&borrower, outcome).await;
        assert!(ids(&place.claim(0).await).is_empty());
        place.insert(&[passer(&place, "d")]).await;
        assert_ne!(place.line(State::Ready).await, [id("c")], "it lends the lane to nobody");
        place.pass(secs(1)).await;
    }
    // Its process dies, and nobody passes it meanwhile, not even the lender.
    claim_on_loan(&place, "b").await;
    place.pass(secs(7)).await;
    assert_eq!(place.state(id("lender")).await, Some(State::Waiting));
    let borrower = claim_on_loan(&place, "b").await;
    assert_eq!((borrower.job.lost, borrower.job.unsure), (1, true));
    place.end(&borrower, Outcome::Complete).await;
    claim_own(&place, "lender").await;
}

pub(crate) async fn o8_an_exchange_sent_again_shows_what_is_on_loan(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[passer(&place, "b")]).await;
    let mut sending = place.next_sending();
    let wants = [want(&["events"], 9)];
    let claims = place.store.turn(sending, &[], &wants).await.unwrap().claims;
    sending.again = true;
    let again = place.store.turn(sending, &[], &wants).await.unwrap().claims;
    assert_eq!((ids(&again), again[0].on_loan), (ids(&claims), true));
    place.store.release(sending.token).await.unwrap();
    claim_on_loan(&place, "b").await;
    assert_eq!(
        place.store.beat(&process("late"), &[(id("b"), Sending::once().token)], &[]).await.unwrap(),
        [Held::Lost]
    );
}

pub(crate) async fn o8_a_clock_that_is_set_back_keeps_the_lane_with_its_lender(kind: Kind) {
    let place = lent(kind).await;
    place.insert(&[plain("a"), passer(&place, "b")]).await;
    let borrower = claim_on_loan(&place, "b").await;
    place.clock.set(place.now() - secs(7200));
    place.pass(secs(4)).await;
    place.beat(&[&borrower]).await;
    place.insert(&[passer(&place, "c")]).await;
    place.end(&borrower, Outcome::Complete).await;
    place.end(&claim_on_loan(&place, "c").await, Outcome::Complete).await;
    place.pass(secs(5)).await;
    place.end(&claim_own(&place, "lender").await, Outcome::Complete).await;
    claim_own(&place, "a").await;
}
