//! Keys of a Redis that have another type than the bot's: they are set aside, and everybody else is served.

use std::sync::Arc;

use yamabiko_queue::{
    Due, Effect, ErrorKind, Mark, NewJob, Outcome, State,
    store::{self, Depth, Held, Query},
};

use crate::{
    ground::{Ground, Kind},
    place::{Place, START, commit, dead, id, in_lane, job, process, retry, secs},
    poison::work,
    rules::loans::lend,
};

/// All keys of a store that is full of everything, but for the schema's version.
const KEYS: [&str; 44] = [
    "job",
    "more",
    "history",
    "timers",
    "set_at",
    "claims",
    "lease",
    "holder",
    "state",
    "dead",
    "done",
    "remembered",
    "queues",
    "lanes",
    "paused",
    "beat",
    "process",
    "exchange",
    "lines",
    "alarm",
    "ready:default",
    "ready:events",
    "line:lane",
    "line:lent",
    "pass:lent",
    "place",
    "leavers",
    "front:default",
    "left:default",
    "entry",
    "orphan",
    "scrub",
    "search",
    "latest",
    "server",
    "body",
    "paused_at",
    "chat:chat",
    "wake:default",
    "wake:events",
    "revoked",
    "groups",
    "swept",
    "mending",
];

fn of_chat(job: NewJob) -> NewJob {
    NewJob { chat: Some("chat".to_owned()), origin: Some("origin".to_owned()), ..job }
}

/// Fills a store with jobs in every place.
async fn fill(place: &Place) {
    place.insert(&["dead", "completed", "again", "held"].map(|name| in_lane(name, name))).await;
    let claims = place.claim(4).await;
    let state = Effect::SetState(Some(b"state".to_vec()));
    place.end_with(&claims[0], dead(), vec![state]).await;
    place.end(&claims[1], Outcome::Complete).await;
    place.end(&claims[2], retry(secs(3), false)).await;
    place.end(&claims[3], retry(secs(3), true)).await;
    place.insert(&[in_lane("lender", "lent")]).await;
    place.end(&place.claim_one().await, lend(3)).await;
    place.insert(&[of_chat(in_lane("running", "lane")), job("running, too")]).await;
    let claims = place.claim(2).await;
    place.beat(&[&claims[0], &claims[1]]).await;
    place.insert(&[of_chat(in_lane("waiting", "lane")), job("ready")]).await;
    place.insert(&[of_chat(in_lane("first", "events")), in_lane("second", "events")]).await;
    place.insert(&[NewJob { due: Due::In(secs(3)), ..of_chat(in_lane("timer", "timer")) }]).await;
    let passer = |name: &str| NewJob {
        origin: Some(name.to_owned()),
        passes_until: Some(place.now() + secs(50)),
        ..in_lane(name, "lent")
    };
    place.insert(&["borrower", "passer"].map(passer)).await;
    place.store.pause("low", Some(secs(2))).await.unwrap();
}

/// Gives a key another type.
pub(super) fn break_key(place: &Place, name: &str, as_list: bool) {
    let key = format!("yamabiko:{{{}}}:{name}", place.options.name);
    let mut redis = place.ground.redis();
    redis::cmd("DEL").arg(&key).exec(&mut redis).unwrap();
    let command = if as_list { "RPUSH" } else { "SET" };
    redis::cmd(command).arg(&key).arg("1").exec(&mut redis).unwrap();
}

pub(super) async fn full(ground: &Arc<Ground>, name: &str) -> Place {
    let place = Place::on(Arc::clone(ground), yamabiko_queue::ManualClock::new(START), |options| {
        options.name = name.to_owned();
        options.keep_completed = secs(20);
        options.keep_dead = secs(20);
    });
    let place = place.await;
    fill(&place).await;
    place
}

/// Calls every step once.
async fn call_all(place: &Place, claims: &[store::Claim]) {
    let store = &place.store;
    place.tick().await;
    let runs: Vec<_> = claims.iter().map(|claim| (claim.job.id, claim.token)).collect();
    store.beat(&process("worker"), &runs, &[place.next_sending().token]).await.unwrap();
    store.release(place.next_sending().token).await.unwrap();
    for state in State::ALL.into_iter().filter(|state| *state != State::Cancelled) {
        store.list(&Query::new(state)).await.unwrap();
    }
    store.live("chat").await.unwrap();
    store.state("lane").await.unwrap();
    store.pause("outbox", Some(secs(1))).await.unwrap();
    store.resume("outbox").await.unwrap();
    for name in ["ready", "dead", "completed", "timer"] {
        store.get(id(name)).await.unwrap();
        store.retry(&[id(name)]).await.unwrap();
        store.cancel(&[id(name)]).await.unwrap();
        store.delete(&[id(name)]).await.unwrap();
    }
}

