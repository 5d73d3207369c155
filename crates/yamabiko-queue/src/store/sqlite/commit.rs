//! Ends and checkpoints runs, together with their effects.

use std::time::Duration;

use rusqlite::Row;

use super::{
    damage::Work,
    row,
    step::{Place, Step},
};
use crate::store::{Answer, Commit, Effect, Hold, Outcome};

/// A run that holds its job.
struct Held {
    job: Place,
    chat: Option<row::Text>,
    cancelled: bool,
    checkpoint: i64,
}

impl Held {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            job: Place::of(row)?,
            chat: row.get(6)?,
            cancelled: row.get(7)?,
            checkpoint: row.get(8)?,
        })
    }
}

/// What a run that did not end well leaves in its job.
struct Trace<'a> {
    counts: bool,
    error: Option<&'a str>,
    unsure: bool,
}

impl Step<'_, '_> {
    /// Applies a commit if its token is current (C1).
    pub(super) fn commit_one(&mut self, commit: &Commit) -> rusqlite::Result<Answer> {
        self.check_job(commit.id)?;
        let run = self.first(
            "SELECT seq, id, queue, lane, holds, remember, chat, cancelled, checkpoint
             FROM job WHERE id = ? AND token = ? AND seq NOT IN (SELECT seq FROM damaged)",
            (commit.id.as_bytes(), commit.token.as_bytes()),
            Held::of,
        )?;
        let Some(run) = run else { return Ok(Answer::Lost) };
        if run.cancelled || self.is_cancelled_group(run.job.seq)? {
            self.remove(&run.job)?;
            return Ok(Answer::Cancelled);
        }
        let known = i64::from(commit.checkpoints);
        // A count that is damaged is none.
        if run.checkpoint.max(0) < known {
            return Ok(Answer::Lost);
        }
        if let Outcome::Checkpoint { payload } = &commit.outcome {
            if known == run.checkpoint {
                self.apply(&run, &commit.effects)?;
                let sql = "UPDATE job SET checkpoint = checkpoint + 1, lost = 0, payload = ? WHERE seq = ?";
                self.change(Work::Change, run.job.seq, sql, (payload, run.job.seq))?;
            }
        } else {
            self.apply(&run, &commit.effects)?;
            self.end(&run.job, &commit.outcome)?;
        }
        Ok(Answer::Applied)
    }

    fn end(&mut self, job: &Place, outcome: &Outcome) -> rusqlite::Result<()> {
        match outcome {
            Outcome::Complete if self.options.keep_completed.is_zero() => self.remove(job),
            Outcome::Complete => {
                if !self.ends_without_a_trace(job)? {
                    self.shared.completed += 1;
                    let sql = "UPDATE job
                               SET state = 5, place = ?, token = NULL, holds = 0, secret = NULL
                               WHERE seq = ?";
                    self.change(Work::End, job.seq, sql, (self.recorded.as_micros(), job.seq))?;
                }
                self.ended(job)
            }
            Outcome::Retry { after, hold, error, unsure } => {
                let trace = Trace { counts: true, error: Some(error), unsure: *unsure };
                self.leave_trace(Work::Change, job, &trace)?;
                self.schedule(job, *after, *hold)
            }
            Outcome::Snooze { after, hold, reason, afresh } => {
                let trace = Trace { counts: false, error: reason.as_deref(), unsure: false };
                self.leave_trace(Work::Change, job, &trace)?;
                if *afresh {
                    self.begin_afresh(job)?;
                }
                self.schedule(job, *after, *hold)
            }
            Outcome::Dead { error } => {
                if !self.ends_without_a_trace(job)? {
                    let trace = Trace { counts: true, error: Some(error), unsure: false };
                    self.leave_trace(Work::End, job, &trace)?;
                    let sql = "UPDATE job
                               SET state = 4, place = ?, token = NULL, holds = 0, secret = NULL
                               WHERE seq = ?";
                    self.change(Work::End, job.seq, sql, (self.recorded.as_micros(), job.seq))?;
                }
                self.ended(job)
            }
            Outcome::Release { unsure } => {
                let trace = Trace { counts: false, error: None, unsure: *unsure };
                self.leave_trace(Work::Change, job, &trace)?;
                self.put_in_front(job)
            }
            Outcome::Cancel => self.remove(job),
            Outcome::GiveBack { afresh } => self.give_back(job, *afresh),
            Outcome::Checkpoint { .. } => Ok(()),
        }
    }

