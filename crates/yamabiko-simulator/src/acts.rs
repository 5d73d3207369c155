//! What users do: they say, edit and take back, come and go, tap and watch.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::chats::{Draft, Kind, kind};
use crate::config::MarkAsRead;
use crate::id;
use crate::media::Media;
use crate::platform::{Memory, Platform};
use crate::webhook::Sent;

/// Says why nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No such user, group or room.
    UnknownChat,
    /// No such message in the chat.
    UnknownMessage,
    /// The user is not in the group, or it is not said which of its members acts.
    NotAMember,
}

impl Platform {
    /// Lets a user say something: it stands in the chat at once, and goes to the bot.
    ///
    /// In a group, the text's `@name`s become mentions.
    pub(crate) fn say(
        self: &Arc<Self>,
        chat_id: &str,
        user_id: Option<&str>,
        mut content: Map<String, Value>,
        media: Option<Media>,
    ) -> Result<Sent, Refusal> {
        let now = self.now();
        let event_id = id::ulid(now);
        let quoted = content.remove("quotedMessageId");
        let quoted = quoted.as_ref().and_then(Value::as_str).map(str::to_owned);
        self.update(|memory| {
            let revision = memory.touch();
            let sender = actor(memory, chat_id, user_id)?;
            let chat = memory.chats.get_mut(chat_id).ok_or(Refusal::UnknownChat)?;
            if quoted.as_ref().is_some_and(|quoted| chat.message(quoted).is_none()) {
                return Err(Refusal::UnknownMessage);
            }
            if chat.kind == Kind::User {
                // Whoever writes to a bot has it as a friend.
                chat.open = true;
            }
            let chat = memory.chats.get(chat_id).ok_or(Refusal::UnknownChat)?;
            let bot = (self.config.bot_name.as_str(), self.bot_id.as_str());
            memory.chats.add_mentions(chat, &mut content, bot);
            let manual = memory.settings.mark_as_read_mode == MarkAsRead::Manual;
            let draft = Draft {
                quoted_message_id: quoted,
                webhook_event_id: Some(event_id.clone()),
                ..Draft::of_user(&sender, content)
            };
            let message = memory.chats.append(chat_id, draft, now, revision);
            let message = message.ok_or(Refusal::UnknownChat)?;
            message.mark_as_read_token = manual.then(id::token);
            let (message_id, content) = (message.id.clone(), message.event_json());
            if let Some(mut media) = media {
                if matches!(content["type"].as_str(), Some("video" | "audio")) {
                    let preparing = i64::try_from(memory.settings.preparing_ms).unwrap_or(i64::MAX);
                    media.ready_at = now.saturating_add(preparing);
                }
                memory.media.keep(&message_id, media);
            }
            let mut event = Map::new();
            event.insert("type".into(), "message".into());
            event.insert("message".into(), content);
            event.insert("webhookEventId".into(), event_id.into());
            let mut sent = self.send_event(memory, chat_id, Some(&sender), event, &[]);
            sent.message_id = Some(message_id);
            Ok(sent)
        })
    }

    /// Lets a user edit a text that they have said.
    pub(crate) fn edit(
        self: &Arc<Self>,
        chat_id: &str,
        message_id: &str,
        text: &str,
    ) -> Result<Sent, Refusal> {
        let mut edited = Map::new();
        edited.insert("text".into(), text.into());
        self.update(|memory| {
            let revision = memory.touch();
            let chat = memory.chats.get(chat_id).ok_or(Refusal::UnknownChat)?;
            let bot = (self.config.bot_name.as_str(), self.bot_id.as_str());
            memory.chats.add_mentions(chat, &mut edited, bot);
            let chat = memory.chats.get_mut(chat_id).ok_or(Refusal::UnknownChat)?;
            let message = chat.message_mut(message_id);
            let message = message
                .filter(|message| !message.is_from_bot() && message.kind() == "text")
                .ok_or(Refusal::UnknownMessage)?;
            // They stood at places of the old text.
            message.content.retain(|name, _| !matches!(name.as_str(), "mention" | "emojis"));
            message.content.append(&mut edited);
            message.edited = true;
            message.revision = revision;
            let (sender, mut content) = (message.sender.clone(), message.event_json());
            if let Some(content) = content.as_object_mut() {
                content.remove("markAsReadToken");
            }
            chat.revision = revision;
            let mut event = Map::new();
            event.insert("type".into(), "messageEdited".into());
            event.insert("message".into(), content);
            Ok(self.send_event(memory, chat_id, sender.as_deref(), event, &[]))
        })
    }

