//! LINE's answers.

use std::{fmt, time::SystemTime};

use serde_json::Value;

use crate::{
    id::{MessageId, UserId},
    json::{elements, flag, id, integer, text},
};

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// LINE's id of this request.
    pub request_id: Option<String>,
    /// LINE's id of the request that was accepted before with the same retry key.
    pub accepted_request_id: Option<String>,
    /// Whether it was sent before.
    pub already_accepted: bool,
    /// The messages.
    pub messages: Vec<SentMessage>,
}

/// A message that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentMessage {
    /// Its id.
    pub id: MessageId,
    /// What another message needs to quote it.
    pub quote_token: Option<String>,
}

/// A user's profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The user's id.
    pub user_id: UserId,
    /// The user's name.
    pub display_name: String,
    /// The user's language, a BCP 47 tag, if LINE knows it.
    pub language: Option<String>,
    /// Where the user's picture is.
    pub picture_url: Option<String>,
    /// What the user says of themselves.
    pub status_message: Option<String>,
}

/// How many messages may be sent in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The limit; `None` for no limit.
    pub limit: Option<u64>,
}

/// What a user sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// It is here.
    Ready {
        /// Its media type, empty if LINE does not say.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// LINE is still preparing it; ask again later.
    Preparing,
}

/// Who the bot is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotInfo {
    /// The bot's user id.
    pub user_id: UserId,
    /// The bot's basic id, which begins with `@`.
    pub basic_id: String,
    /// The bot's premium id, if it has one.
    pub premium_id: Option<String>,
    /// The bot's name.
    pub display_name: String,
    /// Where the bot's picture is.
    pub picture_url: Option<String>,
    /// `chat` if people may answer in the bot's place, else `bot`.
    pub chat_mode: String,
    /// `auto` or `manual`; `mark_as_read` works only if it is `manual`.
    pub mark_as_read_mode: String,
    /// When LINE answered, to the second and by its own clock; `None` if it does not say.
    pub answered_at: Option<SystemTime>,
}

/// Where LINE sends webhooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookEndpoint {
    /// The address.
    pub endpoint: String,
    /// Whether webhooks are sent.
    pub active: bool,
}

/// What a test webhook found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookTest {
    /// Whether the bot answered 200.
    pub success: bool,
    /// The bot's HTTP status; `None` if LINE does not say.
    pub status_code: Option<u16>,
    /// When, in LINE's notation.
    pub timestamp: String,
    /// `OK`, or why it failed.
    pub reason: String,
    /// The same in more words.
    pub detail: String,
}

/// Shows how much there is, and nothing of it.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { content_type, bytes } => f
                .debug_struct("Ready")
                .field("content_type", content_type)
                .field("bytes", &bytes.len())
                .finish(),
            Self::Preparing => f.write_str("Preparing"),
        }
    }
}

impl Sent {
    /// Reads the messages; the rest stands in headers.
    pub(super) fn read(answer: &Value) -> Self {
        let messages = elements(answer, "sentMessages").map(|message| SentMessage {
            id: MessageId::new(id(message, "id").unwrap_or_default()),
            quote_token: text(message, "quoteToken"),
        });
        Self { messages: messages.collect(), ..Self::default() }
    }
}

impl Profile {
    pub(super) fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            user_id: UserId::new(id(answer, "userId")?),
            display_name: text(answer, "displayName").unwrap_or_default(),
            language: text(answer, "language"),
            picture_url: text(answer, "pictureUrl"),
            status_message: text(answer, "statusMessage"),
        })
    }
}

impl Quota {
    pub(super) fn read(answer: &Value) -> Option<Self> {
        match answer.get("type")?.as_str()? {
            "none" => Some(Self { limit: None }),
            _ => Some(Self { limit: Some(answer.get("value")?.as_u64()?) }),
        }
    }
}

impl BotInfo {
    pub(super) fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            user_id: UserId::new(id(answer, "userId")?),
            basic_id: text(answer, "basicId").unwrap_or_default(),
            premium_id: text(answer, "premiumId"),
            display_name: text(answer, "displayName").unwrap_or_default(),
            picture_url: text(answer, "pictureUrl"),
            chat_mode: text(answer, "chatMode").unwrap_or_default(),
            mark_as_read_mode: text(answer, "markAsReadMode").unwrap_or_default(),
            answered_at: None,
        })
    }
}

impl WebhookEndpoint {
    pub(super) fn read(answer: &Value) -> Option<Self> {
        Some(Self { endpoint: text(answer, "endpoint")?, active: flag(answer, "active") })
    }
}

impl WebhookTest {
    pub(super) fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            success: answer.get("success")?.as_bool()?,
            timestamp: text(answer, "timestamp").unwrap_or_default(),
            status_code: integer(answer, "statusCode").and_then(|code| code.try_into().ok()),
            reason: text(answer, "reason").unwrap_or_default(),
            detail: text(answer, "detail").unwrap_or_default(),
        })
    }
}
