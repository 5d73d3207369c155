//! The chats: users, groups and rooms, what was said in each, and the ledger over all of it.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use crate::config::{Language, NewGroup, NewUser};
use crate::deliveries::Deliveries;
use crate::id;

pub(crate) mod mention;
mod message;

use mention::Name;
pub(crate) use message::{Draft, Message, Via, kind};

/// How many messages of one chat are kept.
const KEPT_MESSAGES: usize = 10_000;

/// Says who is in a chat with the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One user.
    User,
    /// The members of a group.
    Group,
    /// The members of a room, which has no name.
    Room,
}

impl Kind {
    /// LINE's word for it, as in an event's source.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Room => "room",
        }
    }
}

/// Is the bot's chat with one user, a group or a room.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// The user's or the group's name; what the page calls a room.
    pub(crate) name: String,
    pub(crate) picture_url: Option<String>,
    pub(crate) status_message: Option<String>,
    pub(crate) language: Language,
    /// Who is in it beside the bot; the user alone in a chat with one user.
    pub(crate) members: Vec<String>,
    /// Whether the bot is heard: the user has not blocked it, or it is in the group.
    pub(crate) open: bool,
    /// Whether the channel is in standby here: another channel has taken the chat over.
    pub(crate) standby: bool,
    pub(crate) messages: VecDeque<Message>,
    /// How many messages there ever were.
    pub(crate) count: u64,
    pub(crate) loading_until: Option<i64>,
    pub(crate) revision: u64,
    pub(crate) deliveries: Deliveries,
}

impl Chat {
    fn new(id: String, revision: u64) -> Self {
        Self {
            id,
            kind: Kind::User,
            name: String::new(),
            picture_url: None,
            status_message: None,
            language: Language::default(),
            members: Vec::new(),
            open: true,
            standby: false,
            messages: VecDeque::new(),
            count: 0,
            loading_until: None,
            revision,
            deliveries: Deliveries::default(),
        }
    }

    /// Finds a message that is still kept.
    pub(crate) fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().rev().find(|message| message.id == id)
    }

    /// Finds a message that is still kept, to change it.
    pub(crate) fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.iter_mut().rev().find(|message| message.id == id)
    }

    /// Finds the message that a quote token stands for; it means nothing in other chats.
    pub(crate) fn quoted(&self, quote_token: &str) -> Option<&Message> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.quote_token.as_deref() == Some(quote_token))
    }

    /// Tells until when the loading animation is shown, if it is.
    pub(crate) fn loading(&self, now: i64) -> Option<i64> {
        self.loading_until.filter(|until| now < *until)
    }

    /// Says how many users a message to the chat is for, as the monthly quota counts.
    pub(crate) fn recipients(&self) -> u64 {
        if self.open { u64::try_from(self.members.len()).unwrap_or(u64::MAX) } else { 0 }
    }

    /// Returns LINE's word for whether the bot may send.
    pub(crate) fn mode(&self) -> &'static str {
        if self.standby { "standby" } else { "active" }
    }

    /// Tells whether a user is in the chat.
    pub(crate) fn has_member(&self, user_id: &str) -> bool {
        self.members.iter().any(|member| member == user_id)
    }

    /// LINE's `source` of an event that a user of this chat caused; nobody is named if LINE does not know.
    pub(crate) fn source(&self, user_id: Option<&str>) -> Value {
        let mut source = json!({ "type": self.kind.word() });
        match self.kind {
            Kind::User => {}
            Kind::Group => source["groupId"] = self.id.as_str().into(),
            Kind::Room => source["roomId"] = self.id.as_str().into(),
        }
        match (self.kind, user_id) {
            (Kind::User, _) => source["userId"] = self.id.as_str().into(),
            (_, Some(user_id)) => source["userId"] = user_id.into(),
            _ => {}
        }
        source
    }

    /// The user's profile as LINE shows it, in a group with less.
    pub(crate) fn profile(&self, in_group: bool) -> Value {
        let mut profile = json!({ "userId": self.id, "displayName": self.name });
        let mut put = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                profile[name] = value.as_str().into();
            }
        };
        put("pictureUrl", &self.picture_url);
        if !in_group {
            put("statusMessage", &self.status_message);
            profile["language"] = self.language.code().into();
        }
        profile
    }

    /// The user or the group as the control API shows it.
    pub(crate) fn about(&self) -> Value {
        let mut about = match self.kind {
            Kind::User => json!({
                "userId": self.id,
                "displayName": self.name,
                "language": self.language.code(),
                "friend": self.open,
            }),
            Kind::Group => json!({
                "groupId": self.id,
                "groupName": self.name,
                "members": self.members,
                "joined": self.open,
            }),
            Kind::Room => {
                json!({
                    "roomId": self.id,
                    "roomName": self.name,
                    "members": self.members,
                    "joined": self.open,
                })
            }
        };
        about["messages"] = self.count.into();
        about
    }
}

