//! LINE as the runtime needs it: the real client, or the test kit's stand-in.

use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;
use yamabiko_line::{
    client::{BotInfo, Client, Content, Profile, Quota, Sent},
    error::Error,
    id::{ChatId, ChatKind, MessageId, UserId},
    message::Message,
    secret::ReplyToken,
};

/// The calls that the runtime makes.
#[async_trait]
pub(crate) trait Platform: Send + Sync + fmt::Debug {
    async fn reply(&self, token: &ReplyToken, messages: &[Message]) -> Result<Sent, Error>;
    async fn push(&self, to: &ChatId, messages: &[Message], retry_key: Uuid)
    -> Result<Sent, Error>;
    /// Shows the loading animation in a chat with one user.
    async fn show_loading(&self, chat: &ChatId, seconds: u8) -> Result<(), Error>;
    /// Returns the profile of a user of a chat.
    async fn profile(&self, chat: Option<&ChatId>, user: &UserId) -> Result<Profile, Error>;
    /// Downloads what a user sent, at most `max_bytes`.
    async fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content, Error>;
    async fn quota(&self) -> Result<Quota, Error>;
    async fn quota_used(&self) -> Result<u64, Error>;
    /// Returns what LINE says of the bot itself, which it does for whoever has good credentials.
    async fn bot_info(&self) -> Result<BotInfo, Error>;
}

#[async_trait]
impl Platform for Client {
    async fn reply(&self, token: &ReplyToken, messages: &[Message]) -> Result<Sent, Error> {
        self.reply(token, messages).await
    }

    async fn push(
        &self,
        to: &ChatId,
        messages: &[Message],
        retry_key: Uuid,
    ) -> Result<Sent, Error> {
        self.push(to, messages, retry_key).await
    }

    async fn show_loading(&self, chat: &ChatId, seconds: u8) -> Result<(), Error> {
        self.loading_start(chat, seconds).await
    }

    async fn profile(&self, chat: Option<&ChatId>, user: &UserId) -> Result<Profile, Error> {
        // In a group, LINE tells of members who are no friends of the bot as well, but not their language.
        match chat.map(|chat| (chat.kind(), chat)) {
            Some((ChatKind::Group, group)) => self.group_member_profile(group, user).await,
            Some((ChatKind::Room, room)) => self.room_member_profile(room, user).await,
            _ => self.profile(user).await,
        }
    }

    async fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content, Error> {
        self.content(message, max_bytes).await
    }

    async fn quota(&self) -> Result<Quota, Error> {
        self.quota().await
    }

    async fn quota_used(&self) -> Result<u64, Error> {
        self.quota_used().await
    }
    async fn bot_info(&self) -> Result<BotInfo, Error> {
        self.bot_info().await
    }
}
