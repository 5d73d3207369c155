//! Q3: a store that an older version wrote is opened and worked off; one that a newer version wrote is refused.

use std::{collections::BTreeMap, sync::Arc};

use yamabiko_queue::{
    Due, Effect, Error, Hold, JobId, ManualClock, Mark, NewJob, Outcome, State, StoreOptions,
    store::{self, Claim, Depth, Query},
};

use crate::{
    dump::{Look, assert_same, dump},
    ground::{Ground, Kind},
    place::{LEASE, Place, QUEUES, START, commit, dead, id, in_lane, job, process, secs},
};

/// What version 1 of the SQLite schema left of a store that `fill` had filled.
const SQLITE_1: &str = include_str!("schema/sqlite-1.sql");
/// What version 1 of the Redis schema left of it.
const REDIS_1: &str = include_str!("schema/redis-1.txt");

/// The jobs of `fill`.
const NAMES: [&str; 11] = [
    "held",
    "waiting",
    "dead",
    "completed",
    "running",
    "marked",
    "gone",
    "rerun",
    "ready",
    "timer",
    "lost",
];

fn options(options: &mut StoreOptions) {
    options.keep_completed = secs(1000);
    options.keep_dead = secs(1000);
}

/// Fills a store with a job in every state, and with everything else that it may hold.
async fn fill(place: &Place) {
    place.tick().await;
    let held = NewJob {
        payload: b"\x00\xff'".to_vec(),
        chat: Some("チャット".to_owned()),
        origin: Some("message".to_owned()),
        parent: Some(id("parent")),
        secret: Some("reply token".to_owned()),
        remember: secs(100),
        ..in_lane("held", "lane")
    };
    place.insert(&[held, in_lane("waiting", "lane")]).await;
    place
        .insert(&["dead", "completed", "running", "marked", "gone", "rerun", "lost"].map(job))
        .await;
    let first = place.claim(9).await;
    let claim =
        |name: &str| -> &Claim { first.iter().find(|claim| claim.job.id == id(name)).unwrap() };
    let point = Outcome::Checkpoint { payload: b"\x01half".to_vec() };
    let effects = vec![Effect::SetState(Some(b"{\"n\":1}".to_vec()))];
    let held =
        Outcome::Retry {
            after: secs(40), hold: Hold::Yes, error: "一度".to_owned(), unsure: true
        };
    let commits = [
        commit(claim("held"), point, effects),
        commit(claim("held"), held, vec![]),
        commit(claim("dead"), dead(), vec![]),
        commit(claim("completed"), Outcome::Complete, vec![]),
        commit(claim("gone"), Outcome::Cancel, vec![]),
        commit(claim("rerun"), dead(), vec![]),
    ];
    place.turn(&commits, 0).await;
    place.retry(id("rerun")).await;
    place.pass(secs(4)).await;
    place.beat(&[claim("running"), claim("marked")]).await;
    place.clock.advance(LEASE - secs(4));
    place.tick().await;
    place.cancel(id("marked")).await;
    let timer = NewJob { due: Due::In(secs(60)), chat: Some("chat".to_owned()), ..job("timer") };
    place.insert(&[timer, NewJob { queue: "low".to_owned(), ..job("ready") }]).await;
    place.store.pause("low", Some(secs(295))).await.unwrap();
    place.store.pause("outbox", None).await.unwrap();
    place.store.beat(&process("web-1"), &[], &[]).await.unwrap();
}

