//! LINE's official SDKs for Python and Node, clients that we did not write, against a simulator.

use std::path::{Path, PathBuf};
use std::process::Command;

use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_simulator::{Simulator, SimulatorConfig};

const SECRET: &str = "the channel's secret";
const TOKEN: &str = "the-access-token";
/// Nobody listens there: each script says where its own bot is.
const NO_BOT: &str = "http://bot.invalid/callback";
/// Where `cargo xtask setup` installs what the scripts need.
fn installed(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests").join(name);
    assert!(path.exists(), "{} is missing: `cargo xtask setup` installs it", path.display());
    path
}

/// Runs a script of `tests/sdk` against a simulator of its own, and shows its output if it fails.
async fn run(mut interpreter: Command, script: &str) {
    let config = SimulatorConfig::new(NO_BOT, ChannelSecret::new(SECRET), AccessToken::new(TOKEN));
    let simulator = Simulator::start(config).await.expect("the simulator starts");
    let output = interpreter
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(script))
        .env("SIMULATOR", simulator.url())
        .env("SECRET", SECRET)
        .env("TOKEN", TOKEN)
        .output()
        .expect("the interpreter starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{script}:\n{out}\n{err}");
}

async fn python(script: &str) {
    let mut python = Command::new(installed("venv/bin/python"));
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    run(python, script).await;
}

async fn node(script: &str) {
    let mut node = Command::new(installed("venv/bin/node"));
    node.env("PACKAGES", installed("node/node_modules"));
    run(node, script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_sends_every_type_of_message() {
    python("messages.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_sends_to_many_and_learns_what_was_sent() {
    python("many.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_tells_refusals_apart() {
    python("refusals.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_learns_who_there_is_and_leaves() {
    python("people.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_downloads_content() {
    python("content.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_looks_after_the_bots_own_affairs() {
    python("account.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_issues_verifies_and_revokes_access_tokens() {
    python("tokens.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_reads_every_event() {
    python("webhooks.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_meets_every_fault() {
    python("faults.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_meets_lines_limits() {
    python("limits.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_sdk_meets_lines_limits_of_size() {
    python("sizes.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_sends_every_type_of_message() {
    node("messages.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_sends_to_many_and_learns_what_was_sent() {
    node("many.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_tells_refusals_apart() {
    node("refusals.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_learns_who_there_is_and_leaves() {
    node("people.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_downloads_content() {
    node("content.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_looks_after_the_bots_own_affairs() {
    node("account.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_issues_verifies_and_revokes_access_tokens() {
    node("tokens.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_reads_every_event() {
    node("webhooks.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_sdk_meets_every_fault() {
    node("faults.mjs").await;
}
