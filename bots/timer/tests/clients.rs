//! Clients that connect and say nothing, beside LINE.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{Line, PATIENCE, Process, block_on, free_port};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const DESCRIPTORS: usize = 128;
const CROWD: usize = 200;

/// Has a user write to a bot beside a crowd of clients that each send this and no more.
fn is_answered_beside_a_crowd_that_sends(part: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("bot.db").display());
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let _bot = Process::bot_with_descriptors("all", &store, port, &line, DESCRIPTORS);
        line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
        let user = line.user("Alice", "en").await;
        let mut crowd = Vec::new();
        for _ in 0..CROWD {
            let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            // It may have been closed for another one.
            client.write_all(part.as_bytes()).await.ok();
            crowd.push(client);
        }
        line.says(&user, "hello").await;
        let heard = line.hears(&user, 1).await;
        assert_eq!(heard.len(), 1, "the bot is mute");
        let last = crowd.last_mut().unwrap();
        let ends = timeout(PATIENCE, last.read_to_end(&mut Vec::new())).await;
        assert!(ends.is_ok(), "a client that says nothing stays");
    });
}

#[test]
fn clients_that_send_nothing_do_not_mute_a_bot() {
    is_answered_beside_a_crowd_that_sends("");
}

#[test]
fn clients_that_send_half_a_head_do_not_mute_a_bot() {
    is_answered_beside_a_crowd_that_sends("POST /callback HTTP/1.1\r\nho");
}

#[test]
fn clients_that_send_half_a_body_do_not_mute_a_bot() {
    let head = "POST /callback HTTP/1.1\r\nhost: bot\r\ncontent-length: 1000\r\n\r\n";
    is_answered_beside_a_crowd_that_sends(&format!("{head}half"));
}
