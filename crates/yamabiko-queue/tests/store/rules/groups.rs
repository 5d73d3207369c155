//! I4: all jobs of a group end with the commit that cancels it, however many they are.

use yamabiko_queue::{
    Due, Effect, JobId, NewJob, Outcome, State, Timestamp,
    store::{Answer, Group, Held, Inserted},
};

use crate::place::{Kind, Place, id, ids, in_lane, job, millis, retry, secs, want};

fn of_chat(name: &str) -> NewJob {
    NewJob { chat: Some("chat".to_owned()), ..job(name) }
}

fn of_kind(name: &str, kind: &str) -> NewJob {
    NewJob { kind: kind.to_owned(), ..of_chat(name) }
}

fn timer(name: &str) -> NewJob {
    NewJob { due: Due::In(secs(10)), ..of_chat(name) }
}

fn everything() -> Effect {
    Effect::CancelAll { group: Group::AllBut("event".to_owned()), origin_by: None }
}

fn kind(kind: &str) -> Effect {
    Effect::CancelAll { group: Group::Kind(kind.to_owned()), origin_by: None }
}

/// Runs a job of the chat that ends with these effects.
async fn run_with(place: &Place, effects: Vec<Effect>) {
    let runner = NewJob { id: JobId::new(), queue: "low".to_owned(), ..of_kind("runner", "event") };
    place.insert(&[runner]).await;
    let wants = [want(&["low"], 1)];
    let turn = place.store.turn(place.next_sending(), &[], &wants).await.unwrap();
    place.end_with(&turn.claims[0], Outcome::Complete, effects).await;
}

async fn live(place: &Place) -> usize {
    place.store.live("chat").await.unwrap().len()
}

pub(crate) async fn i4_all_jobs_of_a_chat_end_with_one_commit_however_many(kind: Kind) {
    let place = Place::open(kind).await;
    let lane =
        |n: usize| NewJob { chat: Some("chat".to_owned()), ..in_lane(&format!("l{n}"), "lane") };
    let running: Vec<_> = (0..2).map(|n| of_chat(&format!("r{n}"))).collect();
    place.insert(&running).await;
    let runs = place.claim(2).await;
    for part in 0..5 {
        let of_part = part * 100..(part + 1) * 100;
        place.insert(&of_part.clone().map(|n| timer(&format!("t{n}"))).collect::<Vec<_>>()).await;
        place.insert(&of_part.clone().map(lane).collect::<Vec<_>>()).await;
        place.insert(&of_part.map(|n| of_chat(&format!("d{n}"))).collect::<Vec<_>>()).await;
    }
    let other = NewJob { chat: Some("other".to_owned()), ..timer("other") };
    place.insert(&[other, job("of no chat")]).await;
    assert_eq!(live(&place).await, 1502);

    run_with(&place, vec![everything()]).await;
    assert_eq!(live(&place).await, 0, "none is shown");
    assert_eq!(place.beat(&[&runs[0], &runs[1]]).await, [Held::Cancelled; 2]);
    let effects = vec![Effect::Insert(job("effect"))];
    let ended = place.end_with(&runs[0], Outcome::Complete, effects).await;
    assert_eq!((ended, place.state(id("effect")).await), (Answer::Cancelled, None));
    let after = retry(secs(1), false);
    assert_eq!(place.end(&runs[1], after).await, Answer::Cancelled);
    // All are due and could be claimed, were they not cancelled.
    place.clock.advance(secs(10));
    let mut claimed = Vec::new();
    let mut promoted = 0;
    for _ in 0..40 {
        let turn = place.turn(&[], 200).await;
        promoted += turn.tick.promoted;
        claimed.extend(ids(&turn.claims));
        place.clock.advance(millis(60));
    }
    claimed.sort();
    let mut expected = [id("of no chat"), id("other")];
    expected.sort();
    assert_eq!((claimed, promoted), (expected.to_vec(), 1));
    for state in [State::Scheduled, State::Ready, State::Waiting] {
        assert_eq!(place.line(state).await, [], "{state:?}");
    }
}

