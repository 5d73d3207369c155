//! The adapter keeps the contract of a comparison with other queues, on both stores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

#[path = "../src/port.rs"]
mod port;
#[expect(dead_code, reason = "the test uses a part of it")]
#[path = "../src/record.rs"]
mod record;
#[path = "../src/redis_server.rs"]
mod redis_server;

use redis_server::RedisServer;

/// How long all jobs may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// When the first timer is due, in nanoseconds after it is written down.
const LEAD: u64 = 400_000_000;

/// A store that belongs to a test, and the files beside it.
struct Bench {
    options: Vec<&'static str>,
    folder: TempDir,
    redis: RedisServer,
}

impl Bench {
    fn with(options: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redis = RedisServer::start(folder.path()).unwrap();
        Self { options: options.to_vec(), folder, redis }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yamabiko-bench"));
        command
            .args(&self.options)
            .args(arguments)
            .env("BENCH_REDIS_URL", self.redis.url())
            .env("BENCH_RAN", self.file("ran"))
            .env("BENCH_SENT", self.file("sent"));
        command
    }

    /// Runs a subcommand to its end and returns its last line.
    fn run(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && error.is_empty(), "{arguments:?}: {error}");
        let printed = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(printed.lines().last().unwrap()).unwrap()
    }

    fn ran(&self) -> Vec<(u64, u64)> {
        let path = self.file("ran");
        if path.exists() { record::read(&path).unwrap() } else { Vec::new() }
    }

    /// Waits until as many jobs have run.
    fn waits_for(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.ran().len() < count {
            assert!(Instant::now() < deadline, "{} of {count} jobs ran", self.ran().len());
            // A file tells nobody that it grows; this only sets how often we look.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A process that is killed when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn write_timers(path: &Path, indices: std::ops::Range<u64>) -> BTreeMap<u64, u64> {
    let first = record::wall_clock() + LEAD;
    let due: BTreeMap<_, _> =
        indices.map(|index| (index, first + index * 7_000_001 % 500_000_000)).collect();
    let records = record::Records::open(path).unwrap();
    for (index, due) in &due {
        records.add(*index, *due).unwrap();
    }
    due
}

fn each_job_runs_once_and_no_timer_early(options: &[&'static str]) {
    let bench = Bench::with(options);
    assert_eq!(bench.run(&["enqueue", "0", "50", "one"])["n"], 50);
    let bulk = bench.run(&["enqueue", "50", "1200", "bulk"]);
    assert!(bulk["n"] == 1200 && bulk["seconds"].as_f64().unwrap() > 0.0, "{bulk}");
    assert!(bench.ran().is_empty(), "nothing runs before the worker");
    let _worker = Killed(bench.command(&["worker"]).spawn().unwrap());
    bench.waits_for(1250);
    let due = write_timers(&bench.file("timers"), 1250..1350);
    let timers = bench.run(&["timers", bench.file("timers").to_str().unwrap()]);
    assert_eq!(timers["n"], 100);
    bench.waits_for(1350);
    assert_eq!(bench.run(&["latency", "1350", "20", "30"])["n"], 20);
    bench.waits_for(1370);
    let ran = bench.ran();
    let mut indices: Vec<_> = ran.iter().map(|(index, _)| *index).collect();
    indices.sort_unstable();
    assert_eq!(indices, (0..1370).collect::<Vec<_>>());
    let times: BTreeMap<_, _> = ran.into_iter().collect();
    let early: Vec<_> = due.iter().filter(|(index, due)| times[index] < **due).collect();
    assert!(early.is_empty(), "{early:?}");
    let sent = fs::metadata(bench.file("sent")).unwrap().len();
    assert_eq!(sent, 20 * 16, "each of the twenty is noted once");
    for (index, sent) in record::read(&bench.file("sent")).unwrap() {
        assert!(sent <= times[&index], "{index} ran before it was stored");
    }
}

#[test]
fn on_redis_each_job_runs_once_and_no_timer_early() {
    each_job_runs_once_and_no_timer_early(&["--store", "redis"]);
}

#[test]
fn on_sqlite_each_job_runs_once_and_no_timer_early() {
    each_job_runs_once_and_no_timer_early(&["--store", "sqlite"]);
}

#[test]
fn jobs_run_once_in_lanes_of_their_own_and_when_they_are_kept() {
    each_job_runs_once_and_no_timer_early(&["--store", "redis", "--lane", "--keep"]);
    each_job_runs_once_and_no_timer_early(&["--store", "sqlite", "--lane", "--keep"]);
}
