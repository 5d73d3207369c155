//! Webhook events, read tolerantly: what is unknown or wrong inside one event never fails another.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    id::{ChatId, UserId},
    secret::ReplyToken,
};

mod content;
mod kind;

pub use content::{
    AudioMessage, FileMessage, ImageMessage, LocationMessage, Mentionee, MessageContent, StickerMessage, TextMessage,
    VideoMessage,
};
pub use kind::EventKind;

/// The body of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The bot's user id; `None` if missing or not a text.
    pub destination: Option<String>,
    /// The events, of any number of users; may be empty.
    pub events: Vec<Event>,
}

/// A body that is no webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object with an array `events`")]
pub struct EnvelopeError;

impl Envelope {
    /// Reads the body of a webhook whose signature was verified.
    ///
    /// # Errors
    /// If the body is not a JSON object with an array `events`. Whatever stands in the array is an event.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else { return Err(EnvelopeError) };
        let Some(Value::Array(events)) = body.remove("events") else { return Err(EnvelopeError) };
        let destination = body.get("destination").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { destination, events: events.into_iter().map(Event::from_value).collect() })
    }
}

/// Whether the bot may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It may.
    Active,
    /// Another channel has the word; nothing may be sent.
    Standby,
}

/// Where an event comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A chat with one user.
    User(UserId),
    /// A group, and who of it if LINE says so.
    Group(ChatId, Option<UserId>),
    /// A room, and who of it if LINE says so.
    Room(ChatId, Option<UserId>),
}

impl Source {
    /// Returns the chat to which answers go.
    #[must_use]
    pub fn chat(&self) -> Option<ChatId> {
        match self {
            Self::User(user) => Some(ChatId::new(user.as_str())),
            Self::Group(chat, _) | Self::Room(chat, _) => Some(chat.clone()),
        }
    }

    /// Returns the user who caused the event, if LINE says so.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user.clone()),
            Self::Group(_, user) | Self::Room(_, user) => user.clone(),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let user = text(value, "userId").map(UserId::new);
        match value.get("type")?.as_str()? {
            "user" => user.map(Self::User),
            "group" => text(value, "groupId").map(|id| Self::Group(ChatId::new(id), user)),
            "room" => text(value, "roomId").map(|id| Self::Room(ChatId::new(id), user)),
            _ => None,
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
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
    /// Where it comes from; `None` if missing or of an unknown type.
    pub source: Option<Source>,
    /// What happened.
    pub kind: EventKind,
    /// The event as LINE sent it.
    pub raw: Value,
}

impl Event {
    /// Reads an event; any JSON is one.
    #[must_use]
    pub fn from_value(raw: Value) -> Self {
        let standby = text(&raw, "mode").as_deref() == Some("standby");
        Self {
            webhook_event_id: text(&raw, "webhookEventId").filter(|id| !id.is_empty()),
            timestamp: raw.get("timestamp").and_then(Value::as_i64),
            mode: if standby { Mode::Standby } else { Mode::Active },
            is_redelivery: raw.pointer("/deliveryContext/isRedelivery").and_then(Value::as_bool).unwrap_or(false),
            reply_token: text(&raw, "replyToken").filter(|token| !token.is_empty()).map(ReplyToken::new),
            source: raw.get("source").and_then(Source::read),
            kind: EventKind::read(&raw),
            raw,
        }
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
        match &self.webhook_event_id {
            Some(id) => format!("{destination}/{id}"),
            None => {
                let event = without(&self.raw, &["deliveryContext", "replyToken"]).to_string();
                let hash = Sha256::digest(event.as_bytes());
                let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{destination}/sha256:{hex}")
            }
        }
    }
}

fn without(value: &Value, keys: &[&str]) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
    value
}

/// Returns a member that is a text.
fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}
