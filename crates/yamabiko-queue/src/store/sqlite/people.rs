//! What people, and the effects of runs, do to jobs and queues.

use std::time::Duration;

use super::{
    damage::Work,
    group::is_cancelled_group,
    row::Text,
    step::{Place, Step},
};
use crate::{clock::Timestamp, job::JobId, store::Cancelled};

impl Step<'_, '_> {
    /// Cancels a job; a running one is marked (D4).
    pub(super) fn cancel_one(&mut self, id: JobId) -> rusqlite::Result<Cancelled> {
        self.check_job(id)?;
        let found = self.first(
            "SELECT seq, id, queue, lane, holds, remember, state FROM job
             WHERE id = ? AND seq NOT IN (SELECT seq FROM damaged)",
            (id.as_bytes(),),
            |row| Ok((Place::of(row)?, row.get::<_, u8>(6)?)),
        )?;
        match found {
            None => Ok(Cancelled::Unknown),
            Some((_, 4 | 5)) => Ok(Cancelled::Over),
            Some((job, 3)) => {
                let sql = "UPDATE job SET cancelled = 1 WHERE seq = ?";
                self.change(Work::Change, job.seq, sql, (job.seq,))?;
                Ok(Cancelled::Marked)
            }
            Some((job, state)) => {
                self.shared.scheduled -= i64::from(state == 0);
                self.remove(&job)?;
                Ok(Cancelled::Gone)
            }
        }
    }

    /// Runs a dead or scheduled job now, at the tail of its lane (L4).
    pub(super) fn retry_one(&mut self, id: JobId) -> rusqlite::Result<bool> {
        self.check_job(id)?;
        let job = self.first(
            concat!(
                "SELECT seq, id, queue, lane, holds, remember, state = 0, chat FROM job
                 WHERE id = ? AND seq NOT IN (SELECT seq FROM damaged)
                 AND (state = 4 OR state = 0 AND NOT ",
                is_cancelled_group!(),
                ")"
            ),
            (id.as_bytes(),),
            |row| Ok((Place::of(row)?, row.get::<_, bool>(6)?, row.get::<_, Option<Text>>(7)?)),
        )?;
        let Some((job, was_scheduled, chat)) = job else { return Ok(false) };
        self.change(
            Work::Change,
            job.seq,
            "UPDATE job SET failures = 0, lost = 0, first_claimed = iif(state = 4, NULL, first_claimed), reruns = reruns + (state = 4)
             WHERE seq = ?",
            (job.seq,),
        )?;
        self.shared.scheduled -= i64::from(was_scheduled);
        if !was_scheduled && self.has_groups {
            let chat = chat.map(|chat| chat.lossy());
            let spared = self.newest_group(chat.as_deref())?;
            let sql = "UPDATE job SET spared = ? WHERE seq = ?";
            self.change(Work::Change, job.seq, sql, (spared, job.seq))?;
        }
        // It lives again, so that its id is remembered anew when it ends.
        self.run("DELETE FROM seen WHERE id = ?", (id.as_bytes(),))?;
        self.enter(&job)?;
        Ok(true)
    }

    /// Deletes a dead or completed job.
    pub(super) fn delete_one(&mut self, id: JobId) -> rusqlite::Result<bool> {
        self.check_job(id)?;
        let job = self.first(
            "SELECT seq, id, queue, lane, holds, remember, state = 5 FROM job
             WHERE id = ? AND state IN (4, 5) AND seq NOT IN (SELECT seq FROM damaged)",
            (id.as_bytes(),),
            |row| Ok((Place::of(row)?, row.get::<_, bool>(6)?)),
        )?;
        let Some((job, was_completed)) = job else { return Ok(false) };
        self.shared.completed -= i64::from(was_completed);
        self.forget(&job)?;
        Ok(true)
    }

    /// Stops claims from a queue; the longer of two pauses stands.
    pub(super) fn pause(&mut self, queue: &str, time: Option<Duration>) -> rusqlite::Result<()> {
        if time.is_some_and(|time| time.is_zero()) {
            return Ok(());
        }
        let until = time.map(|time| self.now + time);
        let paused = self.run(
            "INSERT INTO paused (queue, until, set_at) VALUES (?, ?, ?) ON CONFLICT (queue) DO UPDATE
             SET until = excluded.until, set_at = excluded.set_at
             WHERE excluded.until IS NULL OR until < excluded.until",
            (queue, until.map(Timestamp::as_micros), self.now.as_micros()),
        )?;
        if let (1, Some(until)) = (paused, until) {
            self.waits_until(until);
        }
        Ok(())
    }

    /// Takes the pause from a queue.
    pub(super) fn resume(&mut self, queue: &str) -> rusqlite::Result<()> {
        self.touch(queue);
        self.run("DELETE FROM paused WHERE queue = ?", (queue,)).map(drop)
    }
}
