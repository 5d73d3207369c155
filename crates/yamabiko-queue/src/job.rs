//! What a job is: as it is handed in, and as it is kept.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock::Timestamp,
    error::{Error, Result},
    state::State,
};

/// The longest payload, and the longest state of a lane, in bytes (K3).
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// The longest queue, lane, chat, origin, kind or secret, in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// How far away a due time may be: 10 years (T1).
pub const MAX_DELAY: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);
/// For how long an id is remembered once its job has left the live ones: 1 hour (K5).
pub const REMEMBER: Duration = Duration::from_secs(60 * 60);

/// The queue of events and of jobs that run in a chat's lane (L1).
pub const EVENTS: &str = "events";
/// The queue of deliveries (L1).
pub const OUTBOX: &str = "outbox";
/// The queue of laneless jobs that name no other.
pub const DEFAULT: &str = "default";

/// The id of a job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// Makes a new id; ids made later sort later.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Returns the id that belongs to a key: the same key, the same id.
    ///
    /// A job that is stored under such an id is unique by that key, as long as the id is remembered.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self(Uuid::new_v5(&KEYS, key.as_bytes()))
    }

    /// Returns the id of an effect of a run: `UUIDv5` of job id, re-run count, checkpoint number and index (K4).
    #[must_use]
    pub fn of_effect(self, reruns: u32, checkpoint: u32, index: u32) -> Self {
        let name = format!("{reruns}/{checkpoint}/{index}");
        Self(Uuid::new_v5(&self.0, name.as_bytes()))
    }

    /// Takes a UUID as an id.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Returns the id as a UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Takes 16 bytes as an id, `None` if there are more or fewer.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self)
    }

    /// Takes what a store has in an id's place; if it is no id, returns one that belongs to these bytes alone.
    pub(crate) fn of_stored(bytes: &[u8]) -> Self {
        Self::from_slice(bytes).unwrap_or_else(|| Self(Uuid::new_v5(&KEYS, bytes)))
    }

    /// Returns the id's 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// The name space of ids that are made from keys.
const KEYS: Uuid = Uuid::from_u128(0x79616d61_6269_6b6f_8000_6b6579730000);

impl Default for JobId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Uuid::parse_str(text)
            .map(Self)
            .map_err(|_| format!("{text:?} is no job id: one looks like {}", Uuid::nil()))
    }
}

/// When a new job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Due {
    /// At once.
    #[default]
    Now,
    /// When the store's clock reaches this moment; at once if it has passed.
    At(Timestamp),
    /// This long after it is stored.
    In(Duration),
}

/// A job to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its id; storing an id that exists, or is still remembered, changes nothing (K5).
    pub id: JobId,
    /// What kind of work it is: the key under which its handler is registered.
    pub kind: String,
    /// What the handler gets, JSON by convention; at most 64 KiB.
    pub payload: Vec<u8>,
    /// The queue it is in. Defaults to `default`.
    pub queue: String,
    /// The lane it runs in, if any: one at a time, in order (L2).
    pub lane: Option<String>,
    /// The chat that it belongs to, if any; live jobs are found by it (S3).
    pub chat: Option<String>,
    /// The outside thing that started it (a message id, say), handed down to its effects.
    pub origin: Option<String>,
    /// When what started it happened, by the clock outside; handed down as the origin is. Only compared with its like (I4).
    pub origin_time: Option<Timestamp>,
    /// The origin whose jobs are not to run any more: for a day, what has it ends where it would be claimed (I5).
    pub revokes: Option<String>,
    /// The job whose run asked for it.
    pub parent: Option<JobId>,
    /// When it may run. Defaults to at once.
    pub due: Due,
    /// Until when it may pass a job of its lane that waits and lends it, if both have another origin (O8). Defaults to never;
    /// ignored where the job has a due time.
    pub passes_until: Option<Timestamp>,
    /// A credential of the run (a reply token), erased when the job is completed or dies (D3).
    pub secret: Option<String>,
    /// For how long its id is remembered after it has left the live ones. Defaults to 1 hour.
    pub remember: Duration,
}

impl NewJob {
    /// Makes a job of queue `default` without a lane, due at once, with a new id.
    #[must_use]
    pub fn new(kind: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            id: JobId::new(),
            kind: kind.into(),
            payload: payload.into(),
            queue: DEFAULT.to_owned(),
            lane: None,
            chat: None,
            origin: None,
            origin_time: None,
            revokes: None,
            parent: None,
            due: Due::Now,
            passes_until: None,
            secret: None,
            remember: REMEMBER,
        }
    }

    /// Checks sizes and the due time where it is relative.
    ///
    /// # Errors
    /// `TooLarge` or `TooFar`, naming what is over which limit.
    pub fn check(&self) -> Result<()> {
        check_size("a job's payload", self.payload.len(), MAX_PAYLOAD_BYTES)?;
        for (what, name) in [
            ("a job's kind", Some(&self.kind)),
            ("a queue's name", Some(&self.queue)),
            ("a lane's name", self.lane.as_ref()),
            ("a chat's name", self.chat.as_ref()),
            ("a job's origin", self.origin.as_ref()),
            ("the origin that a job revokes", self.revokes.as_ref()),
            ("a job's secret", self.secret.as_ref()),
        ] {
            check_size(what, name.map_or(0, String::len), MAX_NAME_BYTES)?;
        }
        match self.due {
            Due::In(delay) => check_delay(delay),
            Due::Now | Due::At(_) => Ok(()),
        }
    }
}

