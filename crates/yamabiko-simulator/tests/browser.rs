//! The page as a person uses it, in a real browser: what each control does is asked of the bot.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a script of `tests/browser` with the simulator and a folder for screenshots.
fn seen(script: &str) {
    let root = here().join("../..");
    let python = root.join("target/tests/venv/bin/python");
    assert!(python.exists(), "the environment is missing: `cargo xtask setup` installs it");
    let screenshots = root.join("target/tests/screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let status = Command::new(python)
        .arg(here().join("tests/browser").join(script))
        .arg(env!("CARGO_BIN_EXE_line-simulator"))
        .arg(screenshots)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .unwrap();
    assert!(status.success(), "the browser saw something else; its complaint is above");
}

#[test]
fn a_user_says_and_does_what_users_do() {
    seen("user.py");
}

#[test]
fn what_a_bot_says_is_shown_and_can_be_tapped() {
    seen("bot.py");
}

#[test]
fn groups_have_members_who_speak() {
    seen("group.py");
}

#[test]
fn the_log_and_the_rules_beside_the_chat() {
    seen("beside.py");
}

#[test]
fn the_clock_moves_stands_and_runs() {
    seen("clock.py");
}

#[test]
fn every_fault_hits_whom_it_shall() {
    seen("faults.py");
}

#[test]
fn chats_are_saved_and_played() {
    seen("scripts.py");
}

#[test]
fn the_page_is_comfortable() {
    seen("comfort.py");
}

fn files(folder: PathBuf, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, others): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let wanted = others.into_iter().filter(|path| path.to_string_lossy().ends_with(ending));
    let mut texts: Vec<_> = wanted.map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.extend(folders.into_iter().flat_map(|folder| files(folder, ending)));
    texts
}

#[test]
fn every_control_of_the_page_is_used_in_a_test() {
    let page = files(here().join("src/page"), ".rs").join("\n");
    let hooks: BTreeSet<&str> = ["data-testid=\"", "data-testid={ \""]
        .iter()
        .flat_map(|start| page.split(start).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|hook| !hook.starts_with('{'))
        .collect();
    assert!(hooks.len() > 50, "the page has controls: {hooks:?}");
    let tests = files(here().join("tests/browser"), ".py").join("\n");
    let unused: Vec<_> = hooks.into_iter().filter(|hook| !tests.contains(hook)).collect();
    assert!(unused.is_empty(), "no browser test uses {unused:?}");
}