    fn schedule(&mut self, job: &Place, after: Duration, hold: Hold) -> rusqlite::Result<()> {
        let at = self.now + after;
        self.waits_until(at);
        self.shared.scheduled += 1;
        let sql = "UPDATE job
                   SET state = 0, place = ?, set_at = ?, token = NULL, holds = iif(?, holds, 0)
                   WHERE seq = ?";
        let params = (at.as_micros(), self.now.as_micros(), hold.keeps(), job.seq);
        self.change(Work::Change, job.seq, sql, params)?;
        match hold {
            Hold::No => self.pass_lane_on(job),
            Hold::Yes => Ok(()),
            Hold::Lend => self.lend(job),
        }
    }

    /// Lets a job's next run count as its first.
    pub(super) fn begin_afresh(&self, job: &Place) -> rusqlite::Result<()> {
        let sql = "UPDATE job SET first_claimed = NULL WHERE seq = ?";
        self.change(Work::Change, job.seq, sql, (job.seq,))
    }

    fn leave_trace(&self, work: Work, job: &Place, trace: &Trace<'_>) -> rusqlite::Result<()> {
        if trace.counts || trace.unsure {
            let sql = "UPDATE job SET failures = failures + ?, unsure = unsure OR ? WHERE seq = ?";
            self.change(work, job.seq, sql, (trace.counts, trace.unsure, job.seq))?;
        }
        trace.error.map_or(Ok(()), |error| self.add_to_history(work, job.seq, error))
    }

    /// Adds a line to a job's history.
    pub(super) fn add_to_history(&self, work: Work, seq: i64, error: &str) -> rusqlite::Result<()> {
        let history = self.statements.with("SELECT history FROM job WHERE seq = ?", |select| {
            select.query_one((seq,), |row| row.get::<_, row::Text>(0))
        })?;
        let mut history = history.lossy();
        row::add_failure(&mut history, self.recorded, error);
        self.change(work, seq, "UPDATE job SET history = ? WHERE seq = ?", (history, seq))
    }

    fn apply(&mut self, run: &Held, effects: &[Effect]) -> rusqlite::Result<()> {
        for effect in effects {
            match effect {
                Effect::Insert(job) => drop(self.insert_one(job)?),
                Effect::Cancel(id) if id.as_bytes()[..] == run.job.id => {}
                Effect::Cancel(id) => drop(self.cancel_one(*id)?),
                Effect::CancelAll { group, origin_by } => {
                    self.cancel_group(&run.job, run.chat.as_ref(), group, *origin_by)?;
                }
                Effect::SetState(state) => self.set_state(run, state.as_deref())?,
                Effect::Scrub { origin } => self.scrub(run, origin)?,
                Effect::Pause { queue, time } => self.pause(queue, Some(*time))?,
            }
        }
        Ok(())
    }

    fn set_state(&self, run: &Held, state: Option<&[u8]>) -> rusqlite::Result<()> {
        let Some(lane) = &run.job.lane else { return Ok(()) };
        let Some(state) = state else {
            let sql =
                "DELETE FROM state WHERE lane = ? AND seq NOT IN (SELECT seq FROM damaged_state)";
            return self.change_state(lane, sql, (lane,)).map(drop);
        };
        let sql = "UPDATE state SET value = ?
                   WHERE lane = ? AND seq NOT IN (SELECT seq FROM damaged_state)";
        if self.change_state(lane, sql, (state, lane))? == 0 {
            self.run("INSERT INTO state (lane, value) VALUES (?, ?)", (lane, state))?;
        }
        Ok(())
    }

    fn scrub(&self, run: &Held, origin: &str) -> rusqlite::Result<()> {
        const SCRUB: &str = "UPDATE job SET payload = CAST('null' AS BLOB)
             WHERE chat = ? AND origin = ? AND state IN (4, 5) AND seq NOT IN (SELECT seq FROM damaged)";
        const SCRUB_ONE: &str = "UPDATE job SET payload = CAST('null' AS BLOB)
             WHERE chat = ? AND origin = ? AND state IN (4, 5) AND seq = ?";
        if !self.care.is_taken() {
            return self.run(SCRUB, (&run.chat, origin)).map(drop);
        }
        let jobs = "SELECT seq FROM job WHERE chat = ? AND seq NOT IN (SELECT seq FROM damaged)";
        for seq in self.check_jobs(jobs, (&run.chat,))? {
            self.change(Work::Change, seq, SCRUB_ONE, (&run.chat, origin, seq))?;
        }
        Ok(())
    }
}