/// Opens what an older version wrote, compares it with what was written, and works it off.
async fn is_opened_and_worked_off(ground: Ground) {
    let model = Place::with(Kind::Model, options).await;
    fill(&model).await;
    let place = Place::on(Arc::new(ground), model.clock.clone(), options).await;
    let look = Look {
        lanes: vec!["lane".to_owned()],
        chats: vec!["チャット".to_owned(), "chat".to_owned()],
        ids: NAMES.map(id).to_vec(),
    };
    let expected = dump(&*model.store, &look).await;
    assert_same(&expected, &dump(&*place.store, &look).await, "as it was written");
    assert_eq!(
        place.insert(&[job("gone")]).await,
        [store::Inserted::Duplicate],
        "it is remembered"
    );

    for queue in QUEUES {
        place.store.resume(queue).await.unwrap();
    }
    let mut ended = 0;
    for _ in 0..30 {
        place.pass(LEASE).await;
        let claims = place.claim(9).await;
        ended += claims.len();
        let commits: Vec<_> =
            claims.iter().map(|claim| commit(claim, Outcome::Complete, vec![])).collect();
        place.turn(&commits, 0).await;
    }
    assert_eq!(ended, 7, "all but the dead, the completed, the cancelled and the gone");
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn q3_an_sqlite_file_of_version_1_is_opened_and_worked_off() {
    let ground = Ground::durable(Kind::Sqlite);
    ground.sqlite().execute_batch(SQLITE_1).unwrap();
    is_opened_and_worked_off(ground).await;
}

#[tokio::test]
async fn q3_a_look_at_an_sqlite_file_of_version_1_leaves_it_as_it_is() {
    let ground = Ground::durable(Kind::Sqlite);
    ground.sqlite().execute_batch(SQLITE_1).unwrap();
    let options = StoreOptions::new("test");
    let found = store::inspect(&ground.url().unwrap(), &options, Depth::Thorough).await;
    let findings: Vec<_> = found.findings.iter().filter(|one| one.topic == "store").collect();
    assert!(findings.iter().all(|one| one.mark == Mark::Ok), "{findings:?}");
    assert!(findings.iter().any(|one| one.text.contains("to version 4")), "{findings:?}");
    let version = ground.sqlite().pragma_query_value(None, "user_version", |row| row.get(0));
    assert_eq!(version, Ok(1));
}

/// Reads an argument of a command: no spaces; bytes that are no text as `\xNN`, `\e` where it is empty.
fn unescaped(argument: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), argument.as_bytes().iter().copied());
    while let Some(byte) = rest.next() {
        match if byte == b'\\' { rest.next() } else { None } {
            None => bytes.push(byte),
            Some(b'x') => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'e') => {}
            Some(other) => bytes.push(other),
        }
    }
    bytes
}

/// Makes a server that holds what version 1 left.
fn redis_of_version_1() -> Ground {
    let ground = Ground::durable(Kind::Redis);
    let mut redis = ground.redis();
    for line in REDIS_1.lines().filter(|line| !line.starts_with('#')) {
        let mut command = redis::Cmd::new();
        for argument in line.split(' ') {
            command.arg(unescaped(argument));
        }
        command.exec(&mut redis).unwrap();
    }
    ground
}

#[tokio::test]
async fn q3_a_redis_keyspace_of_version_1_is_opened_and_worked_off() {
    is_opened_and_worked_off(redis_of_version_1()).await;
}

/// Makes a server that holds what version 2 would have left: as version 1, but for the claims.
fn redis_of_version_2() -> Ground {
    let ground = redis_of_version_1();
    let mut redis = ground.redis();
    let key = |name: &str| format!("yamabiko:{{test}}:{name}");
    let claims: BTreeMap<Vec<u8>, Vec<u8>> =
        redis::cmd("HGETALL").arg(key("claim")).query(&mut redis).unwrap();
    let mut write = redis::pipe();
    for (id, claim) in claims {
        write.cmd("HSET").arg(key("claim")).arg(id).arg([&[0; 8], &claim[..]].concat());
    }
    write.cmd("DEL").arg(key("token")).cmd("SET").arg(key("schema")).arg(2);
    write.exec(&mut redis).unwrap();
    ground
}

#[tokio::test]
async fn q3_a_redis_keyspace_of_version_2_is_opened_and_worked_off() {
    is_opened_and_worked_off(redis_of_version_2()).await;
}

#[tokio::test]
async fn q3_a_look_at_a_redis_keyspace_of_version_1_leaves_it_as_it_is() {
    let ground = redis_of_version_1();
    let options = StoreOptions::new("test");
    let found = store::inspect(&ground.url().unwrap(), &options, Depth::Thorough).await;
    let store = found.findings.iter().find(|one| one.topic == "store").unwrap();
    assert!(store.mark == Mark::Ok && store.text.contains("to version 3"), "{store:?}");
    let version = redis::cmd("GET").arg("yamabiko:{test}:schema").query(&mut ground.redis());
    assert_eq!(version, Ok(1));
}

