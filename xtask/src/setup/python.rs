//! Python's packages of `tests/requirements.txt`, in `target/tests/venv`.

use std::fs;

use anyhow::Context as _;

use crate::command::{root, run};

/// Makes a virtual environment with the packages of `tests/requirements.txt`, anew when that file changes.
pub(super) fn install() -> anyhow::Result<()> {
    let wanted = fs::read_to_string(root().join("tests/requirements.txt"))
        .context("tests/requirements.txt")?;
    let folder = root().join("target/tests");
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    let venv = folder.join("venv");
    run("python3", ["-m", "venv", "--clear", &venv.to_string_lossy()])?;
    let pip = venv.join("bin/pip");
    let requirements = root().join("tests/requirements.txt");
    run(
        &pip.to_string_lossy(),
        [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            &requirements.to_string_lossy(),
        ],
    )?;
    fs::write(stamp, wanted)?;
    Ok(())
}
