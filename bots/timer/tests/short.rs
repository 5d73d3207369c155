//! Short timers of real processes: no push where LINE takes the kept reply token, one where it does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Line, PATIENCE, Process, Said, block_on, free_port, redis_server::RedisServer};

/// Lets a user write `2` to a bot with short timers, and returns what was heard, the pushes that count, and the calls.
async fn two_seconds(store: &str, fault: Option<Value>) -> (Vec<Said>, u64, Vec<String>) {
    let port = free_port();
    let line = Line::start(port).await;
    let _bot = Process::bot_with("all", store, port, &line, &[("SHORT_TIMER_SECONDS", "45")]);
    line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
    if let Some(fault) = fault {
        line.post("/control/faults", &fault).await;
    }
    let user = line.user("Alice", "en").await;
    line.says(&user, "2").await;
    assert_eq!(line.hears(&user, 1).await.len(), 1, "within {PATIENCE:?}");
    // Whatever would be said twice would be said before the answer to this.
    line.says(&user, "hello").await;
    let heard = line.hears(&user, 2).await;
    let pushes = line.get("/control/status").await["pushesThisMonth"].as_u64().unwrap();
    let log = line.get("/control/log").await;
    let entries = log["entries"].as_array().unwrap().iter();
    let calls = entries.filter(|entry| entry["direction"] == "api");
    let calls = calls.filter_map(|entry| entry["what"].as_str()?.split("/v2/bot/").nth(1));
    let calls = calls.filter(|call| !call.starts_with("profile"));
    (heard, pushes, calls.map(str::to_owned).collect())
}

fn says_time_is_up(heard: &[Said]) {
    assert!(heard[0].text.starts_with("🔔 Time is up: 2 s"), "{heard:?}");
    assert!(heard[1].text.starts_with('😵') && heard.len() == 2, "{heard:?}");
}

async fn costs_no_push(store: &str) {
    let (heard, pushes, calls) = two_seconds(store, None).await;
    says_time_is_up(&heard);
    assert_eq!(pushes, 0);
    assert_eq!(calls, ["chat/loading/start", "message/reply", "message/reply"]);
}

async fn is_pushed_once(store: &str) {
    let refused =
        json!({"endpoint": "reply", "status": 400, "message": "Invalid reply token", "count": 1});
    let (heard, pushes, calls) = two_seconds(store, Some(refused)).await;
    says_time_is_up(&heard);
    assert_eq!(pushes, 1);
    let expected = ["chat/loading/start", "message/reply", "message/push", "message/reply"];
    assert_eq!(calls, expected);
}

fn file(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("bot.db").display())
}

#[test]
fn o1_a_short_timer_costs_no_push_on_an_sqlite_file() {
    block_on(costs_no_push(&file(&tempfile::tempdir().unwrap())));
}

#[test]
fn o1_a_short_timer_costs_no_push_on_redis() {
    block_on(costs_no_push(&RedisServer::start().url()));
}

#[test]
fn o3_a_short_timer_whose_token_is_refused_is_pushed_once_on_an_sqlite_file() {
    block_on(is_pushed_once(&file(&tempfile::tempdir().unwrap())));
}

#[test]
fn o3_a_short_timer_whose_token_is_refused_is_pushed_once_on_redis() {
    block_on(is_pushed_once(&RedisServer::start().url()));
}

#[test]
fn a_loading_animation_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fault = json!({"endpoint": "loading", "status": 500});
    let (heard, pushes, _) = block_on(two_seconds(&file(&folder), Some(fault)));
    says_time_is_up(&heard);
    assert_eq!(pushes, 0);
}
