//! The Procfile, and the split into two apps that share one Redis, run by honcho.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{path::Path, process::Command};

use support::{Line, Process, block_on, free_port, redis_server::RedisServer, settings, tool};

/// Starts a Procfile of the repository, as a host with that kind of apps does.
fn honcho(procfile: &str, port: u16, store: &str, line: &Line) -> Process {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bot = Path::new(env!("CARGO_BIN_EXE_timer-bot"));
    let path = format!("{}:/usr/bin:/bin", bot.parent().unwrap().display());
    let mut command = Command::new(tool("honcho"));
    command
        .args(["start", "--procfile"])
        .arg(root.join(procfile))
        .args(["--port", &port.to_string()]);
    command
        .current_dir(std::env::temp_dir())
        .env_clear()
        .envs(settings(store, line))
        .env("PATH", path);
    Process::start(command)
}

#[test]
fn the_procfile_runs_the_bot() {
    let redis = RedisServer::start();
    let port = free_port();
    block_on(async {
        let line = Line::start(port).await;
        let app = honcho("Procfile", port, &redis.url(), &line);
        line.conversation().await;
        app.terminate();
    });
}

#[test]
fn two_apps_that_share_one_redis_run_the_bot() {
    let redis = RedisServer::start();
    let port = free_port();
    block_on(async {
        let line = Line::start(port).await;
        let web_and_worker = honcho("deploy/web-and-worker/Procfile", port, &redis.url(), &line);
        let timer = honcho("deploy/timer/Procfile", free_port(), &redis.url(), &line);
        line.conversation().await;
        timer.terminate();
        web_and_worker.terminate();
    });
}
