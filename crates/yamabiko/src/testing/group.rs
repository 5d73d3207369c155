//! A group or room that a bot under test is in.

use std::ops::Deref;

use serde_json::{Value, json};

use super::TestChat;

/// A group or room that a bot under test is in; who speaks there is a [`TestUser`](super::TestUser).
#[derive(Clone, Debug)]
pub struct TestGroup {
    name: String,
    chat: TestChat,
}

// What is heard and kept is the chat's; a test writes `family.hears()` for it.
impl Deref for TestGroup {
    type Target = TestChat;

    fn deref(&self) -> &TestChat {
        &self.chat
    }
}

impl TestGroup {
    pub(super) fn new(name: &str, chat: TestChat) -> Self {
        Self { name: name.to_owned(), chat }
    }

    /// Returns the group's name; a room has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the group's or room's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.chat.id.as_str()
    }

    /// Causes any event of which LINE names no user, as LINE's reference writes it; what is missing is added.
    pub fn sends(&self, event: Value) {
        let source = self.chat.source.clone();
        self.chat.bot.ask(move |bot| bot.happens(event, Some(source)));
    }

    /// Lets the bot join, again if it is there already.
    pub fn bot_joins(&self) {
        self.sends(json!({"type": "join"}));
    }

    /// Lets the bot leave; LINE refuses what it pushes there from then on.
    pub fn bot_leaves(&self) {
        self.sends(json!({"type": "leave"}));
    }
}
