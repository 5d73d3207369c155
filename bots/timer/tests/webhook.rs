//! What `web` answers, and that LINE gets 200 only for what is stored.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{Line, Process, block_on, free_port, line::SECRET, redis_server::RedisServer};
use tempfile::TempDir;
use yamabiko_line::{secret::ChannelSecret, signature};

/// A bot on a file of its own, and LINE's side of it.
struct Bot {
    line: Line,
    port: u16,
    admin: u16,
    folder: TempDir,
    _process: Process,
}

impl Bot {
    async fn start(role: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let (port, admin) = (free_port(), free_port());
        let line = Line::start(port).await;
        let settings = [("ADMIN_PORT", &*admin.to_string())];
        let process = Process::bot_with(role, &store, port, &line, &settings);
        let bot = Self { line, port, admin, folder, _process: process };
        bot.line.reaches(&format!("{}/ready", bot.url())).await;
        bot
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Posts a body with a right signature and returns the status.
    async fn takes(&self, body: impl Into<Vec<u8>>) -> u16 {
        let body = body.into();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        self.line.callback(&self.url(), body, Some(&signature)).await
    }

    async fn metrics(&self) -> String {
        self.line.text(&format!("http://127.0.0.1:{}/metrics", self.admin)).await
    }

    /// Returns how many events the bot has stored and how many it knew already.
    async fn events(&self) -> (u64, u64) {
        let metrics = self.metrics().await;
        let count = |outcome: &str| {
            let name = format!("yamabiko_events_total{{outcome=\"{outcome}\"}} ");
            metrics
                .lines()
                .find_map(|line| line.strip_prefix(&name))
                .map_or(0, |count| count.parse().unwrap())
        };
        (count("stored"), count("duplicate"))
    }
}

fn webhook(events: &Value) -> String {
    json!({"destination": format!("U{:032x}", 1), "events": events}).to_string()
}

#[test]
fn the_same_webhook_sent_three_times_at_once_has_one_effect() {
    block_on(async {
        let bot = Bot::start("all").await;
        let user = bot.line.user("Alice", "en").await;
        let sent = bot
            .line
            .post(
                &format!("/control/chats/{user}/messages?wait=webhook"),
                &json!({"type": "text", "text": "1"}),
            )
            .await;
        let id = sent["webhookEventId"].as_str().unwrap();
        let again = bot
            .line
            .post(
                &format!("/control/webhooks/{id}/redeliver"),
                &json!({"times": 3, "concurrent": true}),
            )
            .await;
        assert!(!again.to_string().contains("error"), "{again}");
        let heard = bot.line.hears(&user, 2).await;
        assert!(heard[0].text.starts_with('⏰') && heard[1].text.starts_with('🔔'), "{heard:?}");
        assert_eq!(bot.events().await, (1, 3));
        // What is said after the next message has been answered would have been said before.
        bot.line.says(&user, "hello").await;
        assert_eq!(bot.line.hears(&user, 3).await.len(), 3);
    });
}

#[test]
fn a_body_changed_by_one_byte_is_refused_and_nothing_of_it_is_stored() {
    block_on(async {
        let bot = Bot::start("web").await;
        let body = webhook(&json!([{"type": "message", "webhookEventId": "01HA"}])).into_bytes();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        let mut changed = body.clone();
        changed[20] ^= 1;
        assert_eq!(bot.line.callback(&bot.url(), changed, Some(&signature)).await, 401);
        assert_eq!(bot.line.callback(&bot.url(), body.clone(), None).await, 401);
        assert_eq!(bot.line.callback(&bot.url(), body.clone(), Some("")).await, 401);
        assert_eq!(bot.events().await, (0, 0));
        assert_eq!(bot.line.callback(&bot.url(), body, Some(&signature)).await, 200);
        assert_eq!(bot.events().await, (1, 0));
    });
}

#[test]
fn each_kind_of_bad_body_gets_its_own_status() {
    block_on(async {
        let bot = Bot::start("web").await;
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "7",
            "{\"events\":{}}",
            "{\"events\":null}",
            "{\"events\":[}",
            "\u{feff}{}",
        ] {
            assert_eq!(bot.takes(body).await, 400, "{body:?}");
        }
        assert_eq!(bot.takes(webhook(&json!([]))).await, 200);
        assert_eq!(bot.takes(vec![b' '; 1024 * 1024 + 1]).await, 413);
        let mut largest = webhook(&json!([])).into_bytes();
        largest.resize(1024 * 1024, b' ');
        assert_eq!(bot.takes(largest).await, 200);
        assert_eq!(bot.events().await, (0, 0));
    });
}

