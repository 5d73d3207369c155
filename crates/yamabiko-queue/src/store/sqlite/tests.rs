//! What the suite of both stores does not reach: the file, the group, several openers of one file.

use std::{collections::BTreeSet, sync::mpsc, thread, time::Duration};

use rusqlite::Connection;

use super::SqliteStore;
use crate::{
    clock::{Clock, ManualClock, Timestamp, wall_clock},
    error::{Error, Result},
    job::{Due, JobId, NewJob},
    store::{
        Answer, Claim, Commit, Effect, Inserted, Outcome, Process, Sending, Signal, Store,
        StoreOptions, Turn, Want,
    },
};

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LONG: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

struct File(tempfile::TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> String {
        self.0.path().join("bot.db").to_str().unwrap().to_owned()
    }

    async fn open(&self) -> SqliteStore {
        let clock = Clock::Manual(ManualClock::new(START));
        let options = StoreOptions { clock, ..StoreOptions::new("test") };
        SqliteStore::open(&self.path(), options).await.unwrap()
    }

    async fn open_with_own_clock(&self) -> Result<SqliteStore> {
        SqliteStore::open(&self.path(), StoreOptions::new("test")).await
    }

    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

async fn claim(store: &SqliteStore, at_most: usize) -> Turn {
    let want = Want { queues: vec!["default".into()], at_most };
    store.turn(Sending::once(), &[], &[want]).await.unwrap()
}

fn complete(claim: &Claim, effects: Vec<Effect>) -> Commit {
    Commit { effects, ..Commit::bare(claim.job.id, claim.token, Outcome::Complete) }
}

/// Waits for what must come, and fails instead of hanging if it does not.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, what).await.expect("it comes")
}

#[tokio::test]
async fn a_claim_outlives_the_store_that_made_it() {
    let file = File::new();
    let store = file.open().await;
    let job = NewJob { lane: Some("lane".into()), ..NewJob::new("kind", "1") };
    assert_eq!(store.insert(std::slice::from_ref(&job)).await.unwrap(), [Inserted::Stored]);
    let turn = claim(&store, 5).await;
    drop(store);
    let store = file.open().await;
    let commit = complete(&turn.claims[0], vec![Effect::SetState(Some(b"7".to_vec()))]);
    let commits = [commit];
    assert_eq!(
        store.turn(Sending::once(), &commits, &[]).await.unwrap().answers,
        [Answer::Applied]
    );
    assert_eq!(store.turn(Sending::once(), &commits, &[]).await.unwrap().answers, [Answer::Lost]);
    assert_eq!(store.state("lane").await.unwrap(), Some(b"7".to_vec()));
    assert_eq!(store.insert(&[job]).await.unwrap(), [Inserted::Duplicate]);
}

#[tokio::test]
async fn q1_a_request_that_fails_fails_alone() {
    let file = File::new();
    let store = file.open().await;
    // While the thread is held up, the others come together in one group.
    let (open, gate) = mpsc::channel::<()>();
    let held_up = store.writer.write(move |_| Ok(gate.recv().is_ok()));
    let (first, last) = ([NewJob::new("first", "")], [NewJob::new("last", "")]);
    let lost = NewJob::new("lost", "");
    let lost_id = lost.id;
    let fails = store.writer.write(move |step| {
        step.insert_one(&lost)?;
        step.run("INSERT INTO job (id) VALUES (NULL)", ())
    });
    let release = async move { drop(open) };
    let (held_up, first, failed, last, ()) =
        tokio::join!(held_up, store.insert(&first), fails, store.insert(&last), release);
    held_up.unwrap();
    assert_eq!(first.unwrap(), [Inserted::Stored]);
    assert!(matches!(failed, Err(Error::Refused(_))), "{failed:?}");
    assert_eq!(last.unwrap(), [Inserted::Stored]);
    assert_eq!(store.get(lost_id).await.unwrap(), None);
    assert_eq!(claim(&store, 5).await.claims.len(), 2);
}

#[tokio::test]
async fn q1_a_full_disk_refuses_and_recovers_when_there_is_room() {
    let file = File::new();
    let store = file.open().await;
    let limit = |pages: u32| {
        store.writer.write(move |step| {
            step.statements.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        })
    };
    store.insert(&[NewJob::new("small", "")]).await.unwrap();
    limit(40).await.unwrap();
    let large =
        [NewJob::new("large", vec![b' '; 60_000]), NewJob::new("large", vec![b' '; 60_000])];
    let (full, fits) = tokio::join!(store.insert(&large), store.tick());
    assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
    assert!(fits.is_ok(), "{fits:?}");
    assert_eq!(store.get(large[0].id).await.unwrap(), None, "all or none");
    let claims = claim(&store, 5).await.claims;
    assert_eq!(claims.len(), 1, "what was accepted can be finished");
    limit(1_000_000).await.unwrap();
    assert_eq!(store.insert(&large).await.unwrap(), [Inserted::Stored, Inserted::Stored]);
}

