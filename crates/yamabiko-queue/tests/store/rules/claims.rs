//! C: claims, leases, and what a run without the current token can do: nothing.

use yamabiko_queue::{
    Effect, Hold, JobId, NewJob, Outcome, State,
    store::{Answer, Cancelled, Claim, Held, Sending},
};

use super::upgrade::{set_version, version};
use crate::place::{
    Kind, LEASE, Place, QUEUES, commit, dead, id, ids, in_lane, job, micros, millis, process,
    retry, secs, snooze, want,
};

pub(crate) async fn c1_a_run_of_an_older_turn_changes_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat")]).await;
    let stalled = place.claim_one().await;
    place.pass(LEASE).await;
    let current = place.claim_one().await;
    assert_eq!(current.job.id, id("a"));
    let effects = vec![Effect::Insert(job("x")), Effect::SetState(Some(b"x".to_vec()))];
    for outcome in [
        Outcome::Complete,
        Outcome::Checkpoint { payload: b"x".to_vec() },
        retry(secs(0), true),
        snooze(secs(0), false),
        dead(),
        Outcome::Release { unsure: true },
        Outcome::Cancel,
    ] {
        let before = place.record(id("a")).await;
        assert_eq!(place.end_with(&stalled, outcome, effects.clone()).await, Answer::Lost);
        assert_eq!(place.record(id("a")).await, before);
    }
    assert_eq!(place.beat(&[&stalled, &current]).await, [Held::Lost, Held::Yes]);
    assert_eq!(place.state(id("x")).await, None);
    assert_eq!(place.store.state("chat").await.unwrap(), None);
    assert_eq!(place.end(&current, Outcome::Complete).await, Answer::Applied);
}

pub(crate) async fn c1_every_turn_that_claims_has_a_token_of_its_own(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c"].map(job)).await;
    let first = place.claim(2).await;
    assert_eq!(first[0].token, first[1].token);
    let second = place.claim_one().await;
    assert!(second.token > first[0].token);
    let made_up = NewJob { id: JobId::of_key("a"), ..job("a") };
    let wrong = yamabiko_queue::store::Commit::bare(
        made_up.id,
        place.next_sending().token,
        Outcome::Complete,
    );
    assert_eq!(place.turn(&[wrong], 0).await.answers, [Answer::Lost]);
}

pub(crate) async fn c2_a_beat_extends_a_lease_and_tells_what_was_lost(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&["a", "b"].map(job)).await;
    let claims = place.claim(2).await;
    place.pass(secs(3)).await;
    assert_eq!(place.beat(&[&claims[0]]).await, [Held::Yes]);
    assert_eq!(place.record(id("a")).await.time, Some(place.now() + LEASE));
    assert_eq!(place.ended_after(secs(2)).await, 1);
    assert_eq!(place.beat(&[&claims[0], &claims[1]]).await, [Held::Yes, Held::Lost]);
    let unknown = (id("never stored"), claims[0].token);
    assert_eq!(
        place.store.beat(&process("worker-1"), &[unknown], &[]).await.unwrap(),
        [Held::Lost]
    );
}

pub(crate) async fn c2_a_beat_does_not_extend_a_cancelled_run(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat")]).await;
    let claim = place.claim_one().await;
    place.cancel(id("a")).await;
    place.pass(LEASE - secs(1)).await;
    assert_eq!(place.beat(&[&claim]).await, [Held::Cancelled]);
    assert_eq!(place.ended_after(secs(1)).await, 1);
    assert_eq!(place.beat(&[&claim]).await, [Held::Lost]);
    assert_eq!(place.claim_one().await.job.id, id("b"), "the lane is free");
}

pub(crate) async fn c2_a_dead_processes_claim_comes_back_after_exactly_one_lease(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    place.pass(LEASE).await;
    let claim = place.claim_one().await;
    place.pass(LEASE - micros(1)).await;
    assert_eq!(place.state(id("a")).await, Some(State::Running));
    place.clock.advance(micros(1));
    assert_eq!((place.tick().await.ended, place.state(id("a")).await), (1, Some(State::Ready)));
    let again = place.claim_one().await;
    assert_eq!(again.job.first_claimed, Some(claim.claimed_at));
}

