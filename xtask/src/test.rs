//! All checks, in the order in which they are likely to fail.

use std::process::Command;

use crate::{
    command::{exists, root, run, run_with},
    setup,
};

/// What `--quick` leaves out: browsers, many processes, other languages, reports, killed stores and long random runs.
const SLOW: &str = "not (binary(backup) or binary(browser) or binary(minute) or binary(processes) or binary(procfile) or binary(python_bot) or binary(report) or binary(sdk) or binary(third_bot) or test(/^(random|crash)::/))";

/// Runs all checks; `quick` leaves out the slow ones.
pub(crate) fn all(quick: bool) -> anyhow::Result<()> {
    setup::install()?;
    run("cargo", ["fmt", "--all", "--check"])?;
    run(
        "cargo",
        [
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    if !quick {
        let mut doc = Command::new("cargo");
        doc.args(["doc", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .current_dir(root());
        run_with(&mut doc)?;
        run("cargo", ["test", "--workspace", "--all-features", "--doc", "--quiet"])?;
        // They are made of the tests' files, so a change of these may break them.
        run(
            "cargo",
            [
                "check",
                "--manifest-path",
                "fuzz/Cargo.toml",
                "--target-dir",
                "target",
                "--locked",
                "--quiet",
            ],
        )?;
    }
    tests(quick)
}

fn tests(quick: bool) -> anyhow::Result<()> {
    if exists("cargo-nextest") {
        let mut arguments =
            vec!["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"];
        if quick {
            arguments.extend(["-E", SLOW]);
        }
        return run("cargo", arguments);
    }
    if quick {
        return run("cargo", ["test", "--workspace", "--all-features", "--lib", "--bins"]);
    }
    run(
        "cargo",
        ["test", "--workspace", "--all-features", "--no-fail-fast", "--bins", "--lib", "--tests"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_quick_leaves_out_is_there() {
        let named = SLOW.split("binary(").skip(1).filter_map(|rest| rest.split(')').next());
        let folders = [
            "bench/tests",
            "bots/timer/tests",
            "chaos/tests",
            "crates/yamabiko-simulator/tests",
            "crates/yamabiko/tests",
        ];
        for name in named {
            let files = [format!("{name}.rs"), format!("{name}/main.rs")];
            let is_there =
                |folder| files.iter().any(|file| root().join(folder).join(file).exists());
            assert!(folders.into_iter().any(is_there), "{name}");
        }
    }
}
