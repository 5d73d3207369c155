//! Messages when LINE misbehaves: each is said once, whatever LINE answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use support::{Line, Process, Said, block_on, free_port};

/// The bot and its LINE.
struct World {
    line: Line,
    _bot: Process,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let port = free_port();
        let line = Line::start(port).await;
        let bot = Process::bot_with("all", &store, port, &line, more);
        line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
        Self { line, _bot: bot, _folder: folder }
    }

    /// Returns the calls that LINE has got.
    async fn calls(&self) -> Vec<String> {
        let log = self.line.get("/control/log").await;
        let entries = log["entries"].as_array().unwrap().iter();
        entries.filter_map(|entry| entry["what"].as_str()).map(str::to_owned).collect()
    }

    async fn tell(&self, path: &str, what: &serde_json::Value) {
        let told = self.line.post(path, what).await;
        assert!(told.get("error").is_none(), "{told}");
    }
}

/// Lets a user write `1` while LINE has a fault, and returns what the chat heard and how often LINE was called.
async fn one_second(fault: serde_json::Value) -> (Vec<Said>, Vec<String>) {
    let world = World::start().await;
    let line = &world.line;
    let user = line.user("Alice", "en").await;
    world.tell("/control/faults", &fault).await;
    line.says(&user, "1").await;
    line.hears(&user, 2).await;
    // Whatever would be said twice would be said before the answer to this, but for what is pushed a second time.
    line.says(&user, "hello").await;
    let heard = line.hears(&user, 3).await;
    (heard, world.calls().await)
}

fn starts(heard: &[Said]) -> Vec<String> {
    heard.iter().map(|said| said.text.chars().take(1).collect()).collect()
}

fn count(calls: &[String], path: &str) -> usize {
    calls.iter().filter(|call| call.ends_with(path)).count()
}

#[test]
fn a_reply_that_line_fails_to_take_is_tried_again() {
    let (heard, calls) =
        block_on(one_second(json!({"endpoint": "reply", "status": 500, "count": 1})));
    assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
    assert_eq!(count(&calls, "/reply"), 3);
}

#[test]
fn o3_a_reply_that_line_took_without_an_answer_is_not_said_again() {
    let (heard, calls) =
        block_on(one_second(json!({"endpoint": "reply", "timeout": "after", "count": 1})));
    assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
    assert_eq!(count(&calls, "/push"), 1, "only the notification is pushed");
}

#[test]
fn o3_a_reply_that_line_never_saw_is_said_later() {
    let (heard, _) =
        block_on(one_second(json!({"endpoint": "reply", "timeout": "before", "count": 1})));
    assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
}

#[test]
fn o3_a_refused_reply_token_leads_to_a_push() {
    let fault =
        json!({"endpoint": "reply", "status": 400, "message": "Invalid reply token", "count": 1});
    let (heard, calls) = block_on(one_second(fault));
    assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
    assert_eq!(count(&calls, "/push"), 2);
}

#[test]
fn o4_a_push_that_line_took_without_an_answer_is_repeated_with_its_key_and_said_once() {
    block_on(async {
        let world = World::start().await;
        let line = &world.line;
        let user = line.user("Alice", "en").await;
        let fault = json!({"endpoint": "push", "timeout": "after", "count": 1});
        world.tell("/control/faults", &fault).await;
        for _ in 0..2 {
            line.says(&user, "1").await;
        }
        // Other replies pass a push that waits for its retry, other pushes do not.
        let heard = line.hears(&user, 4).await;
        let mut starts = starts(&heard);
        starts.sort_unstable();
        assert_eq!(starts, ["⏰", "⏰", "🔔", "🔔"]);
        assert_eq!(count(&world.calls().await, "/push"), 3);
    });
}

#[test]
fn o5_too_many_requests_delay_a_push_and_count_nothing() {
    let message = "The API rate limit has been exceeded. Try again later.";
    let fault = json!({"endpoint": "push", "status": 429, "message": message, "count": 3});
    let (heard, _) = block_on(one_second(fault));
    assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
}

