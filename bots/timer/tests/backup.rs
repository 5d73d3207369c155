//! `timer-bot backup`: taken while the bot works, and gone on with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use support::{Line, PATIENCE, Process, Said, block_on, free_port};

/// Timers that are asked for before the backup: those of the first half end before the bot is stopped.
const TIMERS: usize = 60;
const SECONDS: [&str; 2] = ["4", "12"];

fn backup(store: &str, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
    command.arg("backup").arg(file).env_clear().env("STORE_URL", store);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Counts what the bot said to each request, of what begins with `sign`.
fn heard(ledger: &[Said], sign: char) -> HashMap<String, usize> {
    let mut heard = HashMap::new();
    for said in ledger.iter().filter(|said| said.by_bot && said.text.starts_with(sign)) {
        *heard.entry(said.quotes.clone().unwrap_or_default()).or_default() += 1;
    }
    heard
}

/// Waits until the bot has said what begins with `sign` to each request.
async fn all_heard(line: &Line, requests: &[String], sign: char) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let heard = heard(&line.ledger().await, sign);
        if requests.iter().all(|request| heard.contains_key(request)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{sign} is missing: {heard:?}");
        // Asking for the next change of any chat is not offered; this only sets how often we look.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Lets a user write all the while.
async fn write(line: Arc<Line>, stop: Arc<AtomicBool>) {
    let talker = line.user("talker", "en").await;
    while !stop.load(Ordering::SeqCst) {
        line.says(&talker, "hello").await;
    }
}

#[test]
fn timers_that_were_set_before_a_backup_under_load_fire_from_it_and_are_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    block_on(async {
        let port = free_port();
        let line = Arc::new(Line::start(port).await);
        let roles = ["web", "worker", "worker", "timer"];
        let bots = roles.map(|role| Process::bot(role, &store("bot.db"), port, &line));
        let stop = Arc::<AtomicBool>::default();
        let load = tokio::spawn(write(Arc::clone(&line), Arc::clone(&stop)));
        let mut requests = Vec::new();
        for number in 0..TIMERS {
            let user = line.user(&format!("user {number}"), "en").await;
            requests.push(line.says(&user, SECONDS[2 * number / TIMERS]).await);
        }
        all_heard(&line, &requests, '⏰').await;
        let file = folder.path().join("backup.db");
        let output = backup(&store("bot.db"), &file).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("backup.db: "), "{}", text(&output.stdout));
        stop.store(true, Ordering::SeqCst);
        load.await.unwrap();
        all_heard(&line, &requests[..TIMERS / 2], '🔔').await;
        for bot in bots {
            assert!(bot.terminate());
        }
        let before = heard(&line.ledger().await, '🔔');
        assert!(before.len() < TIMERS, "some are left for the backup");
        let bot = Process::bot("all", &store("backup.db"), port, &line);
        all_heard(&line, &requests, '🔔').await;
        assert!(bot.terminate());
        // What the first bot said after the backup is pushed again with the same key, and LINE shows it once.
        assert!(line.get("/control/log").await.to_string().contains("already accepted"));
        let notified = heard(&line.ledger().await, '🔔');
        assert!(requests.iter().all(|request| notified[request] == 1), "{notified:?}");
    });
}

/// Makes a store so large that a copy takes its time.
fn large(path: &Path) -> String {
    let store = format!("sqlite:{}", path.display());
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let bot = Process::bot("all", &store, port, &line);
        line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
        assert!(bot.terminate());
    });
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
         INSERT INTO state (lane, value) SELECT 'lane ' || i, zeroblob(60000) FROM n",
    )
    .unwrap();
    store
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let store = large(&folder.path().join("bot.db"));
    let file = copies.path().join("backup.db");
    let copying = Process::start(backup(&store, &file));
    while fs::read_dir(copies.path()).unwrap().next().is_none() {
        std::thread::yield_now();
    }
    drop(copying);
    for left in fs::read_dir(copies.path()).unwrap() {
        let name = left.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') && name.contains(".part"), "{name}");
    }
    let output: Output = backup(&store, &file).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_backup_that_cannot_be_made_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let complaint = |store: &str, file: &Path| {
        let output = backup(store, file).stdout(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let file = folder.path().join("backup.db");
    let redis = complaint("redis://user:geheim@127.0.0.1:6379/0", &file);
    assert!(redis.contains("redis-cli --rdb") && !redis.contains("geheim"), "{redis}");
    let missing = format!("sqlite:{}", folder.path().join("missing.db").display());
    assert!(complaint(&missing, &file).contains("missing.db"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
