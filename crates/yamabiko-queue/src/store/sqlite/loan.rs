//! Lanes that a job lends while it waits for its next run (O8).
//!
//! A lane has one holder at any time: the lender while nobody has borrowed it, else the borrower. When the lender is due, it
//! has its lane back at once, or waits first in line until the borrower has left.

use rusqlite::{Row, ToSql};

use super::{
    damage::Work,
    row::Text,
    step::{Place, Step},
};

/// A lane that is lent.
struct Loan {
    lender: Option<i64>,
    borrower: Option<i64>,
    place: Option<i64>,
}

impl Loan {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { lender: row.get(0)?, borrower: row.get(1)?, place: row.get(2)? })
    }
}

/// A job that may pass the one that lends the lane.
struct Passer {
    seq: i64,
    place: i64,
    queue: Text,
}

impl Passer {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { seq: row.get(0)?, place: row.get(1)?, queue: row.get(2)? })
    }
}

impl Step<'_, '_> {
    fn loan(&self, lane: Option<impl ToSql>) -> rusqlite::Result<Option<Loan>> {
        let Some(lane) = lane.filter(|_| self.has_loans) else { return Ok(None) };
        let sql = "SELECT lender, borrower, place FROM loan WHERE lane = ?";
        self.first(sql, (lane,), Loan::of)
    }

    /// Looks at the job that lends a lane, if care is taken.
    fn check_lender(&self, lane: impl ToSql) -> rusqlite::Result<()> {
        let sql = "SELECT lender FROM loan
                   WHERE lane = ? AND lender IS NOT NULL AND lender NOT IN (SELECT seq FROM damaged)";
        self.check_jobs(sql, (lane,)).map(drop)
    }

    /// Lends the lane of a job that has just been put off.
    pub(super) fn lend(&mut self, job: &Place) -> rusqlite::Result<()> {
        let Some(lane) = &job.lane else { return Ok(()) };
        let sql = "INSERT INTO loan (lane, lender) VALUES (?, ?) ON CONFLICT (lane) DO NOTHING";
        self.run(sql, (lane, job.seq))?;
        self.has_loans = true;
        self.lend_again(Some(lane))
    }

    /// Gives a lane that is lent, and that nobody has borrowed, to the first in line that may pass the lender.
    ///
    /// A lender that is due goes before it, even where no tick has come to it yet.
    pub(super) fn lend_again(&mut self, lane: Option<impl ToSql + Copy>) -> rusqlite::Result<()> {
        let Some((lane, Loan { lender: Some(lender), borrower: None, .. })) =
            lane.zip(self.loan(lane)?)
        else {
            return Ok(());
        };
        let now = self.now.as_micros();
        self.check_lender(lane)?;
        self.check_jobs(
            "SELECT seq FROM job
             WHERE state = 2 AND lane = ? AND passes_until > ? AND seq NOT IN (SELECT seq FROM damaged)",
            (lane, now),
        )?;
        let passer = self.first(
            "SELECT job.seq, job.place, job.queue FROM job, job AS lender
             WHERE lender.seq = ?1 AND lender.state = 0 AND lender.place > ?3
                 AND job.state = 2 AND job.lane = ?2 AND job.passes_until > ?3 AND job.origin <> ifnull(lender.origin, '')
                 AND job.seq NOT IN (SELECT seq FROM damaged)
             ORDER BY job.place LIMIT 1",
            (lender, lane, now),
            Passer::of,
        )?;
        let Some(Passer { seq, place, queue }) = passer else { return Ok(()) };
        let sql = "UPDATE job SET holds = 0 WHERE seq = ?";
        self.change(Work::Change, lender, sql, (lender,))?;
        let sql = "UPDATE loan SET borrower = ?, place = ? WHERE lane = ?";
        self.run(sql, (seq, place, lane))?;
        let holds = self.next_hold(Some(lane))?;
        self.make_ready(seq, &queue.lossy(), holds)
    }

    /// Ends a loan whose lender is due, and returns whether that one has to wait in front of all others in line.
    pub(super) fn waits_in_front(&mut self, job: &Place) -> rusqlite::Result<bool> {
        let Some(loan) = self.loan(job.lane.as_ref())? else { return Ok(false) };
        if loan.lender != Some(job.seq) {
            return Ok(false);
        }
        if loan.borrower.is_none() {
            self.run("DELETE FROM loan WHERE lane = ?", (&job.lane,))?;
            return Ok(false);
        }
        self.run("UPDATE loan SET lender = NULL WHERE lane = ?", (&job.lane,))?;
        let place = self.front();
        let sql = "UPDATE job SET state = 2, place = ? WHERE seq = ?";
        self.change(Work::Change, job.seq, sql, (place, job.seq))?;
        Ok(true)
    }

    /// Gives a lane that a job leaves back to the lender, and returns whether the lane has its holder by that.
    pub(super) fn ends_loan(&mut self, job: &Place) -> rusqlite::Result<bool> {
        let Some(Loan { lender, borrower, .. }) = self.loan(job.lane.as_ref())? else {
            return Ok(false);
        };
        if lender == Some(job.seq) && borrower.is_some() {
            self.run("UPDATE loan SET lender = NULL WHERE lane = ?", (&job.lane,))?;
            return Ok(true);
        }
        if job.holds == 0 {
            return Ok(false);
        }
        if let (Some(lender), true) = (lender, borrower == Some(job.seq)) {
            self.check_lender(&job.lane)?;
            let sql = "SELECT 1 FROM job WHERE seq = ? AND state = 0 AND seq NOT IN (SELECT seq FROM damaged)";
            if self.exists(sql, (lender,))? {
                let sql = "UPDATE loan SET borrower = NULL, place = NULL WHERE lane = ?";
                self.run(sql, (&job.lane,))?;
                let holds = self.next_hold(job.lane.as_ref())?;
                let sql = "UPDATE job SET holds = ? WHERE seq = ?";
                self.change(Work::Change, lender, sql, (holds, lender))?;
                self.lend_again(job.lane.as_ref())?;
                return Ok(true);
            }
        }
        self.run("DELETE FROM loan WHERE lane = ?", (&job.lane,))?;
        Ok(false)
    }

    /// Returns whether a job has its lane on loan.
    pub(super) fn is_on_loan(&self, seq: i64, lane: Option<&String>) -> rusqlite::Result<bool> {
        Ok(self.loan(lane)?.is_some_and(|loan| loan.borrower == Some(seq)))
    }

    /// Puts a job that has its lane on loan back to its place in line; it passes no other any more.
    pub(super) fn give_back(&mut self, job: &Place, afresh: bool) -> rusqlite::Result<()> {
        if afresh {
            self.begin_afresh(job)?;
        }
        let loan = self.loan(job.lane.as_ref())?.filter(|loan| loan.borrower == Some(job.seq));
        let Some(place) = loan.and_then(|loan| loan.place) else {
            return self.put_in_front(job);
        };
        let sql = "UPDATE job SET state = 2, place = ?, token = NULL, holds = 0, passes_until = NULL WHERE seq = ?";
        self.change(Work::Change, job.seq, sql, (place, job.seq))?;
        self.pass_lane_on(job)
    }
}
