//! Carries deliveries to LINE and says how each ended (O1 to O6).

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use uuid::Uuid;
use yamabiko_line::id::{ChatId, ChatKind};
use yamabiko_line::{error::Error, secret::ReplyToken};
use yamabiko_queue::{Effect, Ending, Finish, Run, Timestamp, job::OUTBOX, store::Claim};

use super::{
    Delivery,
    decide::{Call, RATE_PAUSE, REFUSED_PAUSE, Token, Verdict, judge, next_call},
};
use crate::{config::UncertainReply, context::newer_version, health::Health, platform::Platform};

/// LINE's limit for reply and for push, each: 2,000 requests a second and channel.
const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(2_000).expect("not zero");
/// LINE's limit for the loading animation, in requests a second and channel.
const ANIMATIONS_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
/// How long after its first attempt a push is last tried; LINE knows its retry key for 24 hours (O4).
const PUSHED_WITHIN: Duration = Duration::from_secs(23 * 60 * 60);
/// The most members of a group or room, for whom a push counts (LINE's limit).
const MOST_MEMBERS: u64 = 500;
/// The age of a claim from which it is confirmed right before the call (O6).
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// Carries deliveries to LINE.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(super) platform: Arc<dyn Platform>,
    health: Arc<Health>,
    uncertain_reply: UncertainReply,
    replies: DefaultDirectRateLimiter,
    pushes: DefaultDirectRateLimiter,
    pub(super) animations: DefaultDirectRateLimiter,
}

impl Courier {
    pub(crate) fn new(
        platform: Arc<dyn Platform>,
        health: Arc<Health>,
        uncertain_reply: UncertainReply,
    ) -> Self {
        let limiter = |rate| RateLimiter::direct(Quota::per_second(rate));
        Self {
            platform,
            health,
            uncertain_reply,
            replies: limiter(CALLS_PER_SECOND),
            pushes: limiter(CALLS_PER_SECOND),
            animations: limiter(ANIMATIONS_PER_SECOND),
        }
    }

    /// Runs one delivery.
    pub(crate) async fn carry(&self, run: Run) -> Finish {
        if let Some(version) = newer_version(&run.claim.job.payload) {
            return ended(newer(version));
        }
        let delivery: Delivery = match serde_json::from_slice(&run.claim.job.payload) {
            Ok(delivery) => delivery,
            Err(error) => return ended(Ending::Dead { error: format!("not a delivery: {error}") }),
        };
        let attempt = Attempt { run, delivery };
        if attempt.next_call() == Call::Reply {
            self.replies.until_ready().await;
            if !attempt.is_held().await {
                return lost();
            }
        }
        // Waiting has made the token older.
        match attempt.next_call() {
            Call::Reply => self.reply(attempt).await,
            Call::Push if attempt.token().is_some() => self.push_instead(attempt).await,
            Call::Push => self.push(attempt).await,
            Call::Uncertain => self.uncertain(attempt).await,
        }
    }

    async fn reply(&self, attempt: Attempt) -> Finish {
        let job = &attempt.run.claim.job;
        let token = ReplyToken::new(job.secret.clone().unwrap_or_default());
        match self.platform.reply(&token, &attempt.delivery.messages).await {
            Ok(_) => self.sent("reply"),
            Err(error) => match judge(Call::Reply, error.kind(), error.reached(), job.unsure) {
                Verdict::SaidBefore => self.sent("said_before"),
                Verdict::PushInstead => self.push_instead(attempt).await,
                verdict => self.failed(&attempt, Call::Reply, verdict, &error).await,
            },
        }
    }

    /// Gives up the reply token for good, so that no later attempt mistakes its refusal for success, and pushes.
    async fn push_instead(&self, mut attempt: Attempt) -> Finish {
        metrics::counter!("yamabiko_reply_fallbacks_total").increment(1);
        if attempt.delivery.to.is_none() {
            return ended(Ending::Dead {
                error: "the reply token is no longer good, and the event has no chat to push to"
                    .to_owned(),
            });
        }
        attempt.delivery.token_arrived = None;
        let payload = serde_json::to_vec(&attempt.delivery).expect("a delivery is JSON");
        if attempt.run.checkpoint(payload, Vec::new()).await.is_err() {
            return lost();
        }
        self.push(attempt).await
    }

    async fn uncertain(&self, attempt: Attempt) -> Finish {
        let job = &attempt.run.claim.job;
        tracing::warn!(job.id = %job.id, decision = ?self.uncertain_reply, "nobody can tell whether a reply was said, and its token is too old to find out");
        match self.uncertain_reply {
            UncertainReply::Drop => {
                count("uncertain_dropped");
                ended(Ending::Done)
            }
            UncertainReply::Push => {
                count("uncertain_pushed");
                self.push_instead(attempt).await
            }
        }
    }

    async fn push(&self, attempt: Attempt) -> Finish {
        let Some(to) = &attempt.delivery.to else {
            return ended(Ending::Dead { error: "there is no chat to push to".to_owned() });
        };
        if attempt.since_first() >= PUSHED_WITHIN {
            return ended(Ending::Dead {
                error: "not said within 23 hours of the first attempt: LINE would no longer know the retry key".to_owned(),
            });
        }
        self.pushes.until_ready().await;
        if !attempt.is_held().await {
            return lost();
        }
        match self
            .platform
            .push(to, &attempt.delivery.messages, retry_key(&attempt.run.claim))
            .await
        {
            Ok(sent) if sent.already_accepted => self.sent("push_accepted_before"),
            Ok(_) => self.sent("push"),
            Err(error) => {
                let unsure = attempt.run.claim.job.unsure;
                match judge(Call::Push, error.kind(), error.reached(), unsure) {
                    Verdict::SaidBefore => self.sent("push_accepted_before"),
                    verdict => self.failed(&attempt, Call::Push, verdict, &error).await,
                }
            }
        }
    }

