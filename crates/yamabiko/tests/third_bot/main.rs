//! A bot outside this workspace needs no more of it than the package `yamabiko`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use yamabiko_simulator::{Script, Stage};

mod full_pipe;

use full_pipe::full_pipe;

/// How long the bot may take for an answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const CONVERSATION: &str = "
users
  Alice en

Alice: hello
Bot → Alice: text 1
Bot → Alice: once more: hello
Alice: 100000
Bot → Alice: text 2
Bot → Alice: the sum is 5000050000
";

/// More users whose messages make the bot panic than it has threads, and one who is answered.
const PANICS: &str = "
users
  Alice en
  Bob en
  Carol en
  Dave en

Alice: boom
Bob: boom
Carol: boom
Dave: hello
Bot → Dave: text 1
";

/// A process that ends with the test.
struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Writes the bot's package into a folder, and returns its binary.
fn build(folder: &Path) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.join("../..").canonicalize().unwrap();
    let manifest = format!(
        r#"
[package]
name = "third-bot"
edition = "2024"

[dependencies]
serde = {{ version = "1", features = ["derive"] }}
yamabiko = {{ path = "{}" }}

[profile.dev]
debug = "line-tables-only"

[workspace]
"#,
        here.display()
    );
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), include_str!("bot.rs")).unwrap();
    // The same versions as here, so that nothing is to be downloaded.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    // Where the crates lie that were built for these tests with the same profile.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(built.success());
    target.join("debug/third-bot")
}

/// Returns the address that the bot says its simulator has.
fn address(stdout: ChildStdout) -> String {
    let lines = BufReader::new(stdout).lines().map(Result::unwrap);
    let lines = lines.filter(|line| !line.starts_with("Admin side"));
    let found = lines.filter_map(|line| line.find("http://").map(|start| line[start..].to_owned()));
    found.map(|url| url.trim().to_owned()).next().unwrap()
}

/// Lets a bot have a conversation whose log goes to `stderr`.
fn converse(conversation: &str, stderr: Stdio) {
    let folder = tempfile::tempdir().unwrap();
    let binary = build(folder.path());
    let mut child = Command::new(binary)
        .args(["dev", "--port", "0", "--simulator-port", "0", "--admin-port", "0", "--log", "warn"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let _bot = Bot(child);
    let url = address(stdout);
    let played = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut stage = Stage::at(&url).unwrap();
        stage.patience = PATIENCE;
        stage.meet_bot().await.unwrap();
        Script::read(conversation).unwrap().play(&stage).await
    });
    if let Some(failure) = played.failure {
        panic!("line {}: not as expected\n{failure}", failure.line);
    }
}

#[test]
fn a_bot_of_two_files_has_its_conversation() {
    converse(CONVERSATION, Stdio::inherit());
}

#[test]
fn panics_whose_message_nobody_reads_keep_no_other_chat_waiting() {
    let (_reader, writer) = full_pipe();
    converse(PANICS, writer.into());
}
