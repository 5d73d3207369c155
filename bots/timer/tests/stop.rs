//! Processes that are told to stop: what they still answer, and how they end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use support::{Line, PATIENCE, Process, block_on, free_port, line::SECRET};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use yamabiko_line::{secret::ChannelSecret, signature};

/// An hour: whatever waits for it has not ended in time.
const HOUR: &str = "3600";

/// A `web` that is about to stop.
struct Web {
    line: Line,
    port: u16,
    admin: u16,
    process: Process,
    _folder: TempDir,
}

impl Web {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let (port, admin) = (free_port(), free_port());
        let line = Line::start(port).await;
        let admin_port = admin.to_string();
        let settings = [&[("ADMIN_PORT", &*admin_port)], settings].concat();
        let process = Process::bot_with("web", &store, port, &line, &settings);
        let web = Self { line, port, admin, process, _folder: folder };
        web.line.reaches(&web.ready()).await;
        web
    }

    fn ready(&self) -> String {
        format!("http://127.0.0.1:{}/ready", self.admin)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Tells the process to stop, and waits until it knows.
    async fn is_stopped_by(&self, signal: &str) {
        self.process.signal(signal);
        let deadline = Instant::now() + PATIENCE;
        while self.line.text(&self.ready()).await != "stopping\n" {
            assert!(Instant::now() < deadline, "the process does not stop");
            // It tells nobody that it knows; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Returns the head and the body of a webhook; the body is long enough to have time while most of it is there.
fn webhook() -> (String, String) {
    let events = r#"[{"type":"follow","webhookEventId":"01HA"}]"#;
    let body = format!("{{\"events\":{events}}}{}", " ".repeat(26 * 1024));
    let signature = signature::sign(&ChannelSecret::new(SECRET), body.as_bytes());
    let head = format!(
        "POST /callback HTTP/1.1\r\nhost: bot\r\nexpect: 100-continue\r\ncontent-length: {}\r\nx-line-signature: {signature}\r\n\r\n",
        body.len()
    );
    (head, body)
}

/// Sends all of a webhook but its last byte, and returns when the bot waits for that.
async fn almost_sends_a_webhook(client: &mut TcpStream) {
    let (head, body) = webhook();
    client.write_all(head.as_bytes()).await.unwrap();
    let mut going_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    client.read_exact(&mut going_on).await.unwrap();
    client.write_all(&body.as_bytes()[..body.len() - 1]).await.unwrap();
}

/// Sends this, and returns all that comes until the bot closes the connection.
async fn sends(client: &mut TcpStream, rest: &str) -> String {
    client.write_all(rest.as_bytes()).await.unwrap();
    let mut text = String::new();
    let read = timeout(PATIENCE, client.read_to_string(&mut text)).await;
    read.expect("the connection is closed").unwrap();
    text
}

#[test]
fn after_sigterm_ready_fails_at_once_and_webhooks_are_still_taken() {
    block_on(async {
        let settings = [("STOP_GRACE_SECONDS", HOUR), ("SHUTDOWN_SECONDS", HOUR)];
        let web = Web::start(&settings).await;
        let mut open = web.connect().await;
        web.is_stopped_by("TERM").await;
        let (head, body) = webhook();
        for client in [&mut open, &mut web.connect().await] {
            let response = sends(client, &format!("{head}{body}")).await;
            let response = response.rsplit("HTTP/1.1 ").next().unwrap();
            assert!(response.starts_with("200 OK"), "{response}");
            assert!(response.contains("connection: close"), "{response}");
        }
    });
}

#[test]
fn when_the_grace_after_sigterm_is_over_a_process_ends_by_itself() {
    block_on(async {
        let mut web = Web::start(&[("STOP_GRACE_SECONDS", "1"), ("SHUTDOWN_SECONDS", HOUR)]).await;
        web.is_stopped_by("TERM").await;
        assert!(web.process.ends().await.success());
    });
}

#[test]
fn a_second_sigterm_cuts_no_webhook() {
    block_on(async {
        let mut web = Web::start(&[("SHUTDOWN_SECONDS", HOUR)]).await;
        let mut client = web.connect().await;
        almost_sends_a_webhook(&mut client).await;
        web.is_stopped_by("TERM").await;
        // Process managers send both when a person presses Ctrl-C.
        for signal in ["TERM", "INT", "TERM"] {
            web.process.signal(signal);
        }
        let response = sends(&mut client, " ").await;
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        assert!(web.process.ends().await.success());
    });
}

#[test]
fn the_admin_side_closes_last() {
    block_on(async {
        let mut web = Web::start(&[("STOP_GRACE_SECONDS", "0"), ("SHUTDOWN_SECONDS", HOUR)]).await;
        let mut client = web.connect().await;
        almost_sends_a_webhook(&mut client).await;
        web.is_stopped_by("TERM").await;
        while TcpStream::connect(("127.0.0.1", web.port)).await.is_ok() {
            // It tells nobody that it is closed; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(web.line.text(&web.ready()).await, "stopping\n");
        assert!(sends(&mut client, " ").await.starts_with("HTTP/1.1 200"));
        assert!(web.process.ends().await.success());
    });
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    block_on(async {
        let mut web = Web::start(&[("STOP_GRACE_SECONDS", HOUR), ("SHUTDOWN_SECONDS", HOUR)]).await;
        web.is_stopped_by("INT").await;
        web.process.signal("INT");
        assert_eq!(web.process.ends().await.code(), Some(130));
    });
}

#[test]
fn half_a_request_head_does_not_hold_up_a_stop() {
    block_on(async {
        let mut web = Web::start(&[("STOP_GRACE_SECONDS", "0"), ("SHUTDOWN_SECONDS", HOUR)]).await;
        let mut client = web.connect().await;
        client.write_all(b"POST /callback HTTP/1.1\r\nho").await.unwrap();
        web.process.signal("TERM");
        assert!(web.process.ends().await.success());
    });
}

#[test]
fn a_webhook_that_waits_for_the_store_is_answered_at_a_stop() {
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let mut process = Process::bot("web", "redis://127.0.0.1:1", port, &line);
        line.reaches(&format!("http://127.0.0.1:{port}/live")).await;
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        almost_sends_a_webhook(&mut client).await;
        process.signal("TERM");
        let response = sends(&mut client, " ").await;
        assert!(response.starts_with("HTTP/1.1 503"), "{response}");
        assert!(process.ends().await.success());
    });
}
