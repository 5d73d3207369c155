//! What all parts of the page need to know to be drawn.

use serde_json::Value;

use super::words::Words;
use crate::chats::{Chat, Chats, Kind, Message};
use crate::clock::Clock;
use crate::platform::{Memory, Platform};

/// Is one view of the memory: whose page it is, and in which language.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) words: &'static Words,
    /// The bot's name and its user id.
    pub(crate) bot: &'a str,
    pub(crate) bot_id: &'a str,
    pub(crate) now: i64,
    pub(crate) clock: &'a Clock,
    pub(crate) chats: &'a Chats,
    /// The chat that is open.
    pub(crate) chat: &'a Chat,
    /// Who speaks in it; nobody in a group without members.
    pub(crate) me: Option<&'a str>,
}

impl<'a> Look<'a> {
    /// Looks at a chat as one of its members, the first unless another is asked for.
    pub(crate) fn new(
        platform: &'a Platform,
        memory: &'a Memory,
        chat: &'a Chat,
        asked: Option<&str>,
        words: &'static Words,
    ) -> Self {
        let asked = chat.members.iter().find(|member| Some(member.as_str()) == asked);
        Self {
            words,
            bot: &platform.config.bot_name,
            bot_id: &platform.bot_id,
            now: platform.now(),
            clock: &platform.clock,
            chats: &memory.chats,
            chat,
            me: asked.or_else(|| chat.members.first()).map(String::as_str),
        }
    }

    /// Tells whether the chat has several members, who have to be told apart.
    pub(crate) fn in_group(&self) -> bool {
        self.chat.kind != Kind::User
    }

    /// Tells whether the one who looks has said it.
    pub(crate) fn is_mine(&self, message: &Message) -> bool {
        message.sender.is_some() && message.sender.as_deref() == self.me
    }

    /// The name of who said a message: a bot may give another one with each.
    pub(crate) fn name_of<'b>(&'b self, message: &'b Message) -> &'b str {
        match &message.sender {
            None => sender_field(message, "name").unwrap_or(self.bot),
            Some(id) => self.user_name(id),
        }
    }

    /// The name of a user, of the bot, or the id of somebody who is not known.
    pub(crate) fn user_name<'b>(&'b self, id: &'b str) -> &'b str {
        if id == self.bot_id {
            return self.bot;
        }
        self.chats.user(id).map_or(id, |user| &user.name)
    }

    /// The address of a chat's page; in groups one goes on as the same user.
    pub(crate) fn link(&self, chat: &Chat) -> String {
        self.link_in(chat, self.words.code)
    }

    /// The address of a chat's page in a language.
    pub(crate) fn link_in(&self, chat: &Chat, language: &str) -> String {
        let me = self.me.filter(|_| chat.kind != Kind::User);
        let speaker = me.map(|me| format!("&as={me}")).unwrap_or_default();
        format!("/?user={}{speaker}&lang={language}", chat.id)
    }
}

/// What the bot asks its message's sender to be shown as: `name` or `iconUrl`.
pub(crate) fn sender_field<'a>(message: &'a Message, field: &str) -> Option<&'a str> {
    message.content.get("sender")?.get(field).and_then(Value::as_str)
}

/// Lets only addresses of the web through, so that no other scheme comes into a link or a picture.
pub(crate) fn web(address: &str) -> Option<&str> {
    let known = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    known.then_some(address)
}
