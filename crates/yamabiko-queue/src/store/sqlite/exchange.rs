//! The last exchange of each line of a worker, and what it claimed (C5).

use super::{
    damage::{RUNNING, Work},
    group::is_cancelled_group,
    step::{Place, Step},
};
use crate::{
    clock::Timestamp,
    store::{LINE_KEPT, LINE_RENEWED, RunToken},
};

/// The last exchange of a line.
pub(super) struct LastExchange {
    pub(super) number: u64,
    /// When it claimed.
    pub(super) at: Timestamp,
}

impl Step<'_, '_> {
    /// Returns the last exchange of a token's line.
    pub(super) fn last_exchange(&self, token: RunToken) -> rusqlite::Result<Option<LastExchange>> {
        self.first("SELECT number, at FROM line WHERE line = ?", (token.line(),), |row| {
            Ok(LastExchange {
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                at: Timestamp::from_micros(row.get(1)?),
            })
        })
    }

    /// Remembers an exchange as the last one of its line.
    pub(super) fn note_exchange(&self, token: RunToken) -> rusqlite::Result<()> {
        let until = self.recorded + LINE_KEPT;
        self.run(
            "INSERT INTO line (line, number, at, until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (line) DO UPDATE SET number = excluded.number, at = excluded.at,
                 until = iif(until < ?5, excluded.until, until)",
            (
                token.line(),
                token.number().cast_signed(),
                self.recorded.as_micros(),
                until.as_micros(),
                (until - LINE_RENEWED).as_micros(),
            ),
        )
        .map(drop)
    }

    /// Gives what stands under a token a full lease, since its worker hears of it only now; what was cancelled meanwhile ends.
    pub(super) fn renew_claims(&mut self, token: RunToken, at: Timestamp) -> rusqlite::Result<()> {
        for (job, _) in self.claimed_under(token)?.iter().filter(|(_, is_cancelled)| *is_cancelled)
        {
            self.remove(job)?;
        }
        const RENEW: &str = "UPDATE job
             SET place = ?, first_claimed = iif(first_claimed = ?, ?, first_claimed)
             WHERE state = 3 AND token = ? AND seq NOT IN (SELECT seq FROM damaged)";
        const RENEW_ONE: &str = "UPDATE job
             SET place = ?, first_claimed = iif(first_claimed = ?, ?, first_claimed)
             WHERE state = 3 AND token = ? AND seq = ?";
        let (end, at, now) = (self.lease_end(), at.as_micros(), self.recorded.as_micros());
        if !self.care.is_taken() {
            return self.run(RENEW, (end, at, now, token.as_bytes())).map(drop);
        }
        for seq in self.check_jobs(RUNNING, ())? {
            self.change(Work::Change, seq, RENEW_ONE, (end, at, now, token.as_bytes(), seq))?;
        }
        Ok(())
    }

    /// Extends the leases of what an exchange claimed whose answer is still awaited.
    pub(super) fn extend_awaited(&self, token: RunToken) -> rusqlite::Result<()> {
        const EXTEND: &str = concat!(
            "UPDATE job SET place = ? WHERE state = 3 AND token = ? AND NOT cancelled
             AND seq NOT IN (SELECT seq FROM damaged) AND NOT ",
            is_cancelled_group!()
        );
        const EXTEND_ONE: &str = concat!(
            "UPDATE job SET place = ? WHERE state = 3 AND token = ? AND NOT cancelled AND seq = ? AND NOT ",
            is_cancelled_group!()
        );
        if !self.care.is_taken() {
            return self.run(EXTEND, (self.lease_end(), token.as_bytes())).map(drop);
        }
        for seq in self.check_jobs(RUNNING, ())? {
            let params = (self.lease_end(), token.as_bytes(), seq);
            self.change(Work::Change, seq, EXTEND_ONE, params)?;
        }
        Ok(())
    }

    /// Puts back what an exchange claimed, as if it had never been claimed.
    pub(super) fn release(&mut self, token: RunToken) -> rusqlite::Result<usize> {
        let last = self.last_exchange(token)?;
        if last.as_ref().is_some_and(|last| last.number > token.number()) {
            return Ok(0);
        }
        let claimed = self.claimed_under(token)?;
        // The last goes to the front first, so that they stand there in their order.
        for (job, is_cancelled) in claimed.iter().rev() {
            if *is_cancelled {
                self.remove(job)?;
                continue;
            }
            let sql = "UPDATE job SET first_claimed = nullif(first_claimed, ?) WHERE seq = ?";
            let at = last.as_ref().map(|last| last.at.as_micros());
            self.change(Work::Change, job.seq, sql, (at, job.seq))?;
            self.put_in_front(job)?;
        }
        self.note_exchange(token)?;
        Ok(claimed.len())
    }

    fn claimed_under(&self, token: RunToken) -> rusqlite::Result<Vec<(Place, bool)>> {
        self.check_jobs(RUNNING, ())?;
        self.all(
            concat!(
                "SELECT seq, id, queue, lane, holds, remember, cancelled OR ",
                is_cancelled_group!(),
                " FROM job WHERE state = 3 AND token = ? AND seq NOT IN (SELECT seq FROM damaged) ORDER BY id"
            ),
            (token.as_bytes(),),
            |row| Ok((Place::of(row)?, row.get(6)?)),
        )
    }
}
