//! Records that cannot be read: each costs itself alone, on both stores.

mod writes;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rusqlite::types::Value;
use writes::WRITES;
use yamabiko_queue::{
    Clock, Due, Effect, Ending, Finish, Hold, JobId, ManualClock, NewJob, Outcome, Registry,
    RetryPolicy, State, Worker, WorkerOptions,
    store::{Answer, Held, Inserted, Query},
};

use crate::{
    ground::{Ground, Kind},
    place::{LEASE, Place, START, dead, id, in_lane, job, millis, process, secs, want},
};

/// The columns of texts that an SQLite store has of a job.
pub(crate) const TEXTS: [&str; 7] =
    ["queue", "kind", "lane", "chat", "origin", "secret", "history"];
/// The columns of ids.
pub(crate) const IDS: [&str; 2] = ["id", "parent"];
/// The columns of numbers.
pub(crate) const NUMBERS: [&str; 10] = [
    "cancelled",
    "failures",
    "lost",
    "checkpoint",
    "reruns",
    "unsure",
    "first_claimed",
    "arrived",
    "due",
    "remember",
];

/// Damage to the record of one job.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    /// SQLite: what stands in a column.
    Column(&'static str, Value),
    /// Redis: what stands in a hash; `None`: nothing.
    Field(&'static str, Option<Vec<u8>>),
    /// Redis: so many bytes of the record are left.
    Cut(usize),
    /// Redis: a byte of the record is another.
    Byte(usize, u8),
    /// Redis: a command writes this behind its other arguments, of which the first is a key.
    Written(&'static [&'static str], Vec<u8>),
}

fn no_text() -> Value {
    // A text that is none is made in SQL, since the driver has only texts that are.
    Value::Blob(vec![0xff, 0xfe])
}

impl Damage {
    fn of(&self, place: &Place, id: JobId) {
        let key = |hash: &str| format!("yamabiko:{{{}}}:{hash}", place.options.name);
        let record = || -> Vec<u8> {
            let get = redis::cmd("HGET").arg(key("job")).arg(id.as_bytes()).to_owned();
            get.query(&mut place.ground.redis()).unwrap()
        };
        let set = |hash: &str, value: &[u8]| {
            let set = redis::cmd("HSET").arg(key(hash)).arg(id.as_bytes()).arg(value).to_owned();
            set.exec(&mut place.ground.redis()).unwrap();
        };
        match self {
            Self::Column(column, value) => {
                let is_text = matches!(value, Value::Blob(_)) && !["id", "parent"].contains(column);
                let new = if is_text { "CAST(? AS TEXT)" } else { "?" };
                let sql = format!("UPDATE job SET {column} = {new} WHERE id = ?");
                place.ground.sqlite().execute(&sql, (value, id.as_bytes())).unwrap();
            }
            Self::Field(hash, Some(value)) => set(hash, value),
            Self::Field(hash, None) => {
                let del = redis::cmd("HDEL").arg(key(hash)).arg(id.as_bytes()).to_owned();
                del.exec(&mut place.ground.redis()).unwrap();
            }
            Self::Written(command, bytes) => {
                let mut write = redis::cmd(command[0]);
                write.arg(key(command[1])).arg(&command[2..]).arg(bytes.as_slice());
                write.exec(&mut place.ground.redis()).unwrap();
            }
            Self::Cut(left) => {
                let record = record();
                set("job", &record[..(*left).min(record.len())]);
            }
            Self::Byte(at, byte) => {
                let mut record = record();
                let at = at % record.len();
                record[at] = *byte;
                set("job", &record);
            }
        }
    }
}

