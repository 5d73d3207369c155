//! Reads jobs from rows of all columns, in the order of the schema.

use std::time::Duration;

use rusqlite::{
    Row,
    types::{FromSqlError, Type},
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

pub(super) const SEQ: usize = 0;
const ID: usize = 1;
const STATE: usize = 2;
pub(super) const PLACE: usize = 3;
const CANCELLED: usize = 6;
const FAILURES: usize = 7;
const LOST: usize = 8;
const CHECKPOINT: usize = 9;
const RERUNS: usize = 10;
const UNSURE: usize = 11;
const FIRST_CLAIMED: usize = 12;
const ARRIVED: usize = 13;
const DUE: usize = 14;
const REMEMBER: usize = 15;
const QUEUE: usize = 16;
const LANE: usize = 17;
const CHAT: usize = 18;
const KIND: usize = 19;
const ORIGIN: usize = 20;
const PARENT: usize = 21;
const SECRET: usize = 22;
const HISTORY: usize = 23;
const PAYLOAD: usize = 24;

/// Reads a job from a row of all columns.
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: id(row, ID)?,
        kind: row.get(KIND)?,
        payload: row.get(PAYLOAD)?,
        queue: row.get(QUEUE)?,
        lane: row.get(LANE)?,
        chat: row.get(CHAT)?,
        origin: row.get(ORIGIN)?,
        parent: row.get::<_, Option<[u8; 16]>>(PARENT)?.and_then(|bytes| JobId::from_slice(&bytes)),
        arrived: Timestamp::from_micros(row.get(ARRIVED)?),
        due: time(row, DUE)?,
        secret: row.get(SECRET)?,
        remember: Duration::from_micros(row.get::<_, i64>(REMEMBER)?.unsigned_abs()),
        failures: row.get(FAILURES)?,
        lost: row.get(LOST)?,
        checkpoint: row.get(CHECKPOINT)?,
        reruns: row.get(RERUNS)?,
        unsure: row.get(UNSURE)?,
        first_claimed: time(row, FIRST_CLAIMED)?,
    })
}

/// Reads a job with its place and its past from a row of all columns.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let state = row.get::<_, u8>(STATE)?;
    let state = *STATES.get(usize::from(state)).ok_or_else(|| corrupt(STATE, Type::Integer))?;
    let place = Timestamp::from_micros(row.get(PLACE)?);
    Ok(JobRecord {
        job: job(row)?,
        state,
        time: (!matches!(state, State::Ready | State::Waiting)).then_some(place),
        cancelled: row.get(CANCELLED)?,
        history: row.get_ref(HISTORY)?.as_str()?.lines().filter_map(failure).collect(),
    })
}

/// Reads an id.
pub(super) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<JobId> {
    let bytes = row.get_ref(column)?.as_blob()?;
    JobId::from_slice(bytes).ok_or_else(|| corrupt(column, Type::Blob))
}

/// Reads a time that may be absent.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

fn corrupt(column: usize, of: Type) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, of, Box::new(FromSqlError::InvalidType))
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
