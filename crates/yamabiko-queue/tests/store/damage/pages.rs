//! Damaged pages that hold more than one record.

use std::fs;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use yamabiko_queue::{
    Due, Effect, ErrorKind, JobId, NewJob, Outcome, State, StoreOptions,
    store::{self, Answer, Claim, Inserted, Query},
};

use super::{Closed, GARBAGE, PAGE, large, open, set_aside};
use crate::{
    ground::Kind,
    place::{Place, QUEUES, commit, dead, id, in_lane, job, secs, want},
};

/// Claims all there is, in portions, and ends it; returns what ran.
async fn work_off(place: &Place, outcome: impl Fn() -> Outcome) -> Vec<JobId> {
    let mut ran = Vec::new();
    loop {
        let claims = place.claim(32).await;
        if claims.is_empty() {
            return ran;
        }
        ran.extend(claims.iter().map(|claim| claim.job.id));
        let commits: Vec<_> = claims.iter().map(|claim| commit(claim, outcome(), vec![])).collect();
        place.turn(&commits, 0).await;
    }
}

/// Returns how many records are set aside, and how many of them have ended all the same.
fn lost_and_over(place: &Place) -> (usize, usize) {
    let count = |which: &str| -> u32 {
        let sql = format!("SELECT count(*) FROM damaged WHERE {which}");
        place.ground.sqlite().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    (count("NOT over") as usize, count("over") as usize)
}

#[tokio::test]
async fn what_is_on_and_beside_a_damaged_page_is_set_aside_on_sqlite() {
    let place = open().await;
    let jobs = |from: usize, count: usize| {
        let job = |n: usize| in_lane(&format!("{n}"), &format!("lane {}", n % 300));
        (from..from + count).map(job).collect::<Vec<_>>()
    };
    place.insert(&jobs(0, 1_000)).await;
    let closed = Closed::new(place);
    let leaves = closed.pages("job", "leaf");
    assert!(leaves.len() > 20);
    closed.overwrite(leaves[leaves.len() / 2], &GARBAGE);
    let place = closed.open().await;
    place.insert(&jobs(1_000, 100)).await;
    let mut ran = work_off(&place, || Outcome::Complete).await;
    let (lost, _) = lost_and_over(&place);
    assert!((8..150).contains(&lost), "{lost}");
    let count = ran.len();
    ran.sort();
    ran.dedup();
    assert_eq!((ran.len(), count + lost), (count, 1_100), "each ran once, or is set aside");
    place.forget().await;
    let states = place.store.counts().await.unwrap().states;
    assert!(states.values().all(|count| *count == 0), "{states:?}");
    assert_eq!(place.insert(&[in_lane("new", "lane 1")]).await, [Inserted::Stored]);
    assert_eq!(place.claim_one().await.job.id, id("new"));
}

#[tokio::test]
async fn what_ends_beside_a_damaged_page_never_comes_back_on_sqlite() {
    let place = Place::open(Kind::Sqlite).await;
    let jobs: Vec<_> = (0..600).map(|n| job(&format!("{n}"))).collect();
    place.insert(&jobs).await;
    let claims = place.claim(600).await;
    let closed = Closed::new(place);
    let leaves = closed.pages("job", "leaf");
    closed.overwrite(leaves[leaves.len() / 2], &GARBAGE);
    let place = closed.open_keeping_nothing().await;
    let mut ended = Vec::new();
    for claims in claims.chunks(100) {
        let effect = |claim: &Claim| {
            let name = format!("effect of {}", claim.job.id);
            vec![Effect::Insert(NewJob { queue: "low".to_owned(), ..job(&name) })]
        };
        let commits: Vec<_> =
            claims.iter().map(|claim| commit(claim, Outcome::Complete, effect(claim))).collect();
        let answers = place.turn(&commits, 0).await.answers;
        let applied = answers.iter().zip(claims).filter(|(answer, _)| **answer == Answer::Applied);
        ended.extend(applied.map(|(_, claim)| claim.job.id));
    }
    let (lost, over) = lost_and_over(&place);
    assert!(over > 0, "some could not be removed");
    assert_eq!(ended.len() + lost, 600, "what they asked for happened, or they are set aside");

    let place = Closed::new(place).open_keeping_nothing().await;
    place.pass(secs(20)).await;
    let ran = work_off(&place, dead).await;
    assert!(ended.iter().all(|id| !ran.contains(id)), "none runs again");
    let effects = ended.iter().filter(|ended| ran.contains(&id(&format!("effect of {ended}"))));
    assert_eq!(effects.count(), ended.len());
}

#[tokio::test]
async fn a_damaged_index_is_named_and_costs_no_job_on_sqlite() {
    let place = open().await;
    let jobs: Vec<_> = (0..300).map(|n| job(&format!("{n}"))).collect();
    place.insert(&jobs).await;
    let closed = Closed::new(place);
    let leaf = closed.pages("job_ready", "leaf")[0];
    let whole = closed.page(leaf);
    closed.overwrite(leaf, &GARBAGE);
    let place = closed.open().await;
    assert!(place.store.insert(&[]).await.is_ok(), "nobody knows yet");
    let refused =
        place.store.turn(place.next_sending(), &[], &[want(&QUEUES, 9)]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged, "{refused:?}");
    let asked = place.store.insert(&[]).await.unwrap_err();
    assert_eq!(asked.kind(), ErrorKind::Damaged, "so `/ready` says it: {asked:?}");
    assert_eq!(set_aside(&place), (vec![], vec![]), "no job is to blame");

    let closed = Closed::new(place);
    closed.overwrite(leaf, &whole);
    let place = closed.open().await;
    assert_eq!(place.claim(500).await.len(), 300);
}

/// Whatever is on a page, every step ends, well or by saying that the file is damaged, and what ran has run once.
#[test]
fn no_page_of_an_sqlite_file_stops_a_process_or_lets_a_job_run_twice() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let kind = prop_oneof![Just(0_u8), Just(0xff), any::<u8>()];
    let result = TestRunner::new_with_rng(config, rng).run(
        &(any::<prop::sample::Index>(), kind, 0..PAGE, any::<bool>()),
        |(page, byte, from, is_whole)| {
            runtime.block_on(async {
                let place = open().await;
                let jobs: Vec<_> = (0..60)
                    .map(|n| in_lane(&format!("{n}"), &format!("lane {}", n % 20)))
                    .collect();
                place.insert(&jobs).await;
                place
                    .insert(&[large(job("large")), NewJob { due: Due::In(secs(1)), ..job("t") }])
                    .await;
                let closed = Closed::new(place);
                let pages = fs::read(&closed.path).unwrap().len() / PAGE;
                // The first page has what says that this is a database at all.
                let number = 2 + u32::try_from(page.index(pages - 1)).unwrap();
                let mut bytes = closed.page(number);
                bytes[if is_whole { 0 } else { from }..].fill(byte);
                closed.overwrite(number, &bytes);
                let opened =
                    store::open(&closed.ground.url().unwrap(), StoreOptions::new("test")).await;
                let store = match opened {
                    Ok(store) => store,
                    Err(error) => {
                        prop_assert_eq!(error.kind(), ErrorKind::Damaged, "{:?}", error);
                        return Ok(());
                    }
                };
                let mut ran = Vec::new();
                let mut line = store::Line::start();
                for _ in 0..30 {
                    let sending = store::Sending { token: line.next_token(), again: false };
                    let turn = store.turn(sending, &[], &[want(&QUEUES, 9)]).await;
                    let claims = match turn {
                        Ok(turn) => turn.claims,
                        Err(error) => {
                            prop_assert!(
                                !matches!(error.kind(), ErrorKind::NewerSchema),
                                "{:?}",
                                error
                            );
                            continue;
                        }
                    };
                    let commits: Vec<_> = claims
                        .iter()
                        .map(|claim| commit(claim, Outcome::Complete, vec![]))
                        .collect();
                    ran.extend(claims.iter().map(|claim| claim.job.id));
                    let sending = store::Sending { token: line.next_token(), again: false };
                    drop(store.turn(sending, &commits, &[]).await);
                }
                let count = ran.len();
                ran.sort();
                ran.dedup();
                prop_assert_eq!(ran.len(), count, "a lease holds");
                drop(store.counts().await);
                drop(store.live("chat").await);
                drop(store.list(&Query::new(State::Ready)).await);
                Ok(())
            })
        },
    );
    result.unwrap();
}
