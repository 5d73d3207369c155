//! The conversation of `timer.script` with the real bot.

mod support;

use std::path::Path;

use support::{Line, PATIENCE, Process, block_on, free_port};
use yamabiko_simulator::{Script, Stage};

#[test]
fn the_bot_has_the_conversation_of_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("bot.db").display());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/timer.script");
    let script = Script::read(&std::fs::read_to_string(file).unwrap()).unwrap();
    block_on(async {
        let port = free_port();
        let line = Line::start(port).await;
        let _bot = Process::bot("all", &store, port, &line);
        let mut stage = Stage::at(&line.url).unwrap();
        stage.patience = PATIENCE;
        stage.meet_bot().await.unwrap();
        if let Some(failure) = script.play(&stage).await.failure {
            panic!("timer.script:{}: not as expected\n{failure}", failure.line);
        }
    });
}
