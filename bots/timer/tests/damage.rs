//! A page of the bot's file is damaged, or a key of its Redis.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::{fs::FileExt as _, net::UnixStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use support::{Line, PATIENCE, Process, block_on, free_port, redis_server::RedisServer, settings};

/// The size of SQLite's pages.
const PAGE: usize = 4096;

fn start(role: &str, folder: &Path, port: u16, admin: u16, line: &Line) -> Process {
    start_on(
        &format!("sqlite:{}", folder.join("bot.db").display()),
        role,
        folder,
        port,
        admin,
        line,
    )
}

fn start_on(store: &str, role: &str, folder: &Path, port: u16, admin: u16, line: &Line) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
    command
        .arg(role)
        .env_clear()
        .envs(settings(store, line))
        .env("PORT", port.to_string())
        .env("ADMIN_PORT", admin.to_string())
        .env("HOST", "127.0.0.1")
        .stderr(File::create(folder.join("log")).unwrap());
    Process::start(command)
}

/// Overwrites a page that is filled with this text alone, but for where the next one is.
fn damage(file: &Path, filling: &str) {
    let filling = filling.as_bytes();
    let is_filled = |page: &[u8]| {
        let goes_on =
            |from| page[4..].iter().zip(filling.iter().cycle().skip(from)).all(|(a, b)| a == b);
        page[..4] != [0; 4] && (0..filling.len()).any(goes_on)
    };
    let all = rusqlite::Connection::open(file).unwrap();
    all.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(all);
    let pages = fs::read(file).unwrap();
    let page = pages.chunks(PAGE).position(is_filled).expect("there is one");
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&[0xff; PAGE], u64::try_from(page * PAGE).unwrap()).unwrap();
}

#[test]
fn an_event_on_a_damaged_page_is_set_aside_and_named_and_everybody_else_is_served() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (port, admin) = (free_port(), free_port());
        let line = Line::start(port).await;
        let url = format!("http://127.0.0.1:{port}");
        let metrics = format!("http://127.0.0.1:{admin}/metrics");
        let (alice, bob) = (line.user("Alice", "en").await, line.user("Bob", "en").await);
        let web = start("web", folder.path(), port, admin, &line);
        line.reaches(&format!("{url}/live")).await;
        line.reaches(&format!("{url}/ready")).await;
        let filling = "むかしむかし、";
        line.says(&alice, &filling.repeat(700)).await;
        line.says(&bob, "hello").await;
        let deadline = Instant::now() + PATIENCE;
        while let shown = line.text(&metrics).await
            && !shown.contains("yamabiko_events_total{outcome=\"stored\"} 2")
        {
            assert!(Instant::now() < deadline, "{shown}");
            // A bot tells nobody what it has stored; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(web.terminate());
        damage(&folder.path().join("bot.db"), filling);

        let _all = start("all", folder.path(), port, admin, &line);
        line.reaches(&format!("{url}/ready")).await;
        assert_eq!(line.hears(&bob, 1).await.len(), 1, "what came before it");
        line.says(&alice, "0").await;
        assert_eq!(line.hears(&alice, 2).await.len(), 2, "what comes after it in the same chat");
        line.reaches(&format!("{url}/ready")).await;
        let ready = line.text(&format!("{url}/ready")).await;
        assert!(ready.contains("1 record of the store is damaged"), "{ready}");
        let shown = line.text(&metrics).await;
        assert!(shown.contains("yamabiko_damaged_records_total 1"), "{shown}");
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        let named = log.lines().filter(|line| line.contains("is damaged and set aside"));
        assert_eq!(named.count(), 1, "{log}");
        assert!(!log.contains("むかし"), "no text of a user: {log}");
    });
}

/// Sets a key of the bot on a Redis server, as another program might.
fn set(store: &str, name: &str) {
    let mut stream = UnixStream::connect(store.strip_prefix("redis+unix://").unwrap()).unwrap();
    let command = format!("SET yamabiko:{{timer-bot}}:{name} 1\r\nQUIT\r\n");
    stream.write_all(command.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("+OK"), "{answer}");
}

#[test]
fn a_timer_rings_although_another_program_has_overwritten_the_timers_on_redis() {
    block_on(async {
        let redis = RedisServer::start();
        let folder = tempfile::tempdir().unwrap();
        let (port, admin) = (free_port(), free_port());
        let line = Line::start(port).await;
        let url = format!("http://127.0.0.1:{port}");
        let (alice, bob) = (line.user("Alice", "en").await, line.user("Bob", "en").await);
        let _all = start_on(&redis.url(), "all", folder.path(), port, admin, &line);
        line.reaches(&format!("{url}/ready")).await;
        line.says(&alice, "4").await;
        assert_eq!(line.hears(&alice, 1).await.len(), 1, "it is confirmed");
        set(&redis.url(), "timers");
        line.says(&bob, "hello").await;
        assert_eq!(line.hears(&bob, 1).await.len(), 1, "everybody else is served");
        assert_eq!(line.hears(&alice, 2).await.len(), 2, "and it rings");
        let ready = line.text(&format!("{url}/ready")).await;
        assert!(ready.contains("1 record of the store is damaged"), "{ready}");
        let shown = line.text(&format!("http://127.0.0.1:{admin}/metrics")).await;
        assert!(shown.contains("yamabiko_damaged_records_total 1"), "{shown}");
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        let named = log.lines().filter(|line| line.contains("damaged:1:timers"));
        assert_eq!(named.count(), 1, "{log}");
    });
}
