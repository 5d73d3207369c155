//! Buttons below a message.

use serde_json::{Value, json};

/// A quick reply button; its label is at most 20 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickReplyItem(Value);

impl QuickReplyItem {
    /// Makes a button that says `text` for the user.
    #[must_use]
    pub fn message(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self::action(json!({"type": "message", "label": label.into(), "text": text.into()}))
    }

    /// Makes a button that sends `data` (at most 300 characters) to the bot, and says `display_text` if given.
    #[must_use]
    pub fn postback(
        label: impl Into<String>,
        data: impl Into<String>,
        display_text: Option<&str>,
    ) -> Self {
        let mut action = json!({"type": "postback", "label": label.into(), "data": data.into()});
        if let Some(text) = display_text {
            action["displayText"] = Value::String(text.to_owned());
        }
        Self::action(action)
    }

    /// Makes a button from an action as LINE's reference writes it.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the action becomes part of the button")]
    pub fn action(action: Value) -> Self {
        Self(json!({"type": "action", "action": action}))
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }
}
