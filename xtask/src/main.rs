//! One command for all checks: `cargo xtask test`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod chaos;
mod command;
mod defect;
mod deny;
mod mac;
mod plant;
mod setup;
mod test;

#[derive(Debug, Parser)]
#[command(about = "The project's own commands")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Installs what the tests need and runs all checks.
    Test {
        /// Leave out what takes long: the browser, killed processes, honcho, bots in other languages.
        #[arg(long)]
        quick: bool,
    },
    /// Installs what the tests need.
    Setup,
    /// Puts one-line defects into a copy of the tree, one at a time, and shows that the store's suite finds each.
    Plant {
        /// Only the defects of this store.
        #[arg(long)]
        store: Option<defect::Store>,
        /// Only the defects whose names contain this.
        #[arg(long)]
        only: Option<String>,
    },
    /// Kills processes and stores, breaks LINE, and counts what was lost or said twice.
    Chaos(chaos::Options),
    /// Looks whether other people's code that comes into the programs is licensed, known and maintained.
    Deny(deny::Options),
    /// Checks on Linux that everything compiles for macOS; downloads the standard library for it.
    Mac,
    /// Measures the queue and the whole bot in release builds, and prints a table for each topic.
    Bench(bench::Options),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().task {
        Task::Test { quick } => test::all(quick)?,
        Task::Setup => setup::install()?,
        Task::Plant { store, only } => plant::run_all(store, only.as_deref())?,
        Task::Chaos(options) => return chaos::run(&options),
        Task::Deny(options) => deny::check(&options)?,
        Task::Mac => mac::check()?,
        Task::Bench(options) => bench::measure(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}
