//! One run of a delivery: what is known before a call, and the ways to end the run.

use std::{ops::ControlFlow, time::Duration};

use uuid::Uuid;
use yamabiko_line::error::{Error, ErrorKind};
use yamabiko_queue::{Effect, Ending, Finish, Hold, Run, Timestamp};

use super::{
    Delivery, KEPT_TOKEN_GOOD_FOR, Trimmed,
    decide::{Call, Known, Token, next_call},
    pushes::PUSHES,
};

/// The age of a claim from which it is confirmed right before the call (O6).
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// How far a reply token's arrival may lie ahead, by the difference between the clocks of two stores' processes.
const AHEAD: Duration = Duration::from_secs(5);

/// How long after its arrival a reply token may have been used at most, and the server been lost and its successor met.
const USED_WITHIN: Duration = KEPT_TOKEN_GOOD_FOR.saturating_add(Duration::from_secs(60));

/// What follows a call: the next one of the same run, or the run's end.
pub(super) type Step = ControlFlow<Finish, Attempt>;

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
        Some(self.token_since(arrived))
    }

    /// Returns a token that arrived then; one that came by a clock that has been set back since may be of any age (T3).
    fn token_since(&self, arrived: Timestamp) -> Token {
        let now = self.now();
        let age = if arrived > now + AHEAD { Duration::MAX } else { now.since(arrived) };
        Token { age, kept: self.delivery.kept }
    }

    /// Returns which call to make now.
    pub(super) fn next_call(&self) -> Call {
        next_call(self.token(), self.maybe_said())
    }

    /// Returns whether messages that were to be a reply would have to be pushed now (O9).
    ///
    /// What did not fit into the reply's call is judged with it, at its first attempt; once it is being pushed, it is pushed.
    pub(super) fn is_late(&self) -> bool {
        let job = &self.run.claim.job;
        let is_first = (job.failures, job.lost, job.checkpoint, job.reruns) == (0, 0, 0, 0);
        let is_too_old = || {
            let token = self.delivery.follows_token.map(|arrived| self.token_since(arrived));
            token.is_some_and(|token| !token.is_good())
        };
        self.token().is_some() || self.delivery.is_free_only() || (is_first && is_too_old())
    }

    /// Returns how long ago the first attempt was made.
    pub(super) fn since_first(&self) -> Duration {
        let first = self.run.claim.job.first_claimed.unwrap_or(self.run.claim.claimed_at);
        self.now().since(first)
    }

    /// Returns whether an earlier attempt may have arrived.
    pub(super) fn maybe_said(&self) -> bool {
        self.run.claim.job.unsure
    }

    /// Returns the retry key of a push: its effect id, or a new one after an operator's re-run (O4); where ornaments were
    /// taken off, one made from it, so that a restart repeats it (O9).
    pub(super) fn retry_key(&self) -> Uuid {
        let job = &self.run.claim.job;
        let key = match job.reruns {
            0 => job.id.as_uuid(),
            reruns => job.id.of_effect(reruns, 0, 0).as_uuid(),
        };
        match self.delivery.trimmed {
            None | Some(Trimmed::SameKey) => key,
            Some(Trimmed::OwnKey) => Uuid::new_v5(&key, b"trimmed"),
        }
    }

    /// Returns which retry key a push is to have once its ornaments are taken off.
    pub(super) async fn key_once_trimmed(&self) -> yamabiko_queue::Result<Trimmed> {
        if !self.maybe_said() {
            return Ok(Trimmed::OwnKey);
        }
        let (arrived, losses) = (self.run.claim.job.arrived, self.run.store().losses().await?);
        let is_promoted_since = losses.promoted.iter().any(|at| arrived <= *at);
        Ok(if is_promoted_since { Trimmed::OwnKey } else { Trimmed::SameKey })
    }

    /// Returns what counts when a call has failed.
    ///
    /// # Errors
    /// If LINE refused the call's body or token, and the store cannot tell whether it has lost anything.
    pub(super) async fn known(&self, error: &Error) -> yamabiko_queue::Result<Known> {
        let maybe_said = self.maybe_said();
        Ok(Known {
            maybe_said,
            maybe_forgotten: !maybe_said
                && error.kind() == ErrorKind::BadRequest
                && self.maybe_forgotten().await?,
            can_be_trimmed: self.delivery.can_be_trimmed(),
        })
    }

    /// Returns whether the store may have lost the end of an attempt: where it came from a server that may have lacked it (O3).
    async fn maybe_forgotten(&self) -> yamabiko_queue::Result<bool> {
        let Some(arrived) = self.delivery.token_arrived else { return Ok(false) };
        let first_sent = self.delivery.token_first_sent.map_or(arrived, |sent| sent.min(arrived));
        Ok(self.run.store().losses().await?.last.is_some_and(|lost| first_sent <= lost))
    }

    /// Returns whether a server that was promoted may lack that the reply was sent, whose token is too old to find out (O3).
    ///
    /// A token that had become too old before the promotion was not used in what was lost.
    pub(super) async fn maybe_sent_before_a_promotion(&self) -> yamabiko_queue::Result<bool> {
        let Some(arrived) = self.delivery.token_arrived else { return Ok(false) };
        let first_sent = self.delivery.token_first_sent.map_or(arrived, |sent| sent.min(arrived));
        let promoted = self.run.store().losses().await?.promoted;
        let is_its = |at: &Timestamp| first_sent <= *at && *at <= arrived + USED_WITHIN;
        Ok(promoted.iter().any(is_its))
    }

    /// Stores the delivery as it is now, so that this and every later attempt goes on from it.
    pub(super) async fn save_and_go_on(self) -> Step {
        let payload = serde_json::to_vec(&self.delivery).expect("a delivery is JSON");
        match self.run.checkpoint(payload, Vec::new()).await {
            Ok(()) => Step::Continue(self),
            Err(_) => Step::Break(lost()),
        }
    }

    /// Returns whether the call may be made; a claim that is older than a second is confirmed first (O6).
    pub(super) async fn is_held(&self) -> bool {
        self.run.age() < CONFIRM_AFTER || self.run.confirm().await.unwrap_or(false)
    }

    /// Keeps the delivery for later, uncounted and first of its lane; stops claims from `paused` until then.
    ///
    /// While pushes wait, replies go on, and may pass it; while the outbox does, nothing may (O8).
    pub(super) fn wait(&self, after: Duration, reason: String, paused: &str) -> Finish {
        let pause = Effect::Pause { queue: paused.to_owned(), time: after };
        Finish {
            ending: Ending::Snoozed {
                after,
                hold: if paused == PUSHES { Hold::Lend } else { Hold::Yes },
                // The retry key counts from the first attempt that may have arrived.
                afresh: !self.maybe_said(),
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
        hold: Hold::Yes,
        afresh: false,
        reason: Some(format!("payload version {version} is newer than this program")),
    })
}

/// The claim is gone: what is reported now is answered `Lost` anyway.
pub(super) fn lost() -> Finish {
    failed(Call::Reply, "the claim was lost before the call".to_owned(), None)
}

/// LINE surely did nothing, and the same call is made again: after `after`, or by the policy.
pub(super) fn failed(call: Call, error: String, after: Option<Duration>) -> Finish {
    ended(again(call, error, after, false))
}

/// The same call is made again; a push lets replies of other events pass it until then (O8).
pub(super) fn again(call: Call, error: String, after: Option<Duration>, unsure: bool) -> Ending {
    Ending::Failed { error, lends: call == Call::Push, after, unsure }
}

pub(super) fn dead(error: impl Into<String>) -> Finish {
    ended(Ending::Dead { error: error.into() })
}

pub(super) fn ended(ending: Ending) -> Finish {
    Finish { ending, effects: Vec::new() }
}
