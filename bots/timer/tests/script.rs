//! The conversations of the scripts with the real bot.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use support::{Line, PATIENCE, Process, block_on, free_port};
use yamabiko_simulator::{Script, Stage};

/// Plays a script of this folder.
async fn play(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("bot.db").display());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let script = Script::read(&std::fs::read_to_string(file).unwrap()).unwrap();
    let port = free_port();
    let line = Line::start(port).await;
    let _bot = Process::bot("all", &store, port, &line);
    let mut stage = Stage::at(&line.url).unwrap();
    stage.patience = PATIENCE;
    line.reaches(&format!("http://127.0.0.1:{port}/ready")).await;
    if let Some(failure) = script.play(&stage).await.failure {
        panic!("{name}:{}: not as expected\n{failure}", failure.line);
    }
}

#[test]
fn the_bot_has_the_conversation_of_every_timer_bot() {
    block_on(play("conversation.script"));
}

#[test]
fn the_bot_has_the_conversation_of_its_own_script() {
    block_on(play("timer.script"));
}
