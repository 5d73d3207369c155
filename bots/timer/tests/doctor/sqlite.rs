//! A file that is away, locked, damaged, another program's, or open to all; and a clock that was wrong.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    patient::{Patient, file},
    support::block_on,
};

/// A file that a bot has made, and the bot, which is stopped.
struct Stopped {
    folder: TempDir,
    patient: Patient,
}

impl Stopped {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let patient = block_on(async {
            let patient = Patient::with(file(&folder)).await;
            assert!(patient.started().await.terminate());
            patient
        });
        Self { folder, patient }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bot.db")
    }

    fn db(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

/// Runs `expect` while the simulator lives, without the bot.
fn examine(path: &Path, expect: impl FnOnce(&Patient)) {
    let store = format!("sqlite:{}", path.display());
    block_on(async { expect(&Patient::with(store).await) });
}

#[test]
fn a_file_that_is_not_there_is_not_made_by_the_doctor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.db");
    examine(&path, |patient| {
        patient.examined().warning("store", &["there is no file", "STORE_URL"]);
    });
    assert!(!path.exists());
    examine(&folder.path().join("no/such/bot.db"), |patient| {
        patient.examined().problem("store", &["there is no folder", "no/such"]);
    });
}

#[test]
fn a_file_that_another_program_has_locked_is_a_problem() {
    let stopped = Stopped::new();
    let other = stopped.db();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    examine(&stopped.path(), |patient| {
        patient.examined().problem("writing", &["locked", "another program"]).ok("data", &[]);
    });
}

#[test]
fn a_file_that_is_no_store_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.db");
    fs::write(&path, "this is a letter, and no database at all").unwrap();
    examine(&path, |patient| {
        patient.examined().problem("store", &["not a database", "STORE_URL"]);
    });
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    examine(&path, |patient| {
        patient.examined().problem("store", &["another program"]);
    });
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    examine(&path, |patient| {
        patient.examined().problem("store", &["version 99", "newer version"]);
    });
}

#[test]
fn a_damaged_file_is_a_problem() {
    let stopped = Stopped::new();
    // Two indexes on one page, while the page of one of them belongs to nobody.
    stopped
        .db()
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET rootpage =
                 (SELECT rootpage FROM sqlite_schema WHERE name = 'job_chat')
             WHERE name = 'seen_until';",
        )
        .unwrap();
    examine(&stopped.path(), |patient| {
        patient.examined().problem("data", &["damaged", "restore a backup"]);
    });
}

#[test]
fn a_new_file_is_its_owners_alone_and_one_open_to_all_is_a_warning() {
    let stopped = Stopped::new();
    assert_eq!(fs::metadata(stopped.path()).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(stopped.path(), fs::Permissions::from_mode(0o644)).unwrap();
    examine(&stopped.path(), |patient| {
        patient.examined().warning("permissions", &["read", "644", "chmod o="]);
    });
}

#[test]
fn t3_a_time_far_ahead_is_a_warning_until_the_bot_has_set_it_right() {
    let stopped = Stopped::new();
    let sql = "UPDATE store SET latest = latest + ?";
    stopped.db().execute(sql, [2 * 3_600 * 1_000_000_i64]).unwrap();
    examine(&stopped.path(), |patient| {
        patient.examined().warning("clock", &["ahead of the machine's clock", "next step"]);
    });
    let sql = "UPDATE store SET latest = latest - ?1, set_back_at = latest - ?1, set_back_by = ?1";
    stopped.db().execute(sql, [2 * 3_600 * 1_000_000_i64]).unwrap();
    examine(&stopped.path(), |patient| {
        patient.examined().note("clock", &["set back by 2 h"]);
    });
    drop(stopped.patient);
}
