//! A wrong setting stops the start with its name, what was given and what would be right.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Command, Stdio},
};

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

/// Starts `web` with a store that is away, and returns what it says until it says so.
fn while_it_waits(settings: &[(&str, &str)]) -> String {
    let mut web = Command::new(env!("CARGO_BIN_EXE_timer-bot"))
        .arg("web")
        .env_clear()
        .envs(settings.iter().copied())
        .envs([("LINE_CHANNEL_SECRET", "s"), ("LINE_CHANNEL_ACCESS_TOKEN", "t"), ("PORT", "0")])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    for line in BufReader::new(web.stderr.take().unwrap()).lines() {
        said.push_str(&line.unwrap());
        if said.contains("the store is away") {
            break;
        }
    }
    web.kill().unwrap();
    web.wait().unwrap();
    said
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
    for wrong in ["46", "-1", "soon"] {
        names(&web(&[("SHORT_TIMER_SECONDS", wrong)]), &["SHORT_TIMER_SECONDS", wrong, "0", "45"]);
    }
    let by_flag = complaint(&["web", "--short-timer-seconds", "46"], &[]);
    names(&by_flag, &["SHORT_TIMER_SECONDS", "46", "45"]);
    names(&web(&[("LOG_FORMAT", "xml")]), &["LOG_FORMAT", "xml", "json"]);
}

#[test]
fn a_wrong_address_of_the_store_does_not_print_its_password() {
    assert!(!web(&[("STORE_URL", "mysql://root:geheim@host/db")]).contains("geheim"));
    let away = while_it_waits(&[("STORE_URL", "redis://:geheim@127.0.0.1:1/0")]);
    assert!(!away.contains("geheim"), "{away}");
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    names(&web(&[("STORE_URL", "sqlite:no/such/folder/bot.db")]), &["no/such/folder/bot.db"]);
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    names(&web(&[("PORT", &port), ("HOST", "127.0.0.1")]), &["PORT", &port, "another process"]);
}