#[tokio::test]
async fn q3_a_step_of_version_1_fails_before_it_writes_once_a_newer_version_has_started() {
    let ground = Arc::new(redis_of_version_1());
    let place = Place::on(Arc::clone(&ground), ManualClock::new(START), options).await;
    // What each step of version 1 that can write reads first.
    for first in [["ZRANGE", "due", "0", "0"], ["HMGET", "claim", "id", "id"]] {
        let mut command = redis::cmd(first[0]);
        command.arg(format!("yamabiko:{{test}}:{}", first[1])).arg(&first[2..]);
        let error = command.exec(&mut ground.redis()).unwrap_err();
        assert_eq!(error.code(), Some("WRONGTYPE"), "{first:?}");
    }
    assert!(place.store.counts().await.is_ok());
}

#[tokio::test]
async fn q3_long_lines_of_version_1_keep_their_order_whoever_moves_them() {
    let ground = Arc::new(redis_of_version_1());
    let lines = [vec!["lane 0"; 1200], vec!["lane 2"; 3]].concat();
    let lines = lines.into_iter().map(str::to_owned).chain((0..700).map(|n| format!("lane 1/{n}")));
    let key = |name: &str| format!("yamabiko:{{test}}:{name}");
    let mut write = redis::pipe();
    let mut stored = BTreeMap::<String, Vec<JobId>>::new();
    for (n, lane) in lines.enumerate() {
        let id = id(&format!("{n}"));
        let length = u8::try_from(lane.len()).unwrap();
        let record =
            [&[0; 24], &b"\x02\x06events"[..], &[length], lane.as_bytes(), b"\0\0\0\x04kind"];
        write.cmd("HSET").arg(key("job")).arg(id.as_bytes()).arg(record.concat());
        let entry = [id.as_bytes(), &b"events"[..]].concat();
        write.cmd("RPUSH").arg(key(&format!("wait:{lane}"))).arg(entry);
        write.cmd("ZADD").arg(key("lanes")).arg(0).arg(&lane);
        stored.entry(lane).or_default().push(id);
    }
    write.exec(&mut ground.redis()).unwrap();
    let open = || Place::on(Arc::clone(&ground), ManualClock::new(START), options);
    let (place, _, _) = tokio::join!(open(), open(), open());
    for (lane, expected) in stored {
        let query = Query { lane: Some(lane), limit: 2000, ..Query::new(State::Waiting) };
        let found = place.store.list(&query).await.unwrap().records;
        assert_eq!(found.iter().map(|record| record.job.id).collect::<Vec<_>>(), expected);
    }
    let left: u32 = redis::cmd("EXISTS").arg(key("migration")).query(&mut ground.redis()).unwrap();
    assert_eq!(left, 0);
}

/// Opens a store whose schema is said to be of this version.
async fn open_newer(kind: Kind, version: u32) -> Error {
    let place = Place::open(kind).await;
    match kind {
        Kind::Model => {}
        Kind::Sqlite => place.ground.sqlite().pragma_update(None, "user_version", version).unwrap(),
        Kind::Redis | Kind::RedisNewest => {
            let set = redis::cmd("SET").arg("yamabiko:{test}:schema").arg(version).to_owned();
            set.exec(&mut place.ground.redis()).unwrap();
        }
    }
    store::open(&place.ground.url().unwrap(), place.options.clone()).await.unwrap_err()
}

fn names_both_versions(error: &Error, newer: u32, ours: u32) {
    let Error::NewerSchema { found, known } = error else { panic!("{error:?}") };
    assert_eq!((*found, *known), (newer, ours));
    let text = error.to_string();
    let named = [format!("version {newer}"), format!("up to {ours}")];
    assert!(named.iter().all(|version| text.contains(version)), "{text}");
}

#[tokio::test]
async fn q3_an_sqlite_file_of_a_newer_version_is_refused() {
    names_both_versions(&open_newer(Kind::Sqlite, 5).await, 5, 4);
}

#[tokio::test]
async fn q3_a_redis_of_a_newer_version_is_refused() {
    names_both_versions(&open_newer(Kind::Redis, 4).await, 4, 3);
}
