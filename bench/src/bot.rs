//! The timer bot as a whole process, as a user builds and starts it.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::{
    figures::Figure,
    fresh::{Fresh, beside_us},
    http::Connection,
    port,
    punctuality::millis,
};

/// The secret with which webhooks are signed.
pub(crate) const SECRET: &str = "a-secret-of-the-benchmark";
/// Where nobody listens: what is measured here calls nobody.
const NOBODY: &str = "http://127.0.0.1:1";
/// How long the bot may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running bot; killed when dropped.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) port: u16,
    process: Child,
    /// The time from start to the first 200 of `/ready`.
    start: Duration,
}

impl Bot {
    /// Starts a role of the bot on a store and waits until it is ready.
    pub(crate) async fn start(role: &str, fresh: &Fresh) -> anyhow::Result<Self> {
        let port = port::free()?;
        let program = beside_us("timer-bot")?;
        let mut command = Command::new(&program);
        command.arg(role).env_clear().stdin(Stdio::null()).envs([
            ("STORE_URL", fresh.url().as_str()),
            ("LINE_CHANNEL_SECRET", SECRET),
            ("LINE_CHANNEL_ACCESS_TOKEN", "a-token-of-the-benchmark"),
            ("LINE_API_URL", NOBODY),
            ("LINE_DATA_API_URL", NOBODY),
            ("HOST", "127.0.0.1"),
            ("PORT", &port.to_string()),
            ("LOG", "warn"),
        ]);
        let began = Instant::now();
        let process = command.spawn().with_context(|| {
            format!("{} is missing: `cargo xtask bench` builds it", program.display())
        })?;
        let mut bot = Self { port, process, start: Duration::ZERO };
        while !bot.is_ready().await {
            ensure!(began.elapsed() < PATIENCE, "the bot does not become ready");
            // The bot tells nobody when it is ready; this only sets how often we look.
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        bot.start = began.elapsed();
        Ok(bot)
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.port).await else { return false };
        connection.get("/ready").await.is_ok_and(|answer| answer.status == 200)
    }

    /// Returns the resident memory in MiB.
    fn memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kib.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Measures how fast the whole bot starts, and how much memory it takes after some rest.
pub(crate) async fn at_rest(fresh: &Fresh, rest: Duration) -> anyhow::Result<Vec<Figure>> {
    let bot = Bot::start("all", fresh).await?;
    tokio::time::sleep(rest).await;
    let setting = format!("`timer-bot all`, new store, {} s after its start", rest.as_secs());
    Ok(vec![
        Figure::new("bot: start to /ready", millis(bot.start), "ms", "`timer-bot all`, new store"),
        Figure::new("bot: resident memory at rest", bot.memory()?, "MiB", setting),
    ])
}
