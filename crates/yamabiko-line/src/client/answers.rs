//! LINE's answers.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct SentMessage {
    /// Its id.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// What another message needs to quote it.
    pub quote_token: Option<String>,
}

/// A user's profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Profile {
    /// The user's id.
    pub user_id: String,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It is here.
    Ready {
        /// Its media type.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// LINE is still preparing it; ask again later.
    Preparing,
}

/// Who the bot is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct BotInfo {
    /// The bot's user id.
    pub user_id: String,
    /// The bot's basic id, which begins with `@`.
    pub basic_id: String,
    /// The bot's name.
    pub display_name: String,
}

/// Where LINE sends webhooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WebhookEndpoint {
    /// The address.
    pub endpoint: String,
    /// Whether webhooks are sent.
    pub active: bool,
}

/// What a test webhook found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookTest {
    /// Whether the bot answered 200.
    pub success: bool,
    /// What the bot answered.
    pub status_code: u16,
    /// Why it failed.
    pub reason: String,
    /// The same in more words.
    pub detail: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawSent {
    pub(super) sent_messages: Vec<SentMessage>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawQuota {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consumption {
    pub(super) total_usage: u64,
}

/// LINE's prose calls ids numbers, its examples write them as texts.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}
