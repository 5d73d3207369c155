//! Stores jobs.

use rusqlite::params;

use super::{damage::Work, step::Step};
use crate::{
    clock::{Timestamp, micros},
    error::{Error, Result},
    job::{Due, JobId, MAX_DELAY, NewJob},
    store::Inserted,
};

impl Step<'_, '_> {
    /// Stores jobs, all or none.
    pub(super) fn insert(&mut self, jobs: &[NewJob]) -> rusqlite::Result<Result<Vec<Inserted>>> {
        let away = |job: &NewJob| match job.due {
            Due::At(due) => due.since(self.now),
            Due::Now | Due::In(_) => std::time::Duration::ZERO,
        };
        if let Some(away) = jobs.iter().map(away).find(|away| *away > MAX_DELAY) {
            return Ok(Err(Error::TooFar(away)));
        }
        jobs.iter().map(|job| self.insert_one(job)).collect::<rusqlite::Result<_>>().map(Ok)
    }

    /// Stores a job, unless its id exists or is remembered (K5).
    pub(super) fn insert_one(&mut self, job: &NewJob) -> rusqlite::Result<Inserted> {
        let arrived = self.recorded.as_micros();
        // By a clock in doubt, nothing that is remembered has been so for long enough.
        let remembered_at = if self.is_trusted { arrived } else { i64::MIN };
        let seen = "SELECT 1 FROM seen WHERE id = ? AND until > ?";
        if self.exists(seen, (job.id.as_bytes(), remembered_at))? {
            return Ok(Inserted::Duplicate);
        }
        let due = match job.due {
            Due::Now => None,
            Due::At(due) => Some(due),
            Due::In(delay) => Some(self.now + delay),
        };
        let set_at = matches!(job.due, Due::In(_)).then_some(self.now.as_micros());
        let later = due.filter(|due| *due > self.now);
        let (state, place, holds) = if let Some(due) = later {
            (0, due.as_micros(), 0)
        } else if self.is_taken(job.lane.as_deref())? {
            (2, self.tail(), 0)
        } else {
            (1, self.tail(), self.next_hold(job.lane.as_deref())?)
        };
        let stored = self.run(
            "INSERT INTO job (id, state, place, set_at, holds, arrived, due, remember, queue, lane, chat, kind, origin, origin_time, parent, secret, payload, spared, passes_until)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO NOTHING",
            params![
                job.id.as_bytes(),
                state,
                place,
                set_at,
                holds,
                arrived,
                due.map(Timestamp::as_micros),
                micros(job.remember),
                &job.queue,
                &job.lane,
                &job.chat,
                &job.kind,
                &job.origin,
                job.origin_time.map(Timestamp::as_micros),
                job.parent.as_ref().map(JobId::as_bytes),
                &job.secret,
                &job.payload,
                self.newest_group(job.chat.as_deref())?,
                job.passes_until.filter(|_| due.is_none()).map(Timestamp::as_micros),
            ],
        )?;
        if stored == 0 {
            self.renew(job)?;
            return Ok(Inserted::Duplicate);
        }
        if let Some(origin) = &job.revokes {
            self.revoke(origin)?;
        }
        match later {
            Some(due) => {
                self.shared.scheduled += 1;
                self.waits_until(due);
            }
            None if state == 1 => self.touch(&job.queue),
            None => self.lend_again(job.lane.as_deref())?,
        }
        Ok(Inserted::Stored)
    }

    /// Takes over the secret of a duplicate, if nobody has claimed the job yet (I2).
    fn renew(&self, job: &NewJob) -> rusqlite::Result<()> {
        let Some(secret) = &job.secret else { return Ok(()) };
        const RENEW: &str = "UPDATE job SET secret = ?, arrived = ?
             WHERE id = ? AND state IN (1, 2) AND first_claimed IS NULL
                 AND seq NOT IN (SELECT seq FROM damaged)";
        let now = self.recorded.as_micros();
        match self.check_job(job.id)? {
            Some(seq) => self.change(Work::Change, seq, RENEW, (secret, now, job.id.as_bytes())),
            None => self.run(RENEW, (secret, now, job.id.as_bytes())).map(drop),
        }
    }
}
