//! A start warns of what the doctor would say of the store, once, and does not wait for it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use crate::{
    patient::Patient,
    support::{block_on, redis_server::RedisServer, settings},
};

#[test]
fn a_start_warns_once_of_a_redis_that_loses_jobs_and_of_queues_that_nobody_serves() {
    let redis = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let patient = block_on(Patient::with(redis.url()));
    let mut web = Command::new(env!("CARGO_BIN_EXE_timer-bot"))
        .arg("web")
        .env_clear()
        .envs(settings(&patient.store, &patient.line))
        .envs([("HOST", "127.0.0.1"), ("PORT", "0")])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    for line in BufReader::new(web.stderr.take().unwrap()).lines() {
        said.push_str(&line.unwrap());
        if said.contains("nobody serves outbox") {
            break;
        }
    }
    web.kill().unwrap();
    web.wait().unwrap();
    for warning in ["maxmemory-policy is allkeys-lru", "AOF is off", "no worker runs"] {
        assert_eq!(said.matches(warning).count(), 1, "{warning}: {said}");
    }
}