/// Damage after which a record cannot be read.
fn certain(kind: Kind) -> Vec<Damage> {
    // Not the queue: a job of a queue that nobody serves is never looked at. Not the lane: it is that of nobody else.
    let texts = ["kind", "chat", "origin", "secret"];
    let counts = ["failures", "lost", "checkpoint", "reruns"];
    let columns = texts.map(|column| Damage::Column(column, no_text())).into_iter();
    let columns = columns
        .chain(counts.map(|column| Damage::Column(column, Value::Integer(-1))))
        .chain(["id", "parent"].map(|column| Damage::Column(column, Value::Blob(vec![1, 2, 3]))));
    let hashes = vec![
        Damage::Field("job", None),
        Damage::Field("job", Some(Vec::new())),
        Damage::Field("job", Some(vec![0xff; 100])),
        Damage::Field("more", Some(b"?".to_vec())),
        Damage::Cut(24),
        Damage::Cut(40),
        // The first letters of the chat and of the kind.
        Damage::Byte(38, 0xff),
        Damage::Byte(57, 0xff),
    ];
    if kind == Kind::Sqlite { columns.collect() } else { hashes }
}

/// Any damage at all; most of it leaves a record that can be read.
fn any_damage(kind: Kind) -> BoxedStrategy<Damage> {
    let column = prop_oneof![
        prop::sample::select(&TEXTS).prop_flat_map(|column| vec(any::<u8>(), 0..9)
            .prop_map(move |bytes| Damage::Column(column, Value::Blob(bytes)))),
        prop::sample::select(&IDS).prop_flat_map(|column| vec(any::<u8>(), 0..20)
            .prop_map(move |bytes| Damage::Column(column, Value::Blob(bytes)))),
        prop::sample::select(&NUMBERS).prop_flat_map(|column| any::<i64>()
            .prop_map(move |number| Damage::Column(column, Value::Integer(number)))),
    ];
    let field = prop_oneof![
        (prop::sample::select(vec!["job", "more", "history"]), vec(any::<u8>(), 0..60))
            .prop_map(|(hash, bytes)| Damage::Field(hash, Some(bytes))),
        (0..80_usize).prop_map(Damage::Cut),
        (0..200_usize, any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (
            prop::sample::select(&WRITES),
            prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 16..17)]
        )
            .prop_map(|(command, bytes)| Damage::Written(command, bytes)),
    ];
    if kind == Kind::Sqlite { column.boxed() } else { field.boxed() }
}

/// The place in which the job is when its record is damaged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Ready,
    Waiting,
    Scheduled,
    Running,
}

pub(crate) const WHENS: [When; 4] = [When::Ready, When::Waiting, When::Scheduled, When::Running];

/// Runs what there is, and returns what ran.
pub(crate) async fn work(place: &Place) -> Vec<JobId> {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let mut registry = Registry::new();
    let noted = Arc::clone(&ran);
    let run = move |run: yamabiko_queue::Run| {
        noted.lock().unwrap().push(run.claim.job.id);
        let finish = Finish { ending: Ending::Done, effects: Vec::new() };
        Box::pin(async move { finish }) as yamabiko_queue::registry::RunFuture
    };
    registry.register("kind", RetryPolicy::default(), run).unwrap();
    let options = WorkerOptions {
        concurrency: 4,
        queues: vec![("default".to_owned(), 1)],
        limits: std::collections::BTreeMap::new(),
        shutdown: secs(1),
        process: process("worker"),
        clock: Clock::Manual(place.clock.clone()),
    };
    let mut worker = Worker::new(Arc::clone(&place.store), Arc::new(registry), options);
    // Long enough for what was scheduled, and for a claim without a report.
    for _ in 0..6 {
        while worker.step().await.expect("no record stops a turn") {}
        place.pass(LEASE / 2).await;
    }
    worker.stop().await;
    ran.lock().unwrap().clone()
}

