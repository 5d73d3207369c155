//! A quick report has every row that it should have, on both stores; how fast anything is does not matter here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Once};

use serde_json::Value;

const REPORT: &str = env!("CARGO_BIN_EXE_yamabiko-bench");
const BOTH: [&str; 2] = ["Redis", "SQLite"];

/// The medians of rows, by store and name.
type Rows = BTreeMap<(String, String), f64>;

/// Measures a topic and returns the median of each row, by store and name.
fn measure(topic: &str) -> Rows {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("figures.json");
    let output = Command::new(REPORT)
        .args(["report", "--quick", "--only", topic, "--json"])
        .arg(&json)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = report["figures"].as_array().unwrap().iter().map(|row| {
        assert_eq!(row["topic"], topic);
        let (store, what) = (text(row, "store"), text(row, "what"));
        assert!(table.contains(&format!("| {store} | {what} | ")), "{what} is not in the table");
        ((store, what), row["values"]["median"].as_f64().unwrap())
    });
    rows.collect()
}

/// Takes rows out; each must be there with a positive number.
#[track_caller]
fn take(rows: &mut Rows, stores: &[&str], names: &[&str]) {
    take_if(rows, stores, names, |value| value > 0.0);
}

/// Takes rows out of what is counted in whole milliseconds or clock ticks, of which there may be none.
#[track_caller]
fn take_counted(rows: &mut Rows, stores: &[&str], names: &[&str]) {
    take_if(rows, stores, names, |value| value >= 0.0);
}

#[track_caller]
fn take_if(rows: &mut Rows, stores: &[&str], names: &[&str], is_right: impl Fn(f64) -> bool) {
    for store in stores {
        for name in names {
            let value = rows.remove(&((*store).to_owned(), (*name).to_owned()));
            assert!(value.is_some_and(&is_right), "{store}, {name}: {value:?}");
        }
    }
}

/// Fails if there are rows of which the test knows nothing.
#[track_caller]
fn no_others(rows: &Rows) {
    assert!(rows.is_empty(), "not expected: {rows:#?}");
}

/// Builds the programs that a report starts, unless they were built with the tests.
fn programs_are_built() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let folder = Path::new(REPORT).parent().unwrap();
        for (program, package) in [
            ("timer-bot", "timer-bot"),
            ("keyword-bot", "keyword-bot"),
            ("line-simulator", "yamabiko-simulator"),
        ] {
            if folder.join(program).exists() {
                continue;
            }
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--package", package]).current_dir(env!("CARGO_MANIFEST_DIR"));
            if folder.ends_with("release") {
                build.arg("--release");
            }
            assert!(build.status().unwrap().success(), "{package} is not built");
        }
    });
}

#[test]
fn throughput_is_shown_with_its_limits() {
    let mut rows = measure("throughput");
    let rates = [
        "enqueue one by one",
        "enqueue by 64 producers",
        "enqueue in bulk",
        "drain, 32 at once",
        "drain, 256 at once",
        "enqueue, claim, run and commit",
    ];
    take(&mut rows, &BOTH, &rates);
    for kind in ["a lane for each job", "completed jobs kept"] {
        let drains = [32, 256].map(|jobs| format!("drain, {jobs} at once, {kind}"));
        take(&mut rows, &BOTH, &drains.each_ref().map(String::as_str));
    }
    take(&mut rows, &["Redis"], &["limit: LPUSH", "limit: script of HSET and RPUSH"]);
    for rate in rates {
        take(&mut rows, &["SQLite"], &[&format!("limit: {rate}")]);
    }
    take(&mut rows, &["SQLite"], &["disk: write and sync, p50"]);
    for lane in ["", ", a lane for each job"] {
        let of = format!("CPU of a job{lane}: enqueue");
        for (stores, who) in [(&BOTH[..], "process"), (&["Redis"], "Redis")] {
            take(&mut rows, stores, &[&format!("{of}, {who}"), &format!("{of} and drain, {who}")]);
            let parts = ["user", "kernel"].map(|part| format!("{of} and drain, {who}, {part}"));
            take_counted(&mut rows, stores, &parts.each_ref().map(String::as_str));
        }
    }
    no_others(&rows);
}

