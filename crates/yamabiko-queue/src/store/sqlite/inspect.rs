//! Looks at the file, the disk below it and the machine's clock.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use rusqlite::{Connection, MAIN_DB, TransactionBehavior};

use super::{
    clock::{FOLLOWED, later},
    file,
    reader::View,
};
use crate::{
    clock::{Timestamp, wall_clock},
    error::{Error, Result},
    finding::{Finding, size, span},
    store::{
        Depth, Inspection,
        upkeep::{CLOCK, STORE, unusable},
    },
};

/// How long the data is looked at.
const CHECKED_FOR: Duration = Duration::from_secs(3);
/// A stored time this far ahead of the machine's clock is common: writes of processes overtake each other.
const AHEAD: Duration = Duration::from_secs(5);
/// Less room than this is soon full.
const LITTLE_ROOM: u64 = 1 << 30;
/// Less room than this cannot be relied on.
const NO_ROOM: u64 = 100 << 20;

/// Looks at the file at `path`.
pub(in crate::store) async fn inspect(path: &str, depth: Depth) -> Inspection {
    let path = path.to_owned();
    let looked = tokio::task::spawn_blocking(move || inspect_now(&path, depth)).await;
    looked.unwrap_or_else(|error| unusable(&Error::Unavailable(error.into())))
}

/// Takes the machine's clock as right.
pub(in crate::store) async fn confirm_clock(path: &str) -> Result<Finding> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || confirm_clock_now(&path))
        .await
        .map_err(|error| Error::Unavailable(error.into()))?
}

fn inspect_now(path: &str, depth: Depth) -> Inspection {
    if !Path::new(path).exists() {
        return without_file(path);
    }
    let mut inspection = match look(path, depth) {
        Ok(inspection) => inspection,
        Err(error) => unusable(&error),
    };
    inspection.findings.extend(room(path));
    inspection
}

/// A bot makes the file, but not its folder.
fn without_file(path: &str) -> Inspection {
    let advice =
        "the bot makes it when it starts; if it has run before, STORE_URL names another file";
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let text = format!("there is no folder {}", folder.display());
        let finding = Finding::problem(STORE, text, "make it, or correct STORE_URL");
        return Inspection { findings: vec![finding], ..Inspection::default() };
    }
    let mut findings = vec![Finding::warning(STORE, format!("there is no file {path}"), advice)];
    findings.extend(room(path));
    Inspection { findings, ..Inspection::default() }
}

fn look(path: &str, depth: Depth) -> Result<Inspection> {
    let mut db = file::open_as_it_is(path)?;
    let version = file::check(path, &db)?;
    if db.is_readonly(MAIN_DB).map_err(file::meaning)? {
        return Err(Error::Denied(format!("{path} cannot be written by this user").into()));
    }
    let mut findings =
        vec![Finding::ok(STORE, format!("{path} can be opened; its schema version is {version}"))];
    let is_current = version == file::SCHEMA_VERSION;
    if !is_current {
        let text =
            format!("the bot brings the schema to version {} when it starts", file::SCHEMA_VERSION);
        findings.push(Finding::ok(STORE, text));
    }
    findings.push(durability(&db)?);
    if depth == Depth::Thorough {
        findings.push(lock(&mut db));
        findings.push(data(&db));
    }
    findings.extend(permissions(path));
    let (wall, stored) = (wall_clock(), latest(&db)?);
    findings.push(clock(wall, stored));
    let mut inspection = Inspection { findings, now: Some(later(wall, stored)), counts: None };
    if depth == Depth::Thorough && is_current {
        let view = View::new(db, Arc::default());
        inspection.count(view.at_one_moment(View::counts));
    }
    Ok(inspection)
}

/// The bot sets what counts for each connection; the journal is the file's.
fn durability(db: &Connection) -> Result<Finding> {
    let journal: String =
        db.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(file::meaning)?;
    let text = if journal == "wal" {
        "what is acknowledged is on disk (journal_mode wal, synchronous full)".to_owned()
    } else {
        format!(
            "what is acknowledged will be on disk: the bot changes journal_mode {journal} to wal when it starts"
        )
    };
    Ok(Finding::ok("durability", text))
}

fn lock(db: &mut Connection) -> Finding {
    match db.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(_) => Finding::ok("writing", "the file can be written"),
        Err(error) => Finding::problem(
            "writing",
            format!("the file cannot be written: {error}"),
            "another program holds its lock (a shell of sqlite3, a copy that is being made), or the disk is full or read-only",
        ),
    }
}

