//! What a chat has heard from the bot.

use serde_json::Value;
use yamabiko_line::id::MessageId;
use yamabiko_queue::Timestamp;

use super::Call;

/// A message that the bot has said.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Heard {
    /// Its id, for [`TestUser::quotes`](super::TestUser::quotes).
    pub id: MessageId,
    /// The whole message, as LINE's JSON.
    pub message: Value,
    /// By which call it was said: `Reply` is free, `Push` is counted.
    pub by: Call,
    /// When it was said, by the bot's clock.
    pub at: Timestamp,
}

impl Heard {
    /// Returns the text of a text, the type in brackets of any other message.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.message["type"].as_str(), self.message["text"].as_str()) {
            (Some("text"), Some(text)) => text.to_owned(),
            (Some(kind), _) => format!("[{kind}]"),
            (None, _) => "[unknown]".to_owned(),
        }
    }
}
