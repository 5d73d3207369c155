//! K3, R4: however much there is and whatever is asked, each step does a bounded part, and nothing is missing in the end.

use std::collections::BTreeSet;

use yamabiko_queue::{
    Due, Effect, Error, JobId, NewJob, Outcome, State,
    job::{MAX_DELAY, MAX_PAYLOAD_BYTES},
    store::{Cancelled, Claim, Commit, Inserted, MAX_CLAIMS, MAX_COMMITS, Query},
};

use crate::place::{Kind, Place, commit, dead, id, ids, in_lane, job, micros, secs, want};

/// More than any store does in one call.
const MANY: usize = 1500;

fn many(make: impl Fn(usize) -> NewJob) -> (Vec<NewJob>, Vec<JobId>) {
    let jobs: Vec<_> = (0..MANY).map(make).collect();
    let ids = jobs.iter().map(|job| job.id).collect();
    (jobs, ids)
}

fn of_size(name: &str, size: usize) -> NewJob {
    let letter = name.bytes().last().expect("a name has letters");
    NewJob { payload: vec![letter; size], ..job(name) }
}

/// Ends runs, as many in a turn as one may carry.
async fn end_all(place: &Place, claims: &[Claim], outcome: &Outcome) {
    for some in claims.chunks(MAX_COMMITS) {
        let commits: Vec<_> =
            some.iter().map(|claim| commit(claim, outcome.clone(), vec![])).collect();
        place.turn(&commits, 0).await;
    }
}

pub(crate) async fn k3_a_turn_claims_at_most_256_jobs_in_the_order_of_its_wants(kind: Kind) {
    let place = Place::open(kind).await;
    let (jobs, all) = many(|n| job(&n.to_string()));
    place.insert(&jobs).await;
    place.insert(&[in_lane("event", "chat")]).await;
    let wants = [want(&["default"], 200), want(&["outbox", "default"], 1000), want(&["events"], 1)];
    let turn = place.store.turn(place.next_sending(), &[], &wants).await.unwrap();
    assert_eq!(ids(&turn.claims), all[..MAX_CLAIMS]);
    let wants = [want(&["events"], 300), want(&["default"], 300)];
    let turn = place.store.turn(place.next_sending(), &[], &wants).await.unwrap();
    let expected = [&[id("event")], &all[MAX_CLAIMS..2 * MAX_CLAIMS - 1]].concat();
    assert_eq!(ids(&turn.claims), expected);
}

pub(crate) async fn k3_a_payload_of_any_size_comes_back_as_it_was(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(9)).await;
    let sizes = [0, 2047, 2048, 2049, 20_000, MAX_PAYLOAD_BYTES];
    let jobs: Vec<_> = sizes.iter().map(|size| of_size(&format!("{size}"), *size)).collect();
    let timers = jobs.iter().map(|job| NewJob { due: Due::In(secs(1)), ..job.clone() });
    place.insert(&timers.collect::<Vec<_>>()).await;
    let is_as_stored = async || {
        for job in &jobs {
            let found = place.record(job.id).await.job.payload;
            assert!(found == job.payload, "{} bytes of {}", found.len(), job.payload.len());
        }
    };
    is_as_stored().await;
    place.pass(secs(1)).await;
    let claims = place.claim(9).await;
    for claim in &claims {
        let stored = jobs.iter().find(|job| job.id == claim.job.id).unwrap();
        assert!(claim.job.payload == stored.payload, "{}", stored.payload.len());
        place.end(claim, dead()).await;
    }
    is_as_stored().await;
    for job in &jobs {
        assert!(place.retry(job.id).await);
    }
    let claims = place.claim(9).await;
    // Each takes the size of the one before.
    let mut last = MAX_PAYLOAD_BYTES;
    for claim in &claims {
        for (number, size) in [last, 10, claim.job.payload.len()].into_iter().enumerate() {
            let point = Outcome::Checkpoint { payload: vec![b'x'; size] };
            let checkpoints = u32::try_from(number).unwrap();
            place.turn(&[Commit { checkpoints, ..commit(claim, point, vec![]) }], 0).await;
            assert!(place.record(claim.job.id).await.job.payload == vec![b'x'; size], "{size}");
        }
        last = claim.job.payload.len();
        place.end(claim, Outcome::Complete).await;
    }
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

pub(crate) async fn k3_large_jobs_are_claimed_in_their_order(kind: Kind) {
    let place = Place::open(kind).await;
    let mut all = Vec::new();
    for n in 0..60 {
        let size = if n % 3 == 0 { 10 } else { MAX_PAYLOAD_BYTES };
        let new = of_size(&n.to_string(), size);
        all.push(new.id);
        place.insert(&[new]).await;
    }
    let mut claimed = Vec::new();
    while claimed.len() < all.len() {
        let wants = [want(&["default"], 50), want(&["events"], 1)];
        let turn = place.store.turn(place.next_sending(), &[], &wants).await.unwrap();
        assert!(!turn.claims.is_empty());
        let left =
            place.store.counts().await.unwrap().queues.get("default").map_or(0, |it| it.ready);
        claimed.extend(ids(&turn.claims));
        assert_eq!(usize::try_from(left).unwrap(), all.len() - claimed.len());
    }
    assert_eq!(claimed, all);
}

