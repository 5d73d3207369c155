//! What becomes of commits that the store refuses (C5).

use super::{Worker, apart::Purpose, backlog::Reported, ending, is_about_the_call};
use crate::{
    error::{Error, ErrorKind, Result},
    finding::because,
    outage,
    store::{Commit, Tick},
};

impl Worker {
    /// Takes back commits that were not made, to be sent again as before; `None`: each alone.
    pub(super) fn take_back(&mut self, as_before: Option<Purpose>, sent: Vec<Reported>) {
        match as_before {
            Some(Purpose::Ordinary) => self.backlog.put_back(sent),
            Some(Purpose::Alone | Purpose::Proof) => self.apart.put_back(sent),
            None => self.apart.extend(sent),
        }
    }

    /// Takes back the commits of an exchange that was answered with an error and did nothing.
    ///
    /// A refusal of several says nothing of each, so they go alone. One that is refused alone, before and after the store has
    /// answered an exchange without commits, is to blame. What fails because the store is damaged is never to blame.
    pub(super) fn take_back_refused(
        &mut self,
        purpose: Purpose,
        sent: Vec<Reported>,
        error: Error,
    ) -> Result<Option<Tick>> {
        let is_damage = error.kind() == ErrorKind::Damaged;
        match purpose {
            _ if !is_about_the_call(&error) => self.take_back(Some(purpose), sent),
            Purpose::Proof => self.apart.acquit(),
            Purpose::Alone if !is_damage => {
                for one in sent {
                    if let Some(Reported { commit, .. }) = self.apart.refused_alone(one) {
                        self.blame(commit, &error);
                    }
                }
                return Ok(None);
            }
            Purpose::Ordinary if !is_damage && !sent.is_empty() => {
                outage::refused("worker", &error, sent.len());
                self.apart.extend(sent);
                return Ok(None);
            }
            Purpose::Ordinary | Purpose::Alone => self.apart.extend(sent),
        }
        Err(error)
    }

    /// Ends the job whose commit the store refuses while it takes all others.
    fn blame(&mut self, commit: Commit, why: &Error) {
        let claimed = (commit.id, commit.token);
        let running = self.running.get_mut(&claimed);
        let claim = running.as_ref().map(|running| &*running.claim);
        let error = format!("the store refuses what this run asks for: {}", because(why));
        let Some(instead) = ending::instead(commit, claim, &self.registry, error) else {
            tracing::error!(
                job.id = %claimed.0,
                error = because(why),
                "the store refuses to end a job; it is left until its lease ends"
            );
            if let Some(running) = running {
                running.task.abort();
            }
            self.forget(claimed);
            return;
        };
        if let Some(running) = running {
            // One that waits for its checkpoint; it waits in vain.
            running.task.abort();
            running.ended = true;
        }
        self.apart.put_back([Reported { commit: instead, checkpoint: None }]);
    }
}
