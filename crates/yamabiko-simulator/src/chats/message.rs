//! One message as it stands in a chat.

use serde_json::{Map, Value};

/// Says how a message came into its chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A user wrote it.
    User,
    /// The bot answered with a reply token.
    Reply,
    /// The bot pushed it.
    Push,
    /// The bot sent it to several users.
    Multicast,
    /// The bot sent it to all its friends.
    Broadcast,
    /// The bot sent it to those of its friends that it described.
    Narrowcast,
}

impl Via {
    /// The word for it in the control API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Reply => "reply",
            Self::Push => "push",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Narrowcast => "narrowcast",
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
    /// The user who said it; `None` for the bot.
    pub(crate) sender: Option<String>,
    /// LINE's message object.
    pub(crate) content: Map<String, Value>,
    pub(crate) quote_token: Option<String>,
    pub(crate) mark_as_read_token: Option<String>,
    pub(crate) quoted_message_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_key: Option<String>,
    pub(crate) webhook_event_id: Option<String>,
    /// The event that a bot's message came after.
    pub(crate) after_event_id: Option<String>,
    /// Whether the bot took note of it: its webhook was answered with 2xx, or it was marked as read.
    pub(crate) read: bool,
    pub(crate) unsent: bool,
    pub(crate) edited: bool,
}

/// Is what a new message brings; the chat gives it its place.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) via: Via,
    pub(crate) sender: Option<String>,
    pub(crate) content: Map<String, Value>,
    pub(crate) quoted_message_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_key: Option<String>,
    /// The event that tells of a user's message, or whose token the bot answers with.
    pub(crate) webhook_event_id: Option<String>,
}

impl Draft {
    /// Describes what a user says.
    pub(crate) fn of_user(sender: &str, content: Map<String, Value>) -> Self {
        Self {
            via: Via::User,
            sender: Some(sender.into()),
            content,
            quoted_message_id: None,
            request_id: None,
            retry_key: None,
            webhook_event_id: None,
        }
    }
}

impl Message {
    /// Whether the bot said it.
    pub(crate) fn is_from_bot(&self) -> bool {
        self.sender.is_none()
    }

    /// The type of LINE's message object.
    pub(crate) fn kind(&self) -> &str {
        kind(&self.content)
    }

    /// The text, for those messages that have one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.content.get("text").and_then(Value::as_str)
    }

    /// Takes the message back: what it said is gone, its place stays.
    pub(crate) fn unsend(&mut self, revision: u64) {
        self.unsent = true;
        self.content.retain(|name, _| name == "type");
        self.revision = revision;
    }

    /// The message as LINE shows it to the bot in an event.
    pub(crate) fn event_json(&self) -> Value {
        let mut content = self.content.clone();
        content.insert("id".into(), self.id.as_str().into());
        let mut put = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                content.insert(name.into(), value.as_str().into());
            }
        };
        put("quoteToken", &self.quote_token);
        put("markAsReadToken", &self.mark_as_read_token);
        put("quotedMessageId", &self.quoted_message_id);
        content.into()
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
        put("userId", self.sender.clone().map(Value::from));
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
        put("edited", self.edited.then_some(true.into()));
        put("message", (!self.unsent).then(|| Value::Object(self.content.clone())));
        Value::Object(shown)
    }
}

/// The type of a message object.
pub(crate) fn kind(content: &Map<String, Value>) -> &str {
    content.get("type").and_then(Value::as_str).unwrap_or("unknown")
}

/// Tells whether LINE gives a message of this type a quote token.
pub(crate) fn is_quotable(kind: &str, is_from_bot: bool) -> bool {
    match kind {
        "text" | "sticker" | "image" | "video" => true,
        "textV2" | "template" | "flex" | "imagemap" | "coupon" => is_from_bot,
        _ => false,
    }
}
