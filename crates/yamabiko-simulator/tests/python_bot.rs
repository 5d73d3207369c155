//! A bot in Python, `examples/python-timer`, talks with users of `line-simulator` as the timer bot does.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use line::{Line, SECRET, TOKEN};

#[expect(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "the timer bot's tests use all of it, and as a part of other crates"
)]
#[path = "../../../bots/timer/tests/support/line.rs"]
mod line;

/// How long anything may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts a server on a port of its own choice, which it tells in its log.
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut log = BufReader::new(child.stderr.take().expect("is piped"));
        let mut lines = Vec::new();
        let url = loop {
            let mut line = String::new();
            let read = log.read_line(&mut line).expect("the log is text");
            assert!(read > 0, "the server has ended: {lines:#?}");
            if let Some(at) = line.find("http://") {
                let is_address = |c: char| !c.is_whitespace() && c != '\u{1b}';
                break line[at..].chars().take_while(|&c| is_address(c)).collect();
            }
            lines.push(line);
        };
        // Somebody must go on reading, or the server would wait.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Self { child, url }
    }

    fn simulator() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_line-simulator"));
        command.args(["--port", "0", "--secret", SECRET, "--token", TOKEN]);
        Self::start(command)
    }

    fn bot(simulator: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = root.join("target/tests/venv/bin/python");
        assert!(
            python.exists(),
            "Python's packages are missing: `cargo xtask setup` installs them"
        );
        let mut command = Command::new(python);
        command
            .arg(root.join("examples/python-timer/app.py"))
            .env("LINE_API_URL", simulator)
            .env("LINE_CHANNEL_SECRET", SECRET)
            .env("LINE_CHANNEL_ACCESS_TOKEN", TOKEN)
            .env("PORT", "0")
            .env("HOST", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null());
        Self::start(command)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts both and tells the simulator where the bot is.
async fn start() -> (Server, Server, Line) {
    let simulator = Server::simulator();
    let bot = Server::bot(&simulator.url);
    let line = Line::at(simulator.url.clone());
    let http = reqwest::Client::builder().no_proxy().build().expect("a client is built");
    let told = http
        .put(format!("{}/v2/bot/channel/webhook/endpoint", simulator.url))
        .bearer_auth(TOKEN)
        .json(&json!({ "endpoint": format!("{}/callback", bot.url) }))
        .send()
        .await
        .expect("the simulator answers");
    assert_eq!(told.status(), 200);
    (simulator, bot, line)
}

#[tokio::test]
async fn a_bot_in_python_holds_the_timer_bots_conversation() {
    let (_simulator, _bot, line) = start().await;
    line.conversation().await;
}

#[tokio::test]
async fn a_bot_in_python_says_what_the_timer_bot_says() {
    let (_simulator, bot, line) = start().await;
    let alice = line.user("Alice", "en").await;
    line.says(&alice, "0").await;
    let heard = line.hears(&alice, 2).await;
    assert!(heard[0].text.starts_with("⏰ I will call you back in 0 s, at "), "{heard:?}");
    assert_eq!(heard[1].text, "🔔 Time is up: 0 s.");
    let help = "😵 Please send a whole number of seconds.\nExample: 180 (I call back in 3 minutes)";
    for (n, (text, answer)) in [
        ("31536001", "😵 The longest timer is one year (31536000 seconds).\nExample: 180"),
        ("3661", "⏰ I will call you back in 3661 s (1 h 1 min 1 s), at "),
        ("１８０", "⏰ I will call you back in 180 s (3 min), at "),
        ("-5", help),
        ("list", "⏳ 2 pending\n1. "),
        ("cancel", "🗑 Cancelled the timer of 180 s (3 min) at "),
    ]
    .into_iter()
    .enumerate()
    {
        line.says(&alice, text).await;
        let heard = line.hears(&alice, n + 3).await;
        assert!(heard[n + 2].text.starts_with(answer), "{text}: {heard:?}");
    }
    let forged = line.callback(&bot.url, b"{\"events\":[]}".to_vec(), Some("wrong")).await;
    assert_eq!(forged, 401);
}
