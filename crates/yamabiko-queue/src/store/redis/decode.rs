//! What scripts answer.

use std::{iter, time::Duration};

use redis::{FromRedisValue, Value};

use crate::{
    clock::Timestamp,
    error::{Error, Result},
    job::{Failure, Job, JobId, JobRecord},
    state::State,
    store::{
        Answer, Cancelled, Claim, Held, Inserted, RunToken, Tick, count_forgotten_revocations,
    },
};

use super::encode::{HAS_BODY, HAS_ORIGIN_TIME, HAS_PARENT};

/// The length of a claim's value; one that was cancelled has a byte more.
const CLAIM_BYTES: usize = 24;
/// Where the time of the claim stands in it, behind the token.
const CLAIM_TIME: usize = 16;

/// Where the flags stand in what only some jobs have; see `record.lua`.
const MORE_FLAGS: usize = 16;
/// The flag of a job that has its lane on loan.
const ON_LOAN: u8 = 4;

/// An answer that is not as the steps give it.
pub(super) fn not_understood(what: &'static str) -> Error {
    Error::OutcomeUnknown(format!("its answer was not understood: {what}").into())
}

/// Reads one part of an answer.
pub(super) fn part<T: FromRedisValue>(value: Value) -> Result<T> {
    redis::from_redis_value(value).map_err(|error| Error::OutcomeUnknown(error.into()))
}

/// Reads a time; a text without a number is none.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_micros)
}

/// Reads times of 8 bytes each.
pub(super) fn times(packed: &[u8]) -> Vec<Timestamp> {
    let (times, _) = packed.as_chunks::<8>();
    times.iter().map(|time| Timestamp::from_micros(i64::from_be_bytes(*time))).collect()
}

/// Reads time, jobs promoted, claims ended, and when to come again.
pub(super) fn tick(now: Value, promoted: Value, ended: Value, next: Value) -> Result<Tick> {
    let now = time(&part::<String>(now)?).ok_or_else(|| not_understood("no time"))?;
    Ok(Tick {
        now,
        promoted: part(promoted)?,
        ended: part(ended)?,
        dropped: 0,
        forgotten: 0,
        next: time(&part::<String>(next)?),
    })
}

pub(super) fn inserted(letters: &str) -> Result<Vec<Inserted>> {
    let stored = letters.trim_end_matches('f');
    count_forgotten_revocations((letters.len() - stored.len()) as u64);
    let inserted = |letter| match letter {
        's' => Ok(Inserted::Stored),
        'd' => Ok(Inserted::Duplicate),
        _ => Err(not_understood("no such answer")),
    };
    stored.chars().map(inserted).collect()
}

pub(super) fn answers(letters: &str) -> Result<Vec<Answer>> {
    let answer = |letter| match letter {
        'a' => Ok(Answer::Applied),
        'c' => Ok(Answer::Cancelled),
        'l' => Ok(Answer::Lost),
        _ => Err(not_understood("no such answer")),
    };
    letters.chars().map(answer).collect()
}

pub(super) fn held(letters: &str) -> Result<Vec<Held>> {
    let held = |letter| match letter {
        'y' => Ok(Held::Yes),
        'c' => Ok(Held::Cancelled),
        'l' => Ok(Held::Lost),
        _ => Err(not_understood("no such answer")),
    };
    letters.chars().map(held).collect()
}

pub(super) fn cancelled(letters: &str) -> Result<Vec<Cancelled>> {
    let cancelled = |letter| match letter {
        'g' => Ok(Cancelled::Gone),
        'm' => Ok(Cancelled::Marked),
        'o' => Ok(Cancelled::Over),
        'u' => Ok(Cancelled::Unknown),
        _ => Err(not_understood("no such answer")),
    };
    letters.chars().map(cancelled).collect()
}

/// Reads what a turn claimed: ids, records, what else is known, states of the lanes.
pub(super) fn claims(now: Timestamp, token: RunToken, columns: [Value; 4]) -> Result<Vec<Claim>> {
    let [ids, records, more, states] = columns;
    let ids: Vec<Vec<u8>> = part(ids)?;
    let records: Vec<Vec<u8>> = part(records)?;
    let more: Vec<Option<Vec<u8>>> = part(more)?;
    let states: Vec<Option<Vec<u8>>> = part(states)?;
    // There is a column only if anything is known of any job.
    let more = more.into_iter().chain(iter::repeat(None));
    let rows = ids.into_iter().zip(records).zip(more).zip(states);
    rows.map(|(((id, record), more), state)| {
        let mut job = any_job(&id, &record, more.as_deref());
        job.first_claimed.get_or_insert(now);
        let on_loan =
            more.is_some_and(|more| more.get(MORE_FLAGS).is_some_and(|it| it & ON_LOAN > 0));
        Ok(Claim { job, token, claimed_at: now, state, on_loan })
    })
    .collect()
}

