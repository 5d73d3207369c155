//! One run of a delivery: what is known before a call, and the ways to end the run.

use std::time::Duration;

use uuid::Uuid;
use yamabiko_queue::{Effect, Ending, Finish, Run, Timestamp};

use super::{
    Delivery,
    decide::{Call, Token, next_call},
};

/// The age of a claim from which it is confirmed right before the call (O6).
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// One run of a delivery.
pub(super) struct Attempt {
    pub(super) run: Run,
    pub(super) delivery: Delivery,
}

impl Attempt {
    /// Returns the time by the store's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.run.claim.claimed_at + self.run.age()
    }

    /// Returns the reply token as it stands, if there is one that was not given up.
    pub(super) fn token(&self) -> Option<Token> {
        let arrived =
            self.delivery.token_arrived.filter(|_| self.run.claim.job.secret.is_some())?;
        Some(Token { age: self.now().since(arrived), kept: self.delivery.kept })
    }

    /// Returns which call to make now.
    pub(super) fn next_call(&self) -> Call {
        next_call(self.token(), self.run.claim.job.unsure)
    }

    /// Returns how long ago the first attempt was made.
    pub(super) fn since_first(&self) -> Duration {
        let first = self.run.claim.job.first_claimed.unwrap_or(self.run.claim.claimed_at);
        self.now().since(first)
    }

    /// Returns the retry key of a push: its effect id, or a new one after an operator's re-run (O4).
    pub(super) fn retry_key(&self) -> Uuid {
        let job = &self.run.claim.job;
        match job.reruns {
            0 => job.id.as_uuid(),
            reruns => job.id.of_effect(reruns, 0, 0).as_uuid(),
        }
    }

    /// Returns whether the call may be made; a claim that is older than a second is confirmed first (O6).
    pub(super) async fn is_held(&self) -> bool {
        self.run.age() < CONFIRM_AFTER || self.run.confirm().await.unwrap_or(false)
    }

    /// Keeps the delivery for later, uncounted and first of its lane; stops claims from `paused` until then.
    pub(super) fn wait(&self, after: Duration, reason: String, paused: &str) -> Finish {
        let pause = Effect::Pause { queue: paused.to_owned(), time: after };
        Finish {
            ending: Ending::Snoozed {
                after,
                hold: true,
                // The retry key counts from the first attempt that may have arrived.
                afresh: !self.run.claim.job.unsure,
                reason: Some(reason),
            },
            effects: vec![pause],
        }
    }
}

/// Leaves the delivery to a newer version of the program.
pub(super) fn newer(version: u32) -> Finish {
    ended(Ending::Snoozed {
        after: Duration::from_secs(5),
        hold: true,
        afresh: false,
        reason: Some(format!("payload version {version} is newer than this program")),
    })
}

/// The claim is gone: what is reported now is answered `Lost` anyway.
pub(super) fn lost() -> Finish {
    failed("the claim was lost before the call".to_owned(), None)
}

/// LINE surely did nothing, and the same call is made again: after `after`, or by the policy.
pub(super) fn failed(error: String, after: Option<Duration>) -> Finish {
    ended(Ending::Failed { error, after, unsure: false })
}

pub(super) fn dead(error: impl Into<String>) -> Finish {
    ended(Ending::Dead { error: error.into() })
}

pub(super) fn ended(ending: Ending) -> Finish {
    Finish { ending, effects: Vec::new() }
}
