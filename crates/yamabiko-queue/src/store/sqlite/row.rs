//! Reads jobs from rows of the columns that `job_columns!` names.

use std::time::Duration;

use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Type, ValueRef},
};

use crate::{
    clock::Timestamp,
    job::{Failure, Job, JobId, JobRecord, MAX_HISTORY_BYTES},
    state::State,
};

/// The states by their numbers in the file.
const STATES: [State; 6] =
    [State::Scheduled, State::Ready, State::Waiting, State::Running, State::Dead, State::Completed];

/// The longest error that is kept, in bytes.
const MAX_ERROR_BYTES: usize = 1000;

/// Names the columns of a job in the order in which `job` and `record` read them.
///
/// Not `*`, and each with its table: a newer version may add columns to any table while this process has the file open (Q3).
macro_rules! job_columns {
    () => {
        "job.seq, job.id, job.state, job.place, job.cancelled, job.failures, job.lost, job.checkpoint, job.reruns,
         job.unsure, job.first_claimed, job.arrived, job.due, job.remember, job.queue, job.lane, job.chat, job.kind,
         job.origin, job.parent, job.secret, job.history, job.payload, job.origin_time"
    };
}
pub(super) use job_columns;

pub(super) const SEQ: usize = 0;
const ID: usize = 1;
const STATE: usize = 2;
pub(super) const PLACE: usize = 3;
const CANCELLED: usize = 4;
const FAILURES: usize = 5;
const LOST: usize = 6;
const CHECKPOINT: usize = 7;
const RERUNS: usize = 8;
const UNSURE: usize = 9;
const FIRST_CLAIMED: usize = 10;
const ARRIVED: usize = 11;
const DUE: usize = 12;
const REMEMBER: usize = 13;
const QUEUE: usize = 14;
const LANE: usize = 15;
const CHAT: usize = 16;
const KIND: usize = 17;
const ORIGIN: usize = 18;
const PARENT: usize = 19;
const SECRET: usize = 20;
const HISTORY: usize = 21;
const PAYLOAD: usize = 22;
const ORIGIN_TIME: usize = 23;
/// The first column behind those of a job.
pub(super) const BEHIND_JOB: usize = 24;

/// A text as it stands in the file, which may be none; so that moves concern every row, even one that cannot be read.
#[derive(Debug, Default)]
pub(super) struct Text(Vec<u8>);

impl Text {
    pub(super) fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl FromSql for Text {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_bytes().map(|bytes| Self(bytes.to_vec()))
    }
}

impl ToSql for Text {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.0)))
    }
}

/// Reads a job from its columns; what cannot be read is left empty, and the job says so.
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let mut columns = Columns { row, problem: None };
    let job = Job {
        id: columns.id()?,
        kind: columns.get(KIND),
        payload: columns.get(PAYLOAD),
        queue: columns.get(QUEUE),
        lane: columns.get(LANE),
        chat: columns.get(CHAT),
        origin: columns.get(ORIGIN),
        origin_time: time(row, ORIGIN_TIME)?,
        parent: columns.get::<Option<[u8; 16]>>(PARENT).and_then(|it| JobId::from_slice(&it)),
        arrived: Timestamp::from_micros(columns.get(ARRIVED)),
        due: time(row, DUE)?,
        secret: columns.get(SECRET),
        remember: Duration::from_micros(columns.get::<i64>(REMEMBER).unsigned_abs()),
        failures: columns.get(FAILURES),
        lost: columns.get(LOST),
        checkpoint: columns.get(CHECKPOINT),
        reruns: columns.get(RERUNS),
        unsure: columns.get(UNSURE),
        first_claimed: time(row, FIRST_CLAIMED)?,
        unreadable: None,
    };
    Ok(Job { unreadable: columns.problem, ..job })
}

/// Reads columns, and notes the first that cannot be read.
struct Columns<'a, 'row> {
    row: &'a Row<'row>,
    problem: Option<String>,
}

impl Columns<'_, '_> {
    fn get<T: FromSql + Default>(&mut self, column: usize) -> T {
        self.row.get(column).unwrap_or_else(|error| self.note(column, &error.to_string()))
    }

    fn id(&mut self) -> rusqlite::Result<JobId> {
        let bytes = self.row.get_ref(ID)?.as_bytes()?;
        if JobId::from_slice(bytes).is_none() {
            self.note::<()>(ID, "it has not 16 bytes");
        }
        Ok(JobId::of_stored(bytes))
    }

    fn note<T: Default>(&mut self, column: usize, why: &str) -> T {
        let name = self.row.as_ref().column_name(column).unwrap_or_default();
        self.problem.get_or_insert_with(|| format!("{name}: {why}"));
        T::default()
    }
}

/// Reads a job with its place and its past from its columns.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let state = row.get::<_, u8>(STATE)?;
    let state = *STATES.get(usize::from(state)).ok_or_else(no_state)?;
    let place = Timestamp::from_micros(row.get(PLACE)?);
    Ok(JobRecord {
        job: job(row)?,
        state,
        time: (!matches!(state, State::Ready | State::Waiting)).then_some(place),
        cancelled: row.get(CANCELLED)?,
        history: row.get::<_, Text>(HISTORY)?.lossy().lines().filter_map(failure).collect(),
    })
}

/// Reads a time that may be absent.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

fn no_state() -> rusqlite::Error {
    let why = Box::new(FromSqlError::InvalidType);
    rusqlite::Error::FromSqlConversionFailure(STATE, Type::Integer, why)
}

fn failure(line: &str) -> Option<Failure> {
    let (at, error) = line.split_once(' ')?;
    Some(Failure { at: Timestamp::from_micros(at.parse().ok()?), error: error.to_owned() })
}

/// Adds a line to a job's history; the oldest go when it becomes too long.
pub(super) fn add_failure(history: &mut String, at: Timestamp, error: &str) {
    let error = &error[..error.floor_char_boundary(MAX_ERROR_BYTES)];
    let error = error.replace(['\n', '\r'], " ");
    history.push_str(&format!("{} {error}\n", at.as_micros()));
    while history.len() > MAX_HISTORY_BYTES {
        let oldest = history.find('\n').map_or(history.len(), |end| end + 1);
        history.drain(..oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn a_history_loses_its_oldest_lines_whole() {
        let mut history = String::new();
        for n in 0..6 {
            add_failure(&mut history, AT, &format!("{n}{}", "x".repeat(2000)));
        }
        let failures: Vec<_> = history.lines().filter_map(failure).collect();
        let firsts: Vec<_> = failures.iter().map(|failure| &failure.error[..1]).collect();
        assert_eq!(firsts, ["2", "3", "4", "5"]);
        assert!(failures.iter().all(|failure| failure.error.len() == 1000 && failure.at == AT));
    }

    #[test]
    fn an_error_is_cut_between_characters_and_stays_one_line() {
        let mut history = String::new();
        add_failure(&mut history, AT, &format!("a\r\n{}", "山".repeat(999)));
        let failures: Vec<_> = history.lines().filter_map(failure).collect();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].error, format!("a  {}", "山".repeat(332)));
    }
}
