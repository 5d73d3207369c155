//! What a message event holds.

use std::fmt;

use serde_json::Value;

use super::{
    AudioMessage, FileMessage, ImageMessage, VideoMessage,
    plain::{Place, plain, without},
};
use crate::{
    id::{MessageId, UserId},
    json,
};

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
        /// The message's id, if it has one.
        id: Option<MessageId>,
        /// The type, empty if there is none.
        message_type: String,
    },
}

/// A text message.
///
/// Its `Debug` does not show the text.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextMessage {
    /// Its id.
    pub id: MessageId,
    /// The text as the user wrote it; [`plain_text`](Self::plain_text) is the one to read commands from.
    pub text: String,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// The message that it quotes.
    pub quoted_message_id: Option<MessageId>,
    /// Who is mentioned.
    pub mentions: Vec<Mentionee>,
    /// LINE's own emoji, of which the text has placeholders.
    pub emojis: Vec<Emoji>,
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

/// The placeholder of one of LINE's own emoji in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Emoji {
    /// Where it begins, in UTF-16 units.
    pub index: usize,
    /// How long it is, in UTF-16 units.
    pub length: usize,
    /// The emoji's product.
    pub product_id: Option<String>,
    /// The emoji.
    pub emoji_id: Option<String>,
}

/// A sticker message.
///
/// Its `Debug` does not show what the user wrote on it.
#[derive(Clone, Default, PartialEq, Eq)]
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
    /// The message that it quotes.
    pub quoted_message_id: Option<MessageId>,
    /// What the sticker means, in words.
    pub keywords: Vec<String>,
    /// What the user wrote on it, for stickers that take a text.
    pub text: Option<String>,
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
}

/// A location message.
///
/// Its `Debug` does not show the location.
#[derive(Clone, Default, PartialEq)]
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
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
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
            Self::Unknown { id, .. } => id.as_ref(),
        }
    }

    pub(super) fn read(message: &Value) -> Self {
        let message_type = json::text(message, "type").unwrap_or_default();
        let known = match message_type.as_str() {
            "text" => TextMessage::read(message).map(Self::Text),
            "sticker" => StickerMessage::read(message).map(Self::Sticker),
            "image" => ImageMessage::read(message).map(Self::Image),
            "video" => VideoMessage::read(message).map(Self::Video),
            "audio" => AudioMessage::read(message).map(Self::Audio),
            "file" => FileMessage::read(message).map(Self::File),
            "location" => LocationMessage::read(message).map(Self::Location),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unknown { id: message_id(message), message_type })
    }
}

impl TextMessage {
    fn read(message: &Value) -> Option<Self> {
        let mention = message.get("mention").unwrap_or(&Value::Null);
        Some(Self {
            id: message_id(message)?,
            text: json::text(message, "text")?,
            quote_token: json::text(message, "quoteToken"),
            quoted_message_id: json::id(message, "quotedMessageId").map(MessageId::new),
            mentions: json::elements(mention, "mentionees").filter_map(Mentionee::read).collect(),
            emojis: json::elements(message, "emojis").filter_map(Emoji::read).collect(),
            mark_as_read_token: json::text(message, "markAsReadToken"),
        })
    }

