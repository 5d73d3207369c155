//! A backup that is taken while others write shows one moment, holds nobody up, and can be worked on.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use yamabiko_queue::{
    Due, Effect, Error, ManualClock, NewJob, Outcome, Store,
    store::{self, Claim, Commit, Sending},
};

use crate::{
    ground::{Ground, Kind},
    place::{Place, QUEUES, START, commit, id, in_lane, job, secs, want},
};

/// Handles that write at the same time, each with a connection of its own.
const WRITERS: usize = 3;
/// Jobs that make the file so large that a copy takes its time.
const FILLING: usize = 400;
/// The size of each.
const BYTES: usize = 60_000;
/// Backups that are taken one after the other.
const BACKUPS: usize = 3;

fn ask(writer: usize, n: usize) -> String {
    format!("ask {writer} {n}")
}

fn timer(writer: usize, n: usize) -> String {
    format!("timer {writer} {n}")
}

/// Ends a request, and starts the timer that was asked for in the same step.
fn answer(claim: &Claim) -> Commit {
    let name = String::from_utf8(claim.job.payload.clone()).unwrap().replace("ask", "timer");
    let timer = NewJob { due: Due::In(secs(3_600)), ..job(&name) };
    commit(claim, Outcome::Complete, vec![Effect::Insert(timer)])
}

/// Asks and answers until told to stop; `asked` counts the requests that are stored.
async fn write(
    store: Arc<dyn Store>,
    writer: usize,
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
) {
    let mut claims: Vec<Claim> = Vec::new();
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        store.insert(&[in_lane(&ask(writer, n), &format!("lane {writer}"))]).await.unwrap();
        asked.fetch_add(1, Ordering::SeqCst);
        let commits: Vec<_> = claims.iter().map(answer).collect();
        claims =
            store.turn(Sending::once(), &commits, &[want(&["events"], 2)]).await.unwrap().claims;
    }
}

/// Checks that a backup is whole: each request that was stored before is there, as such or as its timer.
async fn shows_one_moment(backup: &Path, asked: &[usize]) -> Place {
    let ground = Ground::Elsewhere(format!("sqlite:{}", backup.display()));
    let whole: String =
        ground.sqlite().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    let place = Place::on(Arc::new(ground), ManualClock::new(START), |_| {}).await;
    for (writer, &asked) in asked.iter().enumerate() {
        for n in 0..asked {
            let (ask, timer) = (ask(writer, n), timer(writer, n));
            let found = (place.get(id(&ask)).await, place.get(id(&timer)).await);
            let (record, name) = match found {
                (Some(ask_record), None) => (ask_record, ask),
                (None, Some(timer_record)) => (timer_record, timer),
                both => panic!("{ask} is there as {both:?}"),
            };
            assert_eq!(record.job.payload, name.as_bytes());
        }
    }
    place
}

