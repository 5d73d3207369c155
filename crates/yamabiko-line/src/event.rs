//! Webhook events, read tolerantly: what is unknown or wrong inside one event never fails another.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{json, secret::ReplyToken};

mod content;
mod envelope;
mod kind;
mod media;
mod plain;
mod source;

pub use content::{Emoji, LocationMessage, Mentionee, MessageContent, StickerMessage, TextMessage};
pub use envelope::{Envelope, EnvelopeError};
pub use kind::EventKind;
pub use media::{AudioMessage, FileMessage, ImageMessage, ImageSet, VideoMessage};
pub use source::Source;

/// The user of the dummies that LINE's console sends to verify a webhook address.
const VERIFICATION_USER: &str = "Udeadbeefdeadbeefdeadbeefdeadbeef";

/// Whether the bot may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It may.
    Active,
    /// Another channel has taken the chat over; nothing may be sent.
    Standby,
}

/// One event.
///
/// Its `Debug` shows neither the reply token nor what the user said.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// LINE's id of the event, the same in a redelivery.
    pub webhook_event_id: Option<String>,
    /// When it happened, in milliseconds since the Unix epoch; the same in a redelivery.
    pub timestamp: Option<i64>,
    /// Whether the bot may answer; `Active` where LINE does not say.
    pub mode: Mode,
    /// Whether LINE sends it again.
    pub is_redelivery: bool,
    /// What an answer by reply needs.
    pub reply_token: Option<ReplyToken>,
    /// Where it comes from; `None` if LINE does not say.
    pub source: Option<Source>,
    /// What happened.
    pub kind: EventKind,
    /// The event as LINE sent it; a text if it is JSON that this program cannot hold.
    pub raw: Value,
}

impl Event {
    /// Reads an event; any JSON is one.
    #[must_use]
    pub fn from_value(raw: Value) -> Self {
        let standby = json::text(&raw, "mode").as_deref() == Some("standby");
        let reply_token = json::text(&raw, "replyToken").filter(|token| !token.is_empty());
        Self {
            webhook_event_id: json::text(&raw, "webhookEventId").filter(|id| !id.is_empty()),
            timestamp: json::integer(&raw, "timestamp"),
            mode: if standby { Mode::Standby } else { Mode::Active },
            is_redelivery: raw
                .get("deliveryContext")
                .is_some_and(|context| json::flag(context, "isRedelivery")),
            reply_token: reply_token.map(ReplyToken::new),
            source: raw.get("source").filter(|source| source.is_object()).map(Source::read),
            kind: EventKind::read(&raw),
            raw,
        }
    }

    /// Marks mentions of this user as mentions of the bot, for texts where LINE does not say `isSelf`.
    ///
    /// `bot` is the `destination` of the webhook: the bot's own user id.
    #[must_use]
    pub fn for_bot(mut self, bot: Option<&str>) -> Self {
        if let (
            Some(bot),
            EventKind::Message(MessageContent::Text(text))
            | EventKind::MessageEdited(MessageContent::Text(text)),
        ) = (bot, &mut self.kind)
        {
            for mention in &mut text.mentions {
                mention.is_self |= mention.user.as_ref().is_some_and(|user| user.as_str() == bot);
            }
        }
        self
    }

    /// Returns whether the event is one of the dummies that LINE's console sends to verify a webhook address.
    ///
    /// Their user does not exist, or their reply token is all `0` or all `f`: nothing that is sent for them arrives.
    #[must_use]
    pub fn is_verification(&self) -> bool {
        let is_dummy = |token: &ReplyToken| {
            let token = token.expose().as_bytes();
            token.len() == 32 && [b'0', b'f'].iter().any(|of| token.iter().all(|byte| byte == of))
        };
        let user = self.source.as_ref().and_then(Source::user);
        user.is_some_and(|user| user.as_str() == VERIFICATION_USER)
            || self.reply_token.as_ref().is_some_and(is_dummy)
    }

    /// Returns the event's type as LINE wrote it, empty if there is none.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.raw.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the event as LINE sent it, without the reply token.
    #[must_use]
    pub fn without_reply_token(&self) -> Value {
        without(&self.raw, &["replyToken"])
    }

