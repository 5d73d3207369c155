//! A minute of breaking everything, on each store.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// Breaks everything around the bot for a minute and fails unless all zeros are zeros.
fn a_minute_on(store: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_yamabiko-chaos"))
        .args(["--store", store, "--minutes", "1", "--seed", "7"])
        .args(["--program", env!("CARGO_BIN_EXE_chaos-bot")])
        // Not every machine lets a test mount a file system, or has the time for much within a minute.
        .args(["--disk-full", "if-possible", "--any-load"])
        .output()
        .unwrap();
    let ledger = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{ledger}\n{errors}");
    for (what, at_least) in [
        ("timers that rang", 100),
        ("process killed (SIGKILL)", 10),
        ("outages of the store", 2),
        ("reply timed out after LINE took it", 1),
        ("channel in standby in a chat, and active again", 1),
        ("the month's messages used up, and free again", 1),
        ("wall clock of the processes set by up to 2 h, and back", 1),
        ("reader of a log stalled", 1),
        ("panic in App::on_dead", 1),
    ] {
        let row = ledger.lines().find_map(|line| line.strip_prefix(&format!("| {what} | ")));
        let times: u64 = row.unwrap().trim_end_matches(" |").parse().unwrap();
        assert!(times >= at_least, "{what}: {times}\n{ledger}");
    }
}

#[test]
fn nothing_is_lost_or_said_twice_in_a_minute_of_breaking_on_redis() {
    a_minute_on("redis");
}

#[test]
fn nothing_is_lost_or_said_twice_in_a_minute_of_breaking_on_an_sqlite_file() {
    a_minute_on("sqlite");
}