#[tokio::test]
async fn k2_a_key_of_another_type_fails_no_step_on_redis() {
    let ground = Ground::new(Kind::Redis);
    for (n, key) in KEYS.into_iter().enumerate() {
        let place = full(&ground, &format!("bot-{n}")).await;
        let is_string = ["place", "latest", "mending"].contains(&key);
        break_key(&place, key, is_string || n % 2 == 0 && !key.contains(':'));
        drop(place.other().await);
        call_all(&place, &[]).await;
        let behind = in_lane("behind", "lane of its own");
        let new = [of_chat(in_lane("new", "lane of its own")), job("new, too"), behind];
        place.insert(&new).await;
        let ran = work(&place).await;
        for name in ["new", "new, too", "behind"] {
            assert!(ran.contains(&id(name)), "{key}: {name} did not run");
        }
        call_all(&place, &[]).await;
        let damaged = place.store.counts().await.unwrap().damaged;
        // A marker is removed where there is nothing to be woken for, a note of the time is written anew, and what concerns few
        // jobs is not looked for.
        let is_unread =
            ["wake:", "front:", "left:", "entry", "search", "latest", "server", "body", "swept"]
                .iter()
                .any(|unread| key.starts_with(unread));
        assert!(damaged == 1 || is_unread && damaged == 0, "{key} is counted: {damaged}");
    }
}

#[tokio::test]
async fn a_key_of_another_type_keeps_its_value_under_another_name_and_the_doctor_names_it() {
    let place = full(&Ground::new(Kind::Redis), "test").await;
    break_key(&place, "line:lane", false);
    break_key(&place, "paused", false);
    work(&place).await;
    // What has the names of such keys may be one of them.
    break_key(&place, "damaged", false);
    break_key(&place, "remembered", true);
    work(&place).await;
    let value: String = redis::cmd("GET")
        .arg("yamabiko:{test}:damaged:1:paused")
        .query(&mut place.ground.redis())
        .unwrap();
    assert_eq!(value, "1");
    let url = place.ground.url().unwrap();
    let found = store::inspect(&url, &place.options, Depth::Thorough).await;
    let finding = found.findings.iter().find(|one| one.topic == "damaged records").unwrap();
    assert_eq!(finding.mark, Mark::Problem);
    for name in ["damaged:1:damaged", "damaged:2:remembered"] {
        assert!(finding.text.contains(name), "{}", finding.text);
    }
}

#[tokio::test]
async fn a_schema_that_is_no_version_is_damage_of_the_whole_redis() {
    let place = full(&Ground::new(Kind::Redis), "test").await;
    break_key(&place, "schema", true);
    let refused = place.store.tick().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged, "{refused:?}");
    assert!(!refused.may_be_done());
}

#[tokio::test]
async fn a_lane_held_by_what_is_no_job_goes_on_on_redis() {
    for holder in [&b"nobody"[..], id("nobody").as_bytes()] {
        let place = Place::open(Kind::Redis).await;
        let key = |name: &str| format!("yamabiko:{{test}}:{name}");
        let mut redis = place.ground.redis();
        redis::cmd("HSET").arg(key("holder")).arg("lane").arg(holder).exec(&mut redis).unwrap();
        place.insert(&[in_lane("first", "lane"), in_lane("second", "lane")]).await;
        assert_eq!(place.claim_one().await.job.id, id("first"), "one at a time (L2)");
        let junk = redis::cmd("ZADD").arg(key("line:lane")).arg(&["0", "junk", "0", ""]).to_owned();
        junk.exec(&mut redis).unwrap();
        assert_eq!(work(&place).await, [id("first"), id("second")]);
    }
}

#[tokio::test]
async fn c2_a_run_whose_lease_was_lost_with_its_key_is_still_held_on_redis() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[in_lane("held", "lane")]).await;
    let claim = place.claim_one().await;
    break_key(&place, "lease", false);
    assert_eq!(place.beat(&[&claim]).await, [Held::Yes]);
    assert_eq!(place.end(&claim, Outcome::Complete).await, store::Answer::Applied);
}

/// Forbids the bot's user a command, which fails a step in the middle of it.
fn forbid(place: &Place, command: &str) {
    let set = format!("-{command}");
    redis::cmd("ACL").arg(&["SETUSER", "default", &set]).exec(&mut place.ground.redis()).unwrap();
}

#[tokio::test]
async fn c5_a_failure_says_whether_it_came_before_the_first_write_on_redis() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    let release = commit(&claim, Outcome::Release { unsure: false }, vec![]);
    forbid(&place, "lpush");
    let turn = place.store.turn(place.next_sending(), &[release], &[]).await.unwrap_err();
    assert!(turn.may_be_done(), "the claim has ended, and its job stands nowhere: {turn:?}");
    forbid(&place, "hget");
    let turn = place.store.turn(place.next_sending(), &[], &[]).await.unwrap_err();
    assert!(!turn.may_be_done(), "nothing was written: {turn:?}");
    assert_eq!(turn.kind(), ErrorKind::Denied, "a code of the server's says what is wrong");
}