#[tokio::test]
async fn q1_after_a_full_disk_the_next_step_writes_whether_it_has_to_or_not() {
    let file = File::new();
    let store = file.open().await;
    let limit = |pages: u32| {
        store.writer.write(move |step| {
            step.statements.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        })
    };
    let other = file.raw();
    let writes =
        || -> i64 { other.query_row("PRAGMA data_version", (), |row| row.get(0)).unwrap() };
    limit(40).await.unwrap();
    let before = writes();
    assert_eq!(store.insert(&[]).await.unwrap(), []);
    assert_eq!(writes(), before);
    let large = [0, 1].map(|_| NewJob::new("large", vec![b' '; 60_000]));
    assert!(matches!(store.insert(&large).await, Err(Error::Full(_))));
    assert_eq!(store.insert(&[]).await.unwrap(), []);
    assert_ne!(writes(), before, "so it knows that there is room");
    let before = writes();
    assert_eq!(store.insert(&[]).await.unwrap(), []);
    assert_eq!(writes(), before, "once is enough");
}

#[tokio::test]
async fn q1_a_locked_file_is_unavailable_for_all_at_once_and_works_when_it_is_free() {
    let file = File::new();
    let store = file.open().await;
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = std::time::Instant::now();
    let jobs = [NewJob::new("kind", "")];
    let (first, second) = tokio::join!(store.insert(&jobs), store.tick());
    assert!(matches!(first, Err(Error::Unavailable(_))), "{first:?}");
    assert!(second.is_err());
    assert!(start.elapsed() < Duration::from_secs(20), "not tried for each in turn");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.insert(&jobs).await.unwrap(), [Inserted::Stored]);
}

#[tokio::test]
async fn w1_what_finds_nothing_to_do_writes_nothing() {
    let file = File::new();
    let store = file.open_with_own_clock().await.unwrap();
    let other = file.raw();
    let version =
        || -> i64 { other.query_row("PRAGMA data_version", (), |row| row.get(0)).unwrap() };
    let before = version();
    store.tick().await.unwrap();
    assert!(claim(&store, 5).await.claims.is_empty());
    store.wait(&[Signal::Timers], Duration::ZERO).await.unwrap();
    store.counts().await.unwrap();
    assert_eq!(version(), before);
    store.insert(&[NewJob::new("kind", "")]).await.unwrap();
    assert_ne!(version(), before, "the check sees a write");
}

#[tokio::test]
async fn w1_another_opener_of_the_file_is_woken() {
    let file = File::new();
    let (here, there) = (file.open().await, file.open().await);
    let signals = [Signal::Queue("default".into())];
    let start = std::time::Instant::now();
    let jobs = [NewJob::new("kind", "")];
    let (waited, _) = tokio::join!(here.wait(&signals, LONG), there.insert(&jobs));
    waited.unwrap();
    assert!(start.elapsed() < LONG);
    assert_eq!(claim(&here, 5).await.claims.len(), 1);
}

/// Makes the file look as if its last time had been so far ahead of now, or so far back if `ahead` is negative.
fn move_latest(file: &File, ahead_seconds: i64) {
    let latest = wall_clock().as_micros() + ahead_seconds * 1_000_000;
    file.raw().execute("UPDATE store SET latest = ?", (latest,)).unwrap();
}

#[tokio::test]
async fn t3_a_stored_time_ahead_neither_rings_timers_early_nor_stays() {
    for ahead_seconds in [11, 50 * 60, 60 * 60 + 15, 365 * 24 * 3600] {
        let file = File::new();
        let store = file.open_with_own_clock().await.unwrap();
        move_latest(&file, ahead_seconds);
        let before = wall_clock();
        let timer = NewJob { due: Due::In(10 * SECOND), ..NewJob::new("kind", "a") };
        store.insert(&[timer]).await.unwrap();
        let tick = store.tick().await.unwrap();
        assert_eq!(tick.promoted, 0, "{ahead_seconds}");
        assert!(tick.now < before + 10 * SECOND, "{ahead_seconds}");
        let sql = "SELECT latest, set_back_by FROM store";
        let (latest, by): (i64, i64) =
            file.raw().query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert!(latest <= wall_clock().as_micros(), "{ahead_seconds}");
        assert_eq!((by + 500_000) / 1_000_000, ahead_seconds, "doctor is told");
    }
}

