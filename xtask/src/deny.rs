//! `cargo xtask deny`: what other people's code may come into the programs.

use clap::Args;

use crate::command::{root, run};

/// The checker, at a version that gives everybody the same answers.
const CARGO_DENY: [&str; 3] = ["cargo-deny", "--version", "0.20.2"];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which checks: advisories, bans, licenses, sources. All, if none is named; advisories are read from GitHub.
    checks: Vec<String>,
}

/// Checks licences, sources, versions and advisories by `deny.toml`; builds the checker first, which takes minutes once.
pub(crate) fn check(options: &Options) -> anyhow::Result<()> {
    let folder = root().join("target/tests/cargo-deny");
    let place = folder.to_string_lossy();
    let install = ["install", "--quiet", "--locked", "--root", &place];
    run("cargo", install.into_iter().chain(CARGO_DENY))?;
    let program = folder.join("bin/cargo-deny");
    let checks = options.checks.iter().map(String::as_str);
    run(&program.to_string_lossy(), ["check"].into_iter().chain(checks))
}
