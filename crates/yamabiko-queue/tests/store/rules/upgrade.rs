//! Q3: a newer version takes a store over while a process of this version has it open.

use yamabiko_queue::{
    Due, Effect, Error, NewJob, Outcome, Result, State,
    store::{Answer, Claim, Query, Store},
};

use crate::{
    dump::{Look, assert_same, dump},
    ground::{Ground, Kind},
    place::{Place, QUEUES, commit, id, in_lane, job, process, secs, want},
};

fn schema_key(place: &Place) -> String {
    format!("yamabiko:{{{}}}:schema", place.options.name)
}

/// Returns the version of the schema that a store has.
pub(super) fn version(place: &Place, kind: Kind) -> u32 {
    match kind {
        Kind::Model => 0,
        Kind::Sqlite => place
            .ground
            .sqlite()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap(),
        Kind::Redis | Kind::RedisNewest => {
            let get = redis::cmd("GET").arg(schema_key(place)).to_owned();
            get.query(&mut place.ground.redis()).unwrap()
        }
    }
}

/// Gives a store this version of the schema, as a process of that version does when it starts.
pub(super) fn set_version(place: &Place, kind: Kind, version: &str) {
    match kind {
        Kind::Model => {}
        Kind::Sqlite => {
            place.ground.sqlite().pragma_update(None, "user_version", version).unwrap();
        }
        Kind::Redis | Kind::RedisNewest => {
            let set = redis::cmd("SET").arg(schema_key(place)).arg(version).to_owned();
            set.exec(&mut place.ground.redis()).unwrap();
        }
    }
}

/// Everything that the file or server holds, byte by byte.
fn content(ground: &Ground, kind: Kind) -> Vec<String> {
    if kind == Kind::Sqlite {
        let file = ground.sqlite();
        let mut tables =
            file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").unwrap();
        let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let rows = |name: String| {
            let mut select = file.prepare(&format!("SELECT * FROM {name}")).unwrap();
            let columns = select.column_count();
            let rows = select
                .query_map([], |row| {
                    let values = (0..columns).map(|n| row.get_ref(n).map(|it| format!("{it:?}")));
                    values.collect::<rusqlite::Result<Vec<_>>>()
                })
                .unwrap();
            rows.map(|row| format!("{name} {:?}", row.unwrap())).collect::<Vec<_>>()
        };
        return names
            .map(|name| name.unwrap())
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(rows)
            .collect();
    }
    let mut redis = ground.redis();
    let mut keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
    keys.sort();
    let dump = |key: &Vec<u8>| -> Vec<u8> {
        redis::cmd("DUMP").arg(key).query(&mut ground.redis()).unwrap()
    };
    keys.iter().map(|key| format!("{} {}", key.escape_ascii(), dump(key).escape_ascii())).collect()
}

/// A claim in a lane with a state, beside jobs in other places.
async fn in_the_middle(place: &Place) -> Claim {
    place.insert(&[in_lane("first", "lane")]).await;
    let first = place.claim_one().await;
    let state = Effect::SetState(Some(b"precious".to_vec()));
    place.end_with(&first, Outcome::Complete, vec![state]).await;
    let chat = |name: &str| NewJob { chat: Some("chat".to_owned()), ..in_lane(name, "lane") };
    place.insert(&[chat("running"), chat("behind")]).await;
    let running = place.claim_one().await;
    place.insert(&[job("ready"), NewJob { due: Due::In(secs(1)), ..job("timer") }]).await;
    running
}

/// Takes every step that there is, and returns how each ended.
async fn every_step(
    place: &Place,
    store: &dyn Store,
    claim: &Claim,
) -> Vec<(&'static str, Result<()>)> {
    let wants = [want(&QUEUES, 9)];
    let effects = vec![Effect::SetState(None), Effect::Insert(job("effect"))];
    let end = [commit(claim, Outcome::Complete, effects)];
    let held = [(claim.job.id, claim.token)];
    let (ready, query) = ([id("ready")], Query::new(State::Ready));
    vec![
        ("insert", store.insert(&[job("new")]).await.map(drop)),
        ("turn with a commit", store.turn(place.next_sending(), &end, &[]).await.map(drop)),
        ("turn with a want", store.turn(place.next_sending(), &[], &wants).await.map(drop)),
        ("release", store.release(claim.token).await.map(drop)),
        ("beat", store.beat(&process("worker-1"), &held, &[claim.token]).await.map(drop)),
        ("tick", store.tick().await.map(drop)),
        ("cancel", store.cancel(&ready).await.map(drop)),
        ("retry", store.retry(&[id("timer")]).await.map(drop)),
        ("delete", store.delete(&ready).await.map(drop)),
        ("pause", store.pause("low", None).await),
        ("resume", store.resume("low").await),
        ("state", store.state("lane").await.map(drop)),
        ("live", store.live("chat").await.map(drop)),
        ("counts", store.counts().await.map(drop)),
        ("list", store.list(&query).await.map(drop)),
        ("get", store.get(id("ready")).await.map(drop)),
    ]
}

