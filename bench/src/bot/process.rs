//! The bot as a process.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{BOT, SECRET, line::Line};
use crate::{
    fresh::{Fresh, beside_us},
    http::Connection,
    port,
    spent::Cpu,
};

/// The token with which LINE is called.
pub(super) const TOKEN: &str = "a-token-of-the-benchmark";
/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";
/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running bot.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) port: u16,
    /// The time from start to the first 200 of `/ready`.
    pub(crate) start: Duration,
    process: Killed,
}

impl Bot {
    /// Starts a role of the bot on a store and waits until it is ready; without `line`, it can call nobody.
    pub(crate) async fn start(
        role: &str,
        fresh: &Fresh,
        line: Option<&Line>,
    ) -> anyhow::Result<Self> {
        Self::start_program(BOT, role, fresh, line, &[]).await
    }

    /// Does the same with any bot, and more settings.
    pub(crate) async fn start_program(
        name: &str,
        role: &str,
        fresh: &Fresh,
        line: Option<&Line>,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let port = line.map_or_else(port::free, |line| Ok(line.bot_port))?;
        let admin = port::free()?;
        let api = line.map_or_else(|| NOBODY.to_owned(), Line::url);
        let began = Instant::now();
        let process = Killed::start(name, |command| {
            command.arg(role).env_clear().envs(settings.iter().copied()).envs([
                ("STORE_URL", fresh.url().as_str()),
                ("LINE_CHANNEL_SECRET", SECRET),
                ("LINE_CHANNEL_ACCESS_TOKEN", TOKEN),
                ("LINE_API_URL", &api),
                ("LINE_DATA_API_URL", &api),
                ("HOST", "127.0.0.1"),
                ("PORT", &port.to_string()),
                ("ADMIN_PORT", &admin.to_string()),
                ("LOG", "error"),
            ])
        })?;
        serves(admin, "/ready").await.context("the bot")?;
        Ok(Self { port, start: began.elapsed(), process })
    }

    /// Returns the resident memory in MiB.
    pub(crate) fn memory(&self) -> anyhow::Result<f64> {
        self.process.mebibytes("VmRSS:")
    }

    /// Returns the processor time since the start.
    pub(crate) fn cpu(&self) -> anyhow::Result<Cpu> {
        Cpu::of_process(self.process.0.id())
    }

    /// Returns the most resident memory since the start, in MiB.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        self.process.mebibytes("VmHWM:")
    }
}

/// A process that is killed when dropped.
#[derive(Debug)]
pub(super) struct Killed(Child);

impl Killed {
    /// Starts a program that lies beside this one.
    pub(super) fn start(
        name: &str,
        prepare: impl FnOnce(&mut Command) -> &mut Command,
    ) -> anyhow::Result<Self> {
        let program = beside_us(name)?;
        let mut command = Command::new(&program);
        let process = prepare(command.stdin(Stdio::null())).spawn();
        process.map(Self).with_context(|| {
            format!("{} is missing: `cargo xtask bench` builds it", program.display())
        })
    }

    fn mebibytes(&self, line: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let rest = status.lines().find_map(|text| text.strip_prefix(line));
        let kib = rest.and_then(|rest| rest.split_whitespace().next());
        Ok(kib.with_context(|| format!("no {line}"))?.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits until a page is served with 200.
pub(super) async fn serves(port: u16, path: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_served(port, path).await {
        ensure!(began.elapsed() < PATIENCE, "{path} is not served");
        // A process tells nobody when it is ready; this only sets how often we look.
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    Ok(())
}

async fn is_served(port: u16, path: &str) -> bool {
    let Ok(mut connection) = Connection::open(port).await else { return false };
    connection.get(path).await.is_ok_and(|answer| answer.status == 200)
}
