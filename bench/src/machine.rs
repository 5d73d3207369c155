//! What figures depend on besides the code.

use std::{fs, io::Write as _, num::NonZeroUsize, process::Command, time::Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::{
    figures::{Figure, percentile},
    fresh,
    punctuality::millis,
};

/// What is the same for all measurements.
const SETTINGS: [&str; 3] = [
    "Redis: a server on 127.0.0.1, `appendonly yes`, `appendfsync everysec`",
    "SQLite: WAL, `synchronous=FULL`, so on disk before it is acknowledged",
    "always: leases of 5 s, fencing, atomic commits, ids remembered for an hour; no lane and nothing kept unless a row says so",
];
/// Writes by which the disk is measured.
const WRITES: u32 = 100;

/// The machine and the programs.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    /// The load averages of the minute before and of the last minute: others' work makes figures worse.
    load: [String; 2],
    rustc: &'static str,
    redis_server: String,
    sqlite: &'static str,
    settings: [&'static str; 3],
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn look() -> anyhow::Result<Self> {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1.to_owned()));
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            processor: processor.unwrap_or_else(|| "unknown processor".to_owned()),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: [load(), String::new()],
            rustc: env!("BENCH_RUSTC"),
            redis_server: redis_version()?,
            sqlite: rusqlite::version(),
            settings: SETTINGS,
        })
    }

    /// Looks again at what changes.
    pub(crate) fn look_again(&mut self) {
        self.load[1] = load();
    }

    /// Returns a Markdown list.
    pub(crate) fn to_markdown(&self) -> String {
        let Self { cores, processor, kernel, load, rustc, redis_server, sqlite, settings } = self;
        let [before, after] = load;
        format!(
            "- machine: {cores} cores, {processor}, Linux {kernel}; load {before} before and {after} at the end\n\
             - versions: {rustc}, redis-server {redis_server}, SQLite {sqlite}\n\
             - {}",
            settings.join("\n- ")
        )
    }
}

/// Measures how long a small write takes to reach the disk.
pub(crate) fn disk_sync() -> anyhow::Result<Figure> {
    let folder = fresh::folder()?;
    let mut file = fs::File::create(folder.path().join("sync"))?;
    let mut took = Vec::new();
    for _ in 0..WRITES {
        let began = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        took.push(millis(began.elapsed()));
    }
    let setting = "4 KiB appended; SQLite waits for the like in each transaction";
    Ok(Figure::new("disk: write and sync, p50", percentile(&took, 50.0), "ms", setting))
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn redis_version() -> anyhow::Result<String> {
    let output = Command::new("redis-server").arg("--version").output();
    let output = output.context("redis-server is missing: `cargo xtask setup` installs it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split(' ').find_map(|word| word.strip_prefix("v="));
    Ok(version.unwrap_or("of unknown version").to_owned())
}
