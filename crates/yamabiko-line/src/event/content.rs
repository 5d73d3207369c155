//! What a message event holds.

use serde_json::Value;

use super::text;
use crate::id::{MessageId, UserId};

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MessageContent {
    /// A text.
    Text(TextMessage),
    /// A sticker.
    Sticker(StickerMessage),
    /// An image.
    Image(ImageMessage),
    /// A video.
    Video(VideoMessage),
    /// An audio message.
    Audio(AudioMessage),
    /// A file.
    File(FileMessage),
    /// A location.
    Location(LocationMessage),
    /// A type that this program does not know, or one that lacks what it must have.
    Unknown {
        /// The type, empty if there is none.
        message_type: String,
    },
}

/// A text message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextMessage {
    /// Its id.
    pub id: MessageId,
    /// The text.
    pub text: String,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// The message that it quotes.
    pub quoted_message_id: Option<MessageId>,
    /// Who is mentioned.
    pub mentions: Vec<Mentionee>,
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
}

/// A part of a text that mentions somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mentionee {
    /// Where it begins, in UTF-16 units.
    pub index: usize,
    /// How long it is, in UTF-16 units.
    pub length: usize,
    /// Who is meant, if LINE says so.
    pub user: Option<UserId>,
    /// Whether the bot is meant.
    pub is_self: bool,
    /// Whether everybody is meant.
    pub is_all: bool,
}

/// A sticker message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StickerMessage {
    /// Its id.
    pub id: MessageId,
    /// The sticker's package.
    pub package_id: String,
    /// The sticker.
    pub sticker_id: String,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// What the sticker means, in words.
    pub keywords: Vec<String>,
}

/// An image message; the picture is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageMessage {
    /// Its id.
    pub id: MessageId,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// Whether LINE holds the content.
    pub is_held_by_line: bool,
}

/// A video message; the video is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoMessage {
    /// Its id.
    pub id: MessageId,
    /// Its length in milliseconds.
    pub duration_ms: Option<i64>,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// Whether LINE holds the content.
    pub is_held_by_line: bool,
}

/// An audio message; the sound is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioMessage {
    /// Its id.
    pub id: MessageId,
    /// Its length in milliseconds.
    pub duration_ms: Option<i64>,
    /// Whether LINE holds the content.
    pub is_held_by_line: bool,
}

/// A file message; the file is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMessage {
    /// Its id.
    pub id: MessageId,
    /// Its name.
    pub file_name: String,
    /// Its size in bytes.
    pub file_size: Option<i64>,
}

/// A location message.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LocationMessage {
    /// Its id.
    pub id: MessageId,
    /// Its title.
    pub title: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

impl MessageContent {
    /// Returns the message's id, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&MessageId> {
        match self {
            Self::Text(message) => Some(&message.id),
            Self::Sticker(message) => Some(&message.id),
            Self::Image(message) => Some(&message.id),
            Self::Video(message) => Some(&message.id),
            Self::Audio(message) => Some(&message.id),
            Self::File(message) => Some(&message.id),
            Self::Location(message) => Some(&message.id),
            Self::Unknown { .. } => None,
        }
    }

    pub(super) fn read(message: &Value) -> Self {
        let message_type = text(message, "type").unwrap_or_default();
        let known = match message_type.as_str() {
            "text" => TextMessage::read(message).map(Self::Text),
            "sticker" => StickerMessage::read(message).map(Self::Sticker),
            "image" => message_id(message).map(|id| {
                let (quote_token, is_held_by_line) = (text(message, "quoteToken"), is_held_by_line(message));
                Self::Image(ImageMessage { id, quote_token, is_held_by_line })
            }),
            "video" => message_id(message).map(|id| {
                let (quote_token, is_held_by_line) = (text(message, "quoteToken"), is_held_by_line(message));
                Self::Video(VideoMessage { id, duration_ms: number(message, "duration"), quote_token, is_held_by_line })
            }),
            "audio" => message_id(message).map(|id| {
                let is_held_by_line = is_held_by_line(message);
                Self::Audio(AudioMessage { id, duration_ms: number(message, "duration"), is_held_by_line })
            }),
            "file" => message_id(message).map(|id| {
                let file_name = text(message, "fileName").unwrap_or_default();
                Self::File(FileMessage { id, file_name, file_size: number(message, "fileSize") })
            }),
            "location" => LocationMessage::read(message).map(Self::Location),
            _ => None,
        };
        known.unwrap_or(Self::Unknown { message_type })
    }
}

impl TextMessage {
    fn read(message: &Value) -> Option<Self> {
        let mentionees = message.pointer("/mention/mentionees").and_then(Value::as_array);
        Some(Self {
            id: message_id(message)?,
            text: text(message, "text")?,
            quote_token: text(message, "quoteToken"),
            quoted_message_id: text(message, "quotedMessageId").map(MessageId::new),
            mentions: mentionees.into_iter().flatten().filter_map(Mentionee::read).collect(),
            mark_as_read_token: text(message, "markAsReadToken"),
        })
    }
}

impl Mentionee {
    fn read(value: &Value) -> Option<Self> {
        let position = |key| usize::try_from(number(value, key)?).ok();
        Some(Self {
            index: position("index")?,
            length: position("length")?,
            user: text(value, "userId").map(UserId::new),
            is_self: value.get("isSelf").and_then(Value::as_bool).unwrap_or(false),
            is_all: text(value, "type").as_deref() == Some("all"),
        })
    }
}

impl StickerMessage {
    fn read(message: &Value) -> Option<Self> {
        let keywords = message.get("keywords").and_then(Value::as_array);
        Some(Self {
            id: message_id(message)?,
            package_id: text(message, "packageId")?,
            sticker_id: text(message, "stickerId")?,
            quote_token: text(message, "quoteToken"),
            keywords: keywords.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }
}

impl LocationMessage {
    fn read(message: &Value) -> Option<Self> {
        Some(Self {
            id: message_id(message)?,
            title: text(message, "title"),
            address: text(message, "address"),
            latitude: message.get("latitude")?.as_f64()?,
            longitude: message.get("longitude")?.as_f64()?,
        })
    }
}

fn message_id(message: &Value) -> Option<MessageId> {
    text(message, "id").map(MessageId::new)
}

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key)?.as_i64()
}

fn is_held_by_line(message: &Value) -> bool {
    message.pointer("/contentProvider/type").and_then(Value::as_str).is_none_or(|provider| provider == "line")
}
