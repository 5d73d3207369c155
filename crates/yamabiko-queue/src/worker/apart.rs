//! Commits that the store has refused together with others: each is sent alone, so that only the one to blame fails (C5).

use std::collections::VecDeque;

use super::backlog::Reported;
use crate::{job::JobId, store::RunToken};

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Takes commits as they come, and claims.
    Ordinary,
    /// Carries one commit and claims nothing, so that a refusal is the commit's.
    Alone,
    /// Claims, but carries no commits: if it is answered, the store does not refuse everything.
    Proof,
}

/// Commits that are sent alone.
#[derive(Debug, Default)]
pub(super) struct Apart {
    waiting: VecDeque<Reported>,
    /// What was refused alone.
    suspect: Option<Reported>,
    /// The commit behind whose refusal the store has answered an exchange without it: if it is refused again, it is to blame.
    proven: Option<(JobId, RunToken)>,
    /// Whether one of these was sent last, so that all others come next.
    sent_last: bool,
}

impl Apart {
    /// Adds commits that were refused together.
    pub(super) fn extend(&mut self, refused: impl IntoIterator<Item = Reported>) {
        self.waiting.extend(refused);
    }

    /// Puts back one that was sent in vain, so that it is the first to go again.
    pub(super) fn put_back(&mut self, sent: impl IntoIterator<Item = Reported>) {
        sent.into_iter().for_each(|one| self.waiting.push_front(one));
    }

    /// Takes one that was refused alone, and returns it if it is to blame.
    pub(super) fn refused_alone(&mut self, one: Reported) -> Option<Reported> {
        let is_to_blame = self.proven.take() == Some((one.commit.id, one.commit.token));
        if is_to_blame {
            return Some(one);
        }
        self.suspect = Some(one);
        None
    }

    /// Notes that the store has answered an exchange without commits: the suspect is sent once more, since what the store had
    /// against everything may have passed meanwhile.
    pub(super) fn prove(&mut self) {
        if let Some(one) = self.suspect.take() {
            self.proven = Some((one.commit.id, one.commit.token));
            self.waiting.push_front(one);
        }
    }

    /// Acquits the suspect: the store refuses everything.
    pub(super) fn acquit(&mut self) {
        self.waiting.extend(self.suspect.take());
    }

    /// Says what the next exchange is for, and returns the commit that goes alone.
    ///
    /// Refused commits and all others alternate, so that neither waits for the other.
    pub(super) fn next(&mut self) -> (Purpose, Option<Reported>) {
        if self.suspect.is_some() {
            return (Purpose::Proof, None);
        }
        let one = if self.sent_last { None } else { self.waiting.pop_front() };
        self.sent_last = one.is_some();
        (if self.sent_last { Purpose::Alone } else { Purpose::Ordinary }, one)
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.suspect.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