pub(crate) async fn c2_lost_claims_stand_at_the_front_in_order(kind: Kind) {
    let place = Place::open(kind).await;
    place.pass(LEASE).await;
    let mut names = ["a", "b", "c", "d"];
    names.sort_by_key(|name| id(name));
    place.insert(&names.map(job)).await;
    place.claim(2).await;
    place.clock.advance(secs(1));
    place.claim(1).await;
    place.insert(&[job("new")]).await;
    place.pass(LEASE - secs(2)).await;
    // One tick returns them all.
    place.clock.advance(secs(2));
    place.tick().await;
    let order = [names[0], names[1], names[2], names[3], "new"].map(id);
    assert_eq!(place.line(State::Ready).await, order);
}

pub(crate) async fn c3_a_handle_that_has_just_started_lets_one_lease_pass(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    place.clock.advance(secs(60));
    let other = place.other().await;
    for _ in 0..5 {
        let tick = other.tick().await.unwrap();
        assert_eq!((tick.ended, tick.next), (0, Some(place.now() + secs(1))), "soon again");
        place.clock.advance(secs(1));
    }
    assert_eq!(other.tick().await.unwrap().ended, 1);
    assert_eq!(place.beat(&[&claim]).await, [Held::Lost]);
}

pub(crate) async fn c3_two_seconds_without_a_tick_let_a_lease_pass(kind: Kind) {
    let place = Place::open(kind).await;
    place.pass(secs(20)).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    place.pass(LEASE - secs(2)).await;
    place.clock.advance(secs(2) + micros(1));
    assert_eq!(place.tick().await.ended, 0, "as after an outage");
    assert_eq!(place.beat(&[&claim]).await, [Held::Yes], "so that its worker can beat");
    assert_eq!(place.ended_after(LEASE).await, 1);
}

pub(crate) async fn c3_an_outage_of_any_length_ends_no_claim(kind: Kind) {
    let place = Place::open(kind).await;
    place.pass(secs(20)).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    for tenths in 1..=120 {
        // The last beat before the outage; the first one after it comes when a whole connect has failed.
        assert_eq!(place.beat(&[&claim]).await, [Held::Yes], "after {tenths} tenths");
        place.pass(secs(1)).await;
        place.clock.advance(millis(100 * tenths));
        place.pass(millis(1_200)).await;
    }
    assert_eq!(place.record(id("a")).await.job.lost, 0);
}

pub(crate) async fn c3_a_tick_that_failed_lets_a_lease_pass(kind: Kind) {
    // The model never fails.
    if kind == Kind::Model {
        return;
    }
    let place = Place::open(kind).await;
    place.pass(secs(20)).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    place.pass(LEASE - secs(1)).await;
    let version = version(&place, kind).to_string();
    set_version(&place, kind, "99");
    place.store.tick().await.unwrap_err();
    set_version(&place, kind, &version);
    place.clock.advance(secs(1));
    assert_eq!(place.tick().await.ended, 0, "as after an outage, although there was no gap");
    assert_eq!(place.beat(&[&claim]).await, [Held::Yes], "so that its worker can beat");
    assert_eq!(place.ended_after(LEASE).await, 1);
}

pub(crate) async fn c4_a_lost_claim_is_counted_apart_from_failures(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[job("a")]).await;
    place.claim_one().await;
    place.pass(LEASE).await;
    let record = place.record(id("a")).await;
    assert_eq!((record.job.lost, record.job.failures, record.job.unsure), (1, 0, true));
    assert_eq!(record.history.len(), 1);
    assert_eq!(record.history[0].error, "the claim ended without a report");
    assert_eq!(record.history[0].at, place.now());
    assert_eq!(place.claim_one().await.job, place.record(id("a")).await.job);
}

pub(crate) async fn c4_lost_claims_are_counted_anew_after_a_checkpoint(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[job("a")]).await;
    for lost in 1..=2 {
        place.claim_one().await;
        place.pass(LEASE).await;
        assert_eq!(place.record(id("a")).await.job.lost, lost);
    }
    let claim = place.claim_one().await;
    let progress = Outcome::Checkpoint { payload: b"further".to_vec() };
    assert_eq!(place.end(&claim, progress).await, Answer::Applied);
    assert_eq!(place.record(id("a")).await.job.lost, 0);
    place.pass(LEASE).await;
    assert_eq!(place.record(id("a")).await.job.lost, 1);
}

