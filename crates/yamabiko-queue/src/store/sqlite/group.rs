//! Groups of a chat's jobs that are cancelled all at once (I4).
//!
//! A group holds from the commit that cancels it: none of its jobs is promoted, claimed or shown as live, and none that is
//! running can commit. Ticks take them out, so many at a time.

use rusqlite::Row;

use super::{
    damage::Work,
    row::Text,
    step::{Place, Step, limit},
};
use crate::{clock::Timestamp, store::Group};

/// Whether the row of `job` is in the group of the row of `cancelled_group`.
macro_rules! is_in_group {
    () => {
        "(cancelled_group.origin_by IS NULL OR ifnull(job.origin_time, job.arrived) <= cancelled_group.origin_by)
         AND CASE cancelled_group.what
                 WHEN 0 THEN job.kind = cancelled_group.name
                 WHEN 1 THEN job.origin IS cancelled_group.name
                 ELSE job.kind <> cancelled_group.name OR job.state = 0
             END"
    };
}

/// Whether the row of `job`, which is live, is in a group that was cancelled after it was stored.
macro_rules! is_cancelled_group {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM cancelled_group WHERE cancelled_group.chat = job.chat
             AND cancelled_group.number > job.spared AND ",
            $crate::store::sqlite::group::is_in_group!(),
            ")"
        )
    };
}
pub(super) use {is_cancelled_group, is_in_group};

/// The group whose turn it is to be taken out.
struct Oldest {
    number: i64,
    chat: Text,
}

impl Oldest {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, chat: row.get(1)? })
    }
}

/// A live job of a group's chat.
struct Candidate {
    job: Place,
    state: u8,
    is_in_group: bool,
}

impl Candidate {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { job: Place::of(row)?, state: row.get(6)?, is_in_group: row.get(7)? })
    }
}

impl Step<'_, '_> {
    /// Notes a group of a run's chat; one that concerns no job that this one does not is done with.
    pub(super) fn cancel_group(
        &mut self,
        run: &Place,
        chat: Option<&Text>,
        group: &Group,
        origin_by: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        let Some(chat) = chat else { return Ok(()) };
        let what = match group {
            Group::Kind(_) => 0,
            Group::Origin(_) => 1,
            Group::AllBut(_) => 2,
        };
        let (name, by) = (group.name(), origin_by.map(Timestamp::as_micros));
        self.run(
            "DELETE FROM cancelled_group WHERE chat = ?1 AND what = ?2 AND name = ?3 AND (?4 IS NULL OR origin_by <= ?4)",
            (chat, what, name, by),
        )?;
        let number = self.tail();
        self.run(
            "INSERT INTO cancelled_group (number, chat, what, name, origin_by) VALUES (?, ?, ?, ?, ?)",
            (number, chat, what, name, by),
        )?;
        let sql = "UPDATE job SET spared = ? WHERE seq = ?";
        self.change(Work::Change, run.seq, sql, (number, run.seq))?;
        self.has_groups = true;
        Ok(())
    }

    /// Returns what a job of this chat spares that begins to live now.
    pub(super) fn newest_group(&self, chat: Option<&str>) -> rusqlite::Result<i64> {
        let Some(chat) = chat.filter(|_| self.has_groups) else { return Ok(0) };
        let sql = "SELECT ifnull(max(number), 0) FROM cancelled_group WHERE chat = ?";
        self.statements.with(sql, |select| select.query_one((chat,), |row| row.get(0)))
    }

    /// Returns whether a live job is in a group that was cancelled after it was stored.
    pub(super) fn is_cancelled_group(&self, seq: i64) -> rusqlite::Result<bool> {
        let sql = concat!("SELECT 1 FROM job WHERE seq = ? AND ", is_cancelled_group!());
        Ok(self.has_groups && self.exists(sql, (seq,))?)
    }

    /// Takes out jobs of cancelled groups, and returns whether there is more to do.
    pub(super) fn sweep_groups(&mut self) -> rusqlite::Result<bool> {
        let mut left = self.options.cancel_batch.max(1);
        while self.has_groups && left > 0 {
            let oldest = "SELECT number, chat FROM cancelled_group ORDER BY number LIMIT 1";
            let Some(group) = self.first(oldest, (), Oldest::of)? else {
                self.has_groups = false;
                break;
            };
            let looked_at = self.sweep(&group, left)?;
            if looked_at < left {
                self.run("DELETE FROM cancelled_group WHERE number = ?", (group.number,))?;
            }
            left -= looked_at.clamp(1, left);
        }
        if self.has_groups {
            self.has_groups = self.exists("SELECT 1 FROM cancelled_group", ())?;
        }
        Ok(self.has_groups)
    }

    /// Looks at the next jobs of a group's chat, and returns how many there were.
    fn sweep(&mut self, group: &Oldest, at_most: usize) -> rusqlite::Result<usize> {
        self.check_jobs(
            "SELECT seq FROM job WHERE chat = ? AND spared < ? AND seq NOT IN (SELECT seq FROM damaged)",
            (&group.chat, group.number),
        )?;
        let found = self.all(
            concat!(
                "SELECT job.seq, job.id, job.queue, job.lane, job.holds, job.remember, job.state, ifnull(",
                is_in_group!(),
                ", 0) FROM job, cancelled_group
                 WHERE cancelled_group.number = ?1 AND job.chat = ?2 AND job.spared < ?1 AND job.state < 4
                 AND job.seq NOT IN (SELECT seq FROM damaged)
                 ORDER BY job.spared DESC, job.id LIMIT ?3"
            ),
            (group.number, &group.chat, limit(at_most)),
            Candidate::of,
        )?;
        for Candidate { job, state, is_in_group } in &found {
            if *is_in_group && *state != 3 {
                self.shared.scheduled -= i64::from(*state == 0);
                // One that was removed before may have handed its lane on to this one.
                let now = "SELECT seq, id, queue, lane, holds, remember FROM job WHERE seq = ?";
                let job = self.first(now, (job.seq,), Place::of)?;
                job.map_or(Ok(()), |job| self.remove(&job))?;
                continue;
            }
            let sql = "UPDATE job SET spared = ?, cancelled = cancelled OR ? WHERE seq = ?";
            self.change(Work::Change, job.seq, sql, (group.number, is_in_group, job.seq))?;
        }
        Ok(found.len())
    }
}