    /// Hands the chat over to another channel, so that the bot's channel is in standby there, or gives it back.
    pub(crate) fn set_standby(&self, chat_id: &str, standby: bool) -> Result<(), Refusal> {
        self.update(|memory| {
            let revision = memory.touch();
            let chat = memory.chats.get_mut(chat_id).ok_or(Refusal::UnknownChat)?;
            chat.standby = standby;
            chat.revision = revision;
            Ok(())
        })
    }

    /// Shows a text as the user's without telling the bot, as LINE does for a postback's button.
    pub(crate) fn show(
        &self,
        chat_id: &str,
        user_id: Option<&str>,
        text: &str,
    ) -> Result<(), Refusal> {
        let mut content = Map::new();
        content.insert("type".into(), "text".into());
        content.insert("text".into(), text.into());
        let now = self.now();
        self.update(|memory| {
            let revision = memory.touch();
            let sender = actor(memory, chat_id, user_id)?;
            let message =
                memory.chats.append(chat_id, Draft::of_user(&sender, content), now, revision);
            message.map(|_| ()).ok_or(Refusal::UnknownChat)
        })
    }

    /// Lets any event happen in a chat; what LINE adds and the event lacks is added, but for what is named in `without`.
    pub(crate) fn happen(
        self: &Arc<Self>,
        chat_id: &str,
        user_id: Option<&str>,
        mut event: Map<String, Value>,
        without: &[String],
    ) -> Result<Sent, Refusal> {
        self.update(|memory| {
            let revision = memory.touch();
            let joined = members(&event, "joined");
            if joined.iter().any(|member| memory.chats.user(member).is_none()) {
                return Err(Refusal::NotAMember);
            }
            let chat = memory.chats.get_mut(chat_id).ok_or(Refusal::UnknownChat)?;
            let mut actor = user_id.map(str::to_owned);
            match kind(&event) {
                "follow" => {
                    let unblocked = json!({ "isUnblocked": !chat.open });
                    event.entry("follow").or_insert(unblocked);
                    chat.open = true;
                }
                "join" => chat.open = true,
                "memberJoined" => {
                    let new = joined.into_iter().filter(|member| !chat.has_member(member));
                    let new: Vec<_> = new.collect();
                    chat.members.extend(new);
                }
                "memberLeft" => {
                    let left = members(&event, "left");
                    chat.members.retain(|member| !left.contains(member));
                }
                "unsend" => {
                    let id = event.get("unsend").and_then(|unsend| unsend["messageId"].as_str());
                    let message = id.and_then(|id| chat.message_mut(id));
                    let message = message.ok_or(Refusal::UnknownMessage)?;
                    message.unsend(revision);
                    actor = message.sender.clone();
                    let id = message.id.clone();
                    memory.media.forget(&id);
                }
                _ => {}
            }
            let chat = memory.chats.get_mut(chat_id).ok_or(Refusal::UnknownChat)?;
            chat.revision = revision;
            let ends = matches!(kind(&event), "unfollow" | "leave");
            let sent = self.send_event(memory, chat_id, actor.as_deref(), event, without);
            if ends && let Some(chat) = memory.chats.get_mut(chat_id) {
                chat.open = false;
            }
            Ok(sent)
        })
    }
}

/// Finds out who acts in a chat: in a group it must be said.
fn actor(memory: &Memory, chat_id: &str, user_id: Option<&str>) -> Result<String, Refusal> {
    let chat = memory.chats.get(chat_id).ok_or(Refusal::UnknownChat)?;
    let user_id = match (chat.kind, user_id) {
        (Kind::User, None) => &chat.id,
        (_, Some(user_id)) if chat.has_member(user_id) => user_id,
        _ => return Err(Refusal::NotAMember),
    };
    Ok(user_id.to_owned())
}

/// The members that an event names.
fn members(event: &Map<String, Value>, field: &str) -> Vec<String> {
    let members = event.get(field).and_then(|field| field["members"].as_array());
    let ids = members.into_iter().flatten().filter_map(|member| member["userId"].as_str());
    ids.map(str::to_owned).collect()
}

/// LINE's list of members in an event.
pub(crate) fn member_list(user_ids: &[String]) -> Value {
    let members: Vec<_> =
        user_ids.iter().map(|id| json!({ "type": "user", "userId": id })).collect();
    json!({ "members": members })
}
