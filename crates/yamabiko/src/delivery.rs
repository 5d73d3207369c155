//! Messages to LINE: each call is a job of its own (O1).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko_line::{id::ChatId, message::Message};
use yamabiko_queue::{Job, JobId, NewJob, Timestamp, job::OUTBOX, store::Claim};

use crate::config::{LateReplies, UncertainReply};

mod account;
mod attempt;
mod call;
mod decide;
mod loading;
mod pack;
mod passing;
mod pushes;
mod refused;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use call::Courier;
pub(crate) use loading::{LOADING_KIND, animation, policy as loading_policy};
pub(crate) use pack::{Said, WhenLate, pack};
pub(crate) use pushes::PUSHES;

/// The kind of the jobs that are deliveries.
pub(crate) const DELIVERY_KIND: &str = "line.delivery";
/// For how long after its arrival a reply token is used (O2).
pub(crate) const TOKEN_GOOD_FOR: Duration = Duration::from_secs(50);
/// For how long after its arrival a reply token is used that a job has kept for its end (O2).
pub(crate) const KEPT_TOKEN_GOOD_FOR: Duration = Duration::from_secs(55);
/// Returns for how long after its arrival a reply token is used (O2).
const fn good_for(is_kept: bool) -> Duration {
    if is_kept { KEPT_TOKEN_GOOD_FOR } else { TOKEN_GOOD_FOR }
}

/// The newest version of a delivery's payload that this program knows: with free-only messages, or without its ornaments.
///
/// Others are written as version 1, so that an older process carries them too.
const NEWEST_VERSION: u32 = 2;

/// What becomes of replies that cannot be sent as such; by the settings of the process that carries them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyPolicy {
    pub(crate) uncertain: UncertainReply,
    pub(crate) late: LateReplies,
}

impl Default for ReplyPolicy {
    fn default() -> Self {
        Self { uncertain: UncertainReply::Drop, late: LateReplies::Push }
    }
}

/// The payload of a delivery: one call. The reply token is kept apart, as the job's secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) v: u32,
    /// Whom to push to; none for an event that has no chat, which can only be replied to.
    pub(crate) to: Option<ChatId>,
    pub(crate) messages: Vec<Message>,
    /// What becomes of each message when it can no longer be a reply; all are pushed where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    when_late: Vec<WhenLate>,
    /// When the reply token arrived; none for a push.
    pub(crate) token_arrived: Option<Timestamp>,
    /// When LINE sent the reply token first, where it has sent its event again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_first_sent: Option<Timestamp>,
    /// When the reply token arrived that the run's first delivery has, for replies that did not fit beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows_token: Option<Timestamp>,
    /// Whether a job had kept the reply token for its end.
    #[serde(default)]
    pub(crate) kept: bool,
    /// Whether LINE has refused the messages' ornaments, which were taken off for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trimmed: Option<Trimmed>,
}

/// The retry key of a delivery whose ornaments were taken off, if it is pushed (O9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trimmed {
    /// The one that it had before: an earlier attempt may have arrived, and only the same key can tell.
    SameKey,
    /// One of its own: LINE may refuse the other one with another body, and surely has not accepted it. So too where a server
    /// was promoted since: it may lack that this one was accepted, and most likely the other never was.
    OwnKey,
}

impl Delivery {
    /// Returns whether its messages have ornaments that can still be taken off.
    pub(crate) fn can_be_trimmed(&self) -> bool {
        self.trimmed.is_none() && self.messages.iter().any(Message::has_ornaments)
    }

    /// Makes a push of a reply, without the messages that are not pushed, and returns how many those were.
    fn give_up_reply(&mut self, late_replies: LateReplies) -> usize {
        (self.token_arrived, self.token_first_sent, self.follows_token) = (None, None, None);
        let mut when_late = std::mem::take(&mut self.when_late).into_iter();
        let before = self.messages.len();
        self.messages.retain(|_| match when_late.next().unwrap_or_default() {
            WhenLate::Push => true,
            WhenLate::AsSet => late_replies == LateReplies::Push,
            WhenLate::Drop => false,
        });
        before - self.messages.len()
    }

    /// Returns whether there are messages that are never pushed.
    fn is_free_only(&self) -> bool {
        self.when_late.contains(&WhenLate::Drop)
    }

    /// Takes all ornaments off, for good.
    fn trim(&mut self, key: Trimmed) {
        let messages = std::mem::take(&mut self.messages);
        self.messages = messages.into_iter().map(Message::without_ornaments).collect();
        self.trimmed = Some(key);
        self.v = NEWEST_VERSION;
    }
}

/// Returns a job of the outbox, in the chat's delivery lane (L1).
fn outgoing(
    kind: &str,
    payload: Vec<u8>,
    chat: Option<&ChatId>,
    claim: &Claim,
    id: JobId,
) -> NewJob {
    let mut job = NewJob::new(kind, payload);
    job.id = id;
    job.queue = OUTBOX.to_owned();
    job.lane = chat.map(|chat| format!(">{chat}"));
    job.chat = chat.map(ToString::to_string);
    job.parent = Some(claim.job.id);
    job.origin.clone_from(&claim.job.origin);
    job.origin_time = claim.job.origin_time;
    job
}

/// Counts and logs messages that are not sent, since they are not worth a push.
fn count_dropped(job: &Job, messages: usize, why: &'static str) {
    metrics::counter!("yamabiko_messages_dropped_total", "why" => why).increment(messages as u64);
    tracing::info!(job.id = %job.id, job.kind = job.kind, messages, why, "messages that are to cost no push are dropped");
}
