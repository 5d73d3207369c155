//! The admin side: what is served where, and that LINE's port shows nothing of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Command, Stdio},
};

use support::{Line, Process, block_on, free_port, settings};
use tempfile::TempDir;

/// A process of the bot on a file of its own.
struct Bot {
    line: Line,
    port: u16,
    admin: u16,
    _folder: TempDir,
    _process: Process,
}

impl Bot {
    /// Starts a role, and returns when its admin side is there.
    async fn start(role: &str, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let (port, admin) = (free_port(), free_port());
        let line = Line::start(port).await;
        let admin_port = admin.to_string();
        let mut settings = vec![("ADMIN_PORT", &*admin_port), ("HEALTH_ON_PORT", "false")];
        settings.extend(more);
        let process = Process::bot_with(role, &store, port, &line, &settings);
        line.reaches(&format!("http://127.0.0.1:{admin}/ready")).await;
        Self { line, port, admin, _folder: folder, _process: process }
    }

    /// Returns the statuses of `/live`, `/ready` and `/metrics` on a port.
    async fn pages(&self, port: u16) -> Vec<u16> {
        let mut statuses = Vec::new();
        for page in ["live", "ready", "metrics"] {
            statuses.push(self.line.status(&format!("http://127.0.0.1:{port}/{page}")).await);
        }
        statuses
    }
}

#[test]
fn the_public_port_shows_only_that_the_process_lives() {
    block_on(async {
        let bot = Bot::start("web", &[]).await;
        assert_eq!(bot.pages(bot.port).await, [200, 404, 404]);
        assert_eq!(bot.pages(bot.admin).await, [200, 200, 200]);
    });
}

#[test]
fn health_on_port_brings_ready_to_the_public_port() {
    block_on(async {
        let bot = Bot::start("web", &[("HEALTH_ON_PORT", "true")]).await;
        assert_eq!(bot.pages(bot.port).await, [200, 200, 404]);
    });
}

#[test]
fn a_worker_and_a_timer_have_an_admin_side_where_its_port_is_set() {
    for role in ["worker", "timer"] {
        block_on(async {
            let bot = Bot::start(role, &[]).await;
            assert_eq!(bot.pages(bot.admin).await, [200, 200, 200], "{role}");
        });
    }
}

#[test]
fn any_free_admin_port_is_printed() {
    block_on(async {
        let (folder, line) = (tempfile::tempdir().unwrap(), Line::start(free_port()).await);
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
        command.arg("timer").env_clear().envs(settings(&store, &line)).stdout(Stdio::piped());
        let mut bot = command.spawn().unwrap();
        let mut lines = BufReader::new(bot.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.to_owned()));
        line.reaches(&format!("http://{}/ready", address.unwrap())).await;
        bot.kill().unwrap();
        bot.wait().unwrap();
    });
}

#[test]
fn a_default_admin_port_that_is_taken_costs_the_admin_side_only() {
    // Where this fails, it is taken already.
    let _taken = TcpListener::bind(("127.0.0.1", 3002));
    block_on(async {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let line = Line::start(port).await;
        let store = format!("sqlite:{}", folder.path().join("bot.db").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_timer-bot"));
        command.arg("web").env_clear().envs(settings(&store, &line)).env_remove("ADMIN_PORT");
        command.env("PORT", port.to_string()).env("HOST", "127.0.0.1").stderr(Stdio::piped());
        let mut bot = command.spawn().unwrap();
        line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
        bot.kill().unwrap();
        let logged = bot.wait_with_output().unwrap().stderr;
        let logged = String::from_utf8(logged).unwrap();
        let warnings = logged.lines().filter(|line| line.contains("ADMIN_PORT"));
        let warnings: Vec<_> = warnings.collect();
        assert!(warnings.len() == 1 && warnings[0].contains("WARN"), "{logged}");
        assert!(warnings[0].contains("127.0.0.1:3002"), "{logged}");
    });
}
