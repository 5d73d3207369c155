//! Messages to LINE: packed into as few calls as possible, each call a job of its own (O1).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko_line::{
    id::ChatId,
    message::{MAX_MESSAGES, Message},
};
use yamabiko_queue::{
    JobId, NewJob, Timestamp,
    job::{MAX_PAYLOAD_BYTES, OUTBOX},
    store::Claim,
};

use crate::context::{Envelope, PAYLOAD_VERSION};

mod account;
mod attempt;
mod call;
mod decide;
mod loading;
mod pushes;
mod refused;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use call::Courier;
pub(crate) use loading::{LOADING_KIND, animation, policy as loading_policy};
pub(crate) use pushes::PUSHES;

/// The kind of the jobs that are deliveries.
pub(crate) const DELIVERY_KIND: &str = "line.delivery";
/// For how long after its arrival a reply token is used (O2).
pub(crate) const TOKEN_GOOD_FOR: Duration = Duration::from_secs(50);
/// For how long after its arrival a reply token is used that a job has kept for its end (O2).
pub(crate) const KEPT_TOKEN_GOOD_FOR: Duration = Duration::from_secs(55);
/// The newest version of a delivery's payload that this program knows: one with ornaments taken off.
///
/// Others are written as version 1, so that an older process carries them too.
const NEWEST_VERSION: u32 = 2;
/// What a delivery holds beside its messages, at most, in bytes.
const OVERHEAD: usize = 1024;

/// The payload of a delivery: one call. The reply token is kept apart, as the job's secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) v: u32,
    /// Whom to push to; none for an event that has no chat, which can only be replied to.
    pub(crate) to: Option<ChatId>,
    pub(crate) messages: Vec<Message>,
    /// When the reply token arrived; none for a push.
    pub(crate) token_arrived: Option<Timestamp>,
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
    /// One of its own: LINE may refuse the other one with another body, and surely has not accepted it.
    OwnKey,
}

impl Delivery {
    /// Returns whether its messages have ornaments that can still be taken off.
    pub(crate) fn can_be_trimmed(&self) -> bool {
        self.trimmed.is_none() && self.messages.iter().any(Message::has_ornaments)
    }

    /// Takes all ornaments off, for good.
    fn trim(&mut self, maybe_said: bool) {
        let messages = std::mem::take(&mut self.messages);
        self.messages = messages.into_iter().map(Message::without_ornaments).collect();
        self.trimmed = Some(if maybe_said { Trimmed::SameKey } else { Trimmed::OwnKey });
        self.v = NEWEST_VERSION;
    }
}

/// Packs what one commit says into deliveries, in order; the chat's first one takes the reply token (O1).
pub(crate) fn pack(
    said: Vec<(Option<ChatId>, Message)>,
    envelope: &Envelope,
    claim: &Claim,
    mut ids: impl Iterator<Item = JobId>,
) -> Vec<NewJob> {
    let mut chats: Vec<(Option<ChatId>, Vec<Message>)> = Vec::new();
    for (chat, message) in said {
        let parts = message.split();
        match chats.iter_mut().find(|(known, _)| *known == chat) {
            Some((_, messages)) => messages.extend(parts),
            None => chats.push((chat, parts)),
        }
    }
    let mut jobs = Vec::new();
    for (chat, messages) in chats {
        let mut token = envelope.token.as_ref().filter(|_| chat == envelope.chat);
        let calls = calls(messages);
        if calls.len() > 1 {
            tracing::info!(
                job.id = %claim.job.id,
                job.kind = claim.job.kind,
                calls = calls.len(),
                pushes = calls.len() - usize::from(token.is_some()),
                "a run sends a chat more than one call takes, {MAX_MESSAGES} messages or 64 KiB: each push counts"
            );
        }
        for messages in calls {
            let token = token.take();
            let delivery = Delivery {
                v: PAYLOAD_VERSION,
                to: chat.clone(),
                messages,
                token_arrived: token.map(|token| token.arrived),
                kept: token.is_some_and(|token| token.kept),
                trimmed: None,
            };
            let payload = serde_json::to_vec(&delivery).expect("messages are JSON");
            let id = ids.next().expect("there are always more ids");
            let mut job = outgoing(DELIVERY_KIND, payload, chat.as_ref(), claim, id);
            job.secret = token.map(|token| token.token.expose().to_owned());
            jobs.push(job);
        }
    }
    jobs
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
    job
}

/// Splits messages into as few calls as possible: each takes five, and no more than a job holds.
fn calls(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut calls: Vec<Vec<Message>> = Vec::new();
    let mut room = 0;
    for message in messages {
        let size = serde_json::to_vec(&message).map_or(0, |json| json.len() + 1);
        match calls.last_mut() {
            Some(call) if call.len() < MAX_MESSAGES && size <= room => call.push(message),
            _ => {
                calls.push(vec![message]);
                room = MAX_PAYLOAD_BYTES - OVERHEAD;
            }
        }
        room = room.saturating_sub(size);
    }
    calls
}