/// Holds all chats in order of their making.
#[derive(Debug, Default)]
pub(crate) struct Chats {
    list: Vec<Chat>,
    index: HashMap<String, usize>,
    seq: u64,
}

impl Chats {
    /// Adds a user; `None` if the id is taken.
    pub(crate) fn add_user(&mut self, user: NewUser, revision: u64) -> Option<&Chat> {
        let id = user.user_id.unwrap_or_else(|| format!("U{}", id::hex32()));
        self.add(Chat {
            kind: Kind::User,
            name: user.display_name,
            picture_url: user.picture_url,
            status_message: user.status_message,
            language: user.language,
            members: vec![id.clone()],
            ..Chat::new(id, revision)
        })
    }

    /// Adds a group or a room, which the bot has not joined yet; `None` if the id is taken.
    pub(crate) fn add_group(&mut self, group: NewGroup, revision: u64) -> Option<&Chat> {
        let letter = if group.room { 'R' } else { 'C' };
        let id = group.group_id.unwrap_or_else(|| format!("{letter}{}", id::hex32()));
        self.add(Chat {
            kind: if group.room { Kind::Room } else { Kind::Group },
            name: group.group_name,
            picture_url: group.picture_url,
            members: group.members,
            open: false,
            ..Chat::new(id, revision)
        })
    }

    fn add(&mut self, chat: Chat) -> Option<&Chat> {
        if self.index.contains_key(&chat.id) {
            return None;
        }
        self.index.insert(chat.id.clone(), self.list.len());
        self.list.push(chat);
        self.list.last()
    }

    /// Finds a chat.
    pub(crate) fn get(&self, id: &str) -> Option<&Chat> {
        self.index.get(id).map(|&at| &self.list[at])
    }

