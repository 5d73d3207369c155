//! `cargo xtask mac`: checks on Linux that everything compiles for macOS.

use std::process::Command;

use crate::command::{root, run, run_with};

const TARGET: &str = "x86_64-apple-darwin";
/// The tools that compile C code in dependencies, which a type check does not need and only a Mac has.
const C_TOOLS: [&str; 4] = ["CC", "CXX", "AR", "RANLIB"];

/// Type-checks all targets against macOS' standard library, which it downloads first.
pub(crate) fn check() -> anyhow::Result<()> {
    run("rustup", ["target", "add", TARGET])?;
    let mut clippy = Command::new("cargo");
    clippy.args(["clippy", "--workspace", "--all-targets", "--all-features", "--target", TARGET]);
    clippy.args(["--", "-D", "warnings"]).current_dir(root());
    // `true` compiles nothing and succeeds.
    let target = TARGET.replace('-', "_");
    clippy.envs(C_TOOLS.map(|tool| (format!("{tool}_{target}"), "true")));
    // Where headers would be; nothing reads them.
    run_with(clippy.env("SDKROOT", "/"))
}