/// Runs all that there is, and returns how many jobs that were.
async fn work_off(place: &Place) -> usize {
    let mut ended = 0;
    // The first tick after a start lets a lease pass before claims of the dead come back.
    place.pass(secs(20)).await;
    place.pass(secs(3_600)).await;
    loop {
        place.tick().await;
        let turn = place.store.turn(Sending::once(), &[], &[want(&QUEUES, 200)]).await.unwrap();
        if turn.claims.is_empty() && turn.tick.promoted == 0 {
            break;
        }
        let commits: Vec<_> =
            turn.claims.iter().map(|claim| commit(claim, Outcome::Complete, vec![])).collect();
        ended += commits.len();
        place.turn(&commits, 0).await;
    }
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_shows_one_moment_and_goes_on() {
    let place = Place::open(Kind::Sqlite).await;
    for n in 0..FILLING {
        let payload = vec![b'x'; BYTES];
        place
            .insert(&[NewJob { payload, due: Due::In(secs(60)), ..job(&format!("filling {n}")) }])
            .await;
    }
    let stop = Arc::<AtomicBool>::default();
    let asked: Vec<_> = (0..WRITERS).map(|_| Arc::<AtomicUsize>::default()).collect();
    let count = || asked.iter().map(|asked| asked.load(Ordering::SeqCst)).collect::<Vec<_>>();
    let mut writers = Vec::new();
    for (writer, asked) in asked.iter().enumerate() {
        let store = place.other().await;
        writers.push(tokio::spawn(write(store, writer, Arc::clone(&stop), Arc::clone(asked))));
    }
    let (url, folder) = (place.ground.url().unwrap(), tempfile::tempdir().unwrap());
    let mut backups = Vec::new();
    for n in 0..BACKUPS {
        let (before, file) = (count(), folder.path().join(format!("{n}.db")));
        store::backup(&url, &file).await.unwrap();
        backups.push((file, before));
    }
    let written: usize = count().iter().sum();
    assert!(written > backups[0].1.iter().sum(), "they went on writing meanwhile");
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    for (file, asked) in backups {
        let place = shows_one_moment(&file, &asked).await;
        assert!(work_off(&place).await >= FILLING + asked.iter().sum::<usize>());
        place.forget().await;
        assert_eq!(place.leftovers(), Vec::<String>::new());
    }
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".part")), "{names:?}");
}

#[tokio::test]
async fn a_backup_waits_for_nobody_who_writes() {
    let place = Place::open(Kind::Sqlite).await;
    place.insert(&[job("stored")]).await;
    let writer = place.ground.sqlite();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM job").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    store::backup(&place.ground.url().unwrap(), &file).await.unwrap();
    writer.execute_batch("COMMIT").unwrap();
    let backup = rusqlite::Connection::open(&file).unwrap();
    let jobs: u32 = backup.query_row("SELECT count(*) FROM job", [], |row| row.get(0)).unwrap();
    assert_eq!(jobs, 1, "it shows what was committed");
}

#[tokio::test]
async fn a_backup_has_the_stores_mode_and_nothing_that_was_deleted() {
    let place = Place::open(Kind::Sqlite).await;
    let url = place.ground.url().unwrap();
    let path = url.strip_prefix("sqlite:").unwrap();
    place.insert(&[NewJob { payload: b"a word taken back".to_vec(), ..job("a") }]).await;
    let claim = place.claim_one().await;
    place.end(&claim, Outcome::Complete).await;
    place.ground.sqlite().execute_batch("PRAGMA wal_checkpoint").unwrap();
    let has_word = |file: &Path| {
        fs::read(file).unwrap().windows(17).any(|window| window == b"a word taken back")
    };
    assert!(has_word(Path::new(path)), "SQLite leaves it in the file until its place is needed");
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
    let backup = Path::new(path).with_file_name("backup.db");
    let size = store::backup(&url, &backup).await.unwrap();
    let made = fs::metadata(&backup).unwrap();
    assert_eq!((made.len(), made.permissions().mode() & 0o777), (size, 0o640));
    assert!(!has_word(&backup));
}

async fn refused(url: &str, file: &Path) -> String {
    match store::backup(url, file).await.unwrap_err() {
        Error::Backup(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_says_what_it_lacks() {
    let place = Place::open(Kind::Sqlite).await;
    let (url, folder) = (place.ground.url().unwrap(), tempfile::tempdir().unwrap());
    let there = folder.path().join("there.db");
    fs::write(&there, "dear").unwrap();
    assert!(refused(&url, &there).await.contains("there.db is there already"));
    assert_eq!(fs::read_to_string(&there).unwrap(), "dear");
    assert!(refused(&url, &folder.path().join("no/such.db")).await.contains("no/such.db"));
    let redis = refused("redis://127.0.0.1:1", &folder.path().join("a.db")).await;
    assert!(redis.contains("redis-cli --rdb"), "{redis}");
    let missing = format!("sqlite:{}", folder.path().join("missing.db").display());
    let error = store::backup(&missing, &folder.path().join("a.db")).await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["there.db"]);
}