pub(crate) async fn c4_a_stop_and_a_snooze_count_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(job)).await;
    let claim = place.claim(1).await.remove(0);
    place.end(&claim, Outcome::Release { unsure: false }).await;
    assert_eq!(place.line(State::Ready).await, [id("a"), id("b")], "back to the front");
    let claim = place.claim(1).await.remove(0);
    let first_claimed = claim.job.first_claimed;
    place.clock.advance(secs(1));
    let reason = Some("not yet".to_owned());
    place
        .end(&claim, Outcome::Snooze { after: secs(0), hold: Hold::No, reason, afresh: false })
        .await;
    let record = place.record(id("a")).await;
    assert_eq!((record.job.lost, record.job.failures, record.job.unsure), (0, 0, false));
    assert_eq!(record.job.first_claimed, first_claimed);
    assert_eq!(record.history[0].error, "not yet");
    place.pass(secs(1)).await;
    let claim = place.claim(2).await.remove(1);
    assert_eq!(claim.job.id, id("a"), "a snoozed job comes back at the tail");
    place
        .end(&claim, Outcome::Snooze { after: secs(0), hold: Hold::No, reason: None, afresh: true })
        .await;
    assert_eq!(place.record(id("a")).await.job.first_claimed, None);
}

pub(crate) async fn c4_a_store_makes_no_job_dead_by_itself(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[job("a")]).await;
    for lost in 1..=5 {
        place.claim_one().await;
        place.pass(LEASE).await;
        assert_eq!(place.record(id("a")).await.job.lost, lost);
    }
    assert_eq!(place.state(id("a")).await, Some(State::Ready));
}

pub(crate) async fn c5_a_turn_sent_again_is_lost_and_changes_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat")]).await;
    let claim = place.claim_one().await;
    let effects = vec![Effect::Insert(job("x")), Effect::SetState(Some(b"1".to_vec()))];
    let commits = [commit(&claim, Outcome::Complete, effects)];
    assert_eq!(place.turn(&commits, 0).await.answers, [Answer::Applied]);
    let next = place.claim(9).await;
    assert_eq!(ids(&next), [id("x"), id("b")]);
    assert_eq!(place.turn(&commits, 9).await.answers, [Answer::Lost]);
    assert_eq!(
        place.turn(&[commits[0].clone(), commits[0].clone()], 9).await.answers,
        [Answer::Lost; 2]
    );
    assert_eq!(place.store.state("chat").await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(place.line(State::Running).await.len(), 2);
}

pub(crate) async fn c5_every_outcome_may_be_sent_again(kind: Kind) {
    let place = Place::open(kind).await;
    let outcomes = [
        retry(secs(60), true),
        snooze(secs(60), false),
        dead(),
        Outcome::Release { unsure: true },
        Outcome::Cancel,
    ];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let (name, effect) = (format!("job {n}"), format!("effect {n}"));
        place.insert(&[in_lane(&name, &name)]).await;
        let claim = place.claim_one().await;
        let late = NewJob { due: yamabiko_queue::Due::In(secs(600)), ..job(&effect) };
        let commits = [commit(&claim, outcome, vec![Effect::Insert(late)])];
        assert_eq!(place.turn(&commits, 0).await.answers, [Answer::Applied], "{commits:?}");
        let after = place.store.get(id(&name)).await.unwrap();
        assert_eq!(place.turn(&commits, 0).await.answers, [Answer::Lost], "{commits:?}");
        assert_eq!(place.store.get(id(&name)).await.unwrap(), after, "{commits:?}");
        place.cancel(id(&name)).await;
    }
}

pub(crate) async fn c5_claims_whose_answer_was_lost_come_back_after_the_lease(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat")]).await;
    let claim = place.claim_one().await;
    let commits = [commit(&claim, Outcome::Complete, vec![])];
    let lost_on_the_way = place.turn(&commits, 9).await.claims;
    assert_eq!(ids(&lost_on_the_way), [id("b")]);
    let again = place.turn(&commits, 9).await;
    assert_eq!((again.answers.as_slice(), again.claims.len()), ([Answer::Lost].as_slice(), 0));
    place.pass(LEASE).await;
    let back = place.claim_one().await;
    assert_eq!((back.job.id, back.job.lost, back.job.unsure), (id("b"), 1, true));
    assert!(back.token > lost_on_the_way[0].token);
}