#[test]
fn an_event_of_nobody_is_answered_by_its_reply_token() {
    block_on(async {
        let bot = Bot::start("all").await;
        let user = bot.line.user("Alice", "en").await;
        let events = format!("/control/chats/{user}/events?wait=webhook");
        let message = json!({"type": "text", "id": "1", "text": "180"});
        let without = json!({"type": "message", "message": message, "without": ["source"]});
        let of_nobody = |source| json!({"type": "message", "message": message, "source": source});
        for event in [without, of_nobody(json!(null)), of_nobody(json!({"type": "user"}))] {
            let sent = bot.line.post(&events, &event).await;
            assert_eq!(sent["webhook"]["status"], 200, "{sent}");
        }
        let heard = bot.line.hears(&user, 3).await;
        // Without a user there is no profile that tells the language.
        let says_so = |said: &support::Said| said.text.contains("ここではお知らせできません");
        assert!(heard.len() == 3 && heard.iter().all(says_so), "{heard:?}");
    });
}

#[test]
fn i4_nothing_is_sent_for_what_was_asked_for_in_standby() {
    block_on(async {
        let bot = Bot::start("all").await;
        let mia = bot.line.user("Mia", "en").await;
        let script = "users\n  Mia en\nBot stands by in Mia\nMia: 2\nMia: hello\nMia: list\n  answered 200\n\
                      Bot is active in Mia\nMia: 2\nBot → Mia: ⏰ *\nBot → Mia: 🔔 *\nMia: list\n\
                      Bot → Mia: No timers are pending.\n";
        let played = bot.line.post("/control/script", &json!({"script": script})).await;
        assert_eq!(played["passed"], true, "{played:#}");
        // The timer of the standby was due before the other one.
        assert_eq!(bot.line.hears(&mia, 3).await.len(), 3);
    });
}

#[test]
fn the_dummies_of_lines_verification_get_200_and_nothing_is_sent() {
    block_on(async {
        let bot = Bot::start("all").await;
        let user = json!({"type": "user", "userId": "Udeadbeefdeadbeefdeadbeefdeadbeef"});
        let body = webhook(&json!([
            {"replyToken": "0".repeat(32), "type": "message", "timestamp": 1_487_750_000_000_i64,
                "source": user, "message": {"id": "100001", "type": "text", "text": "Hello, world"}},
            {"replyToken": "f".repeat(32), "type": "message", "timestamp": 1_487_750_000_000_i64,
                "source": user, "message": {"id": "100002", "type": "sticker", "packageId": "1", "stickerId": "1"}},
        ]));
        assert_eq!(bot.takes(body).await, 200);
        assert_eq!(bot.events().await, (0, 0));
        // What follows is answered after what came before.
        let alice = bot.line.user("Alice", "en").await;
        bot.line.says(&alice, "hello").await;
        bot.line.hears(&alice, 1).await;
        let log = bot.line.get("/control/log").await;
        let calls = log["entries"].as_array().unwrap().iter();
        let calls: Vec<_> = calls
            .filter(|entry| entry["direction"] == "api")
            .map(|entry| entry["request"].to_string())
            .collect();
        assert!(
            !calls.is_empty() && !calls.iter().any(|call| call.contains("deadbeef")),
            "{calls:?}"
        );
    });
}

#[test]
fn unknown_and_wrong_events_are_stored_beside_good_ones() {
    block_on(async {
        let bot = Bot::start("all").await;
        let user = bot.line.user("Alice", "en").await;
        let text = json!({"type": "message", "webhookEventId": "01HGOOD", "timestamp": 1, "source": {"type": "user", "userId": user},
            "message": {"type": "text", "id": "1", "text": "list"}});
        let events = json!([
            7, null, "text", [], {}, {"type": 5}, {"type": "somethingNew", "source": {"type": "planet"}},
            {"type": "message"}, {"type": "message", "message": 3}, {"type": "message", "message": {"type": "hologram", "id": "2"}},
            {"type": "message", "replyToken": 9, "timestamp": "late", "mode": [], "source": "me", "message": {"type": "text", "id": 1}},
            {"type": "unsend"}, {"type": "postback"}, text,
        ]);
        let count = u64::try_from(events.as_array().unwrap().len()).unwrap();
        assert_eq!(bot.takes(webhook(&events)).await, 200);
        assert_eq!(bot.events().await, (count, 0));
        let heard = bot.line.hears(&user, 1).await;
        assert!(
            heard[0].text.contains("No timers are pending"),
            "the good one is answered, by push since it has no token: {heard:?}"
        );
        assert_eq!(bot.takes(webhook(&events)).await, 200);
        assert_eq!(bot.events().await, (count, count));
    });
}