/// Checks how far away a time is (T1).
pub(crate) fn check_delay(delay: Duration) -> Result<()> {
    if delay > MAX_DELAY { Err(Error::TooFar(delay)) } else { Ok(()) }
}

/// Checks a size against its limit.
pub(crate) const fn check_size(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size > limit { Err(Error::TooLarge { what, size, limit }) } else { Ok(()) }
}

impl fmt::Debug for NewJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewJob")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("queue", &self.queue)
            .field("lane", &self.lane)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

/// A job as it is stored; what a run and a person see of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What kind of work it is.
    pub kind: String,
    /// What the handler gets; replaced by checkpoints.
    pub payload: Vec<u8>,
    /// The queue it is in.
    pub queue: String,
    /// The lane it runs in.
    pub lane: Option<String>,
    /// The chat that it belongs to.
    pub chat: Option<String>,
    /// The outside thing that started it.
    pub origin: Option<String>,
    /// When that happened, by the clock outside.
    pub origin_time: Option<Timestamp>,
    /// The job whose run asked for it.
    pub parent: Option<JobId>,
    /// When it was stored, or when its duplicate arrived before anybody had claimed it (I2).
    pub arrived: Timestamp,
    /// The due time that it was stored with; `None` for a job that was to run at once.
    pub due: Option<Timestamp>,
    /// The credential of the run; `None` once the job is completed or dead.
    pub secret: Option<String>,
    /// For how long its id is remembered after it has left the live ones.
    pub remember: Duration,
    /// How often a run failed, since it was stored or a person ran it again.
    pub failures: u32,
    /// How often a claim ended without a report: its process died, or froze, or the answer was lost (C4).
    pub lost: u32,
    /// How many checkpoints it has passed (K6).
    pub checkpoint: u32,
    /// How often a person ran it again.
    pub reruns: u32,
    /// Whether an earlier run may have done something outside that it could not report (O3).
    pub unsure: bool,
    /// When it was first claimed since it was stored, snoozed afresh, or run again by a person after its death.
    pub first_claimed: Option<Timestamp>,
    /// Why its record in the store cannot be read; `None` for every sound job.
    ///
    /// Such a job is given up instead of run, so that it stands in nobody's way. Its other fields may be empty.
    pub unreadable: Option<String>,
}

impl Job {
    /// Makes what is shown of a job whose record cannot be read.
    pub(crate) fn unreadable(id: JobId, why: String) -> Self {
        Self {
            id,
            kind: String::new(),
            payload: Vec::new(),
            queue: String::new(),
            lane: None,
            chat: None,
            origin: None,
            origin_time: None,
            parent: None,
            arrived: Timestamp::default(),
            due: None,
            secret: None,
            remember: Duration::ZERO,
            failures: 0,
            lost: 0,
            checkpoint: 0,
            reruns: 0,
            unsure: false,
            first_claimed: None,
            unreadable: Some(why),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("queue", &self.queue)
            .field("lane", &self.lane)
            .field("failures", &self.failures)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

/// One failed run, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When it failed.
    pub at: Timestamp,
    /// What went wrong.
    pub error: String,
}

/// The most bytes of failures that are kept of a job; the oldest go first.
pub const MAX_HISTORY_BYTES: usize = 4096;

/// A job with its place and its past, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// The job.
    pub job: Job,
    /// Where it is.
    pub state: State,
    /// Scheduled: when it is due next; running: when its lease ends; dead, completed: since when. Else `None`.
    pub time: Option<Timestamp>,
    /// Whether it is running and was cancelled meanwhile (D4).
    pub cancelled: bool,
    /// Its failed runs, oldest first; a line of each, all together at most 4,096 bytes.
    pub history: Vec<Failure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k4_an_effect_has_the_same_id_each_time_and_another_for_each_part() {
        let job = JobId::of_key("event");
        assert_eq!(job.of_effect(0, 0, 1), job.of_effect(0, 0, 1));
        let others = [job.of_effect(1, 0, 1), job.of_effect(0, 1, 1), job.of_effect(0, 0, 2)];
        assert!(!others.contains(&job.of_effect(0, 0, 1)));
        assert_ne!(job.of_effect(1, 11, 1), job.of_effect(11, 1, 1));
    }

    #[test]
    fn k3_a_payload_over_64_kib_is_refused_with_its_size() {
        let mut job = NewJob::new("x", vec![b' '; MAX_PAYLOAD_BYTES]);
        assert!(job.check().is_ok());
        job.payload.push(b' ');
        let error = job.check().unwrap_err().to_string();
        assert_eq!(error, "a job's payload is 65537, at most 65536 is allowed");
    }

    #[test]
    fn t1_a_delay_over_ten_years_is_refused() {
        let mut job = NewJob::new("x", "");
        job.due = Due::In(MAX_DELAY + Duration::from_secs(1));
        assert!(matches!(job.check(), Err(Error::TooFar(_))));
    }

    #[test]
    fn a_job_shows_neither_its_payload_nor_its_secret() {
        let mut job = NewJob::new("x", "the user's text");
        job.secret = Some("a reply token".into());
        let shown = format!("{job:?}");
        assert!(!shown.contains("text") && !shown.contains("token"), "{shown}");
    }
}