/// Lets SQLite look through the data, for a while.
fn data(db: &Connection) -> Finding {
    const DATA: &str = "data";
    let (done, ended) = mpsc::channel::<()>();
    let interrupt = db.get_interrupt_handle();
    let guard = std::thread::spawn(move || {
        if ended.recv_timeout(CHECKED_FOR) == Err(mpsc::RecvTimeoutError::Timeout) {
            interrupt.interrupt();
        }
    });
    let found: rusqlite::Result<String> =
        db.query_row("PRAGMA quick_check(1)", (), |row| row.get(0));
    drop(done);
    // It has nothing to say, and cannot fail.
    drop(guard.join());
    match found.as_deref() {
        Ok("ok") => Finding::ok(DATA, "the file is whole (quick_check)"),
        Ok(problem) => damaged(DATA, problem),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
        {
            Finding::note(
                DATA,
                format!("the file is large, and was not looked through in {}", span(CHECKED_FOR)),
                "`sqlite3 FILE 'PRAGMA quick_check'` on a backup takes its time",
            )
        }
        Err(error) => damaged(DATA, &error.to_string()),
    }
}

fn damaged(topic: &'static str, what: &str) -> Finding {
    let what = what.replace('\n', " ");
    Finding::problem(
        topic,
        format!("the file is damaged: {what}"),
        "stop the bot, keep a copy of the file, and restore a backup",
    )
}

fn permissions(path: &str) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let others = match mode & 0o007 {
        0 => return Some(Finding::ok("permissions", format!("the file's mode is {mode:o}"))),
        bits if bits & 0o2 != 0 => "write",
        _ => "read",
    };
    Some(Finding::warning(
        "permissions",
        format!(
            "everybody on this machine may {others} the file, and what users wrote (mode {mode:o})"
        ),
        format!("chmod o= {path}*"),
    ))
}

fn room(path: &str) -> Option<Finding> {
    let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
    let disk = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok()?;
    Some(room_left(disk.f_bavail.saturating_mul(disk.f_frsize)))
}

fn room_left(free: u64) -> Finding {
    const ROOM: &str = "disk";
    let text = format!("{} are free where the file lies", size(free));
    let advice = "make room: on a full disk webhooks are answered 503 and nothing is stored";
    match free {
        0..NO_ROOM => Finding::problem(ROOM, text, advice),
        NO_ROOM..LITTLE_ROOM => Finding::warning(ROOM, text, advice),
        _ => Finding::ok(ROOM, text),
    }
}

fn latest(db: &Connection) -> Result<Timestamp> {
    let found = db.query_row("SELECT latest FROM store", (), |row| row.get(0));
    found.map(Timestamp::from_micros).map_err(file::meaning)
}

fn clock(wall: Timestamp, stored: Timestamp) -> Finding {
    let ahead = stored.since(wall);
    let text = format!("the store has seen a time {} ahead of the machine's clock", span(ahead));
    if ahead > FOLLOWED {
        Finding::problem(
            CLOCK,
            format!("{text}, which is not followed"),
            "set the machine's clock right; where it is right, run `doctor --confirm-clock`",
        )
    } else if ahead > AHEAD {
        Finding::warning(
            CLOCK,
            format!("{text}, and stands there until that has caught up"),
            "set the machine's clock right, and keep it so (NTP)",
        )
    } else {
        Finding::ok(CLOCK, "the machine's clock is not behind what the store has seen")
    }
}

/// Forgets the time that was seen, and ends claims at once that would hold until then.
fn confirm_clock_now(path: &str) -> Result<Finding> {
    let mut db = file::open_as_it_is(path)?;
    let step =
        db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(file::meaning)?;
    file::check(path, &step)?;
    let confirmed = (move || {
        let stored = step.query_row("SELECT latest FROM store", (), |row| row.get(0))?;
        let wall = wall_clock();
        let ahead = Timestamp::from_micros(stored).since(wall);
        if ahead > FOLLOWED {
            step.execute("UPDATE store SET latest = ?", (wall.as_micros(),))?;
            let far = (wall + FOLLOWED).as_micros();
            let sql = "UPDATE job SET place = ? WHERE state = 3 AND place > ?";
            step.execute(sql, (wall.as_micros(), far))?;
            step.commit()?;
        }
        Ok(ahead)
    })();
    let ahead = confirmed.map_err(file::meaning)?;
    let text = if ahead > FOLLOWED {
        format!(
            "the machine's clock counts again; the store had seen a time {} ahead of it",
            span(ahead)
        )
    } else {
        "there is nothing to confirm: the store has seen no time over an hour ahead of the machine's clock".to_owned()
    };
    Ok(Finding::ok(CLOCK, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Mark;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn little_room_is_a_warning_and_less_a_problem() {
        let marks = [99 << 20, 100 << 20, (1 << 30) - 1, 1 << 30].map(|free| room_left(free).mark);
        assert_eq!(marks, [Mark::Problem, Mark::Warning, Mark::Warning, Mark::Ok]);
    }

    #[test]
    fn t3_a_stored_time_ahead_is_a_warning_and_over_an_hour_a_problem() {
        let ahead = |seconds| clock(NOON, NOON + Duration::from_secs(seconds)).mark;
        assert_eq!([ahead(5), ahead(6), ahead(3_600)], [Mark::Ok, Mark::Warning, Mark::Warning]);
        assert_eq!(ahead(3_601), Mark::Problem);
        assert_eq!(clock(NOON, NOON - FOLLOWED).mark, Mark::Ok);
    }
}
