//! The main job as a person sees it: one command, one address, a real browser.

mod support;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use support::{free_port, tool};

#[test]
fn a_person_chats_with_the_bot_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut bot = Command::new(env!("CARGO_BIN_EXE_timer-bot"))
        .args(["--port", &free_port().to_string(), "--simulator-port", &free_port().to_string()])
        .args(["--admin-port", "0"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(bot.stdout.take().unwrap()).lines();
    let address = lines
        .map(Result::unwrap)
        .filter(|line| !line.starts_with("Admin side"))
        .find_map(|line| line.find("http://").map(|at| line[at..].trim().to_owned()))
        .unwrap();
    let screenshots = root.join("target/tests/screenshots");
    std::fs::create_dir_all(&screenshots).unwrap();
    let seen = Command::new(tool("python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser.py"))
        .args([&address, &screenshots.display().to_string()])
        .status()
        .unwrap();
    bot.kill().unwrap();
    bot.wait().unwrap();
    assert!(seen.success(), "the browser saw something else; its complaint is above");
}