pub(crate) async fn i4_ticks_take_out_a_cancelled_group_a_part_each(kind: Kind) {
    let place = Place::open(kind).await;
    let names: Vec<_> = (0..1500).map(|n| format!("{n}")).collect();
    for part in names.chunks(500) {
        place.insert(&part.iter().map(|name| timer(name)).collect::<Vec<_>>()).await;
    }
    run_with(&place, vec![everything()]).await;
    let mut left = vec![1500];
    while left[left.len() - 1] > 0 {
        let tick = place.tick().await;
        let states = place.store.counts().await.unwrap().states;
        left.push(states[&State::Scheduled]);
        assert!(tick.next == Some(tick.now) || states[&State::Scheduled] == 0, "{tick:?}");
        assert_eq!(live(&place).await, 0);
    }
    assert!(left.windows(2).all(|two| (1..=256).contains(&(two[0] - two[1]))), "{left:?}");
    place.forget().await;
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

pub(crate) async fn i4_a_cancelled_group_spares_what_is_stored_after_it(kind: Kind) {
    let place = Place::with(kind, |options| options.cancel_batch = 1).await;
    place.insert(&[timer("before"), timer("dead")]).await;
    place.retry(id("dead")).await;
    let dead = place.claim_one().await;
    place.end(&dead, Outcome::Dead { error: "no hope".to_owned() }).await;
    let effects = vec![
        Effect::Insert(timer("before in the run")),
        everything(),
        Effect::Insert(timer("after in the run")),
    ];
    run_with(&place, effects).await;
    place.insert(&[timer("after")]).await;
    assert!(place.retry(id("dead")).await, "it lives again");
    for _ in 0..9 {
        place.tick().await;
    }
    let stored = [
        ("before", false),
        ("before in the run", false),
        ("after in the run", true),
        ("after", true),
        ("dead", true),
    ];
    for (name, is_there) in stored {
        assert_eq!(place.state(id(name)).await.is_some(), is_there, "{name}");
    }
    assert_eq!(live(&place).await, 3);
    // It concerns all that there is by now, what the first one has spared too.
    run_with(&place, vec![everything()]).await;
    assert_eq!(live(&place).await, 0);
}

pub(crate) async fn i4_a_cancelled_group_spares_what_arrived_later_than_told(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[timer("early")]).await;
    let by = place.now();
    place.clock.advance(millis(1));
    place.insert(&[timer("late")]).await;
    let group = Group::AllBut("event".to_owned());
    run_with(&place, vec![Effect::CancelAll { group, origin_by: Some(by) }]).await;
    place.tick().await;
    assert_eq!(place.line(State::Scheduled).await, [id("late")]);
}

pub(crate) async fn i4_a_cancelled_group_goes_by_the_clock_of_what_started_the_jobs(kind: Kind) {
    let place = Place::open(kind).await;
    let at = |seconds: u64| Timestamp::from_millis(0) + secs(seconds);
    let started = |name: &str, time| NewJob { origin_time: Some(at(time)), ..timer(name) };
    // The store's clock is set back by more than lies between them.
    place.insert(&[started("before", 10), started("at the time", 20)]).await;
    place.clock.set(place.now() - secs(100));
    let parent = Some(id("before"));
    place.insert(&[NewJob { parent, ..started("after", 21) }, started("told late", 19)]).await;
    let group = Group::AllBut("event".to_owned());
    run_with(&place, vec![Effect::CancelAll { group, origin_by: Some(at(20)) }]).await;
    place.tick().await;
    assert_eq!(place.line(State::Scheduled).await, [id("after")]);
    assert_eq!(place.record(id("after")).await.job.origin_time, Some(at(21)));
}

