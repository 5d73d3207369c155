//! Messages that a bot sends.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) mod ornaments;
mod quick_reply;
mod split;
mod validate;

pub use crate::error::MessageError;
pub use quick_reply::QuickReplyItem;
pub use split::{split_text, utf16_len};

/// Messages that one call may carry.
pub const MAX_MESSAGES: usize = 5;
/// The longest text, in UTF-16 units.
pub const MAX_TEXT: usize = 5_000;
/// Quick reply buttons that one message may have.
pub const MAX_QUICK_REPLIES: usize = 13;
/// The longest alternative text of a flex message, in UTF-16 units.
pub const MAX_ALT_TEXT: usize = 1_500;
/// The longest address, in characters.
pub const MAX_URL: usize = 2_000;
/// The longest label of a quick reply button, in characters as a reader counts them.
pub const MAX_LABEL: usize = 20;
/// The longest data of a postback, in UTF-16 units.
pub const MAX_POSTBACK_DATA: usize = 300;
/// The longest text that a button says for the user, in characters as a reader counts them.
pub const MAX_BUTTON_TEXT: usize = 300;

/// A message to send, as LINE's JSON.
///
/// Its `Debug` shows the type only, since a bot may repeat what a user said.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message(Map<String, Value>);

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("type", &self.message_type()).finish_non_exhaustive()
    }
}

impl Message {
    /// Makes a text message; one over 5,000 UTF-16 units is sent as several.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(json!({"type": "text", "text": text.into()}))
    }

    /// Makes a sticker message; only stickers of LINE's list for bots can be sent.
    #[must_use]
    pub fn sticker(package_id: impl Into<String>, sticker_id: impl Into<String>) -> Self {
        Self::of(
            json!({"type": "sticker", "packageId": package_id.into(), "stickerId": sticker_id.into()}),
        )
    }

    /// Makes an image message from two HTTPS addresses.
    #[must_use]
    pub fn image(original_url: impl Into<String>, preview_url: impl Into<String>) -> Self {
        let (original, preview) = (original_url.into(), preview_url.into());
        Self::of(
            json!({"type": "image", "originalContentUrl": original, "previewImageUrl": preview}),
        )
    }

    /// Makes a flex message from its alternative text and its container.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the container becomes part of the message")]
    pub fn flex(alt_text: impl Into<String>, contents: Value) -> Self {
        Self::of(json!({"type": "flex", "altText": alt_text.into(), "contents": contents}))
    }

    /// Takes a message as LINE's reference writes it, a JSON object.
    #[must_use]
    pub fn raw(message: Value) -> Self {
        Self::of(message)
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            _ => Self(Map::new()),
        }
    }

    /// Returns whether a text can be cut without changing what else the message says.
    fn is_plain(&self) -> bool {
        !self.0.contains_key("emojis")
    }

    /// Quotes a message of the same chat by its quote token; texts and stickers can.
    #[must_use]
    pub fn quote(mut self, quote_token: impl Into<String>) -> Self {
        self.0.insert("quoteToken".to_owned(), Value::String(quote_token.into()));
        self
    }

    /// Adds buttons below the message; LINE shows those of a call's last message, on phones.
    #[must_use]
    pub fn quick_reply(mut self, items: Vec<QuickReplyItem>) -> Self {
        let items: Vec<_> = items.into_iter().map(QuickReplyItem::into_value).collect();
        self.0.insert("quickReply".to_owned(), json!({"items": items}));
        self
    }

    /// Returns the message's type, empty if there is none.
    #[must_use]
    pub fn message_type(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the text of a text message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.0.get("text").and_then(Value::as_str).filter(|_| self.message_type() == "text")
    }

    /// Splits a text that is too long for one message; the first part quotes, the last has the buttons.
    ///
    /// A text with LINE emojis stays whole, since they are placed by counting from its start.
    #[must_use]
    pub fn split(self) -> Vec<Self> {
        let parts = match self.as_text() {
            Some(text) if utf16_len(text) > MAX_TEXT && self.is_plain() => {
                split_text(text, MAX_TEXT)
            }
            _ => return vec![self],
        };
        let Some(last) = parts.len().checked_sub(1) else { return vec![self] };
        let part = |(index, text): (usize, String)| {
            let mut message = self.clone();
            message.0.insert("text".to_owned(), Value::String(text));
            if index > 0 {
                message.0.remove("quoteToken");
            }
            if index < last {
                message.0.remove("quickReply");
            }
            message
        };
        parts.into_iter().enumerate().map(part).collect()
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&String> for Message {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_as_lines_reference_has_it() {
        let message = Message::text("hi")
            .quote("q")
            .quick_reply(vec![QuickReplyItem::message("List", "list")]);
        let expected = json!({
            "type": "text", "text": "hi", "quoteToken": "q",
            "quickReply": {"items": [{"type": "action", "action": {"type": "message", "label": "List", "text": "list"}}]},
        });
        assert_eq!(serde_json::to_value(&message).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Message>(expected).unwrap(), message);
    }

    #[test]
    fn o7_the_first_part_of_a_long_text_quotes_and_the_last_has_the_buttons() {
        let long = "word ".repeat(2_500);
        let parts = Message::text(long)
            .quote("q")
            .quick_reply(vec![QuickReplyItem::message("a", "a")])
            .split();
        assert_eq!(parts.len(), 3);
        let has = |key: &str| parts.iter().map(|part| part.0.contains_key(key)).collect::<Vec<_>>();
        assert_eq!(has("quoteToken"), [true, false, false]);
        assert_eq!(has("quickReply"), [false, false, true]);
    }

    #[test]
    fn o7_a_text_that_cannot_be_cut_stays_whole() {
        let blank = Message::text(" ".repeat(6_000));
        assert_eq!(blank.clone().split(), [blank]);
        let emojis = json!([{"index": 5_999, "productId": "p", "emojiId": "e"}]);
        let text = format!("{}$", "a".repeat(5_999));
        let emojis = Message::raw(json!({"type": "text", "text": text, "emojis": emojis}));
        assert_eq!(emojis.clone().split(), [emojis]);
        let short = Message::sticker("446", "1988").quote("q");
        assert_eq!(short.clone().split(), [short]);
    }

    #[test]
    fn a_message_of_any_type_is_kept_as_it_is_written() {
        let written = json!({"type": "song", "of": {"the": ["future", 1, null]}});
        let message: Message = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(message.message_type(), "song");
        assert_eq!(serde_json::to_value(message).unwrap(), written);
    }

    #[test]
    fn a_message_prints_its_type_and_not_its_text() {
        let shown = format!("{:?}", Message::text("geheim"));
        assert_eq!(shown, r#"Message { type: "text", .. }"#);
    }
}
