//! Shortens what was set by a clock that was ahead to the length that it was to have (T3).

use rusqlite::Row;

use super::{
    damage::Work,
    row,
    step::{Step, limit},
};
use crate::{clock::Timestamp, store::MAX_CORRECTED};

/// What is done about jobs whose time lies ahead: to all of them at once, and with care to one by one.
struct Correction {
    all: &'static str,
    one: &'static str,
    /// The rows of the jobs.
    jobs: &'static str,
}

/// Makes the statements of a correction.
macro_rules! correction {
    ($set:literal, $which:literal) => {
        Correction {
            all: concat!(
                "UPDATE job SET ", $set, " WHERE seq IN (", correction!(@jobs $which), ")"
            ),
            one: concat!("UPDATE job SET ", $set, " WHERE seq = ?2"),
            jobs: correction!(@jobs $which),
        }
    };
    (@jobs $which:literal) => {
        concat!(
            "SELECT seq FROM job WHERE ",
            $which,
            " AND seq NOT IN (SELECT seq FROM damaged) LIMIT ?2"
        )
    };
}

const DELAYS: Correction =
    correction!("place = ?1 + place - set_at, set_at = ?1", "state = 0 AND set_at > ?1");
const LEASES: Correction = correction!("place = ?1", "state = 3 AND place > ?1");

/// The latest of each sort of time that cannot lie further ahead than a length of time.
struct Latest {
    /// When a delay, a retry or a snooze was set.
    delay_set: Option<Timestamp>,
    lease_end: Option<Timestamp>,
    pause_set: Option<Timestamp>,
    /// Until when a process counts as alive.
    process: Option<Timestamp>,
}

impl Latest {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            delay_set: row::time(row, 0)?,
            lease_end: row::time(row, 1)?,
            pause_set: row::time(row, 2)?,
            process: row::time(row, 3)?,
        })
    }
}

impl Step<'_, '_> {
    /// Counts from now what was set later than now, and says whether that is all there is.
    pub(super) fn correct(&mut self) -> rusqlite::Result<bool> {
        let latest = self.statements.with(
            "SELECT (SELECT max(set_at) FROM job
                     WHERE state = 0 AND set_at IS NOT NULL AND seq NOT IN (SELECT seq FROM damaged)),
                    (SELECT max(place) FROM job WHERE state = 3 AND seq NOT IN (SELECT seq FROM damaged)),
                    (SELECT max(set_at) FROM paused),
                    (SELECT max(until) FROM process)",
            |select| select.query_one((), Latest::of),
        )?;
        let (now, lease_end) = (self.now.as_micros(), self.lease_end());
        let is_ahead =
            |time: Option<Timestamp>, of: i64| time.is_some_and(|time| time.as_micros() > of);
        let mut most = 0;
        if is_ahead(latest.delay_set, now) {
            most = self.correct_jobs(&DELAYS, now)?;
            self.waits_until(self.now);
        }
        if is_ahead(latest.lease_end, lease_end) {
            most = most.max(self.correct_jobs(&LEASES, lease_end)?);
        }
        if is_ahead(latest.pause_set, now) {
            self.run(
                "UPDATE paused SET until = ?1 + until - set_at, set_at = ?1 WHERE set_at > ?1",
                (now,),
            )?;
        }
        if is_ahead(latest.process, lease_end) {
            self.run("UPDATE process SET until = ?1 WHERE until > ?1", (lease_end,))?;
        }
        Ok(most < MAX_CORRECTED)
    }
    /// Corrects jobs, and returns how many.
    fn correct_jobs(&self, correction: &Correction, time: i64) -> rusqlite::Result<usize> {
        let params = (time, limit(MAX_CORRECTED));
        if !self.care.is_taken() {
            return self.run(correction.all, params);
        }
        let jobs = self.check_jobs(correction.jobs, params)?;
        for seq in &jobs {
            self.change(Work::Change, *seq, correction.one, (time, seq))?;
        }
        Ok(jobs.len())
    }
}