    /// Returns the text as a person reads it, in one form for all ways to type it: what commands are read from.
    ///
    /// Mentions of the bot and placeholders of LINE's own emoji are cut out, full-width letters and half-width kana become
    /// the usual ones and marks join their letters (Unicode's form NFKC), invisible characters are left out, and each run
    /// of white space is one space, or one `\n` where it ends a line.
    ///
    /// It is made for understanding, not for showing: emoji may lose their colours, and a text may grow, up to 18
    /// characters for one. A user's own text is shown to them as [`text`](Self::text).
    ///
    /// ```
    /// # use yamabiko_line::event::{Event, EventKind, MessageContent};
    /// # let event = Event::from_value(serde_json::json!({"type": "message", "message": {
    /// #     "type": "text", "id": "1", "text": "@Bot １８０",
    /// #     "mention": {"mentionees": [{"index": 0, "length": 4, "type": "user", "isSelf": true}]},
    /// # }}));
    /// # let EventKind::Message(MessageContent::Text(message)) = event.kind else { panic!() };
    /// assert_eq!(message.text, "@Bot １８０");
    /// assert_eq!(message.plain_text(), "180");
    /// ```
    #[must_use]
    pub fn plain_text(&self) -> String {
        let of_bot = self.mentions.iter().filter(|mention| mention.is_self).map(Mentionee::place);
        let emojis = self.emojis.iter().map(Emoji::place);
        plain(&without(&self.text, &of_bot.chain(emojis).collect::<Vec<_>>()))
    }

    /// Returns the message with a space in the place of each mention, whoever is meant.
    #[must_use]
    pub fn without_mentions(&self) -> Self {
        let places: Vec<_> = self.mentions.iter().map(Mentionee::place).collect();
        // One space for each unit, so that the places of emoji stay.
        let text = without(&self.text, &places);
        Self { text, mentions: Vec::new(), ..self.clone() }
    }
}

impl fmt::Debug for TextMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextMessage")
            .field("id", &self.id)
            .field("quoted_message_id", &self.quoted_message_id)
            .field("mentions", &self.mentions)
            .finish_non_exhaustive()
    }
}

impl Mentionee {
    const fn place(&self) -> Place {
        Place { index: self.index, length: self.length }
    }

    fn read(mentionee: &Value) -> Option<Self> {
        Some(Self {
            index: position(mentionee, "index")?,
            length: position(mentionee, "length")?,
            user: json::id(mentionee, "userId").map(UserId::new),
            is_self: json::flag(mentionee, "isSelf"),
            is_all: json::text(mentionee, "type").as_deref() == Some("all"),
        })
    }
}

impl Emoji {
    const fn place(&self) -> Place {
        Place { index: self.index, length: self.length }
    }

    fn read(emoji: &Value) -> Option<Self> {
        Some(Self {
            index: position(emoji, "index")?,
            length: position(emoji, "length")?,
            product_id: json::id(emoji, "productId"),
            emoji_id: json::id(emoji, "emojiId"),
        })
    }
}

fn position(value: &Value, key: &str) -> Option<usize> {
    usize::try_from(json::integer(value, key)?).ok()
}

impl StickerMessage {
    fn read(message: &Value) -> Option<Self> {
        let keywords = json::elements(message, "keywords").filter_map(Value::as_str);
        Some(Self {
            id: message_id(message)?,
            package_id: json::id(message, "packageId")?,
            sticker_id: json::id(message, "stickerId")?,
            quote_token: json::text(message, "quoteToken"),
            quoted_message_id: json::id(message, "quotedMessageId").map(MessageId::new),
            keywords: keywords.map(str::to_owned).collect(),
            text: json::text(message, "text"),
            mark_as_read_token: json::text(message, "markAsReadToken"),
        })
    }
}

impl fmt::Debug for StickerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StickerMessage")
            .field("id", &self.id)
            .field("package_id", &self.package_id)
            .field("sticker_id", &self.sticker_id)
            .finish_non_exhaustive()
    }
}

impl LocationMessage {
    fn read(message: &Value) -> Option<Self> {
        Some(Self {
            id: message_id(message)?,
            title: json::text(message, "title"),
            address: json::text(message, "address"),
            latitude: message.get("latitude")?.as_f64()?,
            longitude: message.get("longitude")?.as_f64()?,
            mark_as_read_token: json::text(message, "markAsReadToken"),
        })
    }
}

impl fmt::Debug for LocationMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocationMessage").field("id", &self.id).finish_non_exhaustive()
    }
}

pub(super) fn message_id(message: &Value) -> Option<MessageId> {
    json::id(message, "id").map(MessageId::new)
}
