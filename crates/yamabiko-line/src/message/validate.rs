//! What LINE would refuse at once, found before a message is stored.

use serde_json::Value;

use super::{
    MAX_ALT_TEXT, MAX_BUTTON_TEXT, MAX_LABEL, MAX_POSTBACK_DATA, MAX_QUICK_REPLIES, MAX_TEXT,
    MAX_URL, Message, MessageError, utf16_len,
};

impl Message {
    /// Checks what LINE would refuse at once.
    ///
    /// A text may be longer than LINE takes where `split` makes several of it.
    /// Labels and texts of buttons are counted in Unicode characters, which is stricter than LINE's count for a few emojis.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn validate(&self) -> Result<(), MessageError> {
        for (field, length, limit) in self.needs()? {
            at_most(field, length, limit)?;
        }
        let kind = self.message_type();
        if self.0.contains_key("quoteToken") && !matches!(kind, "text" | "textV2" | "sticker") {
            return Err(MessageError::CannotQuote(kind.to_owned()));
        }
        self.0.get("quickReply").map_or(Ok(()), check_quick_reply)
    }

    /// Returns the fields that the message's type must have, how long they are and how long they may be.
    fn needs(&self) -> Result<Vec<(&'static str, usize, usize)>, MessageError> {
        let url = |field| Ok((field, self.field(field)?.chars().count(), MAX_URL));
        Ok(match self.message_type() {
            "" => return Err(MessageError::NoType),
            kind @ ("text" | "textV2") => {
                let text = self.field("text").unwrap_or_default();
                if text.trim().is_empty() {
                    return Err(MessageError::EmptyText);
                }
                let is_split = kind == "text" && self.is_plain();
                vec![("text", utf16_len(text), if is_split { usize::MAX } else { MAX_TEXT })]
            }
            "sticker" => {
                self.field("packageId")?;
                self.field("stickerId")?;
                Vec::new()
            }
            "image" | "video" => vec![url("originalContentUrl")?, url("previewImageUrl")?],
            "audio" => vec![url("originalContentUrl")?],
            "flex" => vec![("altText", utf16_len(self.field("altText")?), MAX_ALT_TEXT)],
            // What this program does not know, LINE may.
            _ => Vec::new(),
        })
    }

    fn field(&self, name: &'static str) -> Result<&str, MessageError> {
        let value = self.0.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        value.ok_or(MessageError::Missing(name))
    }
}

fn check_quick_reply(quick_reply: &Value) -> Result<(), MessageError> {
    let items = quick_reply.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if items.is_empty() || items.len() > MAX_QUICK_REPLIES {
        return Err(MessageError::TooManyQuickReplies(items.len()));
    }
    for item in items {
        let part = |name: &str| item.get("action").and_then(|action| action.get(name)?.as_str());
        let label = part("label").filter(|label| !label.is_empty());
        let label = label.ok_or(MessageError::Missing("label"))?;
        at_most("label", label.chars().count(), MAX_LABEL)?;
        at_most("data", part("data").map_or(0, utf16_len), MAX_POSTBACK_DATA)?;
        for name in ["text", "displayText"] {
            at_most(name, part(name).map_or(0, |text| text.chars().count()), MAX_BUTTON_TEXT)?;
        }
    }
    Ok(())
}

fn at_most(what: &'static str, length: usize, limit: usize) -> Result<(), MessageError> {
    if length > limit { Err(MessageError::TooLong { what, length, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::QuickReplyItem;

    fn with(buttons: Vec<QuickReplyItem>) -> Result<(), MessageError> {
        Message::text("x").quick_reply(buttons).validate()
    }

    #[test]
    fn what_line_takes_is_valid() {
        for message in [
            Message::text("x".repeat(12_000)),
            Message::text("hi").quote("q"),
            Message::sticker("446", "1988").quote("q"),
            Message::image("https://example.com/o.png", "https://example.com/p.png"),
            Message::flex("x".repeat(1_500), json!({"type": "bubble"})),
            Message::raw(json!({"type": "song"})),
        ] {
            assert_eq!(message.validate(), Ok(()), "{message:?}");
        }
        assert_eq!(with(vec![QuickReplyItem::message("x".repeat(20), "a"); 13]), Ok(()));
        assert_eq!(with(vec![QuickReplyItem::postback("a", "x".repeat(300), Some("b"))]), Ok(()));
    }

    #[test]
    fn an_empty_message_is_named() {
        assert_eq!(Message::text(" \n").validate(), Err(MessageError::EmptyText));
        assert_eq!(Message::raw(json!([])).validate(), Err(MessageError::NoType));
        let sticker = Message::sticker("446", "");
        assert_eq!(sticker.validate(), Err(MessageError::Missing("stickerId")));
        let flex = Message::flex("", json!({}));
        assert_eq!(flex.validate(), Err(MessageError::Missing("altText")));
    }

    #[test]
    fn what_is_too_long_is_named_with_its_limit() {
        let too_long = |what, length, limit| Err(MessageError::TooLong { what, length, limit });
        let flex = Message::flex("x".repeat(1_501), json!({}));
        assert_eq!(flex.validate(), too_long("altText", 1_501, 1_500));
        let v2 = Message::raw(json!({"type": "textV2", "text": "🍎".repeat(2_501)}));
        assert_eq!(v2.validate(), too_long("text", 5_002, 5_000));
        let image = Message::image("x".repeat(2_001), "y");
        assert_eq!(image.validate(), too_long("originalContentUrl", 2_001, 2_000));
        let label = QuickReplyItem::message("x".repeat(21), "a");
        assert_eq!(with(vec![label]), too_long("label", 21, 20));
        let data = QuickReplyItem::postback("a", "x".repeat(301), None);
        assert_eq!(with(vec![data]), too_long("data", 301, 300));
        let text = QuickReplyItem::message("a", "x".repeat(301));
        assert_eq!(with(vec![text]), too_long("text", 301, 300));
    }

    #[test]
    fn a_quick_reply_has_1_to_13_buttons_with_labels() {
        assert_eq!(with(Vec::new()), Err(MessageError::TooManyQuickReplies(0)));
        let buttons = vec![QuickReplyItem::message("a", "a"); 14];
        assert_eq!(with(buttons), Err(MessageError::TooManyQuickReplies(14)));
        let unlabelled = QuickReplyItem::message("", "a");
        assert_eq!(with(vec![unlabelled]), Err(MessageError::Missing("label")));
    }

    #[test]
    fn only_texts_and_stickers_quote() {
        let image = Message::image("o", "p").quote("q");
        assert_eq!(image.validate(), Err(MessageError::CannotQuote("image".to_owned())));
    }
}
