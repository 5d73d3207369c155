//! `dev`: the simulator's time is the bot's time, at any speed.

mod support;

use std::process::Command;

use serde_json::json;
use support::{Line, Process, block_on, free_port};

/// The bot as `cargo run` starts it, in a folder of its own.
async fn dev(folder: &tempfile::TempDir) -> (Process, Line) {
    dev_with(folder, &[]).await
}

/// The same with more settings.
async fn dev_with(folder: &tempfile::TempDir, more: &[(&str, &str)]) -> (Process, Line) {
    let (port, page) = (free_port().to_string(), free_port().to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
    command.args(["--port", &port, "--simulator-port", &page]).current_dir(folder.path());
    command.args(["--admin-port", "0", "--health-on-port"]);
    command.envs(more.iter().copied());
    let bot = Process::start(command);
    let line = Line::at(format!("http://127.0.0.1:{page}"));
    line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
    (bot, line)
}

#[test]
fn a_timer_of_an_hour_is_over_in_seconds_when_time_is_sped_up() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let (_bot, line) = dev(&folder).await;
        line.post("/control/clock", &json!({"speed": 600})).await;
        let sakura = line.user("さくら", "ja").await;
        let asked = line.says(&sakura, "3600").await;
        let heard = line.hears(&sakura, 2).await;
        assert!(heard[1].text.starts_with("🔔 3600秒（1時間）たちました"), "{heard:?}");
        let asked = line.ledger().await.into_iter().find(|said| said.id == asked).unwrap();
        assert!(heard[1].at_ms - asked.at_ms >= 3_600_000, "{heard:?}");
    });
}

#[test]
fn a_timer_waits_while_time_stands_and_fires_when_it_is_moved() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let (_bot, line) = dev(&folder).await;
        line.post("/control/clock", &json!({"stands": true})).await;
        let alice = line.user("Alice", "en").await;
        line.says(&alice, "60").await;
        assert_eq!(line.hears(&alice, 1).await.len(), 1);
        line.post("/control/clock", &json!({"advanceSeconds": 59})).await;
        line.says(&alice, "list").await;
        let heard = line.hears(&alice, 2).await;
        assert!(heard[1].text.starts_with("⏳ 1 pending"), "{heard:?}");
        line.post("/control/clock", &json!({"advanceSeconds": 1})).await;
        let heard = line.hears(&alice, 3).await;
        assert_eq!(heard[2].text, "🔔 Time is up: 60 s (1 min).");
    });
}

#[test]
fn o9_a_reply_that_comes_too_late_is_pushed_or_dropped_as_the_setting_says() {
    for (setting, expected) in [("push", &["No timers are pending.", "😵"][..]), ("drop", &["😵"])]
    {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let (_bot, line) = dev_with(&folder, &[("LATE_REPLIES", setting)]).await;
            let fault = json!({"endpoint": "reply", "limit": "user", "count": 1});
            line.post("/control/faults", &fault).await;
            let alice = line.user("Alice", "en").await;
            line.says(&alice, "list").await;
            while line.get("/control/faults").await["faults"][0].is_object() {}
            line.post("/control/clock", &json!({"advanceSeconds": 60})).await;
            line.says(&alice, "hello").await;
            let heard = line.hears(&alice, expected.len()).await;
            let is_as_expected =
                heard.iter().zip(expected).all(|(said, start)| said.text.starts_with(start));
            assert!(heard.len() == expected.len() && is_as_expected, "{setting}: {heard:?}");
        });
    }
}