/// Stores a job that is damaged among others, works, and returns what ran.
pub(crate) async fn ran_beside(place: &Place, when: When, damage: &Damage) -> Vec<JobId> {
    place.insert(&[job("before"), in_lane("of another lane", "another")]).await;
    let bad = NewJob {
        chat: Some("chat".to_owned()),
        origin: Some("origin".to_owned()),
        secret: Some("secret".to_owned()),
        parent: Some(id("parent")),
        ..in_lane("bad", "lane")
    };
    match when {
        When::Ready => drop(place.insert(&[bad, in_lane("behind", "lane")]).await),
        When::Waiting => {
            place.insert(&[in_lane("ahead", "lane"), bad, in_lane("behind", "lane")]).await;
        }
        When::Scheduled => {
            place.insert(&[NewJob { due: Due::In(secs(3)), ..bad }]).await;
        }
        When::Running => {
            place.insert(&[bad, in_lane("behind", "lane")]).await;
            place.claim(9).await;
        }
    }
    damage.of(place, id("bad"));
    place.insert(&[job("after"), in_lane("of a third lane", "third")]).await;
    place.store.live("chat").await.unwrap();
    let ran = work(place).await;
    for name in ["before", "of another lane", "after", "of a third lane"] {
        assert!(ran.contains(&id(name)), "{name} did not run: {when:?} {damage:?}");
    }
    for state in State::ALL.into_iter().filter(|state| *state != State::Cancelled) {
        place.store.list(&Query::new(state)).await.expect("people see all of them");
    }
    place.store.live("chat").await.unwrap();
    place.store.counts().await.unwrap();
    place.store.cancel(&[id("bad")]).await.unwrap();
    ran
}

async fn dies_alone(kind: Kind) {
    let shared = (kind == Kind::Redis).then(|| Ground::new(kind));
    let mut case = 0;
    for (n, damage) in certain(kind).into_iter().enumerate() {
        for when in [When::Ready, WHENS[1 + n % 3]] {
            case += 1;
            let ground = shared.clone().unwrap_or_else(|| Ground::new(kind));
            let place = Place::on(ground, ManualClock::new(START), |options| {
                options.name = format!("case-{case}");
            });
            let place = place.await;
            let what = format!("{when:?} {damage:?}");
            let ran = ran_beside(&place, when, &damage).await;
            let behind = matches!(when, When::Scheduled) || ran.contains(&id("behind"));
            assert!(behind, "its lane is free again: {what}");
            let dead = place.store.list(&Query::new(State::Dead)).await.unwrap().records;
            // The end of a claim counts anew, so a count that was wrong is right again.
            let healed = matches!(when, When::Running) && ran.contains(&id("bad"));
            if healed && matches!(damage, Damage::Field("more", _) | Damage::Column("lost", _)) {
                continue;
            }
            assert!(!ran.contains(&id("bad")), "{what}");
            assert_eq!(dead.len(), 1, "{what}");
            let why = &dead[0].history.last().expect("it says why").error;
            assert!(why.contains("cannot be read"), "{why}: {what}");
            assert!(!why.contains("secret:") || matches!(damage, Damage::Column("secret", _)));
            assert!(place.retry(dead[0].job.id).await, "a person may try again: {what}");
            let again = work(&place).await;
            // If only its counts or its id were wrong, they are right again, and it runs.
            assert!(again.is_empty() || again == [dead[0].job.id], "{what}");
            if !again.is_empty() {
                continue;
            }
            assert_eq!(place.store.delete(&[dead[0].job.id]).await.unwrap(), [true], "{what}");
            assert_eq!(place.line(State::Dead).await, [], "{what}");
        }
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_dead_and_stops_no_other_on_sqlite() {
    dies_alone(Kind::Sqlite).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_dead_and_stops_no_other_on_redis() {
    dies_alone(Kind::Redis).await;
}

/// Whatever a record says, every step goes on.
fn nothing_stops(kind: Kind, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shared = (kind == Kind::Redis).then(|| Ground::new(kind));
    let case = AtomicUsize::new(0);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let when = prop::sample::select(WHENS.to_vec());
    let result =
        TestRunner::new_with_rng(config, rng).run(&(when, any_damage(kind)), |(when, damage)| {
            let ground = shared.clone().unwrap_or_else(|| Ground::new(kind));
            let name = format!("case-{}", case.fetch_add(1, Ordering::Relaxed));
            let tried = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    let place = Place::on(ground, ManualClock::new(START), |options| {
                        options.name = name;
                    });
                    ran_beside(&place.await, when, &damage).await;
                });
            }));
            tried.map_err(|_| TestCaseError::fail("see above"))
        });
    result.unwrap();
}

