//! Shortens what was set by a clock that was ahead to the length that it was to have (T3).

use rusqlite::Row;

use super::{
    row,
    step::{Step, limit},
};
use crate::{clock::Timestamp, store::MAX_CORRECTED};

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
            "SELECT (SELECT max(set_at) FROM job WHERE state = 0 AND set_at IS NOT NULL),
                    (SELECT max(place) FROM job WHERE state = 3),
                    (SELECT max(set_at) FROM paused),
                    (SELECT max(until) FROM process)",
            |select| select.query_one((), Latest::of),
        )?;
        let (now, lease_end) = (self.now.as_micros(), self.lease_end());
        let is_ahead =
            |time: Option<Timestamp>, of: i64| time.is_some_and(|time| time.as_micros() > of);
        let mut most = 0;
        if is_ahead(latest.delay_set, now) {
            most = self.run(
                "UPDATE job SET place = ?1 + place - set_at, set_at = ?1 WHERE seq IN
                 (SELECT seq FROM job WHERE state = 0 AND set_at > ?1 LIMIT ?2)",
                (now, limit(MAX_CORRECTED)),
            )?;
            self.waits_until(self.now);
        }
        if is_ahead(latest.lease_end, lease_end) {
            let corrected = self.run(
                "UPDATE job SET place = ?1 WHERE seq IN
                 (SELECT seq FROM job WHERE state = 3 AND place > ?1 LIMIT ?2)",
                (lease_end, limit(MAX_CORRECTED)),
            )?;
            most = most.max(corrected);
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
}