#[test]
fn punctuality_is_shown_and_no_timer_is_early() {
    let mut rows = measure("punctuality");
    for name in ["pick-up in the same process", "pick-up by another process"] {
        let names = ["p50", "p99"].map(|part| format!("{name}, {part}"));
        take(&mut rows, &BOTH, &names.each_ref().map(String::as_str));
    }
    for beside in ["", " beside 2,000 others"] {
        let names = ["p50", "p99", "max"].map(|part| format!("timer lateness{beside}, {part}"));
        take(&mut rows, &BOTH, &names.each_ref().map(String::as_str));
        for store in BOTH {
            let early = rows.remove(&(store.to_owned(), format!("timers that ran early{beside}")));
            assert_eq!(early, Some(0.0), "{store}{beside}");
        }
    }
    take(&mut rows, &BOTH, &["burst: the last timer ran after"]);
    no_others(&rows);
}

#[test]
fn space_is_shown_for_waiting_and_delayed_jobs() {
    let mut rows = measure("space");
    take(&mut rows, &BOTH, &["bytes of a waiting job", "bytes of a delayed job"]);
    no_others(&rows);
}

#[test]
fn the_bot_is_shown_from_webhook_to_message() {
    programs_are_built();
    let mut rows = measure("bot");
    let names = [
        "start to /ready",
        "resident memory at rest",
        "webhooks stored and answered",
        "webhook to 200, p50",
        "webhook to 200, p99",
        "webhook to 200, max",
        "resident memory of web at rest",
        "most resident memory of web under that load",
        "text to reply, p50",
        "text to reply, p99",
        "texts replied to",
        "text to reply, 8 users, p50",
        "text to reply, 8 users, p99",
    ];
    take(&mut rows, &BOTH, &names);
    take_counted(&mut rows, &BOTH, &["timer's end to push, p50", "timer's end to push, p99"]);
    no_others(&rows);
}

#[test]
fn heavy_jobs_are_shown_with_what_is_felt_beside_them_and_alone() {
    programs_are_built();
    let mut rows = measure("heavy");
    for situation in ["alone", "beside 3 heavy jobs"] {
        let of =
            ["webhook to 200", "timer lateness", "timer's due time to its end", "text to reply"];
        for what in of {
            let names = ["p50", "p99", "max"].map(|part| format!("{what} {situation}, {part}"));
            take(&mut rows, &BOTH, &names.each_ref().map(String::as_str));
        }
    }
    let names =
        ["CPU of a heavy job", "first answer after", "last answer after", "most resident memory"];
    take(&mut rows, &BOTH, &names);
    take_if(&mut rows, &BOTH, &["heavy jobs answered"], |jobs| jobs == 3.0);
    no_others(&rows);
}

#[test]
fn growth_is_shown_for_each_number_of_pending_timers() {
    programs_are_built();
    let mut rows = measure("growth");
    take(
        &mut rows,
        &BOTH,
        &[
            "resident memory of the bot beside 0 pending",
            "resident memory of the bot beside 2,000 pending",
        ],
    );
    for pending in ["100", "2,000"] {
        for what in ["tick", "job", "timer"] {
            let name = format!("CPU of a {what} beside {pending} pending");
            take(&mut rows, &BOTH, &[&format!("{name}, process")]);
            take(&mut rows, &["Redis"], &[&format!("{name}, Redis")]);
        }
    }
    no_others(&rows);
}

#[test]
fn the_analysis_of_texts_is_shown_beside_that_of_mecab() {
    programs_are_built();
    let mut rows = measure("analysis");
    let names = ["text a second", "peak memory", "start to end", "peak memory of a start"];
    take(&mut rows, &["keyword-bot", "MeCab"], &names);
    take_counted(&mut rows, &["keyword-bot", "MeCab"], &["text a second of user time"]);
    no_others(&rows);
}