#[test]
fn no_record_stops_a_step_on_sqlite() {
    nothing_stops(Kind::Sqlite, 24);
}

#[test]
fn no_record_stops_a_step_on_redis() {
    nothing_stops(Kind::Redis, 400);
}

#[tokio::test]
async fn a_run_whose_record_breaks_meanwhile_still_ends() {
    for kind in [Kind::Sqlite, Kind::Redis] {
        for damage in certain(kind) {
            let place = Place::open(kind).await;
            place.insert(&[in_lane("bad", "lane"), in_lane("behind", "lane")]).await;
            let claim = place.claim_one().await;
            damage.of(&place, id("bad"));
            let has_id = !matches!(damage, Damage::Column("id", _));
            let held = if has_id { Held::Yes } else { Held::Lost };
            assert_eq!(place.beat(&[&claim]).await, [held], "{damage:?}");
            let checkpoint = Outcome::Checkpoint { payload: b"1".to_vec() };
            let scrub = vec![Effect::Scrub { origin: "origin".to_owned() }];
            place.end_with(&claim, checkpoint, scrub).await;
            let answer = place.end(&claim, Outcome::Complete).await;
            assert_eq!(answer, if has_id { Answer::Applied } else { Answer::Lost }, "{damage:?}");
            if has_id {
                assert_eq!(place.claim_one().await.job.id, id("behind"), "{damage:?}");
            }
            place.clock.advance(millis(1));
            place.tick().await;
        }
    }
}

/// Returns what a Redis store has under a key, by a command that takes the key alone.
fn redis_number(place: &Place, command: &str, key: &str) -> usize {
    let key = format!("yamabiko:{{{}}}:{key}", place.options.name);
    redis::cmd(command).arg(key).query(&mut place.ground.redis()).unwrap()
}

/// Stores so many jobs, each in a lane of its own that it then holds.
async fn fill_lanes(place: &Place, count: usize) {
    let held: Vec<_> = (0..count).map(|n| in_lane(&format!("{n}"), &format!("lane {n}"))).collect();
    for some in held.chunks(500) {
        place.insert(some).await;
    }
}

#[tokio::test]
async fn r4_the_lane_of_a_job_whose_record_tells_none_is_searched_for_part_by_part_on_redis() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[in_lane("bad", "lane"), in_lane("behind", "lane")]).await;
    let claim = place.claim_one().await;
    fill_lanes(&place, 3000).await;
    Damage::Field("job", Some(vec![0xff; 100])).of(&place, id("bad"));
    assert_eq!(place.end(&claim, Outcome::Complete).await, Answer::Applied);
    let (mut ticks, mut pauses) = (0, 0);
    while place.state(id("behind")).await == Some(State::Waiting) {
        pauses += usize::from(place.tick().await.next != Some(place.now()));
        ticks += 1;
        assert!(ticks < 40, "a round is over by then");
    }
    assert_eq!(place.state(id("behind")).await, Some(State::Ready));
    assert!(pauses <= 2, "the next tick comes at once, but between rounds");
    assert_eq!(redis_number(&place, "EXISTS", "orphan"), 0);
    assert_eq!(redis_number(&place, "EXISTS", "search"), 0);
}

#[tokio::test]
async fn r4_a_search_for_the_lane_of_a_job_that_had_none_ends_on_redis() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&["a", "b", "c"].map(job)).await;
    fill_lanes(&place, 3000).await;
    for name in ["a", "b", "c"] {
        let wants = [want(&["default"], 1)];
        let turn = place.store.turn(place.next_sending(), &[], &wants).await.unwrap();
        let claim = &turn.claims[0];
        Damage::Cut(24).of(&place, id(name));
        place.end(claim, Outcome::Complete).await;
    }
    let mut ticks = 0;
    while redis_number(&place, "EXISTS", "orphan") == 1 {
        place.tick().await;
        ticks += 1;
        assert!(ticks < 80, "two rounds and what was left of one");
    }
    assert!(ticks > 20, "so many lanes are not looked at in {ticks} ticks");
    assert_eq!(redis_number(&place, "HLEN", "holder"), 3000);
}

