//! Packs what a run says into deliveries: as few calls as possible, in order (O1, O9).

use serde::{Deserialize, Serialize};
use yamabiko_line::{
    id::ChatId,
    message::{MAX_MESSAGES, Message},
};
use yamabiko_queue::{JobId, NewJob, job::MAX_PAYLOAD_BYTES, store::Claim};

use super::{DELIVERY_KIND, Delivery, NEWEST_VERSION, count_dropped, good_for, outgoing};
use crate::context::{Envelope, PAYLOAD_VERSION};

/// What a delivery holds beside its messages, at most, in bytes.
const OVERHEAD: usize = 1024;

/// A message that a run says.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// To whom; none for an event that has no chat, which can only be replied to.
    pub(crate) chat: Option<ChatId>,
    pub(crate) message: Message,
    pub(crate) when_late: WhenLate,
}

/// What becomes of a message that can no longer be a reply (O9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhenLate {
    /// It is pushed.
    #[default]
    Push,
    /// What `LATE_REPLIES` says.
    AsSet,
    /// It is dropped.
    Drop,
}

type Messages = Vec<(Message, WhenLate)>;

/// Packs what one commit says; the chat's first delivery takes the reply token (O1).
pub(crate) fn pack(
    said: Vec<Said>,
    envelope: &Envelope,
    claim: &Claim,
    mut ids: impl Iterator<Item = JobId>,
) -> Vec<NewJob> {
    let mut jobs = Vec::new();
    for (chat, messages) in by_chat(said) {
        let token = envelope.token.as_ref().filter(|_| chat == envelope.chat);
        let event = envelope.event.as_ref().filter(|event| event.is_redelivery);
        let first_sent = event.map(|_| envelope.counts_from);
        let (calls, dropped) = calls(messages, token.is_some());
        if dropped > 0 {
            count_dropped(&claim.job, dropped, "no_token");
        }
        if calls.len() > 1 {
            tracing::info!(
                job.id = %claim.job.id,
                job.kind = claim.job.kind,
                calls = calls.len(),
                pushes = calls.len() - usize::from(token.is_some()),
                "a run sends a chat more than one call takes, {MAX_MESSAGES} messages or 64 KiB: each push counts"
            );
        }
        let mut unused = token;
        for call in calls {
            let (messages, mut when_late): (Vec<_>, Vec<_>) = call.into_iter().unzip();
            if when_late.iter().all(|one| *one == WhenLate::Push) {
                when_late.clear();
            }
            let own = unused.take();
            let is_behind = own.is_none() && !when_late.is_empty();
            let delivery = Delivery {
                v: if when_late.contains(&WhenLate::Drop) {
                    NEWEST_VERSION
                } else {
                    PAYLOAD_VERSION
                },
                to: chat.clone(),
                messages,
                when_late,
                token_arrived: own.map(|token| token.arrived),
                token_first_sent: own.and(first_sent),
                follows_token: token.filter(|_| is_behind).map(|token| token.arrived),
                kept: token.is_some_and(|token| token.kept),
                trimmed: None,
            };
            let payload = serde_json::to_vec(&delivery).expect("messages are JSON");
            let id = ids.next().expect("there are always more ids");
            let mut job = outgoing(DELIVERY_KIND, payload, chat.as_ref(), claim, id);
            job.secret = own.map(|token| token.token.expose().to_owned());
            job.passes_until = own.map(|token| token.arrived + good_for(token.kept));
            jobs.push(job);
        }
    }
    jobs
}

/// Gathers what each chat is told, in order; a text that is too long for one message becomes several.
fn by_chat(said: Vec<Said>) -> Vec<(Option<ChatId>, Messages)> {
    let mut chats: Vec<(Option<ChatId>, Messages)> = Vec::new();
    for Said { chat, message, when_late } in said {
        let parts = message.split().into_iter().map(|part| (part, when_late));
        match chats.iter_mut().find(|(known, _)| *known == chat) {
            Some((_, messages)) => messages.extend(parts),
            None => chats.push((chat, parts.collect())),
        }
    }
    chats
}

/// Splits messages into as few calls as possible: each takes five, and no more than a job holds.
///
/// The first call may have a reply token. Free-only messages go there or nowhere; returned is also how many went nowhere.
fn calls(messages: Messages, has_token: bool) -> (Vec<Messages>, usize) {
    let mut calls: Vec<Messages> = Vec::new();
    let (mut room, mut dropped) = (0, 0);
    for (message, when_late) in messages {
        let size = serde_json::to_vec(&message).map_or(0, |json| json.len() + 1);
        let fits = calls.last().is_some_and(|call| call.len() < MAX_MESSAGES) && size <= room;
        let is_first = calls.is_empty() || (calls.len() == 1 && fits);
        if when_late == WhenLate::Drop && !(has_token && is_first) {
            dropped += 1;
            continue;
        }
        if !fits {
            calls.push(Vec::new());
            room = MAX_PAYLOAD_BYTES - OVERHEAD;
        }
        calls.last_mut().expect("there is one").push((message, when_late));
        room = room.saturating_sub(size);
    }
    (calls, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packs messages, of which `f` is free only, and returns how many of each there are in each call, and were dropped.
    fn packed(said: &str, has_token: bool) -> (Vec<String>, usize) {
        let when_late = |c| if c == 'f' { WhenLate::Drop } else { WhenLate::Push };
        let messages = said.chars().map(|c| (Message::text(c.to_string()), when_late(c)));
        let (calls, dropped) = calls(messages.collect(), has_token);
        let text = |(message, _): &(Message, WhenLate)| message.as_text().unwrap().to_owned();
        (calls.iter().map(|call| call.iter().map(text).collect()).collect(), dropped)
    }

    #[test]
    fn o1_a_call_holds_no_more_than_a_job_can_hold() {
        let long = || (Message::text("あ".repeat(5_000)), WhenLate::Push);
        let sizes: Vec<_> = calls(vec![long(); 6], false).0.iter().map(Vec::len).collect();
        assert_eq!(sizes, [4, 2], "15 kB each");
        assert_eq!(packed("ppppppppppp", true).0, ["ppppp", "ppppp", "p"]);
    }

    #[test]
    fn o9_free_only_messages_leave_with_the_token_or_not_at_all() {
        let expect = |said, has_token, calls: &[&str], dropped| {
            let (packed, gone) = packed(said, has_token);
            assert_eq!(
                (packed.iter().map(|call| &**call).collect::<Vec<_>>(), gone),
                (calls.to_vec(), dropped),
                "{said}"
            );
        };
        expect("fpf", true, &["fpf"], 0);
        expect("fpf", false, &["p"], 2);
        expect("ff", false, &[], 2);
        expect("ppppfpf", true, &["ppppf", "p"], 1);
        expect("pppppfff", true, &["ppppp"], 3);
        expect("fffffff", true, &["fffff"], 2);
    }
}