pub(crate) async fn i4_scrubbing_reaches_all_however_many_are_kept(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    let of_chat = |n: usize| NewJob {
        chat: Some("chat".to_owned()),
        origin: Some(if n.is_multiple_of(2) { "message" } else { "another" }.to_owned()),
        ..of_size(&format!("{n}"), if n.is_multiple_of(100) { 5000 } else { 10 })
    };
    let (jobs, all) = many(of_chat);
    place.insert(&jobs).await;
    let claims = place.claim(MANY).await;
    for (n, some) in claims.chunks(100).enumerate() {
        place.clock.advance(micros(1));
        let outcome = if n.is_multiple_of(2) { Outcome::Complete } else { dead() };
        end_all(&place, some, &outcome).await;
    }
    place.insert(&[NewJob { chat: Some("chat".to_owned()), ..job("unsend") }]).await;
    let run = place.claim_one().await;
    let scrub = Effect::Scrub { origin: "message".to_owned() };
    place.end_with(&run, Outcome::Complete, vec![scrub.clone(), scrub]).await;
    place.clock.advance(micros(1));
    place.insert(&[NewJob { id: id("later"), ..of_chat(0) }]).await;
    place.end(&place.claim_one().await, Outcome::Complete).await;
    // The places of some change while the rest is still to be scrubbed.
    place.store.delete(&all[1000..1010]).await.unwrap();
    for _ in 0..20 {
        place.tick().await;
    }
    for (n, id) in all.iter().enumerate().filter(|(n, _)| !(1000..1010).contains(n)) {
        let scrubbed = place.record(*id).await.job.payload == b"null";
        assert_eq!(scrubbed, n.is_multiple_of(2), "{n}");
    }
    assert_ne!(place.record(id("later")).await.job.payload, b"null", "it ended later");
    place.pass(secs(5000)).await;
    place.store.delete(&all).await.unwrap();
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

pub(crate) async fn s3_live_jobs_are_found_however_many(kind: Kind) {
    let place = Place::open(kind).await;
    let (jobs, all) = many(|n| NewJob {
        chat: Some("chat".to_owned()),
        due: Due::In(secs(10 + n as u64)),
        ..of_size(&n.to_string(), if n < 20 { MAX_PAYLOAD_BYTES } else { 10 })
    });
    place.insert(&jobs).await;
    let live = place.store.live("chat").await.unwrap();
    assert_eq!(live.iter().map(|record| record.job.id).collect::<Vec<_>>(), all);
    assert!(live.iter().zip(&jobs).all(|(record, job)| record.job.payload == job.payload));
}

pub(crate) async fn s3_10_000_live_jobs_of_a_chat_are_found(kind: Kind) {
    let place = Place::open(kind).await;
    let of_chat = |n: usize| NewJob {
        chat: Some("chat".to_owned()),
        due: Due::In(secs(10)),
        ..job(&n.to_string())
    };
    place.insert(&(0..10_001).map(of_chat).collect::<Vec<_>>()).await;
    let live = place.store.live("chat").await.unwrap();
    let found: BTreeSet<_> = live.iter().map(|record| record.job.id).collect();
    assert_eq!((live.len(), found.len()), (10_000, 10_000));
}

pub(crate) async fn people_may_ask_for_any_number_of_jobs_at_once(kind: Kind) {
    let place = Place::open(kind).await;
    let (jobs, all) = many(|n| NewJob { due: Due::In(secs(10)), ..job(&n.to_string()) });
    assert_eq!(place.insert(&jobs).await, [Inserted::Stored; MANY]);
    let mut cancelled = place.store.cancel(&[&all[..700], &all[650..]].concat()).await.unwrap();
    assert_eq!(cancelled.drain(700..750).collect::<Vec<_>>(), [Cancelled::Unknown; 50]);
    assert_eq!(cancelled, [Cancelled::Gone; MANY]);
    let jobs: Vec<_> = jobs.into_iter().map(|new| NewJob { id: JobId::new(), ..new }).collect();
    let all: Vec<_> = jobs.iter().map(|job| job.id).collect();
    place.insert(&jobs).await;
    assert_eq!(place.store.retry(&all).await.unwrap(), [true; MANY]);
    assert_eq!(place.store.retry(&all).await.unwrap(), [false; MANY]);
    let claims = place.claim(MANY).await;
    assert_eq!(ids(&claims), all);
    end_all(&place, &claims, &dead()).await;
    assert_eq!(place.store.delete(&all).await.unwrap(), [true; MANY]);
    assert_eq!(place.line(State::Dead).await, []);
}

pub(crate) async fn t1_a_due_time_too_far_away_is_refused_with_all_before_it(kind: Kind) {
    let place = Place::open(kind).await;
    let (mut jobs, _) = many(|n| job(&n.to_string()));
    jobs[MANY - 1].due = Due::At(place.now() + MAX_DELAY + micros(1));
    let refused = place.store.insert(&jobs).await;
    assert!(matches!(refused, Err(Error::TooFar(_))), "{refused:?}");
    assert_eq!(place.line(State::Ready).await, []);
}

pub(crate) async fn q4_a_list_shows_large_jobs_page_by_page(kind: Kind) {
    let place = Place::open(kind).await;
    let mut all = Vec::new();
    for n in 0..30 {
        let new = of_size(&n.to_string(), MAX_PAYLOAD_BYTES);
        all.push(new.id);
        place.insert(&[new]).await;
    }
    let page = place.store.list(&Query::new(State::Ready)).await.unwrap();
    assert_eq!(page.records.iter().map(|record| record.job.id).collect::<Vec<_>>(), all);
    assert!(page.records.iter().all(|record| record.job.payload.len() == MAX_PAYLOAD_BYTES));
    assert_eq!(page.next, None);
}
