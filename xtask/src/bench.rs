//! Measures the queue and the whole bot in release builds.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::{
    command::{exists, run},
    defect::Store,
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this topic; may be given several times. Defaults to all.
    #[arg(long, value_parser = ["throughput", "punctuality", "space", "bot", "growth", "steps", "heavy", "analysis"])]
    only: Vec<String>,
    /// Only on this store. Defaults to both.
    #[arg(long)]
    store: Option<Store>,
    /// How often everything is measured. Defaults to 3, with --quick to 1.
    #[arg(long)]
    reps: Option<u32>,
    /// Where to write all figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Small numbers: only shows that it works.
    #[arg(long)]
    quick: bool,
    /// Measures hot code without input and output instead, with criterion.
    #[arg(long, conflicts_with_all = ["only", "store", "reps", "json"])]
    micro: bool,
}

impl Options {
    /// Returns the arguments of the report.
    fn report(&self) -> anyhow::Result<Vec<String>> {
        let mut arguments = vec!["report".to_owned()];
        arguments.extend(self.only.iter().map(|topic| format!("--only={topic}")));
        arguments.extend(self.store.map(|store| format!("--store={store}")));
        arguments.extend(self.reps.map(|reps| format!("--reps={reps}")));
        if let Some(path) = &self.json {
            // The report runs in the workspace's root, and the person perhaps elsewhere.
            let path = std::path::absolute(path).context("--json")?;
            arguments.push(format!("--json={}", path.display()));
        }
        arguments.extend(self.quick.then(|| "--quick".to_owned()));
        Ok(arguments)
    }
}

/// Builds what is measured, and measures it.
pub(crate) fn measure(options: &Options) -> anyhow::Result<()> {
    if options.micro {
        let mut bench = vec!["bench", "--package", "yamabiko-bench", "--bench", "pure"];
        if options.quick {
            bench.extend(["--", "--quick"]);
        }
        return run("cargo", bench);
    }
    for program in ["redis-server", "redis-benchmark", "mecab"] {
        if !exists(program) {
            bail!("{program} is missing: `cargo xtask setup` installs it");
        }
    }
    // The bots are built by themselves, since they are measured as their users build them.
    for package in ["timer-bot", "keyword-bot", "yamabiko-simulator", "yamabiko-bench"] {
        run("cargo", ["build", "--release", "--package", package])?;
    }
    let bench = ["run", "--quiet", "--release", "--package", "yamabiko-bench", "--"];
    run("cargo", bench.into_iter().map(str::to_owned).chain(options.report()?))
}
