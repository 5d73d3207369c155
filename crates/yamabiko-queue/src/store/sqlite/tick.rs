//! Makes due jobs ready, returns ended claims, and prunes.

use std::time::Duration;

use rusqlite::{Params, Row};

use super::{
    damage::{RUNNING, Work},
    row,
    step::{Place, Step, limit},
};
use crate::{
    clock::Timestamp,
    store::{
        MAX_DROPPED, MAX_DUE, MAX_ENDED, Tick,
        grace::{Grace, Spans},
    },
};

/// Deletes the foremost of some jobs all at once, and names them one by one.
macro_rules! prunes {
    ($which:literal) => {
        (
            concat!("DELETE FROM job WHERE seq IN (", prunes!(@jobs $which), ")"),
            prunes!(@jobs $which),
        )
    };
    (@jobs $which:literal) => {
        concat!(
            "SELECT seq FROM job WHERE ",
            $which,
            " AND seq NOT IN (SELECT seq FROM damaged) ORDER BY place, id LIMIT ?"
        )
    };
}

/// Records of each sort that one tick prunes at most.
const MAX_PRUNED: i64 = 256;

impl Step<'_, '_> {
    /// Ticks (T2); jobs become ready that were due `later` ago.
    pub(super) fn tick(&mut self, grace: &mut Grace, later: Duration) -> rusqlite::Result<Tick> {
        let spans = Spans::of(self.options);
        let may_end = grace.step(self.now, spans);
        // A turn looks only behind a gap, where the clock may have been set: a tick of its own comes at least every second
        // where timers are served.
        let is_own = later.is_zero();
        let is_correct = (!is_own && self.now > grace.since) || self.correct()?;
        let sweeps = self.sweep_groups()?;
        let mut first = self.firsts()?;
        let (until, now) = (self.now - later, self.now);
        let promoted = if reached(first.due, until) { self.promote(until)? } else { 0 };
        let ended = if may_end && reached(first.lease_end, now) { self.end_claims()? } else { 0 };
        if is_own {
            self.prune(&first)?;
        }
        let has_resumed = self.clear(&first)?;
        let dropped = if is_own && first.dead.is_some() { self.drop_dead()? } else { 0 };
        if reached(first.due, until) || ended > 0 || has_resumed {
            first = self.firsts()?;
        }
        let next_end = first.lease_end.map(|end| grace.next_end(end, now, may_end, spans));
        let is_unfinished = sweeps || !is_correct || dropped == MAX_DROPPED;
        let again = is_unfinished.then_some(now);
        let next = [first.due, next_end, first.resumed, again].into_iter().flatten().min();
        Ok(Tick { now, promoted, ended, dropped, forgotten: 0, next })
    }

    /// Looks at the first of all that waits for a time: most ticks find nothing to do, at the price of this one look.
    fn firsts(&self) -> rusqlite::Result<Firsts> {
        self.statements.with(
            "SELECT (SELECT min(place) FROM job WHERE state = 0 AND seq NOT IN (SELECT seq FROM damaged)),
                    (SELECT min(place) FROM job WHERE state = 3 AND seq NOT IN (SELECT seq FROM damaged)),
                    (SELECT min(until) FROM paused),
                    (SELECT min(place) FROM job WHERE state = 4 AND seq NOT IN (SELECT seq FROM damaged)),
                    (SELECT min(place) FROM job WHERE state = 5 AND seq NOT IN (SELECT seq FROM damaged)),
                    (SELECT min(until) FROM seen),
                    (SELECT min(until) FROM process),
                    (SELECT min(until) FROM line)",
            |select| select.query_one((), Firsts::of),
        )
    }

    fn promote(&mut self, until: Timestamp) -> rusqlite::Result<usize> {
        self.check_jobs(
            "SELECT seq FROM job WHERE state = 0 AND place <= ? AND seq NOT IN (SELECT seq FROM damaged)
             ORDER BY place, id LIMIT ?",
            (until.as_micros(), limit(MAX_DUE)),
        )?;
        let due = self.all(
            "SELECT seq, id, queue, lane, holds, remember FROM job
             WHERE state = 0 AND place <= ? AND seq NOT IN (SELECT seq FROM damaged)
             ORDER BY place, id LIMIT ?",
            (until.as_micros(), limit(MAX_DUE)),
            Place::of,
        )?;
        self.shared.scheduled -= limit(due.len());
        let mut promoted = 0;
        for job in &due {
            if self.is_cancelled_group(job.seq)? {
                self.remove(job)?;
            } else {
                self.enter(job)?;
                promoted += 1;
            }
        }
        Ok(promoted)
    }

    fn end_claims(&mut self) -> rusqlite::Result<usize> {
        self.check_jobs(RUNNING, ())?;
        let ended = self.all(
            "SELECT seq, id, queue, lane, holds, remember, cancelled FROM job
             WHERE state = 3 AND place <= ? AND seq NOT IN (SELECT seq FROM damaged)
             ORDER BY place, id LIMIT ?",
            (self.now.as_micros(), limit(MAX_ENDED)),
            |row| Ok((Place::of(row)?, row.get::<_, bool>(6)?)),
        )?;
        for (job, _) in ended.iter().filter(|(_, cancelled)| *cancelled) {
            self.remove(job)?;
        }
        // The last goes to the front first, so that they stand there in their order.
        for (job, _) in ended.iter().rev().filter(|(_, cancelled)| !cancelled) {
            self.note_lost_claim(job)?;
            self.put_in_front(job)?;
        }
        Ok(ended.len())
    }