    fn sent(&self, how: &'static str) -> Finish {
        count(how);
        self.health.credentials_work();
        ended(Ending::Done)
    }

    async fn failed(
        &self,
        attempt: &Attempt,
        call: Call,
        verdict: Verdict,
        error: &Error,
    ) -> Finish {
        metrics::counter!("yamabiko_delivery_failures_total").increment(1);
        let text = describe(error);
        match verdict {
            Verdict::Again { unsure } => {
                ended(Ending::Failed { error: text, after: error.retry_after(), unsure })
            }
            Verdict::CredentialsRefused => {
                self.health.credentials_refused();
                tracing::error!(
                    error = text,
                    "LINE refuses the channel's credentials, nothing is sent for now"
                );
                attempt.pause(REFUSED_PAUSE, text)
            }
            Verdict::TooMany => self.too_many(attempt, call, error, text).await,
            Verdict::Never | Verdict::SaidBefore | Verdict::PushInstead => {
                ended(Ending::Dead { error: text })
            }
        }
    }

    /// Finds out which kind of 429 it is: the month's quota is confirmed by the quota's own endpoint (O5).
    async fn too_many(&self, attempt: &Attempt, call: Call, error: &Error, text: String) -> Finish {
        if call == Call::Push && self.quota_is_used_up(attempt.delivery.to.as_ref(), error).await {
            return ended(Ending::Dead {
                error: format!("the month's messages are used up: {text}"),
            });
        }
        if error.message().contains("rate limit") {
            return attempt.pause(error.retry_after().unwrap_or(RATE_PAUSE), text);
        }
        ended(Ending::Failed { error: text, after: error.retry_after(), unsure: false })
    }

    /// Asks LINE whether the month's messages are used up; a push to a group counts for each member, and needs room for all.
    async fn quota_is_used_up(&self, to: Option<&ChatId>, error: &Error) -> bool {
        let is_of_many = to.is_some_and(|to| to.kind() != ChatKind::User);
        let recipients =
            if is_of_many && error.message().contains("monthly") { MOST_MEMBERS } else { 1 };
        match (self.platform.quota().await, self.platform.quota_used().await) {
            (Ok(quota), Ok(used)) => quota.limit.is_some_and(|limit| used + recipients > limit),
            _ => false,
        }
    }
}

/// One run of a delivery.
struct Attempt {
    run: Run,
    delivery: Delivery,
}

impl Attempt {
    /// Returns the time by the store's clock.
    fn now(&self) -> Timestamp {
        self.run.claim.claimed_at + self.run.age()
    }

    /// Returns the reply token as it stands, if there is one that was not given up.
    fn token(&self) -> Option<Token> {
        let arrived =
            self.delivery.token_arrived.filter(|_| self.run.claim.job.secret.is_some())?;
        Some(Token { age: self.now().since(arrived), kept: self.delivery.kept })
    }

    /// Returns which call to make now.
    fn next_call(&self) -> Call {
        next_call(self.token(), self.run.claim.job.unsure)
    }

    /// Returns how long ago the first attempt was made.
    fn since_first(&self) -> Duration {
        let first = self.run.claim.job.first_claimed.unwrap_or(self.run.claim.claimed_at);
        self.now().since(first)
    }

    /// Says whether the call may be made; a claim that is older than a second is confirmed first (O6).
    async fn is_held(&self) -> bool {
        self.run.age() < CONFIRM_AFTER || self.run.confirm().await.unwrap_or(false)
    }

    /// Keeps the delivery, uncounted, and stops all workers' claims from the outbox for a while.
    fn pause(&self, time: Duration, reason: String) -> Finish {
        let until = self.now() + time;
        Finish {
            ending: Ending::Snoozed {
                after: time,
                hold: true,
                // The retry key counts from the first attempt that may have arrived.
                afresh: !self.run.claim.job.unsure,
                reason: Some(reason),
            },
            effects: vec![Effect::Pause { queue: OUTBOX.to_owned(), until }],
        }
    }
}

/// Returns the retry key of a push: its effect id, or a new one after a person's re-run (O4).
fn retry_key(claim: &Claim) -> Uuid {
    match claim.job.reruns {
        0 => claim.job.id.as_uuid(),
        reruns => claim.job.id.of_effect(reruns, 0, 0).as_uuid(),
    }
}

fn count(how: &'static str) {
    metrics::counter!("yamabiko_deliveries_total", "how" => how).increment(1);
}

fn describe(error: &Error) -> String {
    match error.request_id() {
        Some(id) => format!("{error} (request {id})"),
        None => error.to_string(),
    }
}

fn newer(version: u32) -> Ending {
    Ending::Snoozed {
        after: Duration::from_secs(5),
        hold: true,
        afresh: false,
        reason: Some(format!("payload version {version} is newer than this program")),
    }
}

/// The claim is gone: what is reported now is answered `Lost` anyway.
fn lost() -> Finish {
    ended(Ending::Failed {
        error: "the claim was lost before the call".to_owned(),
        after: None,
        unsure: false,
    })
}

fn ended(ending: Ending) -> Finish {
    Finish { ending, effects: Vec::new() }
}
