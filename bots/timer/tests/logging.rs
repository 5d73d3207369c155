//! A log whose reader stalls or goes away costs lines, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{Read as _, pipe},
    process::{Command, Stdio},
    thread,
};

use futures_util::future::join_all;
use serde_json::Value;
use support::{Line, PATIENCE, Process, block_on, free_port, full_pipe};
use tokio::time::timeout;

#[test]
fn a_complaint_that_nobody_reads_ends_the_process_all_the_same() {
    let (_reader, writer) = full_pipe();
    let folder = tempfile::tempdir().unwrap();
    for (role, setting) in [("web", ("LEASE_SECONDS", "0")), ("web", ("STORE_URL", "mysql://"))] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
        let command = command.arg(role).env_clear().env(setting.0, setting.1);
        let command = command.current_dir(folder.path()).stderr(writer.try_clone().unwrap());
        assert!(!command.status().unwrap().success());
    }
}

/// A bot whose log goes to a test's pipe.
struct Bot {
    process: Process,
    line: Line,
    url: String,
    admin: u16,
    _folder: tempfile::TempDir,
}

impl Bot {
    async fn start(stderr: impl Into<Stdio>, more: &[(&str, &str)]) -> Self {
        let (port, admin, folder) = (free_port(), free_port(), tempfile::tempdir().unwrap());
        let line = Line::start(port).await;
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let mut command = Process::command("all", &store, port, &line, more);
        command.env("ADMIN_PORT", admin.to_string()).stderr(stderr);
        let (process, url) = (Process::start(command), format!("http://127.0.0.1:{port}"));
        timeout(PATIENCE, line.reaches(&format!("{url}/ready"))).await.unwrap();
        Self { process, line, url, admin, _folder: folder }
    }

    /// Sends webhooks that are not signed, all at once; each is a line of the log.
    async fn refuses(&self, webhooks: usize) {
        let send = || self.line.callback(&self.url, b"{}".to_vec(), None);
        let answers = join_all((0..webhooks).map(|_| send()));
        let answers = timeout(PATIENCE, answers).await.expect("requests are not answered");
        assert!(answers.iter().all(|status| *status == 401), "{answers:?}");
    }

    /// Returns how many lines are not in the log for this reason.
    async fn dropped(&self, reason: &str) -> u64 {
        let metrics = format!("http://127.0.0.1:{}/metrics", self.admin);
        let metrics = self.line.text(&metrics).await;
        let name = format!("yamabiko_log_lines_dropped_total{{reason=\"{reason}\"}} ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Checks that requests and users are answered, more of them than the log had room for.
    async fn works(&self) {
        let alice = self.line.user("Alice", "en").await;
        self.refuses(1000).await;
        self.line.says(&alice, "list").await;
        assert_eq!(self.line.hears(&alice, 1).await[0].text, "No timers are pending.");
    }

    fn stops(self) {
        assert!(self.process.terminate(), "a process that is asked to stop ends well");
    }
}

#[test]
fn a_stalled_reader_of_the_log_keeps_neither_requests_nor_a_stop_waiting() {
    let (_reader, writer) = full_pipe();
    block_on(async {
        let bot = Bot::start(writer, &[]).await;
        bot.works().await;
        bot.stops();
    });
}

#[test]
fn a_reader_of_the_log_that_has_gone_ends_neither_requests_nor_the_process() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    block_on(async {
        let bot = Bot::start(writer, &[]).await;
        bot.works().await;
        assert!(bot.dropped("unwritten").await > 0);
        bot.stops();
    });
}

#[test]
fn a_flood_of_one_line_is_cut_and_the_rest_is_counted() {
    const FLOOD: usize = 300;
    let (mut reader, writer) = pipe().unwrap();
    let log = thread::spawn(move || {
        let mut log = String::new();
        reader.read_to_string(&mut log).map(|_| log)
    });
    let repeated = block_on(async {
        let bot = Bot::start(writer, &[("LOG_FORMAT", "json")]).await;
        bot.refuses(FLOOD).await;
        let repeated = bot.dropped("repeated").await;
        bot.stops();
        repeated
    });
    let log = log.join().unwrap().unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |line: &&Value, text: &str| line["message"].as_str().unwrap().contains(text);
    let about = lines.iter().filter(|line| said(line, "refused a webhook"));
    let (summaries, single): (Vec<_>, Vec<_>) = about.partition(|line| said(line, "left out"));
    let left_out: u64 = summaries.iter().map(|line| line["left_out"].as_u64().unwrap()).sum();
    assert_eq!(single.len() + usize::try_from(left_out).unwrap(), FLOOD, "{log}");
    assert!(single.len() < FLOOD && left_out == repeated, "{log}");
}