pub(crate) async fn c5_beat_tick_and_cancel_may_be_sent_again(kind: Kind) {
    let place = Place::open(kind).await;
    let timer = NewJob { due: yamabiko_queue::Due::In(secs(1)), ..job("timer") };
    place.insert(&[job("a"), job("b"), timer]).await;
    let claim = place.claim(1).await.remove(0);
    for _ in 0..2 {
        assert_eq!(place.beat(&[&claim]).await, [Held::Yes]);
    }
    assert_eq!(place.cancel(id("b")).await, Cancelled::Gone);
    assert_eq!(place.cancel(id("b")).await, Cancelled::Unknown);
    for _ in 0..2 {
        assert_eq!(place.cancel(id("a")).await, Cancelled::Marked);
    }
    place.clock.advance(secs(1));
    assert_eq!([place.tick().await.promoted, place.tick().await.promoted], [1, 0]);
    assert_eq!(place.line(State::Ready).await, [id("timer")]);
}

/// Sends an exchange that wants all there is.
async fn exchange(place: &Place, sending: Sending) -> Vec<Claim> {
    let mut claims = place.store.turn(sending, &[], &[want(&QUEUES, 9)]).await.unwrap().claims;
    claims.sort_by_key(|claim| claim.job.id);
    claims
}

const fn again(sending: Sending) -> Sending {
    Sending { token: sending.token, again: true }
}

pub(crate) async fn c5_an_exchange_sent_again_is_answered_with_the_claims_that_stand(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat"), job("b")]).await;
    let sending = place.next_sending();
    let lost_on_the_way = exchange(&place, sending).await;
    place.pass(LEASE - secs(1)).await;
    let claims = exchange(&place, again(sending)).await;
    assert_eq!(ids(&claims), ids(&lost_on_the_way));
    for claim in &claims {
        assert_eq!((claim.token, claim.claimed_at), (sending.token, place.now()));
        assert_eq!((claim.job.lost, claim.job.unsure), (0, false));
        assert_eq!(claim.job.first_claimed, Some(place.now()), "its worker hears of it only now");
    }
    place.pass(LEASE - micros(1)).await;
    assert_eq!(place.line(State::Running).await.len(), 2, "the leases are whole ones");
    assert_eq!(place.end(&claims[0], Outcome::Complete).await, Answer::Applied);
    assert_eq!(place.end(&claims[1], Outcome::Complete).await, Answer::Applied);
}

pub(crate) async fn c5_an_exchange_sent_again_claims_nothing_new(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    let (first, empty) = (place.next_sending(), place.next_sending());
    exchange(&place, first).await;
    exchange(&place, again(empty)).await;
    place.insert(&[job("b")]).await;
    assert_eq!(exchange(&place, again(empty)).await, [], "its answer was that there is nothing");
    let next = exchange(&place, place.next_sending()).await;
    assert_eq!(ids(&next), [id("b")]);
}

pub(crate) async fn c5_an_exchange_sent_again_does_not_show_what_was_cancelled_or_lost(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat"), job("c")]).await;
    let sending = place.next_sending();
    assert_eq!(exchange(&place, sending).await.len(), 2);
    assert_eq!(place.cancel(id("a")).await, Cancelled::Marked);
    assert_eq!(ids(&exchange(&place, again(sending)).await), [id("c")]);
    assert_eq!(place.state(id("a")).await, None, "nothing runs that could end it");
    assert_eq!(place.state(id("b")).await, Some(State::Ready), "its lane goes on");
    place.pass(LEASE).await;
    assert_eq!(exchange(&place, again(sending)).await, []);
    assert_eq!(place.record(id("c")).await.job.lost, 1, "nobody kept it alive");
}

pub(crate) async fn c5_an_exchange_that_comes_after_a_later_one_of_its_line_does_nothing(
    kind: Kind,
) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(job)).await;
    let claim = place.claim(1).await.remove(0);
    let (late, current) = (place.next_sending(), place.next_sending());
    assert_eq!(ids(&exchange(&place, current).await), [id("b")]);
    place.insert(&[job("c")]).await;
    let commits = [commit(&claim, Outcome::Complete, vec![Effect::Insert(job("x"))])];
    let turn = place.store.turn(late, &commits, &[want(&QUEUES, 9)]).await.unwrap();
    assert_eq!((turn.answers, turn.claims), (vec![Answer::Lost], vec![]));
    assert_eq!(place.state(id("a")).await, Some(State::Running));
    assert_eq!(place.store.release(late.token).await.unwrap(), 0);
    assert_eq!(place.state(id("x")).await, None);
}

