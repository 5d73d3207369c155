//! What only a Redis server can do to a store: fill up, forget, refuse, go away, hand over to another.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use yamabiko_queue::{
    Effect, Error, ManualClock, NewJob, Outcome, State, Store, StoreOptions,
    store::{self, Answer, Held, Inserted, Losses, Sending, Signal},
};

use crate::{
    ground::{Ground, Kind},
    place::{Place, QUEUES, START, commit, id, in_lane, job, process, secs, want},
    redis_server::RedisServer,
};

/// Within which a server must have done what it was told.
const DEADLINE: Duration = Duration::from_secs(30);
/// Where the server's time is noted.
const LATEST: &str = "yamabiko:{test}:latest";

pub(crate) fn free_port() -> u16 {
    // The kernel gives the ports above these to outgoing connections, and to listeners that ask for port 0.
    let bind = |_| TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..32_000))).ok();
    (0..1_000).find_map(bind).expect("a port is free").local_addr().unwrap().port()
}

async fn open(url: &str) -> Place {
    Place::on(Arc::new(Ground::Elsewhere(url.to_owned())), ManualClock::new(START), |_| {}).await
}

async fn refused(url: &str) -> Error {
    let place = Place::open(Kind::Model).await;
    store::open(url, place.options).await.expect_err(url)
}

/// Waits until `look` finds something.
async fn found<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        // Servers tell nobody when they are ready; this only sets how often we look.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn ask(port: u16, command: &[&str]) -> Option<redis::Value> {
    let client = redis::Client::open(("127.0.0.1", port)).unwrap();
    let mut connection = client.get_connection_with_timeout(secs(1)).ok()?;
    redis::cmd(command[0]).arg(&command[1..]).query(&mut connection).ok()
}

fn says(port: u16, command: &[&str], part: &str) -> Option<()> {
    format!("{:?}", ask(port, command)?).contains(part).then_some(())
}

#[tokio::test]
async fn r2_a_full_server_refuses_new_work_and_finishes_the_old() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&["a", "b"].map(job)).await;
    let claims = place.claim(9).await;
    let limit = |bytes: &str| {
        redis::cmd("CONFIG")
            .arg(&["SET", "maxmemory", bytes])
            .exec(&mut place.ground.redis())
            .unwrap();
    };
    limit("1000");
    assert!(matches!(place.store.insert(&[job("c"), job("d")]).await, Err(Error::Full(_))));
    let effects = vec![Effect::Insert(job("effect"))];
    assert_eq!(place.end_with(&claims[0], Outcome::Complete, effects).await, Answer::Applied);
    place.other().await.tick().await.expect("a process may start meanwhile");
    assert_eq!(place.end(&claims[1], Outcome::Complete).await, Answer::Applied);
    place.tick().await;
    assert_eq!(place.claim_one().await.job.id, id("effect"));
    limit("0");
    assert_eq!(place.insert(&[job("c")]).await, [Inserted::Stored]);
    assert_eq!(place.state(id("d")).await, None, "the refused call stored nothing");
}

/// Makes a server forget the library of the steps.
fn forget(place: &Place) {
    redis::cmd("FUNCTION").arg("FLUSH").exec(&mut place.ground.redis()).unwrap();
}

#[tokio::test]
async fn steps_that_the_server_forgot_are_loaded_again() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[job("a")]).await;
    forget(&place);
    let claim = place.claim_one().await;
    forget(&place);
    let effects = vec![Effect::Insert(job("b"))];
    assert_eq!(place.end_with(&claim, Outcome::Complete, effects).await, Answer::Applied);
    forget(&place);
    place.tick().await;
    assert_eq!(place.claim_one().await.job.id, id("b"));
}

#[tokio::test]
async fn r2_a_full_server_that_takes_no_library_finishes_the_old_work() {
    let place = Place::open(Kind::Redis).await;
    place.insert(&[job("a")]).await;
    forget(&place);
    let full = ["SET", "maxmemory", "1000"];
    redis::cmd("CONFIG").arg(&full).exec(&mut place.ground.redis()).unwrap();
    let claim = place.claim_one().await;
    assert_eq!(place.beat(&[&claim]).await, [Held::Yes]);
    let effects = vec![Effect::Insert(in_lane("b", "lane"))];
    assert_eq!(place.end_with(&claim, Outcome::Complete, effects).await, Answer::Applied);
    assert!(matches!(place.store.insert(&[job("c")]).await, Err(Error::Full(_))));
    assert_eq!(place.claim_one().await.job.id, id("b"));
}