#[test]
fn an_event_that_is_too_large_costs_only_itself() {
    block_on(async {
        let bot = Bot::start("web").await;
        let large = json!({"type": "somethingNew", "webhookEventId": "01HLARGE", "more": "x".repeat(70_000)});
        let small = json!({"type": "follow", "webhookEventId": "01HSMALL"});
        assert_eq!(bot.takes(webhook(&json!([large, small]))).await, 200);
        assert_eq!(bot.events().await, (1, 0));
        let metrics = bot.metrics().await;
        assert!(metrics.contains("yamabiko_events_total{outcome=\"too_large\"} 1"), "{metrics}");
    });
}

#[test]
fn c6_ready_says_which_queues_nobody_serves() {
    block_on(async {
        let bot = Bot::start("web").await;
        let ready = || async { bot.line.text(&format!("{}/ready", bot.url())).await };
        let alone = ready().await;
        assert!(alone.starts_with("ready\n"), "{alone}");
        assert!(alone.contains("queue events") && alone.contains("queue outbox"), "{alone}");
        let store = format!("sqlite:{}", bot.folder.path().join("bot.db").display());
        let _worker = Process::bot("worker", &store, free_port(), &bot.line);
        let deadline = Instant::now() + support::PATIENCE;
        while ready().await != "ready\n" {
            assert!(Instant::now() < deadline, "{}", ready().await);
            // A worker shows itself by its beat; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn a_bot_that_starts_before_its_redis_waits_for_it() {
    let mut redis = RedisServer::start();
    redis.kill();
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let _bot = Process::bot("all", &redis.url(), port, &line);
        let url = format!("http://127.0.0.1:{port}");
        line.reaches(&format!("{url}/live")).await;
        assert_eq!(line.status(&format!("{url}/ready")).await, 503);
        let body = webhook(&json!([{"type": "follow", "webhookEventId": "01HA"}])).into_bytes();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        assert_eq!(line.callback(&url, body.clone(), Some(&signature)).await, 503);
        redis.restart();
        line.reaches(&format!("{url}/ready")).await;
        assert_eq!(line.callback(&url, body, Some(&signature)).await, 200);
        let user = line.user("Alice", "en").await;
        line.says(&user, "0").await;
        assert_eq!(line.hears(&user, 2).await.len(), 2);
    });
}

#[test]
fn while_the_file_cannot_be_written_line_is_asked_to_come_again() {
    block_on(async {
        let bot = Bot::start("web").await;
        let body = webhook(&json!([{"type": "follow", "webhookEventId": "01HA"}]));
        let lock = rusqlite::Connection::open(bot.folder.path().join("bot.db")).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        let asked = Instant::now();
        assert_eq!(bot.takes(body.clone()).await, 503);
        assert!(
            asked.elapsed() < Duration::from_millis(1_900),
            "LINE waits 2 s, not {:?}",
            asked.elapsed()
        );
        lock.execute_batch("ROLLBACK").unwrap();
        assert_eq!(bot.takes(body).await, 200);
    });
}

#[test]
fn while_redis_is_away_line_is_asked_to_come_again_and_the_bot_recovers_by_itself() {
    let mut redis = RedisServer::start();
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let _web = Process::bot("web", &redis.url(), port, &line);
        let _rest: Vec<_> = ["worker", "timer"]
            .iter()
            .map(|role| Process::bot(role, &redis.url(), free_port(), &line))
            .collect();
        let url = format!("http://127.0.0.1:{port}");
        line.reaches(&format!("{url}/ready")).await;
        let user = line.user("Alice", "en").await;
        line.says(&user, "hello").await;
        assert_eq!(line.hears(&user, 1).await.len(), 1);
        redis.kill();
        let body = webhook(&json!([{"type": "follow", "webhookEventId": "01HA"}])).into_bytes();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        let asked = Instant::now();
        assert_eq!(line.callback(&url, body.clone(), Some(&signature)).await, 503);
        assert!(
            asked.elapsed() < Duration::from_millis(1_900),
            "LINE waits 2 s, not {:?}",
            asked.elapsed()
        );
        redis.restart();
        line.reaches(&format!("{url}/ready")).await;
        assert_eq!(line.callback(&url, body, Some(&signature)).await, 200);
        line.says(&user, "1").await;
        let heard = line.hears(&user, 3).await;
        assert!(heard[2].text.starts_with('🔔'), "{heard:?}");
    });
}

