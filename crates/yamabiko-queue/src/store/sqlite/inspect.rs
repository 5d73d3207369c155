//! Looks at the file, the disk below it and the machine's clock.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::mpsc, time::Duration};

use rusqlite::{Connection, MAIN_DB, Row, TransactionBehavior};

use super::{
    clock::HELD_UP,
    file,
    reader::View,
    row::{self, Text},
};
use crate::{
    clock::{Clock, FAR_BACK, Timestamp, wall_clock},
    error::{Error, Result},
    finding::{Finding, size, span},
    job::JobId,
    store::{
        Depth, Inspection,
        upkeep::{CLOCK, STORE, damaged_records, unusable},
    },
};

/// How long the data is looked at.
const CHECKED_FOR: Duration = Duration::from_secs(3);
/// For how long a clock that was set back is worth a note.
const NOTED_FOR: Duration = Duration::from_secs(31 * 24 * 60 * 60);
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
    if is_current {
        findings.extend(set_aside(&db).map_err(file::meaning)?);
    }
    findings.extend(permissions(path));
    let now = wall_clock();
    findings.push(clock(now, latest(&db)?, if is_current { set_back(&db)? } else { None }));
    let mut inspection = Inspection { findings, now: Some(now), counts: None };
    if depth == Depth::Thorough && is_current {
        let view = View::new(db, Clock::Own);
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

/// What steps have set aside because it cannot be read.
fn set_aside(db: &Connection) -> rusqlite::Result<Option<Finding>> {
    let jobs = "SELECT id FROM damaged ORDER BY found, seq";
    let job = |row: &Row<'_>| {
        let id: Option<Vec<u8>> = row.get(0)?;
        Ok(id.map_or_else(|| "a job".to_owned(), |id| format!("job {}", JobId::of_stored(&id))))
    };
    let states = "SELECT lane FROM damaged_state ORDER BY found, seq";
    let state = |row: &Row<'_>| {
        let lane: Option<Text> = row.get(0)?;
        Ok(lane
            .map_or_else(|| "a state".to_owned(), |lane| format!("the state of {}", lane.lossy())))
    };
    let jobs = db.prepare(jobs)?.query_map((), job)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let states = db.prepare(states)?.query_map((), state)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let advice =
        "stop the bot, keep a copy of the file, and restore a backup; or go on without them";
    Ok(damaged_records(
        &[jobs, states].concat(),
        "records cannot be read and are set aside",
        advice,
    ))
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

/// Returns when a stored time was last found ahead of the wall clock, and by how much.
fn set_back(db: &Connection) -> Result<Option<(Timestamp, Duration)>> {
    let sql = "SELECT set_back_at, set_back_by FROM store";
    let found = db.query_row(sql, (), |row| {
        let by: Option<i64> = row.get(1)?;
        Ok(row::time(row, 0)?.zip(by.map(|by| Duration::from_micros(by.unsigned_abs()))))
    });
    found.map_err(file::meaning)
}

fn clock(now: Timestamp, stored: Timestamp, set_back: Option<(Timestamp, Duration)>) -> Finding {
    const ADVICE: &str = "keep the machine's clock right (NTP)";
    let (ahead, behind) = (stored.since(now), now.since(stored));
    if ahead > HELD_UP {
        return Finding::warning(
            CLOCK,
            format!(
                "the store has seen a time {} ahead of the machine's clock, which counts from the bot's next step on",
                span(ahead)
            ),
            "set the machine's clock right if it is wrong, and keep it so (NTP)",
        );
    }
    if stored.as_micros() > 0 && behind > FAR_BACK {
        return Finding::note(
            CLOCK,
            format!(
                "the store was written {} ago by the machine's clock; for an hour after its start the bot removes nothing for its age",
                span(behind)
            ),
            "set the machine's clock right if it is wrong",
        );
    }
    match set_back.filter(|(at, _)| now.since(*at) < NOTED_FOR) {
        Some((at, by)) => Finding::note(
            CLOCK,
            format!(
                "the machine's clock was set back by {} {} ago, or had been wrong before",
                span(by),
                span(now.since(at))
            ),
            ADVICE,
        ),
        None => Finding::ok(CLOCK, "the machine's clock is not behind what the store has seen"),
    }
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
    fn t3_a_clock_that_is_or_was_wrong_is_said() {
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(24 * 60 * 60));
        let found = |stored, set_back| clock(NOON, stored, set_back);
        assert_eq!(found(NOON + HELD_UP, None).mark, Mark::Ok);
        assert_eq!(found(NOON + HELD_UP + second, None).mark, Mark::Warning);
        assert_eq!(found(NOON - FAR_BACK, None).mark, Mark::Ok);
        assert_eq!(found(NOON - FAR_BACK - second, None).mark, Mark::Note);
        assert_eq!(found(Timestamp::from_millis(0), None).mark, Mark::Ok, "a new store");
        let set_back = Some((NOON - day, Duration::from_secs(3_000)));
        let finding = found(NOON, set_back);
        assert_eq!(finding.mark, Mark::Note);
        assert!(finding.text.contains("set back by 50 min"), "{}", finding.text);
        assert_eq!(clock(NOON + NOTED_FOR, NOON, set_back).mark, Mark::Ok);
    }
}
