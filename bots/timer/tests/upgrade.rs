//! A newer version takes over the store of a bot that runs (Q3).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;
use support::{
    Line, PATIENCE, Process, block_on, free_port, line::SECRET, redis_server::RedisServer, settings,
};
use yamabiko_line::{secret::ChannelSecret, signature};

/// Asks a Redis server on a Unix socket, and returns the last line of its answer.
fn ask(store: &str, command: &str) -> String {
    let socket = store.strip_prefix("redis+unix://").unwrap();
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().rev().nth(1).unwrap().to_owned()
}

/// Returns the version of the store's schema.
fn version(store: &str) -> u32 {
    if let Some(path) = store.strip_prefix("sqlite:") {
        let file = rusqlite::Connection::open(path).unwrap();
        return file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    }
    ask(store, "GET yamabiko:{timer-bot}:schema").parse().unwrap()
}

/// Gives the store this version of the schema, as a process of that version does when it starts.
fn take_over(store: &str, version: u32) {
    if let Some(path) = store.strip_prefix("sqlite:") {
        let file = rusqlite::Connection::open(path).unwrap();
        file.pragma_update(None, "user_version", version).unwrap();
    } else {
        assert_eq!(ask(store, &format!("SET yamabiko:{{timer-bot}}:schema {version}")), "+OK");
    }
}

/// The bot, with its log in a file.
struct Bot {
    line: Line,
    url: String,
    metrics: String,
    process: Process,
}

impl Bot {
    async fn start(store: &str, log: &Path) -> Self {
        let (port, admin) = (free_port(), free_port());
        let line = Line::start(port).await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
        command
            .arg("all")
            .env_clear()
            .envs(settings(store, &line))
            .env("PORT", port.to_string())
            .env("ADMIN_PORT", admin.to_string())
            .env("HOST", "127.0.0.1")
            .stderr(File::create(log).unwrap());
        let bot = Self {
            line,
            url: format!("http://127.0.0.1:{port}"),
            metrics: format!("http://127.0.0.1:{admin}/metrics"),
            process: Process::start(command),
        };
        bot.line.reaches(&format!("{}/ready", bot.url)).await;
        bot
    }

    /// Sends an event as LINE does, and returns the status.
    async fn takes(&self, id: &str) -> u16 {
        let body = json!({"destination": format!("U{:032x}", 1), "events": [{"type": "follow", "webhookEventId": id}]});
        let body = body.to_string().into_bytes();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        self.line.callback(&self.url, body, Some(&signature)).await
    }

    /// Waits until a role was refused so many steps.
    async fn is_refused(&self, role: &str, times: u64) {
        let name = format!("yamabiko_store_errors_total{{kind=\"newer_schema\",role=\"{role}\"}} ");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = self.line.text(&self.metrics).await;
            let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
            if count.is_some_and(|count| count.parse::<u64>().unwrap() >= times) {
                return;
            }
            assert!(Instant::now() < deadline, "{metrics}");
            // A process tells nobody when it tries again; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn waits_for_its_replacement(store: &str) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let bot = Bot::start(store, &log).await;
    let user = bot.line.user("Alice", "en").await;
    bot.line.says(&user, "hello").await;
    assert_eq!(bot.line.hears(&user, 1).await.len(), 1);

    let known = version(store);
    take_over(store, known + 1);
    assert_eq!(bot.takes("01HA").await, 503, "LINE shall send it again, to the newer version");
    assert_eq!(bot.takes("01HA").await, 503);
    bot.is_refused("worker", 3).await;
    bot.is_refused("timer", 3).await;
    let ready = bot.line.text(&format!("{}/ready", bot.url)).await;
    let versions = format!("schema version {}, this program knows up to {known}", known + 1);
    assert!(ready.contains(&versions), "{ready}");
    let said = fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = said.lines().filter(|line| line.contains(&versions)).collect();
    assert_eq!(lines.len(), 3, "the worker, the timer and the webhooks once each: {said}");

    take_over(store, known);
    bot.line.reaches(&format!("{}/ready", bot.url)).await;
    assert_eq!(bot.takes("01HA").await, 200);
    bot.line.says(&user, "1").await;
    let heard = bot.line.hears(&user, 3).await;
    assert!(heard[2].text.starts_with('🔔'), "{heard:?}");
    assert!(bot.process.terminate(), "it is the same process, and ends well");
}

#[test]
fn q3_a_bot_whose_file_a_newer_version_took_over_stays_and_stores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("bot.db").display());
    block_on(waits_for_its_replacement(&store));
}

#[test]
fn q3_a_bot_whose_redis_a_newer_version_took_over_stays_and_stores_nothing() {
    let redis = RedisServer::start();
    block_on(waits_for_its_replacement(&redis.url()));
}