pub(crate) async fn c5_a_beat_extends_what_awaited_exchanges_claimed(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&["a", "b"].map(job)).await;
    let sending = place.next_sending();
    exchange(&place, sending).await;
    place.cancel(id("b")).await;
    for _ in 0..4 {
        place.pass(secs(2)).await;
        place.store.beat(&process("worker-1"), &[], &[sending.token]).await.unwrap();
    }
    assert_eq!(place.state(id("a")).await, Some(State::Running));
    assert_eq!(place.state(id("b")).await, None, "what was cancelled ends with its lease");
    assert_eq!(ids(&exchange(&place, again(sending)).await), [id("a")]);
}

pub(crate) async fn c5_claims_that_their_worker_releases_are_as_if_never_claimed(kind: Kind) {
    let place = Place::open(kind).await;
    let mut names = ["a", "b", "c"];
    names.sort_by_key(|name| id(name));
    place.insert(&[job(names[0]), in_lane(names[1], "chat"), in_lane(names[2], "chat")]).await;
    let before = place.record(id(names[0])).await;
    let sending = place.next_sending();
    assert_eq!(exchange(&place, sending).await.len(), 2);
    place.insert(&[NewJob { queue: "default".into(), ..job("later") }]).await;
    assert_eq!(place.store.release(sending.token).await.unwrap(), 2);
    assert_eq!(place.record(id(names[0])).await, before);
    assert_eq!(place.state(id(names[2])).await, Some(State::Waiting), "the lane is kept");
    assert_eq!(place.store.release(sending.token).await.unwrap(), 0);
    let claims = place.claim(9).await;
    assert_eq!(ids(&claims), [id(names[0]), id("later"), id(names[1])], "first of their queues");
}

pub(crate) async fn c5_an_exchange_that_arrives_after_its_release_claims_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b"].map(job)).await;
    let claim = place.claim(1).await.remove(0);
    let sending = place.next_sending();
    assert_eq!(place.store.release(sending.token).await.unwrap(), 0);
    let commits = [commit(&claim, Outcome::Complete, vec![])];
    let turn = place.store.turn(sending, &commits, &[want(&QUEUES, 9)]).await.unwrap();
    assert_eq!((turn.answers, turn.claims), (vec![Answer::Applied], vec![]));
    assert_eq!(place.state(id("b")).await, Some(State::Ready));
}

pub(crate) async fn c5_a_line_is_remembered_for_a_day(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    let (late, current) = (place.next_sending(), place.next_sending());
    let claims = exchange(&place, current).await;
    place.end(&claims[0], Outcome::Complete).await;
    place.clock.advance(secs(22 * 3600));
    place.insert(&[job("b")]).await;
    assert_eq!(exchange(&place, late).await, []);
    place.clock.advance(secs(3 * 3600));
    place.tick().await;
    assert_eq!(ids(&exchange(&place, late).await), [id("b")]);
}

pub(crate) async fn c6_wants_are_served_in_their_order(kind: Kind) {
    let place = Place::open(kind).await;
    let of =
        |queue: &str, n: usize| NewJob { queue: queue.to_owned(), ..job(&format!("{queue}{n}")) };
    place
        .insert(&[of("low", 0), of("default", 0), of("low", 1), of("outbox", 0), of("default", 1)])
        .await;
    let wants = [want(&["outbox"], 3), want(&["default", "low"], 3), want(&["default", "low"], 0)];
    let turn = place.store.turn(Sending::once(), &[], &wants).await.unwrap();
    assert_eq!(ids(&turn.claims), ["outbox0", "default0", "default1", "low0"].map(id));
    let turn = place
        .store
        .turn(Sending::once(), &[], &[want(&["nobody's", "low"], 9), want(&["low"], 9)])
        .await
        .unwrap();
    assert_eq!(ids(&turn.claims), [id("low1")], "a job is claimed once");
}
