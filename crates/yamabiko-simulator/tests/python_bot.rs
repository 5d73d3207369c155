//! A bot in Python, `examples/python-timer`, plays the timer bot's script with `line-simulator script`.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const SECRET: &str = "a-secret-of-the-tests";
const TOKEN: &str = "a-token-of-the-tests";

/// A file of the repository.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The running bot; killed when dropped.
struct Bot {
    child: Child,
    url: String,
}

impl Bot {
    /// Starts the bot on a port of its own choice, which it tells in its log.
    fn start(simulator_port: u16) -> Self {
        let python = file("target/tests/venv/bin/python");
        assert!(
            python.exists(),
            "Python's packages are missing: `cargo xtask setup` installs them"
        );
        let mut child = Command::new(python)
            .arg(file("examples/python-timer/app.py"))
            .env("LINE_API_URL", format!("http://127.0.0.1:{simulator_port}"))
            .env("LINE_CHANNEL_SECRET", SECRET)
            .env("LINE_CHANNEL_ACCESS_TOKEN", TOKEN)
            .env("PORT", "0")
            .env("HOST", "127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the bot starts");
        let mut log = BufReader::new(child.stderr.take().expect("is piped"));
        let mut lines = Vec::new();
        let url = loop {
            let mut line = String::new();
            let read = log.read_line(&mut line).expect("the log is text");
            assert!(read > 0, "the bot has ended: {lines:#?}");
            if let Some(at) = line.find("http://") {
                let is_address = |c: char| !c.is_whitespace() && c != '\u{1b}';
                break line[at..].chars().take_while(|&c| is_address(c)).collect();
            }
            lines.push(line);
        };
        // Somebody must go on reading, or the bot would wait.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Self { child, url }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts the bot and plays a script with it, as a CI system does.
fn play(script: &Path) -> Output {
    // The bot has to know where the simulator will be, and the simulator where the bot is.
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    let port = free.expect("there is a free port").port();
    let bot = Bot::start(port);
    Command::new(env!("CARGO_BIN_EXE_line-simulator"))
        .arg("script")
        .arg(script)
        .args(["--bot", &format!("{}/callback", bot.url), "--port", &port.to_string()])
        .args(["--secret", SECRET, "--token", TOKEN])
        .output()
        .expect("the command runs")
}

#[test]
fn a_bot_in_python_has_the_conversation_of_every_timer_bot() {
    let script = file("bots/timer/tests/conversation.script");
    let played = play(&script);
    let shown = String::from_utf8_lossy(&played.stdout);
    let errors = String::from_utf8_lossy(&played.stderr);
    assert_eq!(played.status.code(), Some(0), "{shown}\n{errors}");
    let (start, rest) = shown.split_once(" steps passed in ").expect("it passed");
    assert!(start.starts_with(&format!("{}: ", script.display())), "{shown}");
    assert!(rest.ends_with(" s\n"), "{shown}");
}

#[test]
fn a_script_that_expects_something_else_fails_and_names_its_line() {
    let folder = tempfile::tempdir().expect("there is room");
    let script = folder.path().join("wrong.script");
    let text = "users\n  Alice en\n\nAlice: list\nBot → Alice: One timer is pending.\n";
    std::fs::write(&script, text).expect("there is room");
    let played = play(&script);
    let shown = String::from_utf8_lossy(&played.stdout);
    assert_eq!(played.status.code(), Some(1), "{shown}");
    let failure = format!(
        "{}:5: not as expected\n\
         expected:\n  Bot → Alice: One timer is pending.\n\
         came:\n  Bot → Alice: No timers are pending.\n",
        script.display()
    );
    assert!(shown.starts_with(&failure), "{shown}");
}

#[tokio::test]
async fn a_bot_in_python_refuses_a_webhook_that_line_has_not_signed() {
    // It does not call LINE.
    let bot = Bot::start(0);
    rustls::crypto::ring::default_provider().install_default().expect("is the first");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client is built");
    let forged = http.post(format!("{}/callback", bot.url)).header("x-line-signature", "wrong");
    let answer = forged.body(r#"{"events":[]}"#).send().await.expect("the bot answers");
    assert_eq!(answer.status(), 401);
}