#[tokio::test]
async fn t3_a_stored_time_that_is_a_little_ahead_rings_no_timer_early() {
    let file = File::new();
    let store = file.open_with_own_clock().await.unwrap();
    // By less than is set right at once.
    move_latest(&file, 9);
    let due = wall_clock() + 8 * SECOND;
    store.insert(&[NewJob { due: Due::At(due), ..NewJob::new("kind", "a") }]).await.unwrap();
    let tick = store.tick().await.unwrap();
    assert_eq!((tick.promoted, tick.next), (0, Some(due)));
}

#[tokio::test]
async fn t3_a_store_that_was_written_long_ago_by_its_clock_forgets_nothing_at_first() {
    const DAY: i64 = 24 * 3600;
    let file = File::new();
    let keeps = async || {
        let mut options = StoreOptions::new("test");
        (options.keep_completed, options.keep_dead) = (SECOND, SECOND);
        SqliteStore::open(&file.path(), options).await
    };
    let store = keeps().await.unwrap();
    let jobs =
        ["dead", "completed"].map(|name| NewJob { remember: SECOND, ..NewJob::new("kind", name) });
    store.insert(&jobs).await.unwrap();
    let claims = claim(&store, 2).await.claims;
    let dead = Commit {
        outcome: Outcome::Dead { error: "no hope".to_owned() },
        ..complete(&claims[0], Vec::new())
    };
    store.turn(Sending::once(), &[dead, complete(&claims[1], Vec::new())], &[]).await.unwrap();
    drop(store);
    // As a store that is opened by a clock that is 32 days ahead.
    let old = "UPDATE job SET place = place - ?1; UPDATE seen SET until = until - ?1";
    for statement in old.split("; ") {
        file.raw().execute(statement, (32 * DAY * 1_000_000,)).unwrap();
    }
    move_latest(&file, -32 * DAY);
    let store = keeps().await.unwrap();
    store.tick().await.unwrap();
    assert_eq!(store.insert(&jobs).await.unwrap(), [Inserted::Duplicate; 2]);
    store.tick().await.unwrap();
    let kept = |sql| file.raw().query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(kept("SELECT count(*) FROM job"), 2);
    assert_eq!(kept("SELECT count(*) FROM seen"), 2);
    // As when its clock is right.
    drop(store);
    move_latest(&file, -DAY);
    let store = keeps().await.unwrap();
    store.tick().await.unwrap();
    assert_eq!(kept("SELECT count(*) FROM job"), 0);
    assert_eq!(kept("SELECT count(*) FROM seen"), 0);
}

#[tokio::test]
async fn t3_a_write_stores_the_time() {
    let file = File::new();
    let store = file.open_with_own_clock().await.unwrap();
    let before = wall_clock();
    store.insert(&[NewJob::new("kind", "")]).await.unwrap();
    let sql = "SELECT latest FROM store";
    let latest: i64 = file.raw().query_row(sql, (), |row| row.get(0)).unwrap();
    assert!(latest >= before.as_micros());
}

#[tokio::test]
async fn q3_a_file_of_a_newer_version_is_refused_with_both_versions_named() {
    let file = File::new();
    drop(file.open().await);
    file.raw().pragma_update(None, "user_version", 7).unwrap();
    let error = file.open_with_own_clock().await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 7, known: 4 }), "{error:?}");
}

#[tokio::test]
async fn q3_what_is_not_ours_is_refused_and_left_alone() {
    let file = File::new();
    file.raw().execute_batch("CREATE TABLE diary (page TEXT)").unwrap();
    let error = file.open_with_own_clock().await.unwrap_err();
    assert!(crate::finding::because(&error).contains("another program"), "{error:?}");
    let file = File::new();
    std::fs::write(file.path(), "Dear diary, this is no database at all.".repeat(20)).unwrap();
    let error = file.open_with_own_clock().await.unwrap_err();
    assert!(crate::finding::because(&error).contains("not a database"), "{error:?}");
    let error = SqliteStore::open("/nowhere/bot.db", StoreOptions::new("test")).await.unwrap_err();
    assert!(crate::finding::because(&error).contains("/nowhere/bot.db"), "{error:?}");
}

