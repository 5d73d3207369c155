//! Programs, fonts and texts from Debian's packages; elsewhere it says what to install.

use std::{path::PathBuf, process::Command};

use anyhow::bail;

use crate::command::{exists, run_with, say};

/// Programs that the tests run, with the Debian package of each.
const PROGRAMS: [(&str, &str); 4] = [
    ("chromium", "chromium"),
    // For its library, which lies in the folder of an architecture.
    ("faketime", "faketime"),
    ("mecab", "mecab"),
    ("redis-server", "redis-server"),
];
/// Fonts for screenshots and texts for a comparison, each with what shows that it is there.
const FILES: [(&str, &str); 4] = [
    // Or apt would choose a larger dictionary for mecab.
    ("/usr/share/mecab/dic/ipadic", "mecab-ipadic"),
    ("/usr/share/man/ja/man1/ls.1.gz", "manpages-ja"),
    ("/usr/share/fonts/opentype/ipafont-gothic", "fonts-ipafont-gothic"),
    ("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "fonts-noto-color-emoji"),
];

/// Installs what is missing.
pub(super) fn install() -> anyhow::Result<()> {
    let packages = missing();
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
        // Images for containers often leave manual pages out.
        .args(["-o", "Dpkg::Options::=--path-include=/usr/share/man/ja/*"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run_with(&mut install)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn missing() -> Vec<&'static str> {
    let mut packages: Vec<_> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| !exists(program))
        .map(|(_, package)| package)
        .collect();
    packages.extend(
        FILES
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