/// Sends a command to a Redis server.
fn command(redis: &RedisServer, command: &str) {
    let url = redis.url();
    let mut stream = UnixStream::connect(url.strip_prefix("redis+unix://").unwrap()).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n", "{command}");
}

#[test]
fn a_process_that_cannot_store_webhooks_is_not_ready_though_its_store_can_be_read() {
    let redis = RedisServer::start();
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let _web = Process::bot("web", &redis.url(), port, &line);
        let url = format!("http://127.0.0.1:{port}");
        line.reaches(&format!("{url}/ready")).await;
        let body = webhook(&json!([{"type": "follow", "webhookEventId": "01HA"}])).into_bytes();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        command(&redis, "CONFIG SET maxmemory 1");
        assert_eq!(line.callback(&url, body.clone(), Some(&signature)).await, 503);
        assert_eq!(line.status(&format!("{url}/ready")).await, 503);
        command(&redis, "CONFIG SET maxmemory 0");
        let ready = line.text(&format!("{url}/ready")).await;
        assert!(ready.starts_with("ready\n") && ready.contains("was not stored"), "{ready}");
        assert_eq!(line.callback(&url, body, Some(&signature)).await, 200);
        assert!(!line.text(&format!("{url}/ready")).await.contains("was not stored"));
    });
}

#[test]
fn o5_a_process_whose_credentials_line_refuses_is_ready_and_says_so() {
    block_on(async {
        let bot = Bot::start("all").await;
        let user = bot.line.user("Alice", "en").await;
        bot.line.post("/control/faults", &json!({"endpoint": "reply", "status": 401})).await;
        bot.line.says(&user, "hello").await;
        let ready = format!("{}/ready", bot.url());
        let deadline = Instant::now() + support::PATIENCE;
        loop {
            assert_eq!(bot.line.status(&ready).await, 200);
            let text = bot.line.text(&ready).await;
            if text.contains("LINE refuses the credentials") && text.contains("outbox is paused") {
                break;
            }
            assert!(Instant::now() < deadline, "{text}");
            // The bot tells nobody when LINE has answered it; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let body = webhook(&json!([{"type": "follow", "webhookEventId": "01HA"}]));
        assert_eq!(bot.takes(body).await, 200);
    });
}

/// A Redis that cannot save its snapshots, and so refuses writes.
struct Stuck(RedisServer);

impl Stuck {
    fn start() -> Self {
        let snapshot = ["--save", "3600 1000000", "--dbfilename", "snapshot"];
        Self(RedisServer::start_with(&snapshot))
    }

    /// Lets snapshots fail, or work again, and waits until the server knows.
    fn can_save(&self, can: bool) {
        // A file cannot take the name of a folder.
        let socket = self.0.socket();
        let snapshot = socket.with_file_name("snapshot");
        if can {
            std::fs::remove_dir(&snapshot).unwrap();
        } else {
            // It is there if one was saved before.
            drop(std::fs::remove_file(&snapshot));
            std::fs::create_dir(&snapshot).unwrap();
        }
        let ask = |command: &str| {
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        ask("BGSAVE");
        let status = if can { "rdb_last_bgsave_status:ok" } else { "rdb_last_bgsave_status:err" };
        let deadline = Instant::now() + support::PATIENCE;
        while !ask("INFO persistence").contains(status) {
            assert!(Instant::now() < deadline, "{}", ask("INFO persistence"));
            // The server tells nobody when it is done; this only sets how often we look.
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_redis_that_refuses_writes_is_waited_for_and_line_is_asked_to_come_again() {
    let redis = Stuck::start();
    redis.can_save(false);
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let _bot = Process::bot("all", &redis.0.url(), port, &line);
        let url = format!("http://127.0.0.1:{port}");
        line.reaches(&format!("{url}/live")).await;
        let ready = async || line.text(&format!("{url}/ready")).await;
        assert_eq!(ready().await, "the store is unavailable\n", "the start waits");
        redis.can_save(true);
        line.reaches(&format!("{url}/ready")).await;

        redis.can_save(false);
        let body = webhook(&json!([{"type": "follow", "webhookEventId": "01HA"}])).into_bytes();
        let signature = signature::sign(&ChannelSecret::new(SECRET), &body);
        assert_eq!(line.callback(&url, body.clone(), Some(&signature)).await, 503);
        assert_eq!(ready().await, "the store is unavailable\n");
        redis.can_save(true);
        line.reaches(&format!("{url}/ready")).await;
        assert_eq!(line.callback(&url, body, Some(&signature)).await, 200);
        let user = line.user("Alice", "en").await;
        line.says(&user, "0").await;
        assert_eq!(line.hears(&user, 2).await.len(), 2);
    });
}
