//! Ends and checkpoints runs, together with their effects.

use std::time::Duration;

use rusqlite::Row;

use super::{
    row,
    step::{Place, Step},
};
use crate::store::{Answer, Commit, Effect, Outcome};

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
        let run = self.first(
            "SELECT seq, id, queue, lane, holds, remember, chat, cancelled, checkpoint
             FROM job WHERE id = ? AND token = ?",
            (commit.id.as_bytes(), commit.token.as_bytes()),
            Held::of,
        )?;
        let Some(run) = run else { return Ok(Answer::Lost) };
        if run.cancelled {
            self.remove(&run.job)?;
            return Ok(Answer::Cancelled);
        }
        if let Outcome::Checkpoint { number, payload } = &commit.outcome {
            if i64::from(*number) == run.checkpoint {
                self.apply(&run, &commit.effects)?;
                self.run(
                    "UPDATE job SET checkpoint = checkpoint + 1, lost = 0, payload = ? WHERE seq = ?",
                    (payload, run.job.seq),
                )?;
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
                self.shared.completed += 1;
                self.run(
                    "UPDATE job SET state = 5, place = ?, token = NULL, holds = 0, secret = NULL
                     WHERE seq = ?",
                    (self.recorded.as_micros(), job.seq),
                )?;
                self.ended(job)
            }
            Outcome::Retry { after, hold, error, unsure } => {
                let trace = Trace { counts: true, error: Some(error), unsure: *unsure };
                self.leave_trace(job, &trace)?;
                self.schedule(job, *after, *hold)
            }
            Outcome::Snooze { after, hold, reason, afresh } => {
                let trace = Trace { counts: false, error: reason.as_deref(), unsure: false };
                self.leave_trace(job, &trace)?;
                if *afresh {
                    self.run("UPDATE job SET first_claimed = NULL WHERE seq = ?", (job.seq,))?;
                }
                self.schedule(job, *after, *hold)
            }
            Outcome::Dead { error } => {
                let trace = Trace { counts: true, error: Some(error), unsure: false };
                self.leave_trace(job, &trace)?;
                self.run(
                    "UPDATE job SET state = 4, place = ?, token = NULL, holds = 0, secret = NULL
                     WHERE seq = ?",
                    (self.recorded.as_micros(), job.seq),
                )?;
                self.ended(job)
            }
            Outcome::Release { unsure } => {
                let trace = Trace { counts: false, error: None, unsure: *unsure };
                self.leave_trace(job, &trace)?;
                self.put_in_front(job)
            }
            Outcome::Cancel => self.remove(job),
            Outcome::Checkpoint { .. } => Ok(()),
        }
    }

    fn schedule(&mut self, job: &Place, after: Duration, hold: bool) -> rusqlite::Result<()> {
        let at = self.now + after;
        self.waits_until(at);
        self.shared.scheduled += 1;
        self.run(
            "UPDATE job SET state = 0, place = ?, set_at = ?, token = NULL, holds = holds AND ?
             WHERE seq = ?",
            (at.as_micros(), self.now.as_micros(), hold, job.seq),
        )?;
        if hold { Ok(()) } else { self.pass_lane_on(job) }
    }

    fn leave_trace(&self, job: &Place, trace: &Trace<'_>) -> rusqlite::Result<()> {
        if trace.counts || trace.unsure {
            self.run(
                "UPDATE job SET failures = failures + ?, unsure = unsure OR ? WHERE seq = ?",
                (trace.counts, trace.unsure, job.seq),
            )?;
        }
        trace.error.map_or(Ok(()), |error| self.add_to_history(job.seq, error))
    }

    /// Adds a line to a job's history.
    pub(super) fn add_to_history(&self, seq: i64, error: &str) -> rusqlite::Result<()> {
        let history = self.statements.with("SELECT history FROM job WHERE seq = ?", |select| {
            select.query_one((seq,), |row| row.get::<_, row::Text>(0))
        })?;
        let mut history = history.lossy();
        row::add_failure(&mut history, self.recorded, error);
        self.run("UPDATE job SET history = ? WHERE seq = ?", (history, seq)).map(drop)
    }

    fn apply(&mut self, run: &Held, effects: &[Effect]) -> rusqlite::Result<()> {
        for effect in effects {
            match effect {
                Effect::Insert(job) => drop(self.insert_one(job)?),
                Effect::Cancel(id) if id.as_bytes()[..] == run.job.id => {}
                Effect::Cancel(id) => drop(self.cancel_one(*id)?),
                Effect::SetState(state) => self.set_state(run, state.as_deref())?,
                Effect::Scrub { origin } => self.scrub(run, origin)?,
                Effect::Pause { queue, time } => self.pause(queue, Some(*time))?,
            }
        }
        Ok(())
    }

    fn set_state(&self, run: &Held, state: Option<&[u8]>) -> rusqlite::Result<()> {
        match (&run.job.lane, state) {
            (None, _) => Ok(0),
            (Some(lane), Some(state)) => self.run(
                "INSERT INTO state (lane, value) VALUES (?, ?)
                 ON CONFLICT (lane) DO UPDATE SET value = excluded.value",
                (lane, state),
            ),
            (Some(lane), None) => self.run("DELETE FROM state WHERE lane = ?", (lane,)),
        }
        .map(drop)
    }

    fn scrub(&self, run: &Held, origin: &str) -> rusqlite::Result<()> {
        let sql = "UPDATE job SET payload = CAST('null' AS BLOB)
                   WHERE chat = ? AND origin = ? AND state IN (4, 5)";
        self.run(sql, (&run.chat, origin)).map(drop)
    }
}
