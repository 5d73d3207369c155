//! Measures the queue and the whole bot, and takes part in a comparison with other queues.

use std::{io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

mod adapter;
mod analysis;
mod bot;
mod figures;
mod fresh;
mod growth;
mod heavy;
mod http;
mod limits;
mod machine;
#[path = "../../bots/keywords/src/analysis/tests/manual.rs"]
mod manual;
mod options;
mod port;
mod punctuality;
mod record;
mod redis_info;
mod redis_server;
mod report;
mod space;
mod spent;
mod steps;
mod throughput;
mod topic;
mod work;

use adapter::{Adapter, By};
use options::Options;
use report::Wanted;

/// Measures Yamabiko.
///
/// All but `report` are the adapter for a comparison with other queues: one JSON line on stdout each.
///
/// Jobs go the way that users of the queue crate go: `Queue::enqueue`, `Worker`, `timer::run`.
/// Always on: leases (5 s), fencing, atomic commits, and ids remembered for an hour after their jobs, which is the crate's default.
/// SQLite has every write on disk before it is acknowledged; Redis as its server is set up.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
struct Cli {
    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Stores the jobs START to START+N-1.
    Enqueue {
        #[command(flatten)]
        adapter: Adapter,
        start: u64,
        n: u64,
        by: By,
    },
    /// Stores a timer for each record of FILE: 8 bytes index, 8 bytes due time in Unix nanoseconds, little-endian.
    Timers {
        #[command(flatten)]
        adapter: Adapter,
        file: PathBuf,
    },
    /// Stores N jobs one at a time, each after the one before has run, for `MAX_S` seconds at most.
    Latency {
        #[command(flatten)]
        adapter: Adapter,
        /// Where to note when each job was stored.
        #[arg(long, env = "BENCH_SENT")]
        sent: PathBuf,
        start: u64,
        n: u64,
        max_s: f64,
    },
    /// Runs jobs and timers until killed.
    Worker {
        #[command(flatten)]
        adapter: Adapter,
    },
    /// Measures everything without peers; prints a Markdown table for each topic.
    Report {
        #[command(flatten)]
        wanted: Wanted,
        /// Where to write all figures as JSON.
        #[arg(long)]
        json: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    // As a task, like the code of any server: from outside of the runtime's threads each wait costs a change of threads.
    let line = tokio::spawn(run(Cli::parse())).await??;
    writeln!(std::io::stdout(), "{line}").context("nobody reads the result")
}

/// Does the task and returns what to print.
async fn run(Cli { options, task }: Cli) -> anyhow::Result<String> {
    match task {
        Task::Enqueue { adapter, start, n, by } => adapter.enqueue(&options, start, n, by).await,
        Task::Timers { adapter, file } => adapter.timers(&options, &file).await,
        Task::Latency { adapter, sent, start, n, max_s } => {
            adapter.latency(&options, &sent, start, n, max_s).await
        }
        Task::Worker { adapter } => adapter.worker(&options).await,
        Task::Report { wanted, json } => {
            let report = Box::pin(report::measure(&options, &wanted)).await?;
            if let Some(path) = json {
                let text = serde_json::to_string_pretty(&report)?;
                std::fs::write(&path, text).with_context(|| path.display().to_string())?;
            }
            Ok(report.to_markdown())
        }
    }
}
