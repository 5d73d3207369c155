//! Carries deliveries to LINE and says how each ended (O1 to O6).

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use yamabiko_line::{error::Error, secret::ReplyToken};
use yamabiko_queue::{Ending, Finish, Run};

use super::{
    Delivery, NEWEST_VERSION, ReplyPolicy,
    account::Account,
    attempt::{Attempt, Step, dead, ended, failed, lost, newer},
    count_dropped,
    decide::{Call, Verdict, judge},
    passing::Waiting,
    pushes::{PUSHES, Pushes},
    refused::describe,
};
use crate::{
    config::{LateReplies, UncertainReply},
    context::newer_version,
    health::Health,
    platform::Platform,
};

/// LINE's limit for reply and for push, each: 2,000 requests a second and channel.
const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(2_000).expect("not zero");
/// LINE's limit for the loading animation, in requests a second and channel.
const ANIMATIONS_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
/// How long after its first attempt a push is last tried; LINE knows its retry key for 24 hours (O4).
const PUSHED_WITHIN: Duration = Duration::from_secs(23 * 60 * 60);

/// Carries deliveries to LINE.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(super) platform: Arc<dyn Platform>,
    pub(super) health: Arc<Health>,
    pub(super) account: Account,
    pub(super) pushes: Pushes,
    policy: ReplyPolicy,
    replies: DefaultDirectRateLimiter,
    push_rate: DefaultDirectRateLimiter,
    pub(super) animations: DefaultDirectRateLimiter,
}

impl Courier {
    pub(crate) fn new(
        platform: Arc<dyn Platform>,
        health: Arc<Health>,
        policy: ReplyPolicy,
    ) -> Self {
        let limiter = |rate| RateLimiter::direct(Quota::per_second(rate));
        Self {
            platform,
            health,
            account: Account::default(),
            pushes: Pushes::default(),
            policy,
            replies: limiter(CALLS_PER_SECOND),
            push_rate: limiter(CALLS_PER_SECOND),
            animations: limiter(ANIMATIONS_PER_SECOND),
        }
    }

    /// Runs one delivery: makes its call, and another at once where LINE's answer leads to one.
    pub(crate) async fn carry(&self, run: Run) -> Finish {
        if let Some(version) = newer_version(&run.claim.job.payload, NEWEST_VERSION) {
            return newer(version);
        }
        let delivery: Delivery = match serde_json::from_slice(&run.claim.job.payload) {
            Ok(delivery) => delivery,
            Err(error) => return dead(format!("not a delivery: {error}")),
        };
        let mut attempt = Attempt { run, delivery };
        loop {
            match self.call(attempt).await {
                Step::Continue(next) => attempt = next,
                Step::Break(finish) => return finish,
            }
        }
    }

    async fn call(&self, attempt: Attempt) -> Step {
        let waiting = match attempt.waiting().await {
            Ok(waiting) => waiting,
            Err(outage) => return Step::Break(failed(Call::Reply, outage.to_string(), None)),
        };
        if attempt.is_to_wait(&waiting) {
            return Step::Break(attempt.give_back());
        }
        if attempt.next_call() == Call::Reply {
            self.replies.until_ready().await;
            if !attempt.is_held().await {
                return Step::Break(lost());
            }
        }
        // Waiting has made the token older.
        match attempt.next_call() {
            Call::Reply => self.reply(attempt, waiting).await,
            // Only a live reply passes a push; once it is to be pushed itself, it keeps to the order (O8).
            Call::Push if attempt.is_passing() => Step::Break(attempt.give_back()),
            Call::Push if attempt.is_late() => self.late(attempt).await,
            Call::Push => self.push(attempt).await,
            Call::Uncertain => self.uncertain(attempt).await,
        }
    }

    async fn reply(&self, attempt: Attempt, waiting: Waiting) -> Step {
        let token = ReplyToken::new(attempt.run.claim.job.secret.clone().unwrap_or_default());
        let sent = self.platform.reply(&token, &attempt.delivery.messages).await;
        let Err(error) = sent else { return Step::Break(waiting.dropped(self.sent("reply"))) };
        let known = match attempt.known(&error).await {
            Ok(known) => known,
            Err(outage) => {
                let error = format!("{}; {outage}", describe(&error));
                return Step::Break(failed(Call::Reply, error, None));
            }
        };
        match judge(Call::Reply, &error, known) {
            Verdict::SaidBefore => Step::Break(waiting.dropped(self.sent("said_before"))),
            Verdict::PushInstead => self.push_instead(attempt, self.policy.late).await,
            Verdict::Uncertain => self.uncertain(attempt).await,
            Verdict::Trim => self.trim(attempt, &error).await,
            verdict => Step::Break(self.failed(&attempt, Call::Reply, verdict, &error).await),
        }
    }

