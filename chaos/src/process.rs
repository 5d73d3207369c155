//! Starts one process of the bot.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use anyhow::Context as _;
use tokio::process::{Child, Command};

use crate::{crowd, herd::LEASE, log_reader::LogReader, tally::Tally};

/// How the bot's processes are started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    pub(crate) store_url: String,
    pub(crate) line_url: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    /// What this bot needs beside the settings of every bot.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// What has them go by a wall clock that is set.
    pub(crate) clock: Vec<(&'static str, String)>,
    /// Counts what their logs tell of.
    pub(crate) tally: Arc<Tally>,
    /// Where their logs go.
    pub(crate) logs: PathBuf,
}

/// Where a process listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// For webhooks, where the role takes any.
    pub(crate) web: u16,
    /// For health.
    pub(crate) admin: u16,
}

/// Starts a process, and reads its log.
pub(crate) fn spawn(
    setup: &Setup,
    name: &str,
    role: &str,
    ports: Ports,
) -> anyhow::Result<(Child, LogReader)> {
    // The shell becomes the program.
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("ulimit -n {} && exec \"$0\" \"$@\"", crowd::DESCRIPTORS)])
        .arg(&setup.program)
        .arg(role)
        .env_clear()
        .envs([
            ("STORE_URL", setup.store_url.as_str()),
            ("LINE_CHANNEL_SECRET", &setup.secret),
            ("LINE_CHANNEL_ACCESS_TOKEN", &setup.token),
            ("LINE_API_URL", &setup.line_url),
            ("LINE_DATA_API_URL", &setup.line_url),
            ("HOST", "127.0.0.1"),
            ("LEASE_SECONDS", &LEASE.as_secs().to_string()),
            // What was done stays until the end, so that it can be looked at.
            ("RETENTION_COMPLETED_MAX", "10000000"),
            ("LOG", "debug"),
        ])
        .envs(setup.settings.iter().chain(&setup.clock).map(|(name, value)| (name, value)))
        .env("PORT", ports.web.to_string())
        .env("ADMIN_PORT", ports.admin.to_string())
        .stdin(Stdio::null())
        .stdout(log_file(&setup.logs, name)?)
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let cannot_start = || format!("cannot start {}", setup.program.display());
    let mut child = command.spawn().with_context(cannot_start)?;
    let log = child.stderr.take().context("its log is a pipe")?;
    let reader = LogReader::start(log, log_file(&setup.logs, name)?, Arc::clone(&setup.tally))?;
    Ok((child, reader))
}

fn log_file(folder: &Path, name: &str) -> anyhow::Result<File> {
    let path = folder.join(format!("{name}.log"));
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| path.display().to_string())
}