/// Asks again while others keep the file busy, as all who use a store do (C5).
async fn in_the_end<T>(call: impl AsyncFn() -> Result<T>) -> T {
    loop {
        match call().await {
            Err(error) if error.is_retryable() => {}
            result => return result.unwrap(),
        }
    }
}

/// Inserts and works off jobs by itself, with a store and a runtime of its own.
fn work_alone(path: &str, who: &str, jobs: usize) -> Vec<JobId> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = in_the_end(|| SqliteStore::open(path, StoreOptions::new("test"))).await;
        let process = Process {
            name: who.to_owned(),
            role: "all".into(),
            host: "here".into(),
            pid: 1,
            version: "0".into(),
            queues: Vec::new(),
        };
        let mut done = Vec::new();
        let mut commits = Vec::new();
        for n in 0..jobs {
            let job = NewJob { lane: Some(format!("lane {}", n % 7)), ..NewJob::new("kind", who) };
            in_the_end(async || store.insert(std::slice::from_ref(&job)).await).await;
            let want = [Want { queues: vec!["default".into()], at_most: 3 }];
            let turn =
                in_the_end(async || store.turn(Sending::once(), &commits, &want).await).await;
            assert!(turn.answers.iter().all(|answer| *answer == Answer::Applied));
            let held: Vec<_> =
                turn.claims.iter().map(|claim| (claim.job.id, claim.token)).collect();
            in_the_end(async || store.beat(&process, &held, &[]).await).await;
            commits = turn.claims.iter().map(|claim| complete(claim, Vec::new())).collect();
            done.extend(turn.claims.iter().map(|claim| claim.job.id));
        }
        in_the_end(async || store.turn(Sending::once(), &commits, &[]).await).await;
        done
    })
}

#[tokio::test]
async fn q1_several_openers_of_one_file_share_the_work_and_starve_nobody() {
    const OPENERS: usize = 4;
    const JOBS: usize = 50;
    let file = File::new();
    let path = file.path();
    let workers: Vec<_> = (0..OPENERS)
        .map(|n| {
            let path = path.clone();
            // All of them find no file and create it.
            thread::spawn(move || work_alone(&path, &format!("worker {n}"), JOBS))
        })
        .collect();
    let mut done: Vec<_> = workers.into_iter().flat_map(|it| it.join().unwrap()).collect();
    let store = file.open_with_own_clock().await.unwrap();
    loop {
        let claims = claim(&store, 100).await.claims;
        if claims.is_empty() {
            break;
        }
        let commits: Vec<_> = claims.iter().map(|claim| complete(claim, Vec::new())).collect();
        store.turn(Sending::once(), &commits, &[]).await.unwrap();
        done.extend(claims.iter().map(|claim| claim.job.id));
    }
    assert_eq!(done.len(), OPENERS * JOBS);
    assert_eq!(done.into_iter().collect::<BTreeSet<_>>().len(), OPENERS * JOBS);
    let counts = store.counts().await.unwrap();
    assert!(counts.states.values().all(|count| *count == 0), "{counts:?}");
}

#[tokio::test]
async fn the_thread_of_a_dropped_store_ends() {
    let file = File::new();
    let store = file.open().await;
    let bell = std::sync::Arc::downgrade(&store.bell);
    drop(store);
    soon(async {
        while bell.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[test]
fn r3_a_commit_is_on_the_drive_on_macos_too() {
    let db = super::file::open(&File::new().path()).unwrap();
    for pragma in ["fullfsync", "checkpoint_fullfsync"] {
        assert!(db.pragma_query_value(None, pragma, |row| row.get::<_, bool>(0)).unwrap());
    }
}

#[tokio::test]
async fn i5_of_too_many_revoked_origins_the_oldest_is_forgotten() {
    let file = File::new();
    let store = file.open().await;
    let raw = file.raw();
    let until = (START + LONG).as_micros();
    raw.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO revoked SELECT 'old ' || i, ? + i FROM n",
        (until,),
    )
    .unwrap();
    raw.execute("UPDATE store SET revoked = 100000", ()).unwrap();
    let new = NewJob { revokes: Some("new".to_owned()), ..NewJob::new("kind", "") };
    store.insert(&[new.clone(), NewJob { id: JobId::new(), ..new }]).await.unwrap();
    let found = |sql| raw.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(found("SELECT count(*) FROM revoked"), 100_000);
    assert_eq!(found("SELECT revoked FROM store"), 100_000);
    assert_eq!(found("SELECT count(*) FROM revoked WHERE origin IN ('old 1', 'old 2', 'new')"), 2);
}
