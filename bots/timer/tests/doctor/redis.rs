//! A Redis that is away, loses what it is given, or is not the one to write to.

use std::net::TcpListener;

use crate::{
    patient::Patient,
    support::{block_on, redis_server::RedisServer},
};

fn examine(redis: &RedisServer, expect: impl FnOnce(&Patient)) {
    block_on(async { expect(&Patient::with(redis.url()).await) });
}

#[test]
fn a_redis_that_logs_no_writes_and_throws_keys_away_is_two_problems() {
    let redis = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    examine(&redis, |patient| {
        patient
            .examined()
            .ok("store", &["Redis", "master", "no bot of this name"])
            .problem("durability", &["AOF is off", "appendonly yes"])
            .problem("eviction", &["allkeys-lru", "maxmemory-policy noeviction"]);
        patient
            .examined_with(&[("STORE_DURABILITY", "fsync")])
            .problem("fsync", &["appendonly yes", "STORE_DURABILITY"]);
    });
}

#[test]
fn the_price_of_a_loss_of_power_is_told() {
    let policy =
        |policy| RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", policy]);
    examine(&policy("everysec"), |patient| {
        patient.examined().ok("fsync", &["2 s at worst"]);
    });
    examine(&policy("no"), |patient| {
        patient.examined().warning("fsync", &["appendfsync no", "everysec"]);
    });
    examine(&policy("always"), |patient| {
        patient.examined().ok("fsync", &["is on disk"]);
    });
}

#[test]
fn a_redis_without_memory_is_a_problem() {
    let redis = RedisServer::start_with(&["--maxmemory", "100kb"]);
    examine(&redis, |patient| {
        patient.examined().problem("memory", &["100 KiB", "503"]);
    });
}

#[test]
fn a_replica_is_no_store() {
    let redis = RedisServer::start_with(&["--replicaof", "127.0.0.1", "1"]);
    examine(&redis, |patient| {
        patient.examined().problem("store", &["slave", "takes no writes", "master's address"]);
    });
}

#[test]
fn a_redis_that_is_away_is_a_finding_and_not_a_crash() {
    let mut redis = RedisServer::start();
    redis.kill();
    examine(&redis, |patient| {
        patient.examined().problem("store", &["unavailable", "start it"]).ok("access token", &[]);
        let address = "redis://user:geheim@127.0.0.1:1/0";
        patient.examined_with(&[("STORE_URL", address)]).problem("store", &["unavailable"]);
        let address = "mysql://user:geheim@127.0.0.1:1/0";
        patient.examined_with(&[("STORE_URL", address)]).problem("store", &["no store address"]);
    });
}

#[test]
fn a_redis_that_does_not_answer_is_a_finding_and_not_a_crash() {
    // The system takes connections for it, and nobody ever answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    block_on(async {
        let store = format!("redis://{}", silent.local_addr().unwrap());
        Patient::with(store).await.examined().problem("store", &["unavailable"]);
    });
}
