//! What can be chosen for the adapter and the report alike.

use std::{fmt, num::NonZeroUsize, time::Duration};

use clap::{Args, ValueEnum};
use yamabiko_queue::{
    Clock, JobId, NewJob, StoreOptions, WorkerOptions, job::DEFAULT, store::Process,
};

/// The kind of all jobs here.
pub(crate) const KIND: &str = "no-op";
/// For how long completed jobs are kept where that is asked for: what bots do by default.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// The choices.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The store. The adapter's default is redis; the report measures both unless one is named.
    #[arg(long, env = "BENCH_STORE", global = true)]
    pub(crate) store: Option<StoreKind>,

    /// Keep completed jobs for a day, the newest 10,000, as bots do. The queue crate's default is not to.
    #[arg(long, env = "BENCH_KEEP", global = true)]
    keep: bool,

    /// Put every job in a lane of its own.
    #[arg(long, env = "BENCH_LANE", global = true)]
    lane: bool,

    /// How many jobs run at once. Defaults to 16 for each core, as in bots.
    #[arg(long, env = "BENCH_CONCURRENCY", global = true)]
    concurrency: Option<NonZeroUsize>,
}

/// A store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// A Redis server.
    Redis,
    /// An SQLite file.
    Sqlite,
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::Sqlite => "SQLite",
        })
    }
}

impl Options {
    /// Returns how to open the store.
    pub(crate) fn store_options(&self) -> StoreOptions {
        let mut options = StoreOptions::new("bench");
        if self.keep {
            options.keep_completed = KEEP;
        }
        options
    }

    /// Makes a job that does nothing, due at once.
    pub(crate) fn job(&self, payload: Vec<u8>) -> NewJob {
        let mut job = NewJob::new(KIND, payload);
        if self.lane {
            job.lane = Some(JobId::new().to_string());
        }
        job
    }

    /// Returns the same choices with another number of jobs at once.
    pub(crate) fn at_once(&self, jobs: NonZeroUsize) -> Self {
        Self { concurrency: Some(jobs), ..self.clone() }
    }

    /// Returns the same choices with every job in a lane of its own.
    pub(crate) fn in_lanes(&self) -> Self {
        Self { lane: true, ..self.clone() }
    }

    /// Returns the same choices with completed jobs kept.
    pub(crate) fn keeping(&self) -> Self {
        Self { keep: true, ..self.clone() }
    }

    /// Returns how many jobs run at once.
    pub(crate) fn concurrency(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.concurrency.map_or(cores * 16, NonZeroUsize::get)
    }

    /// Returns how a worker works.
    pub(crate) fn worker_options(&self) -> WorkerOptions {
        let pid = std::process::id();
        WorkerOptions {
            clock: Clock::Own,
            concurrency: self.concurrency(),
            queues: vec![(DEFAULT.to_owned(), 1)],
            limits: std::collections::BTreeMap::new(),
            shutdown: Duration::from_secs(10),
            process: Process {
                name: format!("bench/{pid}"),
                role: "worker".to_owned(),
                host: "localhost".to_owned(),
                pid,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                queues: Vec::new(),
            },
        }
    }

    /// Says what differs from the defaults, for the setting of a figure.
    pub(crate) fn differences(&self) -> String {
        let mut text = String::new();
        if self.keep {
            text.push_str(", completed jobs kept");
        }
        if self.lane {
            text.push_str(", a lane for each job");
        }
        text
    }
}
