//! A wrong setting stops the start with its name, what was given and what would be right.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::TcpListener, process::Command};

/// Starts the bot with these arguments and settings, and returns how it complains.
fn complaint(arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_timer-bot"))
        .args(arguments)
        .env_clear()
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// Settings with which `web` would start, but for those given.
fn web(settings: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("LINE_CHANNEL_SECRET", "s"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "t"),
        ("STORE_URL", "sqlite:bot.db"),
        ("PORT", "0"),
    ];
    all.retain(|(name, _)| !settings.iter().any(|(given, _)| given == name));
    all.extend(settings);
    complaint(&["web"], &all)
}

#[track_caller]
fn names(complaint: &str, parts: &[&str]) {
    for part in parts {
        assert!(complaint.contains(part), "{part:?} is not in: {complaint}");
    }
    assert!(!complaint.contains("stack backtrace"), "{complaint}");
}

#[test]
fn a_missing_credential_is_named_with_where_to_find_it() {
    names(
        &complaint(&["web"], &[("STORE_URL", "sqlite:x.db")]),
        &["LINE_CHANNEL_SECRET", "LINE Developers Console"],
    );
    let settings = [("STORE_URL", "sqlite:x.db"), ("LINE_CHANNEL_SECRET", "s")];
    names(&complaint(&["worker"], &settings), &["LINE_CHANNEL_ACCESS_TOKEN", "LINE_CHANNEL_ID"]);
}

#[test]
fn q2_a_role_that_runs_alone_requires_a_store() {
    for role in ["web", "worker", "timer"] {
        let complaint =
            complaint(&[role], &[("LINE_CHANNEL_SECRET", "s"), ("LINE_CHANNEL_ACCESS_TOKEN", "t")]);
        names(&complaint, &["STORE_URL", "sqlite:PATH", "redis://"]);
    }
}

#[test]
fn each_wrong_value_is_answered_with_a_right_one() {
    names(
        &web(&[("STORE_URL", "mysql://root:geheim@host/db")]),
        &["mysql", "sqlite:PATH", "redis://HOST:PORT"],
    );
    names(
        &web(&[("WORKER_QUEUES", "high")]),
        &["WORKER_QUEUES", "\"high\"", "high=4,default=2,low=1"],
    );
    names(&web(&[("TIME_ZONE", "Mars")]), &["TIME_ZONE", "Mars", "Asia/Tokyo"]);
    names(&web(&[("LEASE_SECONDS", "0")]), &["LEASE_SECONDS", "0", "2..=3600"]);
    names(&web(&[("RETENTION_DEAD", "soon")]), &["RETENTION_DEAD", "soon", "12h"]);
    names(&web(&[("UNCERTAIN_REPLY", "maybe")]), &["UNCERTAIN_REPLY", "maybe", "drop", "push"]);
    names(&web(&[("PORT", "seventy")]), &["PORT", "seventy"]);
    names(&web(&[("LOG", "lo=ud=er")]), &["LOG", "lo=ud=er", "info"]);
    names(&web(&[("LOG_FORMAT", "xml")]), &["LOG_FORMAT", "xml", "json"]);
}

#[test]
fn a_wrong_address_of_the_store_does_not_print_its_password() {
    assert!(!web(&[("STORE_URL", "mysql://root:geheim@host/db")]).contains("geheim"));
    assert!(!web(&[("STORE_URL", "redis://:geheim@127.0.0.1:1/0")]).contains("geheim"));
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    names(&web(&[("PORT", &port), ("HOST", "127.0.0.1")]), &["PORT", &port, "another process"]);
}
