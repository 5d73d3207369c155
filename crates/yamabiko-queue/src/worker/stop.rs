//! How a worker stops.

use tokio::time::Instant;

use super::Worker;
use crate::{
    outage::Outage,
    store::{Claim, Commit, Outcome},
    timer::TRY_AGAIN,
};

impl Worker {
    /// Gives back what was claimed while this worker stops.
    pub(super) fn give_back_claim(&mut self, claim: &Claim) {
        let outcome = Outcome::Release { unsure: false };
        let (id, token) = (claim.job.id, claim.token);
        self.report(Commit::bare(id, token, outcome), None);
    }

    /// Lets running jobs end for a while, then gives back the rest.
    pub(super) async fn wind_down(&mut self) {
        self.stops = true;
        let deadline = Instant::now() + self.options.shutdown;
        let mut outage = Outage::default();
        while !(self.running.is_empty() && self.turns.is_empty()) || self.has_commits() {
            if Instant::now() >= deadline {
                self.give_back();
            }
            match self.turn(false).await {
                Ok(_)
                    if self.turns.is_empty() && !self.has_commits() && !self.running.is_empty() =>
                {
                    if let Ok(Some(report)) =
                        tokio::time::timeout_at(deadline, self.reports.recv()).await
                    {
                        self.take(report);
                    }
                }
                Ok(_) => {}
                Err(_) if Instant::now() >= deadline + TRY_AGAIN * 10 => {
                    tracing::warn!(
                        jobs = self.running.len(),
                        "stopped without the store; the jobs come back when their leases end"
                    );
                    return;
                }
                Err(error) => {
                    outage.began("worker", &error);
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    /// Stops what still runs; it goes back to the front of its queue, uncounted (C4).
    fn give_back(&mut self) {
        let mut unended = Vec::new();
        for (claimed, running) in &self.running {
            running.task.abort();
            if !running.ended {
                unended.push(*claimed);
            }
        }
        for (id, token) in unended {
            let outcome = Outcome::Release { unsure: true };
            self.report(Commit::bare(id, token, outcome), None);
        }
    }
}
