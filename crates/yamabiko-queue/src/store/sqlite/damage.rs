//! Records that a step cannot work on because a page of the file is damaged: how the one to blame is found.
//!
//! SQLite reports damage when it meets it. A row of which a page is damaged can be neither read, changed nor removed; one
//! beside a damaged page can be read, but may not be changed or removed where SQLite would move its neighbours. All others
//! are fine. So a step that meets damage is undone, and taken again with care: it looks at each record before it works on
//! it, and works on one at a time. The record to blame is set aside (`set_aside.rs`), and the step is taken once more.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, Params, ffi};

use super::{
    file,
    row::{Text, job_columns},
    set_aside::SetAside,
    step::Step,
};
use crate::{
    error::{Error, Result},
    job::JobId,
};

/// The running jobs.
pub(super) const RUNNING: &str =
    "SELECT seq FROM job WHERE state = 3 AND seq NOT IN (SELECT seq FROM damaged)";

/// How long a step that failed by damage is remembered; what fails is tried again sooner.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Reads all of a job.
const WHOLE_JOB: &str =
    concat!("SELECT ", job_columns!(), ", job.holds, job.token FROM job WHERE seq = ?");
/// Reads all of a lane's state.
const WHOLE_STATE: &str = "SELECT lane, value FROM state WHERE seq = ?";

/// A record, by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A job.
    Job(i64),
    /// A lane's state.
    State(i64),
}

/// What a step does to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Read,
    Change,
    /// It ends, and no step needs it any more.
    End,
}

/// A record that a step works on, which is to blame if the step meets damage now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) record: Record,
    pub(super) work: Work,
}

impl Suspect {
    pub(super) const fn job(seq: i64, work: Work) -> Self {
        Self { record: Record::Job(seq), work }
    }
}

/// How carefully steps are taken, and what that has brought to light.
#[derive(Debug, Default)]
pub(super) struct Care {
    is_taken: Cell<bool>,
    suspect: Cell<Option<Suspect>>,
    /// Jobs that cannot be removed although they can be read.
    stuck: RefCell<BTreeSet<i64>>,
    /// What the step has set aside so far.
    pub(super) set_aside: RefCell<Vec<SetAside>>,
}

impl Care {
    /// Says whether the step looks at each record before it works on it, and works on one at a time.
    pub(super) const fn is_taken(&self) -> bool {
        self.is_taken.get()
    }

    /// Begins another attempt at a step.
    pub(super) fn begin(&self, is_taken: bool) {
        self.is_taken.set(is_taken);
        self.suspect.set(None);
        self.set_aside.borrow_mut().clear();
    }

    /// Names the record that the step works on from now on.
    pub(super) fn suspects(&self, suspect: Option<Suspect>) {
        self.suspect.set(suspect);
    }

    /// Returns the record on which the step failed.
    pub(super) fn suspect(&self) -> Option<Suspect> {
        self.suspect.get()
    }

    /// Notes a job that cannot be removed, and says whether that is news.
    pub(super) fn is_stuck_now(&self, seq: i64) -> bool {
        self.stuck.borrow_mut().insert(seq)
    }

    /// Says whether a job cannot be removed.
    pub(super) fn is_stuck(&self, seq: i64) -> bool {
        self.stuck.borrow().contains(&seq)
    }
}