#[test]
fn o9_a_quote_that_line_refuses_costs_the_quote_alone() {
    let (heard, calls) = block_on(one_second(json!({"endpoint": "*", "refuse": "quoteToken"})));
    assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
    assert!(heard.iter().filter(|said| said.by_bot).all(|said| said.quotes.is_none()), "{heard:?}");
    assert_eq!((count(&calls, "/reply"), count(&calls, "/push")), (4, 2));
}

#[test]
fn o5_a_user_whom_line_forbids_delays_no_other() {
    block_on(async {
        let world = World::start().await;
        let line = &world.line;
        let (alice, bob) = (line.user("Alice", "en").await, line.user("Bob", "en").await);
        let fault = json!({"endpoint": "push", "status": 403, "chat": alice});
        world.tell("/control/faults", &fault).await;
        line.says(&alice, "0").await;
        assert_eq!(starts(&line.hears(&alice, 1).await), ["⏰"]);
        line.says(&alice, "hello").await;
        line.says(&bob, "0").await;
        assert_eq!(starts(&line.hears(&bob, 2).await), ["⏰", "🔔"]);
        assert_eq!(starts(&line.hears(&alice, 2).await), ["⏰", "😵"]);
    });
}

#[test]
fn o5_a_push_over_the_months_limit_holds_up_nothing_while_the_consumption_lags() {
    block_on(async {
        let world = World::start().await;
        let line = &world.line;
        let alice = line.user("Alice", "en").await;
        world.tell("/control/settings", &json!({"monthlyLimit": 1, "consumptionLag": 2})).await;
        for _ in 0..3 {
            line.says(&alice, "0").await;
        }
        line.says(&alice, "hello").await;
        let mut heard = starts(&line.hears(&alice, 5).await);
        heard.sort_unstable();
        assert_eq!(heard, ["⏰", "⏰", "⏰", "🔔", "😵"]);
    });
}

#[test]
fn o8_replies_to_a_chat_go_on_while_line_takes_no_push_of_it() {
    for fault in [
        json!({"endpoint": "push", "status": 429, "message": "Too many requests."}),
        json!({"endpoint": "push", "status": 500}),
    ] {
        block_on(async {
            let world = World::start().await;
            let line = &world.line;
            let alice = line.user("Alice", "en").await;
            world.tell("/control/faults", &fault).await;
            line.says(&alice, "0").await;
            line.hears(&alice, 1).await;
            for heard in 2..4 {
                line.says(&alice, "hello").await;
                line.hears(&alice, heard).await;
            }
            line.delete("/control/faults").await;
            assert_eq!(starts(&line.hears(&alice, 4).await), ["⏰", "😵", "😵", "🔔"], "{fault}");
            let calls = world.calls().await;
            assert_eq!(count(&calls, "/reply"), 3, "each at once, and for nothing");
        });
    }
}

#[test]
fn o5_a_stateless_token_that_is_refused_delays_nothing() {
    block_on(async {
        // The simulator's id of the channel; without an access token, tokens are fetched.
        let settings = [("LINE_CHANNEL_ID", "1234567890"), ("LINE_CHANNEL_ACCESS_TOKEN", "")];
        let world = World::start_with(&settings).await;
        let line = &world.line;
        let alice = line.user("Alice", "en").await;
        line.says(&alice, "hello").await;
        line.hears(&alice, 1).await;
        line.delete("/control/access-tokens").await;
        line.says(&alice, "hello").await;
        let heard = line.hears(&alice, 2).await;
        assert_eq!(starts(&heard), ["😵"; 2]);
        let calls = world.calls().await;
        assert_eq!((count(&calls, "/token"), count(&calls, "/reply")), (2, 3));
    });
}

#[test]
fn a_profile_that_fails_or_hangs_delays_and_loses_nothing() {
    for fault in [
        json!({"endpoint": "profile", "status": 500}),
        json!({"endpoint": "profile", "timeout": "before"}),
    ] {
        let (heard, _) = block_on(one_second(fault));
        assert_eq!(starts(&heard), ["⏰", "🔔", "😵"]);
        assert!(
            heard[0].text.contains("お知らせします"),
            "without a profile and a script it is Japanese: {heard:?}"
        );
        assert!(heard[2].text.contains("Example"), "by its script it is English: {heard:?}");
    }
}