pub(crate) async fn i4_a_cancelled_group_has_one_kind_or_origin_or_all_but_a_kind(
    kind_of_store: Kind,
) {
    let of_origin = |name: &str| NewJob { origin: Some("message".to_owned()), ..timer(name) };
    let ready = |name: &str| of_kind(name, "event");
    let later = |name: &str| NewJob { due: Due::In(secs(10)), ..ready(name) };
    for (effect, left) in [
        (kind("event"), &["origin", "timer"][..]),
        (kind("none"), &["later", "origin", "ready", "timer"][..]),
        (
            Effect::CancelAll { group: Group::Origin("message".to_owned()), origin_by: None },
            &["later", "ready", "timer"][..],
        ),
        (everything(), &["ready"][..]),
    ] {
        let place = Place::open(kind_of_store).await;
        place.insert(&[of_origin("origin"), timer("timer"), ready("ready"), later("later")]).await;
        run_with(&place, vec![effect.clone()]).await;
        let mut expected: Vec<_> = left.iter().map(|name| id(name)).collect();
        expected.sort();
        let found = async || {
            let live = place.store.live("chat").await.unwrap();
            let mut found: Vec<_> = live.iter().map(|record| record.job.id).collect();
            found.sort();
            found
        };
        assert_eq!(found().await, expected, "{effect:?}");
        place.tick().await;
        assert_eq!(found().await, expected, "{effect:?} after a tick");
    }
}

pub(crate) async fn i4_a_cancelled_group_hands_its_lanes_on(kind_of_store: Kind) {
    let place = Place::with(kind_of_store, |options| options.cancel_batch = 2).await;
    let of_lane = |name: &str| NewJob { chat: Some("chat".to_owned()), ..in_lane(name, "lane") };
    place.insert(&[of_lane("holds"), of_lane("waits"), in_lane("other", "lane")]).await;
    let holds = place.claim_one().await;
    place.end(&holds, retry(secs(10), true)).await;
    place.insert(&[of_kind("a", "b"), of_kind("c", "d")]).await;
    run_with(&place, vec![kind("kind")]).await;
    for _ in 0..3 {
        place.tick().await;
    }
    let mut found = ids(&place.claim(9).await);
    found.sort();
    let mut expected = ["other", "a", "c"].map(id);
    expected.sort();
    assert_eq!(found, expected);
}

pub(crate) async fn i4_a_lane_goes_on_behind_all_of_a_cancelled_group(kind_of_store: Kind) {
    let place = Place::open(kind_of_store).await;
    let of_group = |name: &str| NewJob { chat: Some("chat".to_owned()), ..in_lane(name, "lane") };
    place.insert(&[of_group("holds"), of_group("waits"), of_group("waits, too")]).await;
    place.insert(&[in_lane("other", "lane"), in_lane("last", "lane")]).await;
    run_with(&place, vec![kind("kind")]).await;
    place.tick().await;
    assert_eq!(place.claim_one().await.job.id, id("other"));
}

pub(crate) async fn i4_several_groups_of_a_chat_end_one_after_the_other(kind_of_store: Kind) {
    let place = Place::with(kind_of_store, |options| options.cancel_batch = 1).await;
    let many = |round: usize| {
        (0..30).map(move |n| NewJob {
            due: Due::In(secs(10)),
            ..of_kind(&format!("{round} {n}"), ["a", "b", "c"][n % 3])
        })
    };
    place.insert(&many(0).collect::<Vec<_>>()).await;
    run_with(&place, vec![kind("a"), kind("b"), kind("a")]).await;
    place.insert(&many(1).collect::<Vec<_>>()).await;
    run_with(&place, vec![kind("b")]).await;
    assert_eq!(live(&place).await, 10 + 20);
    for _ in 0..200 {
        place.tick().await;
    }
    let left = place.store.live("chat").await.unwrap();
    assert_eq!(left.len(), 30);
    assert!(left.iter().all(|record| record.job.kind != "b"));
    assert_eq!(place.line(State::Scheduled).await.len(), 30);
    run_with(&place, vec![everything()]).await;
    for _ in 0..60 {
        place.tick().await;
    }
    assert_eq!(place.line(State::Scheduled).await, []);
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

pub(crate) async fn k5_the_ids_of_a_cancelled_group_are_remembered(kind: Kind) {
    let place = Place::open(kind).await;
    let remembered = [NewJob { remember: secs(100), ..timer("remembered") }];
    place.insert(&remembered).await;
    run_with(&place, vec![everything()]).await;
    assert_eq!(place.insert(&remembered).await, [Inserted::Duplicate]);
    place.tick().await;
    assert_eq!(place.insert(&remembered).await, [Inserted::Duplicate]);
    place.pass(secs(126)).await;
    assert_eq!(place.insert(&remembered).await, [Inserted::Stored]);
}