impl Record {
    /// Returns why the record cannot be read; `None` if it can, or if there is none.
    ///
    /// Not within a transaction: SQLite commits none that has met damage.
    pub(super) fn why_unreadable(self, db: &Connection) -> rusqlite::Result<Option<String>> {
        let (sql, seq) = match self {
            Self::Job(seq) => (WHOLE_JOB, seq),
            Self::State(seq) => (WHOLE_STATE, seq),
        };
        let read = db.prepare_cached(sql)?.query_row((seq,), |_| Ok(()));
        match read {
            Err(error) if may_be_damage(&error) => {
                // A disk that reads nothing at all is away, and damages no record.
                let other = "SELECT one FROM store";
                db.prepare_cached(other)?.query_one((), |_| Ok(()))?;
                Ok(Some(error.to_string()))
            }
            Ok(()) | Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Says whether an error may come from one record alone.
pub(super) fn may_be_damage(error: &rusqlite::Error) -> bool {
    let unread = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ];
    file::is_damage(error)
        || error.sqlite_error().is_some_and(|error| unread.contains(&error.extended_code))
}

impl Step<'_, '_> {
    /// Looks at the jobs whose rows these are, if care is taken, and returns the rows.
    ///
    /// The rows are to come from an index alone, which is whole though a row that it names may not be.
    pub(super) fn check_jobs(
        &self,
        rows: &'static str,
        params: impl Params,
    ) -> rusqlite::Result<Vec<i64>> {
        if !self.care.is_taken() {
            return Ok(Vec::new());
        }
        let rows: Vec<i64> = self.all(rows, params, |row| row.get(0))?;
        rows.iter().try_for_each(|seq| self.check(Record::Job(*seq)))?;
        Ok(rows)
    }

    /// Looks at a job, if care is taken, and returns its row.
    pub(super) fn check_job(&self, id: JobId) -> rusqlite::Result<Option<i64>> {
        let row = "SELECT seq FROM job WHERE id = ? AND seq NOT IN (SELECT seq FROM damaged)";
        self.check_jobs(row, (id.as_bytes(),)).map(|rows| rows.first().copied())
    }

    /// Looks at jobs and the states of their lanes, if care is taken.
    pub(super) fn check_claims(
        &self,
        rows: &'static str,
        params: impl Params,
    ) -> rusqlite::Result<()> {
        for seq in self.check_jobs(rows, params)? {
            let lane = "SELECT lane FROM job WHERE seq = ? AND lane IS NOT NULL";
            if let Some(lane) = self.first(lane, (seq,), |row| row.get::<_, Text>(0))?
                && let Some(state) = self.state_of(&lane)?
            {
                self.check(Record::State(state))?;
            }
        }
        Ok(())
    }

    fn state_of(&self, lane: &Text) -> rusqlite::Result<Option<i64>> {
        let row = "SELECT seq FROM state
                   WHERE lane = ? AND seq NOT IN (SELECT seq FROM damaged_state)";
        self.first(row, (lane,), |row| row.get(0))
    }

    fn check(&self, record: Record) -> rusqlite::Result<()> {
        self.care.suspects(Some(Suspect { record, work: Work::Read }));
        match record {
            Record::Job(seq) => self.first(WHOLE_JOB, (seq,), |_| Ok(()))?,
            Record::State(seq) => self.first(WHOLE_STATE, (seq,), |_| Ok(()))?,
        };
        self.care.suspects(None);
        Ok(())
    }

    /// Changes or ends one job.
    pub(super) fn change(
        &self,
        work: Work,
        seq: i64,
        sql: &'static str,
        params: impl Params,
    ) -> rusqlite::Result<()> {
        self.care.suspects(Some(Suspect::job(seq, work)));
        self.run(sql, params)?;
        self.care.suspects(None);
        Ok(())
    }

    /// Changes or removes the state of a lane, and returns how many states there were.
    pub(super) fn change_state(
        &self,
        lane: &Text,
        sql: &'static str,
        params: impl Params,
    ) -> rusqlite::Result<usize> {
        if self.care.is_taken()
            && let Some(seq) = self.state_of(lane)?
        {
            self.check(Record::State(seq))?;
            let record = Record::State(seq);
            self.care.suspects(Some(Suspect { record, work: Work::Change }));
        }
        let changed = self.run(sql, params)?;
        self.care.suspects(None);
        Ok(changed)
    }
}

/// Damage that concerns more than a record, as steps last met it.
#[derive(Debug, Default)]
pub(super) struct LastDamage(Mutex<Option<(Instant, String)>>);

impl LastDamage {
    pub(super) fn note(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), why));
    }

    /// Fails if a step met damage in the last seconds.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((at, why)) if at.elapsed() < REMEMBERED => Err(Error::Damaged(why.clone().into())),
            _ => Ok(()),
        }
    }
}