    /// Returns the key of the event, the same for all its deliveries.
    ///
    /// It is the bot's user id and `webhookEventId`; without one, a hash of the event without what a redelivery changes.
    #[must_use]
    pub fn key(&self, destination: Option<&str>) -> String {
        let destination = destination.unwrap_or_default();
        if let Some(id) = &self.webhook_event_id {
            return format!("{destination}/{id}");
        }
        let mut event = without(&self.raw, &["deliveryContext", "replyToken"]);
        // LINE may send the same properties in another order.
        event.sort_all_objects();
        let hash = Sha256::digest(event.to_string().as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{destination}/sha256:{hex}")
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("webhook_event_id", &self.webhook_event_id)
            .field("timestamp", &self.timestamp)
            .field("mode", &self.mode)
            .field("is_redelivery", &self.is_redelivery)
            .field("event_type", &self.event_type())
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

fn without(value: &Value, keys: &[&str]) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "type": "message", "mode": "active", "timestamp": 1_800_000_000_000_i64,
            "webhookEventId": "01J", "deliveryContext": {"isRedelivery": false},
            "replyToken": "geheim-token", "source": {"type": "user", "userId": "U1"},
            "message": {"type": "text", "id": "1", "text": "geheim-text"},
        })
    }

    #[test]
    fn i1_the_key_is_the_destination_and_the_webhook_event_id() {
        let event = Event::from_value(event());
        assert_eq!(event.key(Some("Ubot")), "Ubot/01J");
        assert_ne!(event.key(Some("Ubot")), event.key(Some("Uother")));
        assert_eq!(event.key(None), "/01J");
    }

    #[test]
    fn i1_without_an_id_the_key_is_the_same_for_a_redelivery_and_no_other() {
        let key = |change: &dyn Fn(&mut Value)| {
            let mut event = event();
            event.as_object_mut().unwrap().remove("webhookEventId");
            change(&mut event);
            Event::from_value(event).key(Some("Ubot"))
        };
        let first = key(&|_| {});
        assert_eq!(first.len(), "Ubot/sha256:".len() + 64);
        let redelivered = key(&|event| {
            event["deliveryContext"]["isRedelivery"] = json!(true);
            event["replyToken"] = json!("another");
        });
        assert_eq!(first, redelivered);
        assert_ne!(first, key(&|event| event["message"]["id"] = json!("2")));
        for no_id in [json!(""), json!(7), Value::Null] {
            let key = key(&|event| event["webhookEventId"] = no_id.clone());
            assert!(key.starts_with("Ubot/sha256:"), "{key}");
        }
    }

    #[test]
    fn a_reply_token_is_kept_apart() {
        let event = Event::from_value(event());
        assert_eq!(event.reply_token.as_ref().map(ReplyToken::expose), Some("geheim-token"));
        let stored = event.without_reply_token();
        assert!(!stored.to_string().contains("geheim-token"));
        let again = Event::from_value(stored);
        assert_eq!((again.reply_token, again.kind), (None, event.kind));
    }

    #[test]
    fn the_dummies_of_lines_verification_are_known() {
        let is_verification = |change: &dyn Fn(&mut Value)| {
            let mut event = event();
            change(&mut event);
            Event::from_value(event).is_verification()
        };
        assert!(!is_verification(&|_| {}));
        for dummy in ["0".repeat(32), "f".repeat(32)] {
            assert!(is_verification(&|event| event["replyToken"] = json!(dummy)));
        }
        for token in ["0", &"f".repeat(31), &"0f".repeat(16), ""] {
            assert!(!is_verification(&|event| event["replyToken"] = json!(token)), "{token}");
        }
        let dummy = format!("U{}", "deadbeef".repeat(4));
        assert!(is_verification(&|event| event["source"]["userId"] = json!(dummy)));
        assert!(is_verification(&|event| {
            event["source"] = json!({"type": "group", "groupId": "C1", "userId": dummy});
        }));
    }

    #[test]
    fn an_event_prints_neither_its_reply_token_nor_its_text() {
        let event = Event::from_value(event());
        for shown in [format!("{event:?}"), format!("{:?}", event.kind)] {
            assert!(!shown.contains("geheim"), "{shown}");
        }
    }
}