/// Returns how many entries a queue's lists have.
fn entries(place: &Place, queue: &str) -> usize {
    let length = |list: &str| -> usize {
        let key = format!("yamabiko:{{{}}}:{list}:{queue}", place.options.name);
        redis::cmd("LLEN").arg(key).query(&mut place.ground.redis()).unwrap()
    };
    length("ready") + length("front")
}

#[tokio::test]
async fn r4_what_has_left_a_line_is_dropped_although_nobody_takes_from_it() {
    let place = Place::open(Kind::Redis).await;
    let names: Vec<_> = (0..3000).map(|n| n.to_string()).collect();
    for names in names.chunks(500) {
        place.insert(&names.iter().map(|name| job(name)).collect::<Vec<_>>()).await;
    }
    // The first stays, so that the others leave from within.
    for (n, name) in names.iter().enumerate().skip(1) {
        if n % 100 > 0 {
            place.cancel(id(name)).await;
        }
    }
    let standing: Vec<_> = names.iter().step_by(100).map(|name| id(name)).collect();
    for tick in 0..20 {
        place.tick().await;
        assert_eq!(place.line(State::Ready).await, standing, "after {tick} ticks");
        place.clock.advance(secs(1));
    }
    assert!(entries(&place, "default") <= 2 * standing.len(), "{}", entries(&place, "default"));
    assert_eq!(place.store.counts().await.unwrap().queues["default"].ready, 30);
    assert_eq!(place.claim(99).await.len(), 30);
    assert_eq!(entries(&place, "default"), 0);
}

#[tokio::test]
async fn r4_a_turn_passes_over_so_many_that_have_left_and_the_next_goes_on() {
    let place = Place::open(Kind::Redis).await;
    let names: Vec<_> = (0..2500).map(|n| n.to_string()).collect();
    let all: Vec<_> = names.iter().map(|name| id(name)).collect();
    place.insert(&names.iter().map(|name| job(name)).collect::<Vec<_>>()).await;
    place.insert(&[job("last")]).await;
    for some in all.chunks(500) {
        place.store.cancel(some).await.unwrap();
    }
    let mut turns = 0;
    while entries(&place, "default") > 0 {
        let before = entries(&place, "default");
        let claims = place.claim(9).await;
        let gone = before - entries(&place, "default");
        assert!((1..=1300).contains(&gone), "{gone} in one turn");
        assert_eq!(claims.len(), usize::from(entries(&place, "default") == 0));
        turns += 1;
    }
    assert!(turns > 1);
    assert_eq!(place.state(id("last")).await, Some(State::Running));
}

#[tokio::test]
async fn o3_a_server_that_started_anew_is_met_by_the_next_heartbeat_or_tick() {
    let place = Place::open(Kind::Redis).await;
    let losses = async || place.store.losses().await.unwrap();
    assert_eq!(losses().await, Losses::default(), "it is the first that has the data");
    for ticks in [true, false] {
        // The data come from a server that had another name, and connections break as it goes.
        let mut raw = place.ground.redis();
        let set = ["yamabiko:{test}:server", "run_id", "another server's"];
        redis::cmd("HSET").arg(&set).exec(&mut raw).unwrap();
        let kill = ["KILL", "TYPE", "normal", "SKIPME", "yes"];
        redis::cmd("CLIENT").arg(&kill).exec(&mut raw).unwrap();
        place.clock.advance(secs(7));
        let since = place.now();
        found("the process is connected again", async || {
            let done = if ticks {
                place.store.tick().await.map(drop)
            } else {
                place.store.beat(&process("worker-1"), &[], &[]).await.map(drop)
            };
            done.ok()
        })
        .await;
        place.clock.advance(secs(1));
        let lost = Losses { last: Some(since), promoted: vec![] };
        assert_eq!(losses().await, lost, "ticks: {ticks}");
    }
}

