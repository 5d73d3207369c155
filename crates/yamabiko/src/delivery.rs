//! Messages to LINE: packed into as few calls as possible, each call a job of its own (O1).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko_line::{
    id::ChatId,
    message::{MAX_MESSAGES, Message},
};
use yamabiko_queue::{JobId, NewJob, Timestamp, job::OUTBOX, store::Claim};

use crate::context::{Envelope, PAYLOAD_VERSION};

mod call;
mod decide;

pub(crate) use call::Courier;

/// The kind of the jobs that are deliveries.
pub(crate) const DELIVERY_KIND: &str = "line.delivery";
/// For how long after its arrival a reply token is used (O2).
pub(crate) const TOKEN_GOOD_FOR: Duration = Duration::from_secs(50);

/// The payload of a delivery: one call. The reply token is kept apart, as the job's secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) v: u32,
    /// Whom to push to; none for an event that has no chat, which can only be replied to.
    pub(crate) to: Option<ChatId>,
    pub(crate) messages: Vec<Message>,
    /// When the reply token arrived; none for a push.
    pub(crate) token_arrived: Option<Timestamp>,
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
        for messages in messages.chunks(MAX_MESSAGES) {
            let token = token.take();
            let delivery = Delivery {
                v: PAYLOAD_VERSION,
                to: chat.clone(),
                messages: messages.to_vec(),
                token_arrived: token.map(|token| token.arrived),
            };
            let payload = serde_json::to_vec(&delivery).expect("messages are JSON");
            let mut job = NewJob::new(DELIVERY_KIND, payload);
            job.id = ids.next().expect("there are always more ids");
            job.queue = OUTBOX.to_owned();
            job.lane = chat.as_ref().map(|chat| format!(">{chat}"));
            job.chat = chat.as_ref().map(ToString::to_string);
            job.parent = Some(claim.job.id);
            job.origin.clone_from(&claim.job.origin);
            job.secret = token.map(|token| token.token.expose().to_owned());
            jobs.push(job);
        }
    }
    jobs
}
