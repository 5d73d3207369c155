//! The keyword bot as a person sees it: one command, one address, a real browser.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn a_person_sees_terms_and_pictures_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.join("../..");
    let mut bot = Command::new(env!("CARGO_BIN_EXE_keyword-bot"))
        .args(["dev", "--demo", "--port", "0", "--simulator-port", "0", "--admin-port", "0"])
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
    let seen = Command::new(root.join("target/tests/venv/bin/python"))
        .arg(here.join("tests/browser.py"))
        .args([&address, &screenshots.display().to_string()])
        .status()
        .unwrap();
    bot.kill().unwrap();
    bot.wait().unwrap();
    assert!(seen.success(), "the browser saw something else; its complaint is above");
}
