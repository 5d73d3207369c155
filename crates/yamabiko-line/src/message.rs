//! Messages that a bot sends.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

mod quick_reply;
mod split;

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

/// A message to send, as LINE's JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message(Map<String, Value>);

/// A message that LINE would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A text without a visible character.
    #[error("a text message is empty: LINE takes 1 to {MAX_TEXT} UTF-16 units")]
    EmptyText,
    /// A message without a type.
    #[error("a message has no type: use Message::text, sticker, image or flex, or raw JSON with a `type`")]
    NoType,
    /// Too many quick reply buttons.
    #[error("a message has {0} quick reply buttons: LINE takes {MAX_QUICK_REPLIES}")]
    TooManyQuickReplies(usize),
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
        Self::of(json!({"type": "sticker", "packageId": package_id.into(), "stickerId": sticker_id.into()}))
    }

    /// Makes an image message from two HTTPS addresses.
    #[must_use]
    pub fn image(original_url: impl Into<String>, preview_url: impl Into<String>) -> Self {
        let (original, preview) = (original_url.into(), preview_url.into());
        Self::of(json!({"type": "image", "originalContentUrl": original, "previewImageUrl": preview}))
    }

    /// Makes a flex message from its alternative text and its container.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the container becomes part of the message")]
    pub fn flex(alt_text: impl Into<String>, contents: Value) -> Self {
        Self::of(json!({"type": "flex", "altText": alt_text.into(), "contents": contents}))
    }

    /// Takes a message as LINE's reference writes it.
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

    /// Quotes a message of the same chat by its quote token.
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

    /// Checks what LINE would refuse at once.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn validate(&self) -> Result<(), MessageError> {
        if self.message_type().is_empty() {
            return Err(MessageError::NoType);
        }
        if self.as_text().is_some_and(|text| text.trim().is_empty()) {
            return Err(MessageError::EmptyText);
        }
        let buttons = self.0.get("quickReply").and_then(|reply| reply.get("items")?.as_array()).map_or(0, Vec::len);
        if buttons > MAX_QUICK_REPLIES {
            return Err(MessageError::TooManyQuickReplies(buttons));
        }
        Ok(())
    }

    /// Splits a text that is too long for one message; the first part quotes, the last has the buttons.
    #[must_use]
    pub fn split(self) -> Vec<Self> {
        let parts = match self.as_text() {
            Some(text) if utf16_len(text) > MAX_TEXT => split_text(text, MAX_TEXT),
            _ => return vec![self],
        };
        let last = parts.len() - 1;
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
        let message = Message::text("hi").quote("q").quick_reply(vec![QuickReplyItem::message("List", "list")]);
        let expected = json!({
            "type": "text", "text": "hi", "quoteToken": "q",
            "quickReply": {"items": [{"type": "action", "action": {"type": "message", "label": "List", "text": "list"}}]},
        });
        assert_eq!(serde_json::to_value(&message).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Message>(expected).unwrap(), message);
    }

    #[test]
    fn what_line_would_refuse_is_named() {
        assert_eq!(Message::text(" \n").validate(), Err(MessageError::EmptyText));
        assert_eq!(Message::raw(json!([])).validate(), Err(MessageError::NoType));
        let buttons = vec![QuickReplyItem::message("a", "a"); 14];
        assert_eq!(Message::text("x").quick_reply(buttons).validate(), Err(MessageError::TooManyQuickReplies(14)));
        assert_eq!(Message::sticker("446", "1988").validate(), Ok(()));
    }

    #[test]
    fn o7_the_first_part_of_a_long_text_quotes_and_the_last_has_the_buttons() {
        let long = "word ".repeat(2_500);
        let parts = Message::text(long).quote("q").quick_reply(vec![QuickReplyItem::message("a", "a")]).split();
        assert_eq!(parts.len(), 3);
        let has = |key: &str| parts.iter().map(|part| part.0.contains_key(key)).collect::<Vec<_>>();
        assert_eq!(has("quoteToken"), [true, false, false]);
        assert_eq!(has("quickReply"), [false, false, true]);
    }
}
