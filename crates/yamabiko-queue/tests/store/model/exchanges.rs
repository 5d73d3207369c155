//! Exchanges that are sent again, and claims whose worker has not heard of them (C5).

use std::{cmp::Ordering, time::Duration};

use yamabiko_queue::{
    JobId, Timestamp,
    store::{Claim, RunToken},
};

use super::{Place, World};
use crate::place::secs;

impl World {
    /// Compares an exchange with the last one of its line; `None` if the line has none.
    pub(super) fn order(&self, token: RunToken) -> Option<Ordering> {
        self.lines.get(token.line()).map(|(number, ..)| token.number().cmp(number))
    }

    pub(super) fn note_exchange(&mut self, now: Timestamp, token: RunToken) {
        let kept = now + secs(24 * 3600);
        let line = self.lines.entry(token.line().to_vec()).or_insert((0, now, kept));
        let until = if line.2 < kept - secs(3600) { kept } else { line.2 };
        *line = (token.number(), now, until);
    }

    fn claimed_under(&self, token: RunToken) -> Vec<(JobId, bool)> {
        let under = |place| match place {
            Place::Running { token: current, cancelled, .. } if current == token => Some(cancelled),
            _ => None,
        };
        let found = self.jobs.iter().filter_map(|(id, kept)| Some((*id, under(kept.place)?)));
        found.map(|(id, cancelled)| (id, cancelled || self.is_cancelled_group(id))).collect()
    }

    /// Gives what stands under a token a full lease.
    pub(super) fn renew_claims(&mut self, now: Timestamp, lease: Duration, token: RunToken) {
        let (_, at, _) = self.lines[token.line()];
        for (id, cancelled) in self.claimed_under(token) {
            if cancelled {
                self.remove(now, id);
                continue;
            }
            let kept = self.job(id);
            if kept.job.first_claimed == Some(at) {
                kept.job.first_claimed = Some(now);
            }
            kept.place = Place::Running { token, until: now + lease, cancelled };
        }
    }

    pub(super) fn extend_awaited(&mut self, now: Timestamp, lease: Duration, token: RunToken) {
        for (id, cancelled) in self.claimed_under(token) {
            if !cancelled {
                self.job(id).place = Place::Running { token, until: now + lease, cancelled };
            }
        }
    }

    /// Returns the claims that stand under a token.
    pub(super) fn standing(&self, now: Timestamp, token: RunToken) -> Vec<Claim> {
        let claim = |(id, _)| {
            let job = self.jobs[&id].job.clone();
            let state = job.lane.as_ref().and_then(|lane| self.states.get(lane)).cloned();
            Claim { job, token, claimed_at: now, state, on_loan: self.is_on_loan(id) }
        };
        self.claimed_under(token).into_iter().map(claim).collect()
    }

    /// Puts back what an exchange claimed, as if it had never been claimed.
    pub(super) fn release(&mut self, now: Timestamp, token: RunToken) -> usize {
        if self.order(token) == Some(Ordering::Less) {
            return 0;
        }
        let at = self.lines.get(token.line()).map(|(_, at, _)| *at);
        let claimed = self.claimed_under(token);
        for (id, cancelled) in claimed.iter().rev() {
            if *cancelled {
                self.remove(now, *id);
                continue;
            }
            let job = &mut self.job(*id).job;
            if job.first_claimed == at {
                job.first_claimed = None;
            }
            self.put_first(*id);
        }
        self.note_exchange(now, token);
        claimed.len()
    }
}
