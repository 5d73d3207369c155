//! Jobs whose places were lost with a key of a Redis that was set aside.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use yamabiko_queue::{Effect, JobId, NewJob, Outcome, State, store::Group};

use super::keys::{break_key, full};
use crate::{
    ground::{Ground, Kind},
    place::{Place, id, in_lane, job, secs},
    poison::work,
    redis_server::RedisServer,
};

/// How long what is done beside everything else may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// All jobs that are to run.
const LIVE: [&str; 12] = [
    "again",
    "held",
    "running",
    "running, too",
    "waiting",
    "ready",
    "first",
    "second",
    "timer",
    "lender",
    "borrower",
    "passer",
];

/// Works until a condition holds.
async fn work_until(
    place: &Place,
    ran: &mut BTreeMap<JobId, u32>,
    holds: impl AsyncFn(&BTreeMap<JobId, u32>) -> bool,
) -> bool {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        for id in work(place).await {
            *ran.entry(id).or_default() += 1;
        }
        if holds(ran).await {
            return true;
        }
        // What is done beside everything else tells nobody; this only sets how often we look.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test]
async fn r4_jobs_that_lost_their_place_with_a_key_get_another_on_redis() {
    let ground = Ground::new(Kind::Redis);
    let keys = [
        "timers",
        "lease",
        "claims",
        "holder",
        "lanes",
        "queues",
        "line:lane",
        "line:lent",
        "pass:lent",
    ];
    for (n, key) in keys.into_iter().chain(["ready:default", "ready:events"]).enumerate() {
        let place = full(&ground, &format!("bot-{n}")).await;
        break_key(&place, key, false);
        let mut ran = BTreeMap::new();
        let all =
            async |ran: &BTreeMap<JobId, u32>| LIVE.iter().all(|name| ran.contains_key(&id(name)));
        let done = work_until(&place, &mut ran, all).await;
        let missing: Vec<_> = LIVE.iter().filter(|name| !ran.contains_key(&id(name))).collect();
        assert!(done, "{key}: {missing:?} did not run");
        assert!(ran.values().all(|runs| *runs == 1), "{key}: each ran once: {ran:?}");
        assert!(!ran.contains_key(&id("dead")) && !ran.contains_key(&id("completed")), "{key}");
        // Every lane is free again.
        let next = LIVE.map(|name| in_lane(&format!("behind {name}"), name));
        place
            .insert(
                &[
                    next.as_slice(),
                    &["lane", "lent"].map(|lane| in_lane(&format!("last of {lane}"), lane)),
                ]
                .concat(),
            )
            .await;
        assert_eq!(work(&place).await.len(), LIVE.len() + 2, "{key}");
        place.pass(secs(30)).await;
        place.forget().await;
        let left = async |_: &BTreeMap<JobId, u32>| {
            place.leftovers().iter().all(|name| name.starts_with("damaged"))
        };
        let only_damaged = work_until(&place, &mut ran, left).await;
        assert!(only_damaged, "{key}: {:?}", place.leftovers());
    }
}

#[tokio::test]
async fn a_timer_whose_place_was_lost_rings_at_its_time_on_redis() {
    let place = full(&Ground::new(Kind::Redis), "test").await;
    break_key(&place, "timers", false);
    place.tick().await;
    let since = Instant::now();
    while place.record(id("timer")).await.state != State::Scheduled {
        assert!(since.elapsed() < PATIENCE);
        // As above.
        tokio::time::sleep(Duration::from_millis(5)).await;
        place.tick().await;
    }
    let due = place.record(id("timer")).await.job.due;
    assert_eq!(place.store.counts().await.unwrap().next_due, due);
}

#[tokio::test]
async fn what_may_be_over_is_dead_and_does_not_run_again_on_redis() {
    let place = full(&Ground::new(Kind::Redis), "test").await;
    // Nothing but its place says that it is over.
    place.insert(&[NewJob { remember: Duration::ZERO, ..job("forgotten") }]).await;
    let claims = place.claim(9).await;
    let forgotten = claims.iter().find(|claim| claim.job.id == id("forgotten")).unwrap();
    place.end(forgotten, Outcome::Complete).await;
    break_key(&place, "dead", false);
    break_key(&place, "done", true);
    let mut ran = BTreeMap::new();
    let over = ["dead", "completed", "forgotten"];
    let all = async |ran: &BTreeMap<JobId, u32>| {
        let mut states = Vec::new();
        for name in over {
            states.push(place.state(id(name)).await);
        }
        states == [Some(State::Dead); 3] || ran.contains_key(&id("forgotten"))
    };
    assert!(work_until(&place, &mut ran, all).await);
    for name in over {
        assert!(!ran.contains_key(&id(name)), "{name} ran");
        let why = &place.record(id(name)).await.history.last().unwrap().error.clone();
        assert!(why.contains("may have been over"), "{why}");
        assert!(place.retry(id(name)).await, "an operator may run it");
    }
}

#[tokio::test]
async fn r4_a_search_for_lost_places_that_died_with_its_process_is_begun_again_on_redis() {
    let place = full(&Ground::new(Kind::Redis), "test").await;
    let mut redis = place.ground.redis();
    let key = |name: &str| format!("yamabiko:{{test}}:{name}");
    // As a process leaves it that was killed right after it had begun to search.
    let mut rename = redis::cmd("RENAME");
    rename.arg(key("ready:default")).arg(key("damaged:1:ready:default"));
    rename.exec(&mut redis).unwrap();
    let mut note = redis::cmd("ZADD");
    note.arg(key("damaged")).arg(&["0", "damaged:1:ready:default"]);
    note.exec(&mut redis).unwrap();
    redis::cmd("SET").arg(key("mending")).arg(place.now().as_micros()).exec(&mut redis).unwrap();
    // What is remembered has ended, wherever it was.
    let mut lose = redis::cmd("ZREM");
    lose.arg(key("done")).arg(id("completed").as_bytes()).exec(&mut redis).unwrap();
    place.pass(secs(10)).await;
    let mut ran = BTreeMap::new();
    let both_placed = async |ran: &BTreeMap<JobId, u32>| {
        let is_dead = place.state(id("completed")).await == Some(State::Dead);
        ran.contains_key(&id("ready")) && (is_dead || ran.contains_key(&id("completed")))
    };
    assert!(work_until(&place, &mut ran, both_placed).await);
    assert!(!ran.contains_key(&id("completed")), "it ran again");
}

#[tokio::test]
async fn r4_the_search_for_lost_places_goes_on_after_an_outage_on_redis() {
    let mut server = RedisServer::start_durable();
    let ground = Arc::new(Ground::Elsewhere(server.url()));
    let place = full(&ground, "bot").await;
    break_key(&place, "ready:default", false);
    // The claim sets the key aside, and the tick begins the search, which meets the outage.
    place.claim(9).await;
    place.tick().await;
    server.kill();
    assert!(place.store.counts().await.is_err());
    server.restart();
    let mut ran = BTreeMap::new();
    let ready = async |ran: &BTreeMap<JobId, u32>| ran.contains_key(&id("ready"));
    assert!(work_until(&place, &mut ran, ready).await);
}

/// Takes something of a job away, behind the store's back.
fn take_away(place: &Place, command: &str, key: &str, name: &str) {
    let key = format!("yamabiko:{{{}}}:{key}", place.options.name);
    let mut redis = place.ground.redis();
    redis::cmd(command).arg(key).arg(id(name).as_bytes()).exec(&mut redis).unwrap();
}

#[tokio::test]
async fn r4_a_lease_without_a_claim_or_a_job_makes_no_dead_job_on_redis() {
    let place = Place::open(Kind::Redis).await;
    place.tick().await;
    place.insert(&[job("gone"), job("there")]).await;
    assert_eq!(place.claim(2).await.len(), 2);
    for (key, name) in [("claims", "gone"), ("job", "gone"), ("claims", "there")] {
        take_away(&place, "HDEL", key, name);
    }
    place.pass(secs(5)).await;
    let again = place.claim(9).await;
    assert_eq!(again.iter().map(|claim| claim.job.id).collect::<Vec<_>>(), [id("there")]);
    place.end(&again[0], Outcome::Complete).await;
    assert_eq!(place.line(State::Dead).await, []);
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn r4_what_a_lost_record_left_in_its_chat_goes_with_the_chats_jobs_on_redis() {
    let place = Place::open(Kind::Redis).await;
    let of_chat = |name: &str| NewJob { chat: Some("chat".to_owned()), ..job(name) };
    place.insert(&[of_chat("gone"), of_chat("run"), of_chat("cancelled")]).await;
    for claim in place.claim(2).await {
        let all = Effect::CancelAll { group: Group::AllBut("none".to_owned()), origin_by: None };
        if claim.job.id == id("gone") {
            place.end(&claim, Outcome::Complete).await;
            let key = format!("yamabiko:{{{}}}:chat:chat", place.options.name);
            let mut redis = place.ground.redis();
            redis::cmd("ZADD").arg(key).arg(0).arg(id("gone").as_bytes()).exec(&mut redis).unwrap();
        } else {
            place.end_with(&claim, Outcome::Complete, vec![all]).await;
        }
    }
    place.tick().await;
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