    /// Gives up the reply token for good, so that no later attempt mistakes its refusal for success, and pushes what is
    /// worth a push (O9).
    async fn push_instead(&self, mut attempt: Attempt, late_replies: LateReplies) -> Step {
        let dropped = attempt.delivery.give_up_reply(late_replies);
        if dropped > 0 {
            count_dropped(&attempt.run.claim.job, dropped, "late");
        }
        if attempt.delivery.messages.is_empty() {
            count("late_dropped");
            return Step::Break(ended(Ending::Done));
        }
        metrics::counter!("yamabiko_reply_fallbacks_total").increment(1);
        if attempt.delivery.to.is_none() {
            return Step::Break(dead(
                "the reply token is no longer good, and the event has no chat to push to",
            ));
        }
        attempt.save_and_go_on().await
    }

    /// Goes on with a reply whose token is too old, unless a server that was promoted may lack that it was sent (O3).
    async fn late(&self, attempt: Attempt) -> Step {
        match attempt.maybe_sent_before_a_promotion().await {
            Ok(true) => self.uncertain(attempt).await,
            Ok(false) => self.push_instead(attempt, self.policy.late).await,
            Err(outage) => Step::Break(failed(Call::Reply, outage.to_string(), None)),
        }
    }

    async fn uncertain(&self, attempt: Attempt) -> Step {
        let job = &attempt.run.claim.job;
        tracing::warn!(job.id = %job.id, decision = ?self.policy.uncertain, "it is unknown whether a reply was sent: its token is too old to find out, or the store may have lost that it was used");
        match self.policy.uncertain {
            UncertainReply::Drop => {
                count("uncertain_dropped");
                Step::Break(ended(Ending::Done))
            }
            UncertainReply::Push => {
                count("uncertain_pushed");
                self.push_instead(attempt, LateReplies::Push).await
            }
        }
    }

    async fn push(&self, attempt: Attempt) -> Step {
        let Some(to) = &attempt.delivery.to else {
            return Step::Break(dead("there is no chat to push to"));
        };
        if attempt.since_first() >= PUSHED_WITHIN {
            return Step::Break(dead(
                "not said within 23 hours of the first attempt: LINE would no longer know the retry key",
            ));
        }
        if let Some(wait) = self.pushes.wait(attempt.run.clock()) {
            let reason = "pushes wait: LINE forbids those of this account".to_owned();
            return Step::Break(attempt.wait(wait, reason, PUSHES));
        }
        self.push_rate.until_ready().await;
        if !attempt.is_held().await {
            return Step::Break(lost());
        }
        let sent = self.platform.push(to, &attempt.delivery.messages, attempt.retry_key()).await;
        let error = match sent {
            Ok(sent) => {
                let how = if sent.already_accepted { "push_accepted_before" } else { "push" };
                return Step::Break(self.pushed(&attempt, how).await);
            }
            Err(error) => error,
        };
        let known = match attempt.known(&error).await {
            Ok(known) => known,
            Err(outage) => {
                let error = format!("{}; {outage}", describe(&error));
                return Step::Break(failed(Call::Push, error, None));
            }
        };
        match judge(Call::Push, &error, known) {
            Verdict::SaidBefore => Step::Break(self.pushed(&attempt, "push_accepted_before").await),
            Verdict::Trim => self.trim(attempt, &error).await,
            verdict => Step::Break(self.failed(&attempt, Call::Push, verdict, &error).await),
        }
    }

    /// Takes the messages' ornaments off, for good, and makes the same call again (O9).
    async fn trim(&self, mut attempt: Attempt, error: &Error) -> Step {
        metrics::counter!("yamabiko_trimmed_deliveries_total").increment(1);
        tracing::warn!(
            job.id = %attempt.run.claim.job.id,
            error = describe(error),
            "LINE refuses a quote, quick replies or a sender: the messages are sent without any"
        );
        let key = match attempt.key_once_trimmed().await {
            Ok(key) => key,
            Err(outage) => {
                let error = format!("{}; {outage}", describe(error));
                return Step::Break(failed(attempt.next_call(), error, None));
            }
        };
        attempt.delivery.trim(key);
        attempt.save_and_go_on().await
    }

    async fn pushed(&self, attempt: &Attempt, how: &'static str) -> Finish {
        if self.pushes.accepted()
            && let Err(error) = attempt.run.store().resume(PUSHES).await
        {
            tracing::debug!(%error, "the store still says that pushes wait, until they would look again");
        }
        self.sent(how)
    }

    fn sent(&self, how: &'static str) -> Finish {
        count(how);
        self.health.credentials_work();
        ended(Ending::Done)
    }
}

fn count(how: &'static str) {
    metrics::counter!("yamabiko_deliveries_total", "how" => how).increment(1);
}