#[tokio::test]
async fn r1_two_bots_share_a_server() {
    let server = RedisServer::start();
    let bot = async |name: &str| {
        let ground = Arc::new(Ground::Elsewhere(server.url()));
        let name = name.to_owned();
        Place::on(ground, ManualClock::new(START), |options| options.name = name).await
    };
    let (one, other) = (bot("one").await, bot("other").await);
    one.insert(&[job("a")]).await;
    assert!(other.claim(9).await.is_empty());
    assert_eq!(other.insert(&[job("a")]).await, [Inserted::Stored]);
    assert_eq!(one.claim_one().await.job.id, id("a"));
    assert_eq!(other.store.counts().await.unwrap().states.values().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_from_a_server_that_is_away() {
    let port = free_port().to_string();
    let _server = RedisServer::start_with_password(&port, "geheim");
    let at = |user: &str| format!("redis://{user}127.0.0.1:{port}");
    open(&at(":geheim@")).await.insert(&[job("a")]).await;
    for url in [at(":falsch@"), at("")] {
        let error = refused(&url).await;
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("falsch"), "{error:?}");
    }
    let error = refused(&format!("redis://127.0.0.1:{}", free_port())).await;
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_self_signed_certificate_needs_an_opt_in() {
    let port = free_port().to_string();
    let keys = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let file = |name: &str, pem: String| {
        let path = keys.path().join(name);
        fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (cert, key) =
        (file("cert.pem", made.cert.pem()), file("key.pem", made.signing_key.serialize_pem()));
    let _server = RedisServer::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://127.0.0.1:{port}");
    let error = refused(&url).await;
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    let place = Place::on(Arc::new(Ground::Elsewhere(url)), ManualClock::new(START), |options| {
        options.insecure_tls = true;
    })
    .await;
    place.insert(&[job("a")]).await;
    assert_eq!(place.claim_one().await.job.id, id("a"));
}

/// Opens a store that is to wait for the disk, on a server with these arguments.
async fn opened_with_fsync(server: &RedisServer) -> Result<Arc<dyn Store>, Error> {
    let mut options = Place::open(Kind::Model).await.options;
    options.fsync = true;
    store::open(&server.url(), options).await
}

#[tokio::test]
async fn r3_fsync_waits_for_the_disk_where_the_server_can_tell() {
    let server = RedisServer::start_newest(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let store = opened_with_fsync(&server).await.unwrap();
    for name in ["a", "b"] {
        assert_eq!(store.insert(&[job(name)]).await.unwrap(), [Inserted::Stored]);
    }
    let claims = store.turn(Sending::once(), &[], &[want(&QUEUES, 9)]).await.unwrap().claims;
    let commits: Vec<_> =
        claims.iter().map(|claim| commit(claim, Outcome::Complete, vec![])).collect();
    let turn = store.turn(Sending::once(), &commits, &[]).await.unwrap();
    assert_eq!(turn.answers, [Answer::Applied; 2]);
    let mut redis = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let info: String = redis::cmd("INFO").arg("commandstats").query(&mut redis).unwrap();
    assert!(
        info.contains("cmdstat_waitaof:calls=4"),
        "one at the start, one for each write: {info}"
    );
}

#[tokio::test]
async fn r3_fsync_is_refused_where_nobody_can_tell_when_data_is_on_disk() {
    for (server, why) in [
        (RedisServer::start_newest(&[]), "it keeps all in memory"),
        (RedisServer::start(), "it keeps all in memory"),
        (
            RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]),
            "it does not know WAITAOF",
        ),
    ] {
        let error = opened_with_fsync(&server).await.expect_err(why);
        assert!(matches!(error, Error::Denied(_)), "{why}: {error:?}");
        assert!(format!("{error:?}").contains("STORE_DURABILITY"), "{error:?}");
    }
    let store = opened_with_fsync(&RedisServer::start_durable()).await.unwrap();
    drop(store);
}

#[tokio::test]
async fn a_server_that_was_away_is_used_again_by_the_next_call() {
    let mut ground = Ground::durable(Kind::Redis);
    let url = ground.url().unwrap();
    let place = open(&url).await;
    place.insert(&[job("a")]).await;
    for _ in 0..3 {
        ground.kill();
        let calls = (0..20).map(|n| {
            let store = place.store.clone();
            tokio::spawn(async move { store.insert(&[job(&format!("{n}"))]).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert!(matches!(call.await.unwrap(), Err(Error::Unavailable(_))));
        }
        ground.restart();
        assert_eq!(place.state(id("a")).await, Some(State::Ready));
    }
}

#[tokio::test]
async fn a_store_that_is_away_at_the_start_is_waited_for() {
    let mut ground = Ground::durable(Kind::Redis);
    let url = ground.url().unwrap();
    ground.kill();
    let options = Place::open(Kind::Model).await.options;
    let opening = tokio::spawn(async move { store::open_when_there(&url, options).await });
    tokio::task::yield_now().await;
    assert!(!opening.is_finished());
    ground.restart();
    let store = opening.await.unwrap().unwrap();
    assert_eq!(store.insert(&[job("a")]).await.unwrap(), [Inserted::Stored]);
}

/// A sentinel; killed when dropped.
struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn r1_a_store_follows_the_master_that_sentinels_name() {
    let (first, second, sentinel) = (free_port(), free_port(), free_port());
    let master_at = first.to_string();
    let mut master = RedisServer::start_with(&["--port", &master_at]);
    let _replica = RedisServer::start_with(&[
        "--port",
        &second.to_string(),
        "--replicaof",
        &format!("127.0.0.1 {first}"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "port {sentinel}\nsentinel monitor bots 127.0.0.1 {first} 1\nsentinel down-after-milliseconds bots 500\n"
    );
    fs::write(folder.path().join("sentinel.conf"), config).unwrap();
    let mut command = Command::new("redis-server");
    command.args(["sentinel.conf", "--sentinel"]).current_dir(folder.path()).stdout(Stdio::null());
    let _sentinel = Sentinel(command.spawn().unwrap());
    found("the replica follows", async || {
        says(second, &["INFO", "replication"], "master_link_status:up")
    })
    .await;
    found("the sentinel knows the replica", async || {
        says(sentinel, &["SENTINEL", "REPLICAS", "bots"], &second.to_string())
    })
    .await;

    let url = format!("redis+sentinel://127.0.0.1:{},127.0.0.1:{sentinel}/bots", free_port());
    let place = open(&url).await;
    let other = place.other().await;
    place.insert(&[job("a")]).await;
    assert!(other.turn(Sending::once(), &[], &[want(&QUEUES, 0)]).await.is_ok());
    found("the replica has the job", async || {
        says(second, &["LLEN", "yamabiko:{test}:ready:default"], "int(1)")
    })
    .await;
    master.kill();
    let claims = found("the replica is the master", async || {
        let turn = place.store.turn(Sending::once(), &[], &[want(&QUEUES, 9)]).await.ok()?;
        Some(turn.claims)
    })
    .await;
    assert_eq!(claims[0].job.id, id("a"));
    let lost = Losses { last: Some(START), promoted: vec![START] };
    assert_eq!(place.store.losses().await.unwrap(), lost, "it may lack what came last");
    place.clock.advance(secs(1));
    assert_eq!(place.store.losses().await.unwrap(), lost, "since it was met first");
    says(second, &["HSET", "yamabiko:{test}:server", "run_id", "another"], "int(0)").unwrap();
    assert_eq!(place.store.losses().await.unwrap().promoted, [START, START + secs(1)]);
    let end = [commit(&claims[0], Outcome::Complete, vec![])];
    assert_eq!(place.turn(&end, 0).await.answers, [Answer::Applied]);

    let waiting = found("who waits hears of the new master", async || {
        other.wait(&[Signal::Queue("low".to_owned())], secs(5)).await.ok()?;
        other.turn(Sending::once(), &[], &[want(&["low"], 1)]).await.ok()?.claims.pop()
    });
    let low = [NewJob { queue: "low".to_owned(), ..job("b") }];
    let (heard, _) = tokio::join!(waiting, place.insert(&low));
    assert_eq!(heard.job.id, id("b"));
}

/// Opens a store that goes by the server's own clock, and keeps nothing for longer than it must.
async fn open_by_its_own_clock(url: &str) -> Arc<dyn Store> {
    let options = StoreOptions { keep_dead: Duration::ZERO, ..StoreOptions::new("test") };
    store::open(url, options).await.unwrap()
}

#[tokio::test]
async fn t3_a_server_whose_clock_is_far_ahead_of_its_last_time_removes_nothing_for_its_age() {
    let server = RedisServer::start();
    let mut raw = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let store = open_by_its_own_clock(&server.url()).await;
    store.insert(&[job("dead")]).await.unwrap();
    let turn = store.turn(Sending::once(), &[], &[want(&QUEUES, 1)]).await.unwrap();
    let noted: Option<i64> = redis::cmd("GET").arg(LATEST).query(&mut raw).unwrap();
    assert_eq!(noted, None, "nothing was expected of the clock yet");
    let dead = commit(&turn.claims[0], crate::place::dead(), vec![]);
    store.turn(Sending::once(), &[dead], &[]).await.unwrap();
    let noted: i64 = redis::cmd("GET").arg(LATEST).query(&mut raw).unwrap();
    store.insert(&[job("other")]).await.unwrap();
    let turn = store.turn(Sending::once(), &[], &[want(&QUEUES, 1)]).await.unwrap();
    // As if the server had been away for 32 days, or its clock were wrong.
    let days = 32 * 24 * 3_600 * 1_000_000_i64;
    redis::cmd("SET").arg(LATEST).arg(noted - days).exec(&mut raw).unwrap();
    let doubting = open_by_its_own_clock(&server.url()).await;
    let dead = commit(&turn.claims[0], crate::place::dead(), vec![]);
    doubting.turn(Sending::once(), &[dead], &[]).await.unwrap();
    for _ in 0..3 {
        doubting.tick().await.unwrap();
        let handle = doubting.handle().await.unwrap();
        handle.tick().await.unwrap();
    }
    assert!(doubting.get(id("other")).await.unwrap().is_some());
    let stands: i64 = redis::cmd("GET").arg(LATEST).query(&mut raw).unwrap();
    assert_eq!(stands, noted - days, "it stands for the next process that starts");
    store.tick().await.unwrap();
    assert!(
        store.get(id("other")).await.unwrap().is_none(),
        "this process has seen the clock go on"
    );
}

#[tokio::test]
async fn t3_by_a_clock_in_doubt_an_id_stays_remembered() {
    const REMEMBERED: &str = "yamabiko:{test}:remembered";
    let server = RedisServer::start();
    let mut raw = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let store = open_by_its_own_clock(&server.url()).await;
    store.insert(&[job("done")]).await.unwrap();
    let claims = store.turn(Sending::once(), &[], &[want(&QUEUES, 1)]).await.unwrap().claims;
    let done = commit(&claims[0], Outcome::Complete, vec![]);
    store.turn(Sending::once(), &[done], &[]).await.unwrap();
    // As if the server's clock had jumped to behind its time.
    let names: Vec<String> =
        redis::cmd("ZRANGE").arg(REMEMBERED).arg(0).arg(-1).query(&mut raw).unwrap();
    redis::cmd("ZADD").arg(REMEMBERED).arg(1).arg(&names[0]).exec(&mut raw).unwrap();
    let doubting = open_by_its_own_clock(&server.url()).await;
    assert_eq!(doubting.insert(&[job("done")]).await.unwrap(), [Inserted::Duplicate]);
    assert_eq!(store.insert(&[job("done")]).await.unwrap(), [Inserted::Stored]);
}

#[tokio::test]
async fn i5_of_too_many_revoked_origins_the_oldest_is_forgotten() {
    const REVOKED: &str = "yamabiko:{test}:revoked";
    let place = Place::open(Kind::Redis).await;
    let mut raw = place.ground.redis();
    let fill = "for i = 1, 100000 do redis.call('ZADD', KEYS[1], ARGV[1] + i, 'old ' .. i) end";
    let until = (START + secs(60)).as_millis() * 1_000;
    redis::cmd("EVAL").arg(fill).arg(1).arg(REVOKED).arg(until).exec(&mut raw).unwrap();
    let new = |name| NewJob { revokes: Some("new".to_owned()), ..job(name) };
    let stored = place.insert(&[new("a"), new("b")]).await;
    assert_eq!(stored, [Inserted::Stored; 2]);
    let count: u32 = redis::cmd("ZCARD").arg(REVOKED).query(&mut raw).unwrap();
    assert_eq!(count, 100_000);
    let names = [REVOKED, "old 1", "old 2", "new"];
    let left: [Option<f64>; 3] = redis::cmd("ZMSCORE").arg(&names).query(&mut raw).unwrap();
    assert_eq!(left.map(|until| until.is_some()), [false, true, true]);
}