pub(crate) async fn q3_a_process_that_meets_a_newer_schema_is_refused_every_step_and_changes_nothing(
    kind: Kind,
) {
    let place = Place::open(kind).await;
    let running = in_the_middle(&place).await;
    let look = Look { lanes: vec!["lane".to_owned()], ..Look::default() };
    let shown = dump(&*place.store, &look).await;
    let known = version(&place, kind);
    set_version(&place, kind, &(known + 1).to_string());
    place.clock.advance(secs(60));
    let before = content(&place.ground, kind);
    let second = place.store.handle().await.expect("a handle opens nothing anew");
    for store in [&place.store, &second] {
        for (step, ended) in every_step(&place, &**store, &running).await {
            let Err(Error::NewerSchema { found, known: ours }) = ended else {
                panic!("{step}: {ended:?}");
            };
            assert_eq!((found, ours), (known + 1, known), "{step}");
        }
    }
    assert_same(&before, &content(&place.ground, kind), "a step that is refused writes nothing");

    // Whoever put the older version back goes on where it was.
    set_version(&place, kind, &known.to_string());
    assert_same(&shown, &dump(&*place.store, &look).await, "as it was");
    assert_eq!(place.end(&running, Outcome::Complete).await, Answer::Applied);
    assert_eq!(place.store.state("lane").await.unwrap(), Some(b"precious".to_vec()));
}

pub(crate) async fn q3_a_store_that_went_back_to_an_older_schema_is_unavailable(kind: Kind) {
    let place = Place::open(kind).await;
    let running = in_the_middle(&place).await;
    set_version(&place, kind, "0");
    for (step, ended) in every_step(&place, &*place.store, &running).await {
        assert!(matches!(ended, Err(Error::Unavailable(_))), "{step}: {ended:?}");
    }
}

#[tokio::test]
async fn q3_columns_that_were_added_to_an_open_sqlite_file_are_not_taken_for_others() {
    let place = Place::open(Kind::Sqlite).await;
    let running = in_the_middle(&place).await;
    let file = place.ground.sqlite();
    for table in ["job", "state", "seen", "paused", "process", "line", "store"] {
        file.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN mood TEXT")).unwrap();
    }
    // Names that another table has, too.
    file.execute_batch(
        "ALTER TABLE state ADD COLUMN queue TEXT; ALTER TABLE state ADD COLUMN kind TEXT",
    )
    .unwrap();
    place.end(&running, Outcome::Complete).await;
    let claims = place.claim(9).await;
    let behind = claims.iter().find(|claim| claim.job.id == id("behind")).unwrap();
    assert_eq!(behind.state.as_deref(), Some(&b"precious"[..]));
    assert_eq!((&behind.job.payload[..], &behind.job.unreadable), (&b"behind"[..], &None));
    let state = Effect::SetState(Some(b"new".to_vec()));
    assert_eq!(place.end_with(behind, Outcome::Complete, vec![state]).await, Answer::Applied);
    for (step, ended) in every_step(&place, &*place.store, behind).await {
        ended.unwrap_or_else(|error| panic!("{step}: {error:?}"));
    }
    assert_eq!(place.store.state("lane").await.unwrap(), Some(b"new".to_vec()));
    place.other().await.tick().await.expect("a process of this version may start");
}

#[tokio::test]
async fn q3_who_writes_first_to_an_emptied_redis_says_which_version_that_is() {
    for kind in [Kind::Redis, Kind::RedisNewest] {
        let place = Place::open(kind).await;
        let known = version(&place, kind);
        redis::cmd("FLUSHALL").exec(&mut place.ground.redis()).unwrap();
        place.store.counts().await.unwrap();
        assert!(content(&place.ground, kind).is_empty(), "a look writes nothing");
        place.insert(&[job("a")]).await;
        assert_eq!(version(&place, kind), known);
    }
}

#[tokio::test]
async fn q3_a_redis_schema_that_is_no_version_is_refused_and_left_alone() {
    let place = Place::open(Kind::Redis).await;
    set_version(&place, Kind::Redis, "of another program");
    let before = content(&place.ground, Kind::Redis);
    let refused = place.store.insert(&[job("a")]).await;
    assert!(matches!(refused, Err(Error::Damaged(_))), "{refused:?}");
    assert_same(&before, &content(&place.ground, Kind::Redis), "left alone");
}