/// Reads the columns of `rows.lua`.
pub(super) fn records(rows: Value) -> Result<Vec<JobRecord>> {
    let columns: Vec<Value> = part(rows)?;
    let [ids, states, times, records, more, claims, histories] =
        <[Value; 7]>::try_from(columns).map_err(|_| not_understood("not seven columns"))?;
    let ids: Vec<Vec<u8>> = part(ids)?;
    let states: Vec<String> = part(states)?;
    let times: Vec<String> = part(times)?;
    let records: Vec<Vec<u8>> = part(records)?;
    let more: Vec<Option<Vec<u8>>> = part(more)?;
    let claims: Vec<Option<Vec<u8>>> = part(claims)?;
    let histories: Vec<Option<Vec<u8>>> = part(histories)?;
    (0..ids.len())
        .map(|n| {
            let state: State = states[n].parse().map_err(|_| not_understood("no such state"))?;
            let mut job = any_job(&ids[n], &records[n], more[n].as_deref());
            if let Some(time) = claims[n].as_ref().and_then(|claim| claim.get(CLAIM_TIME..)) {
                job.first_claimed = job.first_claimed.or(Reader(time).time().ok());
            }
            let history = histories[n].as_deref().map(String::from_utf8_lossy);
            Ok(JobRecord {
                job,
                state,
                time: time(&times[n]),
                cancelled: claims[n].as_ref().is_some_and(|claim| claim.len() > CLAIM_BYTES),
                history: history.iter().flat_map(|it| it.lines()).filter_map(failure).collect(),
            })
        })
        .collect()
}

fn failure(line: &str) -> Option<Failure> {
    let (at, error) = line.split_once(' ')?;
    Some(Failure { at: time(at)?, error: error.to_owned() })
}

/// Reads a job, or says why it cannot be read.
fn any_job(id: &[u8], record: &[u8], more: Option<&[u8]>) -> Job {
    job(id, record, more).unwrap_or_else(|why| Job::unreadable(JobId::of_stored(id), why))
}

/// Reads a job from its id, its record, and what only some jobs have.
fn job(id: &[u8], record: &[u8], more: Option<&[u8]>) -> Result<Job, String> {
    let id = JobId::from_slice(id).ok_or("no id")?;
    let mut record = Reader(record);
    let (arrived, due, remember) = (record.time()?, record.time()?, record.number()?);
    let flags = record.byte()?;
    let queue = record.name()?;
    let mut name = |flag: u8| {
        let name = record.name()?;
        Ok::<_, String>((flags & flag > 0).then_some(name))
    };
    let (lane, chat, origin, secret) = (name(2)?, name(4)?, name(8)?, name(32)?);
    let kind = record.name()?;
    let parent = if flags & HAS_PARENT > 0 { JobId::from_slice(record.take(16)?) } else { None };
    let has_origin_time = flags & HAS_ORIGIN_TIME > 0;
    let origin_time = if has_origin_time { Some(record.time()?) } else { None };
    if flags & HAS_BODY > 0 && record.0.is_empty() {
        return Err("its payload is missing".to_owned());
    }
    let mut job = Job {
        id,
        kind,
        payload: record.0.to_vec(),
        queue,
        lane,
        chat,
        origin,
        origin_time,
        parent,
        arrived,
        due: (flags & 1 > 0).then_some(due),
        secret,
        remember: Duration::from_micros(remember.unsigned_abs()),
        failures: 0,
        lost: 0,
        checkpoint: 0,
        reruns: 0,
        unsure: false,
        first_claimed: None,
        unreadable: None,
    };
    if let Some(more) = more {
        let mut more = Reader(more);
        job.failures = more.count()?;
        job.lost = more.count()?;
        job.checkpoint = more.count()?;
        job.reruns = more.count()?;
        let flags = more.byte()?;
        job.unsure = flags & 1 > 0;
        job.first_claimed = (flags & 2 > 0).then_some(more.time()?);
    }
    Ok(job)
}

/// Why a record cannot be read.
const TOO_SHORT: &str = "a record is too short";

/// Reads a record from its front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (front, rest) = self.0.split_at_checked(count).ok_or(TOO_SHORT)?;
        self.0 = rest;
        Ok(front)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn count(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?.try_into().map_err(|_| TOO_SHORT)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn number(&mut self) -> Result<i64, String> {
        let bytes = self.take(8)?.try_into().map_err(|_| TOO_SHORT)?;
        Ok(i64::from_be_bytes(bytes))
    }

    fn time(&mut self) -> Result<Timestamp, String> {
        self.number().map(Timestamp::from_micros)
    }

    fn name(&mut self) -> Result<String, String> {
        let length = self.byte()?;
        String::from_utf8(self.take(length.into())?.to_vec()).map_err(|error| error.to_string())
    }
}
