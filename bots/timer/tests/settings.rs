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
        ("ADMIN_PORT", "0"),
    ];
    all.retain(|(name, _)| !settings.iter().any(|(given, _)| given == name));
    all.extend(settings);
    complaint(&["web"], &all)
}

/// Starts the bot on free ports, and returns what it logs until it has logged `last`.
fn log_until(last: &str, arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut bot = Command::new(env!("CARGO_BIN_EXE_timer-bot"))
        .args(arguments)
        .env_clear()
        .envs(settings.iter().copied())
        .envs([("PORT", "0"), ("ADMIN_PORT", "0"), ("SIMULATOR_PORT", "0")])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut logged = String::new();
    for line in BufReader::new(bot.stderr.take().unwrap()).lines() {
        logged.push_str(&line.unwrap());
        if logged.contains(last) {
            break;
        }
    }
    bot.kill().unwrap();
    bot.wait().unwrap();
    assert!(logged.contains(last), "{logged}");
    logged
}

/// Returns the settings that the bot's help names.
fn all_settings() -> Vec<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_timer-bot")).arg("--help").env_clear().output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let names = help.split("[env: ").skip(1);
    names.map(|rest| rest.split(['=', ']']).next().unwrap().to_owned()).collect()
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
        &["STORE_URL", "mysql", "sqlite:PATH", "redis://HOST:PORT"],
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
    let settings = [
        ("LINE_CHANNEL_SECRET", "s"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "t"),
        ("STORE_URL", "redis://:geheim@127.0.0.1:1/0"),
    ];
    let away = log_until("the store is", &["web"], &settings);
    assert!(!away.contains("geheim"), "{away}");
}

#[test]
fn a_password_with_raw_special_characters_is_answered_with_how_to_write_it() {
    for password in ["ge/heim", "12#heim", "ge?heim", "ge%ffheim"] {
        let url = format!("redis://user:{password}@127.0.0.1:1/0");
        for (name, given) in [("STORE_URL", &url), ("REDIS_URL", &url)] {
            let mut settings = vec![("LINE_CHANNEL_SECRET", "s"), (name, given.as_str())];
            settings.extend([("LINE_CHANNEL_ACCESS_TOKEN", "t"), ("PORT", "0")]);
            let complaint = complaint(&["web"], &settings);
            names(&complaint, &[name, "percent-encode"]);
            assert!(!complaint.contains("heim"), "{complaint}");
        }
    }
}

#[test]
fn empty_variables_are_unset_ones() {
    let settings = all_settings();
    assert!(settings.len() > 30, "{settings:?}");
    for blank in ["", " "] {
        let empty: Vec<_> = settings.iter().map(|name| (name.as_str(), blank)).collect();
        for role in ["web", "worker", "timer", "all"] {
            assert_eq!(complaint(&[role], &empty), complaint(&[role], &[]), "{role}");
        }
    }
}

#[test]
fn an_error_names_the_setting_whatever_the_setting() {
    // What can be read as text fails later, at a port that is taken.
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let right = [
        ("LINE_CHANNEL_SECRET", "s"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "t"),
        ("STORE_URL", "sqlite:bot.db"),
        ("HOST", "127.0.0.1"),
        ("PORT", &port),
    ];
    for name in all_settings() {
        let mut settings: Vec<_> = right.into_iter().filter(|(other, _)| *other != name).collect();
        settings.push((&name, "?!"));
        let complaint = complaint(&["all"], &settings);
        assert!(complaint.contains(&name) || complaint.contains("another process"), "{complaint}");
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        let complaint = self::complaint(&["all", &flag, ""], &right);
        assert!(complaint.contains(&flag), "{flag}: {complaint}");
    }
}

#[test]
fn an_address_of_line_that_is_none_is_answered_with_a_right_one() {
    for name in ["LINE_API_URL", "LINE_DATA_API_URL"] {
        for wrong in ["api.line.me", "ftp://api.line.me", "https://", "?!"] {
            names(&web(&[(name, wrong)]), &[name, wrong, "https://"]);
        }
    }
}

#[test]
fn a_role_asks_only_for_credentials_that_it_uses() {
    let store = ("STORE_URL", "sqlite:bot.db");
    log_until("takes webhooks", &["web"], &[store, ("LINE_CHANNEL_SECRET", "s")]);
    log_until("keeps time", &["timer"], &[store]);
    log_until("runs handlers", &["worker"], &[store, ("LINE_CHANNEL_ACCESS_TOKEN", "t")]);
}

#[test]
fn no_command_beside_credentials_of_line_says_what_is_started() {
    let token = ("LINE_CHANNEL_ACCESS_TOKEN", "t");
    let logged = log_until("takes webhooks", &[], &[token]);
    names(&logged, &["`dev`", "simulator", "`all`"]);
    assert!(!log_until("takes webhooks", &["dev"], &[token]).contains("`all`"));
    assert!(!log_until("takes webhooks", &[], &[]).contains("`all`"));
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    names(
        &web(&[("STORE_URL", "sqlite:no/such/folder/bot.db")]),
        &["STORE_URL", "no/such/folder/bot.db"],
    );
}

#[test]
fn a_setting_that_was_replaced_is_answered_with_the_new_one() {
    names(&web(&[("METRICS_PORT", "9090")]), &["METRICS_PORT", "ADMIN_PORT", "ADMIN_HOST"]);
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    names(&web(&[("ADMIN_PORT", &port)]), &["ADMIN_PORT", &port, "another process"]);
    names(&web(&[("PORT", &port), ("HOST", "127.0.0.1")]), &["PORT", &port, "another process"]);
}
