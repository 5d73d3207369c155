//! The chats: users, what each of them saw and said, and the ledger over all of it.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use crate::config::{Language, NewUser};
use crate::deliveries::Deliveries;
use crate::id;

/// How many messages of one chat are kept.
const KEPT_MESSAGES: usize = 10_000;

/// Says how a message came into its chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A user wrote it.
    User,
    /// The bot answered with a reply token.
    Reply,
    /// The bot pushed it.
    Push,
}

impl Via {
    /// The word for it in the control API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Reply => "reply",
            Self::Push => "push",
        }
    }
}

/// Is one message as it stands in a chat.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Counts the messages of the chat from 1.
    pub(crate) n: u64,
    /// Counts the messages of all chats from 1.
    pub(crate) seq: u64,
    /// Grows with every change; the page asks for what is newer than it has.
    pub(crate) revision: u64,
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) via: Via,
    /// LINE's message object.
    pub(crate) content: Map<String, Value>,
    pub(crate) quote_token: Option<String>,
    pub(crate) quoted_message_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_key: Option<String>,
    pub(crate) webhook_event_id: Option<String>,
    /// The event that a bot's message came after.
    pub(crate) after_event_id: Option<String>,
    /// Whether the bot took note of it: its webhook was answered with 2xx.
    pub(crate) read: bool,
    pub(crate) unsent: bool,
}

/// Is what a new message brings; the chat gives it its place.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) via: Via,
    pub(crate) content: Map<String, Value>,
    pub(crate) quoted_message_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_key: Option<String>,
    /// The event that tells of a user's message, or whose token the bot answers with.
    pub(crate) webhook_event_id: Option<String>,
}

impl Message {
    /// Whether the bot said it.
    pub(crate) fn is_from_bot(&self) -> bool {
        self.via != Via::User
    }

    /// The type of LINE's message object.
    pub(crate) fn kind(&self) -> &str {
        self.content.get("type").and_then(Value::as_str).unwrap_or("unknown")
    }

    /// The text, for those messages that have one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.content.get("text").and_then(Value::as_str)
    }

    /// The message as the control API shows it; what it does not have is left out.
    pub(crate) fn to_json(&self) -> Value {
        let mut shown = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown.insert(name.into(), value);
            }
        };
        put("n", Some(self.n.into()));
        put("seq", Some(self.seq.into()));
        put("id", Some(self.id.as_str().into()));
        put("at", Some(self.at.into()));
        put("from", Some(if self.is_from_bot() { "bot" } else { "user" }.into()));
        put("via", Some(self.via.word().into()));
        put("type", Some(self.kind().into()));
        put("text", self.text().map(Value::from));
        put("quotedMessageId", self.quoted_message_id.clone().map(Value::from));
        put("requestId", self.request_id.clone().map(Value::from));
        put("retryKey", self.retry_key.clone().map(Value::from));
        put("webhookEventId", self.webhook_event_id.clone().map(Value::from));
        put("afterWebhookEventId", self.after_event_id.clone().map(Value::from));
        put("read", (!self.is_from_bot()).then_some(self.read.into()));
        put("unsent", self.unsent.then_some(true.into()));
        put("message", (!self.unsent).then(|| Value::Object(self.content.clone())));
        Value::Object(shown)
    }
}

/// Is one user's chat with the bot.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) language: Language,
    /// False after the user has blocked the bot.
    pub(crate) friend: bool,
    pub(crate) messages: VecDeque<Message>,
    /// How many messages there ever were.
    pub(crate) count: u64,
    pub(crate) loading_until: Option<i64>,
    pub(crate) revision: u64,
    pub(crate) deliveries: Deliveries,
}

impl Chat {
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

    /// The user as the control API shows them.
    pub(crate) fn user_json(&self) -> Value {
        json!({
            "userId": self.id,
            "displayName": self.name,
            "language": self.language.code(),
            "friend": self.friend,
            "messages": self.count,
        })
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
    pub(crate) fn add(&mut self, user: NewUser, revision: u64) -> Option<&mut Chat> {
        let id = user.user_id.unwrap_or_else(|| format!("U{}", id::hex32()));
        if self.index.contains_key(&id) {
            return None;
        }
        self.index.insert(id.clone(), self.list.len());
        self.list.push(Chat {
            id,
            name: user.display_name,
            language: user.language,
            friend: true,
            messages: VecDeque::new(),
            count: 0,
            loading_until: None,
            revision,
            deliveries: Deliveries::default(),
        });
        self.list.last_mut()
    }

    /// Finds a chat.
    pub(crate) fn get(&self, id: &str) -> Option<&Chat> {
        self.index.get(id).map(|&at| &self.list[at])
    }

    /// Finds a chat, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Chat> {
        self.index.get(id).map(|&at| &mut self.list[at])
    }

    /// Goes through all chats in order of their making.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chat> {
        self.list.iter()
    }

    /// Puts a message into its chat; a bot's message ends the loading animation.
    pub(crate) fn append(
        &mut self,
        chat: &str,
        draft: Draft,
        at: i64,
        revision: u64,
    ) -> Option<&Message> {
        let chat = self.index.get(chat).map(|&at| &mut self.list[at])?;
        self.seq += 1;
        chat.count += 1;
        chat.revision = revision;
        if draft.via != Via::User {
            chat.loading_until = None;
        }
        let (webhook_event_id, after_event_id) = if draft.via == Via::User {
            (draft.webhook_event_id, None)
        } else {
            let last = || chat.deliveries.last_event().map(str::to_owned);
            (None, draft.webhook_event_id.or_else(last))
        };
        let kind = draft.content.get("type").and_then(Value::as_str);
        let quotable = matches!(
            kind,
            Some("text" | "textV2" | "sticker" | "image" | "video" | "template" | "flex")
        );
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
            content: draft.content,
            quote_token: quotable.then(id::token),
            quoted_message_id: draft.quoted_message_id,
            request_id: draft.request_id,
            retry_key: draft.retry_key,
            webhook_event_id,
            after_event_id,
            read: false,
            unsent: false,
        });
        chat.messages.back()
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
                shown["userId"] = chat.id.as_str().into();
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
        Draft {
            via,
            content: content.as_object().expect("is an object").clone(),
            quoted_message_id: None,
            request_id: None,
            retry_key: None,
            webhook_event_id: None,
        }
    }

    fn chats() -> Chats {
        let mut chats = Chats::default();
        for name in ["a", "b"] {
            let mut user = NewUser::new(name, Language::En);
            user.user_id = Some(name.into());
            assert!(chats.add(user, 0).is_some());
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
        assert!(chats().add(user, 0).is_none());
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
