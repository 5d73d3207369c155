//! What the runs have reported and waits to go with the next exchange.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::store::{Answer, Commit, MAX_COMMITS, MAX_PARTS, MAX_STEP_BYTES};

/// What a run has reported and the store has not answered yet.
#[derive(Debug)]
pub(super) struct Reported {
    pub(super) commit: Commit,
    /// Who waits for the answer, if it is a checkpoint.
    pub(super) checkpoint: Option<oneshot::Sender<Answer>>,
}

/// What waits to be sent, in the order in which the runs reported it.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: VecDeque<Reported>,
    /// How many of them end their runs.
    ends: usize,
}

impl Backlog {
    pub(super) fn push(&mut self, reported: Reported) {
        self.ends += usize::from(reported.checkpoint.is_none());
        self.waiting.push_back(reported);
    }

    /// Puts back what was sent in vain, so that it is the first to go again.
    pub(super) fn put_back(&mut self, sent: Vec<Reported>) {
        for reported in sent.into_iter().rev() {
            self.ends += usize::from(reported.checkpoint.is_none());
            self.waiting.push_front(reported);
        }
    }

    /// Takes what goes with one turn (K3).
    pub(super) fn take_batch(&mut self) -> Vec<Reported> {
        let (mut bytes, mut parts) = (0, 0);
        let fits = |one: &&Reported| {
            bytes += one.commit.size();
            parts += one.commit.parts();
            bytes <= MAX_STEP_BYTES && parts <= MAX_PARTS
        };
        let count = self.waiting.iter().take(MAX_COMMITS).take_while(fits).count();
        // One that is over the limit goes alone; the store says what is wrong with it.
        let count = count.max(1).min(self.waiting.len());
        let batch: Vec<_> = self.waiting.drain(..count).collect();
        self.ends -= batch.iter().filter(|one| one.checkpoint.is_none()).count();
        batch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns how many runs have ended and wait for a turn.
    pub(super) const fn ends(&self) -> usize {
        self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        job::JobId,
        store::{Effect, Outcome, Sending},
    };

    fn reported(payload: usize) -> Reported {
        let outcome = Outcome::Checkpoint { payload: vec![0; payload] };
        let commit = Commit::bare(JobId::new(), Sending::once().token, outcome);
        Reported { commit, checkpoint: None }
    }

    #[test]
    fn k3_a_turn_carries_256_commits_and_a_mebibyte_at_most() {
        let mut backlog = Backlog::default();
        (0..300).for_each(|_| backlog.push(reported(0)));
        assert_eq!((backlog.take_batch().len(), backlog.ends()), (256, 44));
        let mut backlog = Backlog::default();
        (0..20).for_each(|_| backlog.push(reported(64 * 1024)));
        assert_eq!(backlog.take_batch().len(), 15);
        backlog.push(reported(2 * MAX_STEP_BYTES));
        assert_eq!([backlog.take_batch().len(), backlog.take_batch().len()], [5, 1]);
        assert!(backlog.is_empty() && backlog.take_batch().is_empty());
    }

    #[test]
    fn k3_a_turn_carries_384_commits_and_effects_or_one_commit() {
        let mut backlog = Backlog::default();
        for effects in [1, 381, 1, 382, 9, 600, 1] {
            let mut one = reported(0);
            one.commit.effects = vec![Effect::SetState(None); effects];
            backlog.push(one);
        }
        let mut batches: Vec<Vec<usize>> = Vec::new();
        while !backlog.is_empty() {
            batches.push(backlog.take_batch().iter().map(|one| one.commit.effects.len()).collect());
        }
        let expected = [vec![1, 381], vec![1], vec![382], vec![9], vec![600], vec![1]];
        assert_eq!(batches, expected);
    }

    #[test]
    fn c5_what_was_sent_in_vain_goes_first_and_in_its_order() {
        let mut backlog = Backlog::default();
        (0..3).for_each(|_| backlog.push(reported(0)));
        let sent = backlog.take_batch();
        let ids: Vec<_> = sent.iter().map(|one| one.commit.id).collect();
        backlog.push(reported(0));
        backlog.put_back(sent);
        let again: Vec<_> = backlog.take_batch().iter().map(|one| one.commit.id).collect();
        assert_eq!((&again[..3], again.len()), (&ids[..], 4));
    }
}
