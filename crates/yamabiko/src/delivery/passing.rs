//! A reply that passes a push, in the lane that the push has lent until its retry (O8).

use yamabiko_queue::{Effect, Ending, Finish, JobId, job::OUTBOX};

use super::{
    DELIVERY_KIND, LOADING_KIND,
    attempt::{Attempt, ended},
};

/// What waits of the event that a passing reply answers.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Whether the event said something before, which is to be heard first.
    has_said_more: bool,
    /// Its animations, which would come long after the reply.
    animations: Vec<JobId>,
}

impl Waiting {
    /// Returns the end of a reply that has passed.
    pub(super) fn dropped(self, finish: Finish) -> Finish {
        Finish { effects: self.animations.into_iter().map(Effect::Cancel).collect(), ..finish }
    }
}

impl Attempt {
    /// Returns whether it passes a push that has lent the lane.
    pub(super) fn is_passing(&self) -> bool {
        self.run.claim.on_loan
    }

    /// Returns whether it is to wait in its place instead of passing: a push is, and a reply behind another message of its event.
    ///
    /// Where an earlier attempt may have arrived, the reply token has to tell first.
    pub(super) fn is_to_wait(&self, waiting: &Waiting) -> bool {
        self.is_passing() && waiting.has_said_more && !self.maybe_said()
    }

    /// Looks for what else waits of the reply's event; there is nothing in front of a reply that has its lane by itself.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn waiting(&self) -> yamabiko_queue::Result<Waiting> {
        let own = &self.run.claim.job;
        let Some(chat) = own.chat.as_ref().filter(|_| self.is_passing()) else {
            return Ok(Waiting::default());
        };
        let mut waiting = Waiting::default();
        for record in self.run.live(chat).await? {
            let job = record.job;
            if job.id == own.id || job.queue != OUTBOX || job.origin != own.origin {
                continue;
            }
            match job.kind.as_str() {
                LOADING_KIND => waiting.animations.push(job.id),
                // What did not fit into the reply's call was stored with it, and follows it.
                DELIVERY_KIND => waiting.has_said_more |= job.arrived < own.arrived,
                _ => {}
            }
        }
        Ok(waiting)
    }

    /// Goes back to its place in line, uncalled.
    pub(super) fn give_back(&self) -> Finish {
        ended(Ending::GaveBack { afresh: !self.maybe_said() })
    }
}
