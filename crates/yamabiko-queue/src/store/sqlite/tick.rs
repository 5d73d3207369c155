//! Makes due jobs ready, returns ended claims, and prunes.

use std::time::Duration;

use super::{
    row,
    step::{Place, Step, limit},
};
use crate::{
    clock::Timestamp,
    store::{MAX_DUE, MAX_ENDED, Tick, grace::Grace},
};

/// Records of each sort that one tick prunes at most.
const MAX_PRUNED: i64 = 256;

impl Step<'_, '_> {
    /// Ticks (T2); jobs become ready that were due `later` ago.
    pub(super) fn tick(&mut self, grace: &mut Grace, later: Duration) -> rusqlite::Result<Tick> {
        let may_end = grace.step(self.now, self.options.lease());
        let promoted = self.promote(self.now - later)?;
        let ended = if may_end { self.end_claims()? } else { 0 };
        self.prune()?;
        let next =
            self.next(if may_end { self.now } else { grace.since + self.options.lease() })?;
        Ok(Tick { now: self.now, promoted, ended, next })
    }

    fn promote(&mut self, until: Timestamp) -> rusqlite::Result<usize> {
        let due = self.all(
            "SELECT seq, id, queue, lane, holds, remember FROM job
             WHERE state = 0 AND place <= ? ORDER BY place, id LIMIT ?",
            (until.as_micros(), limit(MAX_DUE)),
            Place::of,
        )?;
        for job in &due {
            self.enter(job)?;
        }
        Ok(due.len())
    }

    fn end_claims(&mut self) -> rusqlite::Result<usize> {
        let ended = self.all(
            "SELECT seq, id, queue, lane, holds, remember, cancelled FROM job
             WHERE state = 3 AND place <= ? ORDER BY place, id LIMIT ?",
            (self.now.as_micros(), limit(MAX_ENDED)),
            |row| Ok((Place::of(row)?, row.get::<_, bool>(6)?)),
        )?;
        for (job, _) in ended.iter().filter(|(_, cancelled)| *cancelled) {
            self.remove(job)?;
        }
        // The last goes to the front first, so that they stand there in their order.
        for (job, _) in ended.iter().rev().filter(|(_, cancelled)| !cancelled) {
            self.run("UPDATE job SET lost = lost + 1, unsure = 1 WHERE seq = ?", (job.seq,))?;
            self.add_to_history(job.seq, "the claim ended without a report")?;
            self.put_in_front(job)?;
        }
        Ok(ended.len())
    }

    fn prune(&mut self) -> rusqlite::Result<()> {
        let now = self.now.as_micros();
        let dead_until = (self.now - self.options.keep_dead).as_micros();
        self.run(
            "DELETE FROM job WHERE seq IN
             (SELECT seq FROM job WHERE state = 4 AND place <= ? ORDER BY place, id LIMIT ?)",
            (dead_until, MAX_PRUNED),
        )?;
        if self.shared.completed > 0 {
            self.prune_completed()?;
        }
        self.run(
            "DELETE FROM seen WHERE id IN
             (SELECT id FROM seen WHERE until <= ? ORDER BY until LIMIT ?)",
            (now, MAX_PRUNED),
        )?;
        self.run("DELETE FROM process WHERE until <= ?", (now,))?;
        let resumed = "DELETE FROM paused WHERE until <= ? RETURNING queue";
        for queue in self.all(resumed, (now,), |row| row.get::<_, row::Text>(0))? {
            self.touch(&queue.lossy());
        }
        Ok(())
    }

    fn prune_completed(&mut self) -> rusqlite::Result<()> {
        let too_many = self.shared.completed - i64::from(self.options.keep_completed_max);
        let until = (self.now - self.options.keep_completed).as_micros();
        let old = self.run(
            "DELETE FROM job WHERE seq IN
             (SELECT seq FROM job WHERE state = 5 AND place <= ? ORDER BY place, id LIMIT ?)",
            (until, MAX_PRUNED),
        )?;
        let old = i64::try_from(old).unwrap_or(0);
        let surplus = self.run(
            "DELETE FROM job WHERE seq IN
             (SELECT seq FROM job WHERE state = 5 ORDER BY place, id LIMIT ?)",
            ((too_many - old).clamp(0, MAX_PRUNED - old),),
        )?;
        self.shared.completed -= old + i64::try_from(surplus).unwrap_or(0);
        Ok(())
    }

    /// Returns when to come again; claims do not end before `spared_until`.
    fn next(&self, spared_until: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
        let earliest = |sql| -> rusqlite::Result<_> {
            Ok(self.first(sql, (), |row| row::time(row, 0))?.flatten())
        };
        let due = earliest("SELECT min(place) FROM job WHERE state = 0")?;
        let lease_end = earliest("SELECT min(place) FROM job WHERE state = 3")?;
        let resumed = earliest("SELECT min(until) FROM paused")?;
        let spared = lease_end.map(|end| end.max(spared_until));
        Ok([due, spared, resumed].into_iter().flatten().min())
    }
}
