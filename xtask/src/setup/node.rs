//! Node's packages of `tests/node`, in `target/tests/node`.

use std::{fs, path::Path, process::Command};

use anyhow::Context as _;

use crate::command::{root, run_with};

/// What npm reads.
const FILES: [&str; 3] = [".npmrc", "package.json", "package-lock.json"];

/// Installs exactly what the lock file names, anew when that file changes.
pub(super) fn install() -> anyhow::Result<()> {
    let (given, folder) = (root().join("tests/node"), root().join("target/tests/node"));
    let lock = |folder: &Path| fs::read(folder.join("package-lock.json"));
    let wanted = lock(&given).context("tests/node/package-lock.json")?;
    // npm writes this file when everything is installed.
    let is_done = folder.join("node_modules/.package-lock.json").exists();
    if is_done && lock(&folder).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    for name in FILES {
        fs::copy(given.join(name), folder.join(name)).context(name)?;
    }
    // Distributions may have an older Node than LINE's SDK takes: it comes with Python's packages, pinned as they are.
    let mut npm = Command::new(root().join("target/tests/venv/bin/npm"));
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    run_with(&mut npm)
}
