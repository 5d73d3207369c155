//! Measures the queue and the whole bot in release builds.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::command::{exists, run};

/// Builds the bot and the benchmark and runs the report.
pub(crate) fn report(quick: bool, reps: Option<u32>, json: Option<&Path>) -> anyhow::Result<()> {
    if !exists("redis-server") {
        bail!("redis-server is missing: `cargo xtask setup` installs it");
    }
    let mut report = vec!["report".to_owned()];
    if quick {
        report.push("--quick".to_owned());
    }
    if let Some(reps) = reps {
        report.push(format!("--reps={reps}"));
    }
    if let Some(path) = json {
        // The report runs in the workspace's root, and the person perhaps elsewhere.
        let path = std::path::absolute(path).context("--json")?;
        report.push(format!("--json={}", path.display()));
    }
    // The bot is built by itself, since it is measured as its users build it.
    run("cargo", ["build", "--release", "--package", "timer-bot"])?;
    run("cargo", ["build", "--release", "--package", "yamabiko-bench"])?;
    let run_report = ["run", "--quiet", "--release", "--package", "yamabiko-bench", "--"];
    run("cargo", run_report.into_iter().map(str::to_owned).chain(report))
}