#[tokio::test]
async fn l2_a_lane_stays_taken_while_a_run_goes_on_whose_record_breaks_on_redis() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[in_lane("bad", "lane"), in_lane("behind", "lane")]).await;
    let claim = place.claim_one().await;
    Damage::Cut(24).of(&place, id("bad"));
    let checkpoint = Outcome::Checkpoint { payload: b"1".to_vec() };
    assert_eq!(place.end(&claim, checkpoint).await, Answer::Applied);
    let again =
        Outcome::Retry { after: secs(9), hold: Hold::Yes, error: String::new(), unsure: false };
    assert_eq!(place.end(&claim, again).await, Answer::Applied);
    for _ in 0..4 {
        place.tick().await;
        assert_eq!(place.state(id("behind")).await, Some(State::Waiting));
    }
    place.pass(secs(9)).await;
    let claim = place.claim_one().await;
    assert_eq!(claim.job.id, id("bad"));
    assert!(place.claim(9).await.is_empty());
    place.end(&claim, dead()).await;
    place.tick().await;
    assert_eq!(place.claim_one().await.job.id, id("behind"));
}

#[tokio::test]
async fn l2_a_lane_that_is_searched_for_is_not_taken_from_a_new_job_of_the_same_id_on_redis() {
    let place = Place::open(Kind::Redis).await;
    let bad = NewJob { remember: secs(0), ..in_lane("bad", "lane") };
    place.insert(std::slice::from_ref(&bad)).await;
    let claim = place.claim_one().await;
    fill_lanes(&place, 3000).await;
    Damage::Cut(24).of(&place, id("bad"));
    assert_eq!(place.end(&claim, Outcome::Cancel).await, Answer::Applied);
    assert_eq!(place.insert(&[bad, in_lane("behind", "lane")]).await, [Inserted::Stored; 2]);
    for _ in 0..60 {
        place.tick().await;
        assert_eq!(place.state(id("behind")).await, Some(State::Waiting));
    }
    assert_eq!(redis_number(&place, "EXISTS", "orphan"), 0);
    place.cancel(id("bad")).await;
    assert_eq!(place.state(id("behind")).await, Some(State::Ready));
}

#[tokio::test]
async fn a_record_that_names_another_queue_is_dead_and_stops_no_other() {
    let place = Place::open(Kind::Redis).await;
    // The first letter of the queue's name.
    let ran = ran_beside(&place, When::Ready, &Damage::Byte(26, b'E')).await;
    assert!(ran.contains(&id("behind")) && !ran.contains(&id("bad")));
    assert_eq!(place.line(State::Dead).await, [id("bad")]);
    let why = &place.record(id("bad")).await.history[0].error;
    assert!(why.contains("another queue than \"Events\""), "{why}");
}

#[tokio::test]
async fn a_queue_whose_name_is_no_text_is_counted() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[NewJob { due: Due::In(secs(1)), ..job("bad") }]).await;
    // The last letter of the queue's name, which is read when the job falls due.
    Damage::Byte(32, 0xff).of(&place, id("bad"));
    place.clock.advance(secs(2));
    place.tick().await;
    let queues = place.store.counts().await.unwrap().queues;
    assert_eq!(queues.keys().collect::<Vec<_>>(), ["defaul\u{fffd}"]);
}

#[tokio::test]
async fn a_lease_without_a_whole_claim_ends_on_redis() {
    let place = Place::open(Kind::Redis).await;
    for claim in [None, Some(b"short".to_vec()), Some(b"of 11 bytes".to_vec())] {
        place.insert(&[job("bad")]).await;
        place.claim_one().await;
        Damage::Field("claims", claim).of(&place, id("bad"));
        place.store.list(&Query::new(State::Running)).await.unwrap();
        place.pass(3 * LEASE).await;
        assert_eq!(work(&place).await, [id("bad")]);
        place.clock.advance(secs(24 * 60 * 60));
        place.pass(LEASE).await;
    }
}
