//! Installs what the tests need: real servers, a real browser, and pinned packages.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, bail};

use crate::command::{exists, root, run, run_with, say};

/// Programs that the tests run, with the Debian package of each.
const PROGRAMS: [(&str, &str); 2] = [("redis-server", "redis-server"), ("chromium", "chromium")];
/// Fonts for screenshots, each with what shows that it is there.
const FONTS: [(&str, &str); 2] = [
    ("/usr/share/fonts/opentype/ipafont-gothic", "fonts-ipafont-gothic"),
    ("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "fonts-noto-color-emoji"),
];

/// Installs what is missing; what is there already costs nothing.
pub(crate) fn install() -> anyhow::Result<()> {
    install_debian(&missing())?;
    install_python()
}

fn missing() -> Vec<&'static str> {
    let mut packages: Vec<_> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !exists(program))
        .map(|(_, package)| package)
        .collect();
    packages.extend(
        FONTS
            .into_iter()
            .filter(|(path, _)| !PathBuf::from(path).exists())
            .map(|(_, package)| package),
    );
    let has_venv = exists("python3")
        && Command::new("python3")
            .args(["-c", "import venv, ensurepip"])
            .status()
            .is_ok_and(|status| status.success());
    if !has_venv {
        packages.push("python3-venv");
    }
    packages
}

fn install_debian(packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !exists("apt-get") || !is_root() {
        bail!(
            "the tests need more programs; on Debian, as root: {by_hand}\nelsewhere, install: {}",
            packages.join(", ")
        );
    }
    say(&format!("installing {}", packages.join(", ")));
    run_with(Command::new("apt-get").arg("update").arg("-qq"))?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run_with(&mut install)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Makes a virtual environment with the packages of `tests/requirements.txt`, anew when that file changes.
fn install_python() -> anyhow::Result<()> {
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
