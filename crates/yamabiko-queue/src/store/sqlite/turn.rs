//! A worker's step: commits, a tick, and the next claims.

use rusqlite::Row;

use super::{
    row,
    step::{Step, limit},
};
use crate::{
    job::{Job, JobId},
    store::{Claim, Commit, Held, Process, RunToken, TURN_LATER, Turn, Want, grace::Grace},
};

/// A job that can be claimed, with its lane's state.
struct Ready {
    seq: i64,
    place: i64,
    job: Job,
    state: Option<Vec<u8>>,
}

impl Ready {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(row::SEQ)?,
            place: row.get(row::PLACE)?,
            job: row::job(row)?,
            state: row.get(row::BEHIND_JOB)?,
        })
    }
}

impl Step<'_, '_> {
    /// Ends runs, ticks, and claims the next jobs.
    pub(super) fn turn(
        &mut self,
        commits: &[Commit],
        wants: &[Want],
        grace: &mut Grace,
    ) -> rusqlite::Result<Turn> {
        let answers =
            commits.iter().map(|commit| self.commit_one(commit)).collect::<Result<_, _>>()?;
        let tick = self.tick(grace, TURN_LATER)?;
        let mut claims = Vec::new();
        for want in wants {
            let at_most = claims.len() + want.at_most;
            for queue in &want.queues {
                self.claim(queue, at_most, &mut claims)?;
            }
        }
        if !claims.is_empty() {
            self.shared.token += 1;
        }
        Ok(Turn { answers, claims, tick })
    }

    /// Claims jobs of a queue until there are `at_most` claims; all claims of a turn have the same token (C1).
    fn claim(
        &mut self,
        queue: &str,
        at_most: usize,
        claims: &mut Vec<Claim>,
    ) -> rusqlite::Result<()> {
        let room = at_most.saturating_sub(claims.len());
        if room == 0 || self.is_paused(queue)? {
            return Ok(());
        }
        let token = self.shared.token + 1;
        let found = self.all(
            "SELECT job.*, value FROM job LEFT JOIN state ON state.lane = job.lane
             WHERE state = 1 AND queue = ? ORDER BY place LIMIT ?",
            (queue, limit(room)),
            Ready::of,
        )?;
        let Some(last) = found.last() else { return Ok(()) };
        if found.len() == room {
            // What this worker leaves is for others (W1).
            self.touch(queue);
        }
        // Places are unique, so that these are the same jobs.
        self.run(
            "UPDATE job SET state = 3, place = ?, token = ?, first_claimed = ifnull(first_claimed, ?)
             WHERE state = 1 AND queue = ? AND place <= ?",
            (self.lease_end(), token, self.now.as_micros(), queue, last.place),
        )?;
        for Ready { seq, mut job, state, .. } in found {
            if job.unreadable.is_some() {
                // A row without a proper id gets one, by which its end can be committed.
                self.run("UPDATE job SET id = ? WHERE seq = ?", (job.id.as_bytes(), seq))?;
            }
            job.first_claimed.get_or_insert(self.now);
            let token = RunToken(token.cast_unsigned());
            claims.push(Claim { job, token, claimed_at: self.now, state });
        }
        Ok(())
    }

    /// Returns when a lease ends that begins now.
    fn lease_end(&self) -> i64 {
        (self.now + self.options.lease()).as_micros()
    }

    /// Extends the leases of runs and says which are still held (C2).
    pub(super) fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
    ) -> rusqlite::Result<Vec<Held>> {
        let lease_end = self.lease_end();
        let about = serde_json::to_string(process).unwrap_or_default();
        self.run(
            "INSERT INTO process VALUES (?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET until = excluded.until, about = excluded.about",
            (&process.name, lease_end, about),
        )?;
        let extend = |(id, token): &(JobId, RunToken)| {
            let cancelled = self.first(
                "UPDATE job SET place = iif(cancelled, place, ?) WHERE id = ? AND token = ?
                 RETURNING cancelled",
                (lease_end, id.as_bytes(), token.0.cast_signed()),
                |row| row.get::<_, bool>(0),
            )?;
            Ok(match cancelled {
                None => Held::Lost,
                Some(true) => Held::Cancelled,
                Some(false) => Held::Yes,
            })
        };
        runs.iter().map(extend).collect()
    }
}
