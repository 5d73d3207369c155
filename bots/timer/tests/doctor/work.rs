//! Work that nobody does, and work that was given up.

use serde_json::json;

use crate::{
    patient::{Patient, file},
    support::{block_on, redis_server::RedisServer},
};

async fn unserved(store: String) {
    let patient = Patient::with(store).await;
    let _web = patient.start("web");
    patient.line.reaches(&format!("http://127.0.0.1:{}/ready", patient.port)).await;
    patient
        .examined()
        .warning("workers", &["no worker runs", "start `worker`"])
        .warning("queues", &["nobody serves events"])
        .is_well();
    let alice = patient.line.user("Alice", "en").await;
    let message = json!({"type": "text", "text": "3"});
    patient.line.post(&format!("/control/chats/{alice}/messages?wait=webhook"), &message).await;
    patient.examined().problem("queues", &["nobody serves events, where 1 jobs wait"]);
}

#[test]
fn c6_a_queue_with_work_that_nobody_serves_is_a_problem_on_an_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    block_on(unserved(file(&folder)));
}

#[test]
fn c6_a_queue_with_work_that_nobody_serves_is_a_problem_on_redis() {
    let redis = RedisServer::start_durable();
    block_on(unserved(redis.url()));
}

async fn dead(store: String) {
    let patient = Patient::with(store).await;
    let bot = patient.started().await;
    for endpoint in ["reply", "push"] {
        let refusing = json!({"endpoint": endpoint, "status": 400, "message": "no"});
        patient.line.post("/control/faults", &refusing).await;
    }
    let alice = patient.line.user("Alice", "en").await;
    // A hint would not be pushed.
    patient.line.says(&alice, "list").await;
    let deadline = tokio::time::Instant::now() + crate::support::PATIENCE;
    loop {
        let log = patient.line.get("/control/log").await.to_string();
        if log.contains("/v2/bot/message/push") {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the bot does not push: {log}");
        // This only sets how often we look.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The push is refused; a bot that is stopped has committed what became of it.
    assert!(bot.terminate());
    patient.examined().warning("dead jobs", &["1 jobs were given up", "RETENTION_DEAD"]);
}

#[test]
fn a_dead_job_is_told_on_an_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    block_on(dead(file(&folder)));
}

#[test]
fn a_dead_job_is_told_on_redis() {
    let redis = RedisServer::start_durable();
    block_on(dead(redis.url()));
}