    /// Notes that a job's claim ended without a report (C4, O3).
    pub(super) fn note_lost_claim(&self, job: &Place) -> rusqlite::Result<()> {
        let sql = "UPDATE job SET lost = lost + 1, unsure = 1 WHERE seq = ?";
        self.change(Work::Change, job.seq, sql, (job.seq,))?;
        self.add_to_history(Work::Change, job.seq, "the claim ended without a report")
    }

    /// Removes what comes seldom enough that one tick a second is enough.
    fn prune(&mut self, first: &Firsts) -> rusqlite::Result<()> {
        let dead_until = self.recorded - self.options.keep_dead;
        if self.is_trusted && reached(first.dead, dead_until) {
            self.forget_all(
                prunes!("state = 4 AND place <= ?"),
                (dead_until.as_micros(), MAX_PRUNED),
            )?;
        }
        if reached(first.silent, self.now) {
            self.run("DELETE FROM process WHERE until <= ?", (self.now.as_micros(),))?;
        }
        if self.is_trusted && reached(first.ended_line, self.recorded) {
            self.run("DELETE FROM line WHERE until <= ?", (self.recorded.as_micros(),))?;
        }
        if self.is_trusted {
            self.prune_revoked(MAX_PRUNED)?;
        }
        Ok(())
    }

    /// Removes what comes as fast as turns make it. Says whether a pause ended, after which another may be the first.
    fn clear(&mut self, first: &Firsts) -> rusqlite::Result<bool> {
        if first.completed.is_some() {
            self.prune_completed(first.completed)?;
        }
        if self.is_trusted && reached(first.forgotten, self.recorded) {
            self.run(
                "DELETE FROM seen WHERE id IN
                 (SELECT id FROM seen WHERE until <= ? ORDER BY until LIMIT ?)",
                (self.recorded.as_micros(), MAX_PRUNED),
            )?;
        }
        if !reached(first.resumed, self.now) {
            return Ok(false);
        }
        let resumed = "DELETE FROM paused WHERE until <= ? RETURNING queue";
        for queue in self.all(resumed, (self.now.as_micros(),), |row| row.get::<_, row::Text>(0))? {
            self.touch(&queue.lossy());
        }
        Ok(true)
    }

    fn prune_completed(&mut self, first: Option<Timestamp>) -> rusqlite::Result<()> {
        let until = self.recorded - self.options.keep_completed;
        let old = if self.is_trusted && reached(first, until) {
            self.forget_all(prunes!("state = 5 AND place <= ?"), (until.as_micros(), MAX_PRUNED))?
        } else {
            0
        };
        self.shared.completed -= limit(old);
        let too_many = self.shared.completed - i64::from(self.options.keep_completed_max);
        if too_many > 0 {
            let most = too_many.min(MAX_PRUNED - limit(old));
            let surplus = self.forget_all(prunes!("state = 5"), (most,))?;
            self.shared.completed -= limit(surplus);
        }
        Ok(())
    }

    /// Takes the oldest of more dead jobs than may be kept out of the store, and returns how many.
    fn drop_dead(&mut self) -> rusqlite::Result<usize> {
        // Counts no further than it has to, and only in ticks of their own, which come once a second.
        let newest =
            "SELECT place, id FROM job WHERE state = 4 AND seq NOT IN (SELECT seq FROM damaged)
                      ORDER BY place DESC, id DESC LIMIT 1 OFFSET ?";
        let last = self.first(newest, (self.options.keep_dead_max,), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let Some((place, id)) = last else { return Ok(0) };
        let dropped = prunes!("state = 4 AND (place, id) <= (?, ?)");
        self.forget_all(dropped, (place, id, limit(MAX_DROPPED)))
    }

    /// Takes jobs out of the store that have ended long ago, and returns how many.
    fn forget_all(
        &mut self,
        (all, jobs): (&'static str, &'static str),
        params: impl Params,
    ) -> rusqlite::Result<usize> {
        if !self.care.is_taken() {
            return self.run(all, params);
        }
        let jobs = self.check_jobs(jobs, params)?;
        for seq in &jobs {
            let sql = "SELECT seq, id, queue, lane, holds, remember FROM job WHERE seq = ?";
            if let Some(job) = self.first(sql, (seq,), Place::of)? {
                self.forget(&job)?;
            }
        }
        Ok(jobs.len())
    }
}

/// The earliest of each sort of time.
struct Firsts {
    due: Option<Timestamp>,
    lease_end: Option<Timestamp>,
    /// A pause's end.
    resumed: Option<Timestamp>,
    /// Since when a job is dead.
    dead: Option<Timestamp>,
    /// Since when a job is completed.
    completed: Option<Timestamp>,
    /// Until when an id is remembered.
    forgotten: Option<Timestamp>,
    /// Until when a process counts as alive.
    silent: Option<Timestamp>,
    /// Until when a line is remembered.
    ended_line: Option<Timestamp>,
}

impl Firsts {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            due: row::time(row, 0)?,
            lease_end: row::time(row, 1)?,
            resumed: row::time(row, 2)?,
            dead: row::time(row, 3)?,
            completed: row::time(row, 4)?,
            forgotten: row::time(row, 5)?,
            silent: row::time(row, 6)?,
            ended_line: row::time(row, 7)?,
        })
    }
}

/// Says whether there is something whose time has come.
fn reached(first: Option<Timestamp>, now: Timestamp) -> bool {
    first.is_some_and(|first| first <= now)
}
