//! A message that a user has sent to a bot under test.

use serde_json::{Value, json};
use yamabiko_line::id::MessageId;

use super::handle::Handle;

/// A message that a user has sent to the bot: it can be taken back, edited, quoted and redelivered.
#[derive(Clone, Debug)]
pub struct TestMessage {
    /// The whole event, as LINE sent it.
    event: Value,
    bot: Handle,
}

impl TestMessage {
    pub(super) fn new(event: Value, bot: Handle) -> Self {
        Self { event, bot }
    }

    /// Returns the message's id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId::new(self.event["message"]["id"].as_str().unwrap_or_default())
    }

    /// Returns what the bot needs to quote the message.
    #[must_use]
    pub fn quote_token(&self) -> &str {
        self.event["message"]["quoteToken"].as_str().unwrap_or_default()
    }

    /// Takes the message back; a bot that has not heard of it hears of that first.
    pub fn unsend(&self) {
        let unsend = json!({"messageId": self.event["message"]["id"]});
        drop(self.happens(json!({"type": "unsend", "unsend": unsend})));
    }

    /// Gives the message another text, and returns it as it is then: what is redelivered is the edit.
    #[expect(
        clippy::must_use_candidate,
        reason = "an edit has its effect, and few tests need what it returns"
    )]
    pub fn edit(&self, text: &str) -> Self {
        let mut message = self.event["message"].clone();
        message["text"] = json!(text);
        Self::new(
            self.happens(json!({"type": "messageEdited", "message": message})),
            self.bot.clone(),
        )
    }

    /// Lets LINE deliver the message's event again, as it does when it has heard no 200.
    pub fn redeliver(&self) {
        let event = self.event.clone();
        self.bot.ask(move |bot| bot.redeliver(event));
    }

    fn happens(&self, event: Value) -> Value {
        let source = self.event["source"].clone();
        self.bot.ask(move |bot| bot.happens(event, Some(source)))
    }
}