    /// Finds a chat, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Chat> {
        self.index.get(id).map(|&at| &mut self.list[at])
    }

    /// Finds a user.
    pub(crate) fn user(&self, id: &str) -> Option<&Chat> {
        self.get(id).filter(|chat| chat.kind == Kind::User)
    }

    /// Goes through all chats in order of their making.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chat> {
        self.list.iter()
    }

    /// Finds a message of any chat that is still kept, with its chat.
    pub(crate) fn find(&self, message_id: &str) -> Option<(&Chat, &Message)> {
        self.iter().find_map(|chat| Some((chat, chat.message(message_id)?)))
    }

    /// Adds the mentions of a text that a user wrote in a group.
    pub(crate) fn add_mentions(
        &self,
        chat: &Chat,
        content: &mut Map<String, Value>,
        bot: (&str, &str),
    ) {
        if chat.kind == Kind::User {
            return;
        }
        let (bot_name, bot_id) = bot;
        let members = chat.members.iter().filter_map(|id| self.user(id));
        let mut names: Vec<_> = members
            .map(|user| Name { name: &user.name, user_id: Some(&user.id), is_bot: false })
            .collect();
        names.push(Name { name: bot_name, user_id: Some(bot_id), is_bot: true });
        names.push(Name { name: "All", user_id: None, is_bot: false });
        mention::add(content, &names);
    }

    /// Puts a message into its chat; a bot's message ends the loading animation.
    pub(crate) fn append(
        &mut self,
        chat: &str,
        draft: Draft,
        at: i64,
        revision: u64,
    ) -> Option<&mut Message> {
        let chat = self.index.get(chat).map(|&at| &mut self.list[at])?;
        self.seq += 1;
        chat.count += 1;
        chat.revision = revision;
        let is_from_bot = draft.sender.is_none();
        if is_from_bot {
            chat.loading_until = None;
        }
        let quotable = message::is_quotable(kind(&draft.content), is_from_bot);
        let (webhook_event_id, after_event_id) = if is_from_bot {
            let last = || chat.deliveries.last_event().map(str::to_owned);
            (None, draft.webhook_event_id.or_else(last))
        } else {
            (draft.webhook_event_id, None)
        };
        if chat.messages.len() == KEPT_MESSAGES {
            chat.messages.pop_front();
        }
        chat.messages.push_back(Message {
            n: chat.count,
            seq: self.seq,
            revision,
            // LINE's ids are numbers of 18 digits in a string.
            id: (561_000_000_000_000_000 + self.seq).to_string(),
            at,
            via: draft.via,
            sender: draft.sender,
            content: draft.content,
            quote_token: quotable.then(id::token),
            mark_as_read_token: None,
            quoted_message_id: draft.quoted_message_id,
            request_id: draft.request_id,
            retry_key: draft.retry_key,
            webhook_event_id,
            after_event_id,
            read: false,
            unsent: false,
            edited: false,
        });
        chat.messages.back_mut()
    }

    /// All messages of all chats in order of their happening, as the control API shows them.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        let mut all: Vec<(&Chat, &Message)> = self
            .iter()
            .flat_map(|chat| chat.messages.iter().map(move |message| (chat, message)))
            .collect();
        all.sort_by_key(|(_, message)| message.seq);
        all.into_iter()
            .map(|(chat, message)| {
                let mut shown = message.to_json();
                shown["chatId"] = chat.id.as_str().into();
                if chat.kind == Kind::User {
                    shown["userId"] = chat.id.as_str().into();
                }
                shown
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(via: Via) -> Draft {
        let content = json!({ "type": "text", "text": "hi" });
        let content = content.as_object().expect("is an object").clone();
        let sender = (via == Via::User).then(|| "a".to_owned());
        Draft { via, sender, ..Draft::of_user("a", content) }
    }

    fn chats() -> Chats {
        let mut chats = Chats::default();
        for name in ["a", "b"] {
            let mut user = NewUser::new(name, Language::En);
            user.user_id = Some(name.into());
            assert!(chats.add_user(user, 0).is_some());
        }
        chats
    }

    #[test]
    fn a_bots_message_ends_the_loading_animation_and_a_users_does_not() {
        let mut chats = chats();
        chats.get_mut("a").expect("is there").loading_until = Some(100);
        chats.append("a", said(Via::User), 1, 1);
        assert_eq!(chats.get("a").expect("is there").loading(1), Some(100));
        chats.append("a", said(Via::Reply), 2, 2);
        assert_eq!(chats.get("a").expect("is there").loading(2), None);
    }

    #[test]
    fn a_quote_token_is_unknown_in_another_chat() {
        let mut chats = chats();
        let token = chats.append("a", said(Via::User), 1, 1).and_then(|m| m.quote_token.clone());
        let token = token.expect("a text can be quoted");
        assert!(chats.get("a").expect("is there").quoted(&token).is_some());
        assert!(chats.get("b").expect("is there").quoted(&token).is_none());
    }

    #[test]
    fn a_chat_keeps_its_last_10_000_messages_and_counts_all() {
        let mut chats = chats();
        for _ in 0..=KEPT_MESSAGES {
            chats.append("a", said(Via::Push), 1, 1);
        }
        let chat = chats.get("a").expect("is there");
        assert_eq!((chat.messages.len(), chat.count), (10_000, 10_001));
        assert_eq!(chat.messages.front().map(|m| m.n), Some(2));
    }

    #[test]
    fn an_id_is_given_to_one_user_only() {
        let mut user = NewUser::new("c", Language::Ja);
        user.user_id = Some("a".into());
        assert!(chats().add_user(user, 0).is_none());
    }

    #[test]
    fn the_ledger_tells_all_chats_in_order_of_happening() {
        let mut chats = chats();
        for chat in ["b", "a", "b"] {
            chats.append(chat, said(Via::User), 1, 1);
        }
        let ledger = chats.ledger();
        let users: Vec<_> = ledger.iter().map(|message| &message["userId"]).collect();
        assert_eq!(users, ["b", "a", "b"]);
    }
}
