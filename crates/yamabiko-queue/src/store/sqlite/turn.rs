//! A worker's step: commits, a tick, and the next claims.

use std::cmp::Ordering;

use rusqlite::Row;

use super::{
    damage::{RUNNING, Suspect, Work},
    group::is_cancelled_group,
    row::{self, job_columns},
    step::{Place, Step, limit},
};
use crate::{
    job::{Job, JobId},
    store::{
        Answer, Claim, Commit, Held, MAX_CLAIMS, Process, RunToken, Sending, TURN_LATER, Turn,
        Want, grace::Grace,
    },
};

/// Selects jobs, each with its lane's state.
macro_rules! select_claims {
    ($which:literal) => {
        concat!(
            "SELECT ",
            job_columns!(),
            ", state.value FROM job LEFT JOIN state
                 ON state.lane = job.lane AND state.seq NOT IN (SELECT seq FROM damaged_state)
             WHERE job.seq NOT IN (SELECT seq FROM damaged) AND ",
            $which
        )
    };
}

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
        sending: Sending,
        commits: &[Commit],
        wants: &[Want],
        grace: &mut Grace,
    ) -> rusqlite::Result<Turn> {
        let last = self.last_exchange(sending.token)?;
        let order = last.as_ref().map(|last| sending.token.number().cmp(&last.number));
        let is_late = order == Some(Ordering::Less);
        let answers = commits
            .iter()
            .map(|commit| if is_late { Ok(Answer::Lost) } else { self.commit_one(commit) })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = last.filter(|_| order == Some(Ordering::Equal)) {
            self.renew_claims(sending.token, last.at)?;
        }
        let tick = self.tick(grace, TURN_LATER)?;
        let claims = match order {
            Some(Ordering::Less) => Vec::new(),
            Some(Ordering::Equal) => self.standing_claims(sending.token)?,
            Some(Ordering::Greater) | None => self.new_claims(sending.token, wants)?,
        };
        let has_changed = !claims.is_empty() || answers.iter().any(|it| *it != Answer::Lost);
        if !is_late && (has_changed || sending.again) {
            self.note_exchange(sending.token)?;
        }
        Ok(Turn { answers, claims, tick })
    }

    fn new_claims(&mut self, token: RunToken, wants: &[Want]) -> rusqlite::Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for want in wants {
            let at_most = MAX_CLAIMS.min(claims.len() + want.at_most);
            for queue in &want.queues {
                self.claim(token, queue, at_most, &mut claims)?;
                if claims.len() == MAX_CLAIMS && want.at_most > 0 {
                    // What is left is for its next turn (W1).
                    self.touch(queue);
                }
            }
        }
        Ok(claims)
    }

    /// Claims jobs of a queue until there are `at_most` claims; all claims of a turn have the same token (C1).
    fn claim(
        &mut self,
        token: RunToken,
        queue: &str,
        at_most: usize,
        claims: &mut Vec<Claim>,
    ) -> rusqlite::Result<()> {
        let room = at_most.saturating_sub(claims.len());
        if room == 0 || self.is_paused(queue)? {
            return Ok(());
        }
        self.check_claims(
            "SELECT seq FROM job WHERE state = 1 AND queue = ? AND seq NOT IN (SELECT seq FROM damaged)
             ORDER BY place LIMIT ?",
            (queue, limit(room)),
        )?;
        let found = self.all(
            select_claims!("job.state = 1 AND job.queue = ? ORDER BY job.place LIMIT ?"),
            (queue, limit(room)),
            Ready::of,
        )?;
        let Some(last) = found.last() else { return Ok(()) };
        let last = last.place;
        if found.len() == room || self.has_groups || self.shared.revoked > 0 {
            // What this worker leaves is for others (W1).
            self.touch(queue);
        }
        let found = self.not_over(found)?;
        // Places are unique, so that these are the same jobs.
        let (end, token_bytes, now) =
            (self.lease_end(), token.as_bytes(), self.recorded.as_micros());
        if self.care.is_taken() {
            for Ready { seq, .. } in &found {
                let sql = "UPDATE job
                           SET state = 3, place = ?, token = ?, first_claimed = ifnull(first_claimed, ?)
                           WHERE seq = ?";
                self.change(Work::Change, *seq, sql, (end, token_bytes, now, seq))?;
            }
        } else {
            self.run(
                "UPDATE job SET state = 3, place = ?, token = ?, first_claimed = ifnull(first_claimed, ?)
                 WHERE state = 1 AND queue = ? AND place <= ? AND seq NOT IN (SELECT seq FROM damaged)",
                (end, token_bytes, now, queue, last),
            )?;
        }
        self.hand_out(token, found, claims)
    }

    /// Returns those of the ready jobs that are to run; what was cancelled with its group, or has an origin that was revoked,
    /// ends.
    fn not_over(&mut self, mut found: Vec<Ready>) -> rusqlite::Result<Vec<Ready>> {
        if !self.has_groups && self.shared.revoked == 0 {
            return Ok(found);
        }
        let mut over = Vec::new();
        for ready in &found {
            if self.is_cancelled_group(ready.seq)? || self.is_revoked(ready.job.origin.as_ref())? {
                over.push(ready.seq);
            }
        }
        for seq in &over {
            let job = self.first(
                "SELECT seq, id, queue, lane, holds, remember FROM job WHERE seq = ?",
                (seq,),
                Place::of,
            )?;
            job.map_or(Ok(()), |job| self.remove(&job))?;
        }
        found.retain(|ready| !over.contains(&ready.seq));
        Ok(found)
    }

    /// Adds jobs that are claimed to what the worker gets.
    fn hand_out(
        &self,
        token: RunToken,
        found: Vec<Ready>,
        claims: &mut Vec<Claim>,
    ) -> rusqlite::Result<()> {
        for Ready { seq, mut job, state, .. } in found {
            if job.unreadable.is_some() {
                // A row without a proper id gets one, by which its end can be committed.
                let sql = "UPDATE job SET id = ? WHERE seq = ?";
                self.change(Work::Change, seq, sql, (job.id.as_bytes(), seq))?;
            }
            job.first_claimed.get_or_insert(self.recorded);
            let on_loan = self.is_on_loan(seq, job.lane.as_ref())?;
            claims.push(Claim { job, token, claimed_at: self.recorded, state, on_loan });
        }
        Ok(())
    }

    /// Returns when a lease ends that begins now.
    pub(super) fn lease_end(&self) -> i64 {
        (self.now + self.options.lease()).as_micros()
    }

    /// Returns the claims that stand under a token.
    fn standing_claims(&self, token: RunToken) -> rusqlite::Result<Vec<Claim>> {
        self.check_claims(RUNNING, ())?;
        let found = self.all(
            select_claims!("job.state = 3 AND job.token = ?"),
            (token.as_bytes(),),
            Ready::of,
        )?;
        let mut claims = Vec::with_capacity(found.len());
        self.hand_out(token, found, &mut claims)?;
        Ok(claims)
    }

    /// Extends the leases of runs, and of what awaited exchanges claimed, and says which runs are still held (C2).
    pub(super) fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> rusqlite::Result<Vec<Held>> {
        let lease_end = self.lease_end();
        let about = serde_json::to_string(process).unwrap_or_default();
        self.run(
            "INSERT INTO process (name, until, about) VALUES (?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET until = excluded.until, about = excluded.about",
            (&process.name, lease_end, about),
        )?;
        for token in awaited {
            self.extend_awaited(*token)?;
        }
        let extend = |(id, token): &(JobId, RunToken)| {
            let seq = self.check_job(*id)?;
            self.care.suspects(seq.map(|seq| Suspect::job(seq, Work::Change)));
            let cancelled = self.first(
                concat!(
                    "UPDATE job SET place = iif(cancelled OR ",
                    is_cancelled_group!(),
                    ", place, ?) WHERE id = ? AND token = ? AND seq NOT IN (SELECT seq FROM damaged)
                     RETURNING cancelled OR ",
                    is_cancelled_group!()
                ),
                (lease_end, id.as_bytes(), token.as_bytes()),
                |row| row.get::<_, bool>(0),
            )?;
            self.care.suspects(None);
            Ok(match cancelled {
                None => Held::Lost,
                Some(true) => Held::Cancelled,
                Some(false) => Held::Yes,
            })
        };
        runs.iter().map(extend).collect()
    }
}
