//! A chat with a bot under test: what was heard in it, and what the bot keeps for it.

use serde_json::{Value, json};
use yamabiko_line::id::ChatId;
use yamabiko_queue::Timestamp;

use super::{Heard, handle::Handle};
use crate::{
    Timer,
    state::{ChatState, read_as_stored},
};

/// A chat with a bot under test: of one user, a group or a room.
///
/// [`TestUser`](super::TestUser) and [`TestGroup`](super::TestGroup) have all its methods.
#[derive(Clone, Debug)]
pub struct TestChat {
    pub(super) id: ChatId,
    /// LINE's source of the chat's events, without the user who acts in it.
    pub(super) source: Value,
    pub(super) bot: Handle,
}

impl TestChat {
    pub(super) fn user(id: &str, bot: Handle) -> Self {
        Self { id: ChatId::new(id), source: json!({"type": "user", "userId": id}), bot }
    }

    pub(super) fn group(id: String, bot: Handle) -> Self {
        Self { source: json!({"type": "group", "groupId": id}), id: ChatId::new(id), bot }
    }

    pub(super) fn room(id: String, bot: Handle) -> Self {
        Self { source: json!({"type": "room", "roomId": id}), id: ChatId::new(id), bot }
    }

    /// Returns the chat of all whom LINE does not name: replies to their events are heard in it.
    pub(super) fn unnamed(source: Value, bot: Handle) -> Self {
        Self { id: ChatId::default(), source, bot }
    }

    /// Returns the id to which `cx.push_to` speaks.
    #[must_use]
    pub fn chat_id(&self) -> &ChatId {
        &self.id
    }

    /// Returns what the bot has said since the last call: texts as they are, other messages as their type in brackets.
    #[must_use]
    pub fn hears(&self) -> Vec<String> {
        self.hears_in_detail().iter().map(Heard::text).collect()
    }

    /// Returns the messages that the bot has said since the last call, as LINE's JSON.
    #[must_use]
    pub fn hears_messages(&self) -> Vec<Value> {
        self.hears_in_detail().into_iter().map(|heard| heard.message).collect()
    }

    /// Returns the messages that the bot has said since the last call, each with the call that said it and the time.
    #[must_use]
    pub fn hears_in_detail(&self) -> Vec<Heard> {
        let chat = self.id.clone();
        self.bot.ask(move |bot| bot.line.world().heard(chat.as_str()))
    }

    /// Returns until when LINE's loading animation is shown in the chat, if it is; the bot's next message ends it.
    #[must_use]
    pub fn loading(&self) -> Option<Timestamp> {
        let chat = self.id.clone();
        self.bot.ask(move |bot| bot.line.world().loading(chat.as_str()))
    }

    /// Returns the chat's timers, the next one first, as `cx.timers()` would.
    #[must_use]
    pub fn timers(&self) -> Vec<Timer> {
        let chat = self.id.clone();
        let live = self.bot.ask(move |bot| bot.live(chat.as_str()));
        live.into_iter().filter_map(Timer::of).collect()
    }

    /// Returns what the bot keeps for the chat, as it is stored, the default if it keeps nothing.
    ///
    /// # Panics
    /// If that is no `S`: it may be of an older version, which the bot converts when it next runs in the chat.
    #[must_use]
    pub fn state<S: ChatState>(&self) -> S {
        let chat = self.id.clone();
        let stored = self.bot.ask(move |bot| bot.state(chat.as_str()));
        read_as_stored(stored.as_deref()).unwrap_or_else(|error| not_a::<S>(&error))
    }
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn not_a<S>(error: &serde_json::Error) -> ! {
    panic!("the chat's state is no {}: {error}", std::any::type_name::<S>());
}
