//! LINE as the test kit plays it: it takes everything and remembers what each chat heard.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;
use yamabiko_line::{
    client::{Profile, Quota, Sent},
    error::Error,
    id::{ChatId, UserId},
    message::Message,
    secret::ReplyToken,
};

use crate::platform::Platform;

/// The stand-in for LINE.
#[derive(Debug, Default)]
pub(super) struct TestLine(Mutex<Chats>);

#[derive(Debug, Default)]
struct Chats {
    profiles: HashMap<String, (String, String)>,
    tokens: HashMap<String, Option<String>>,
    heard: HashMap<String, Vec<Value>>,
}

impl TestLine {
    fn chats(&self) -> MutexGuard<'_, Chats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_user(&self, name: String, language: String) -> String {
        let mut chats = self.chats();
        let id = format!("U{:032x}", chats.profiles.len() + 1);
        chats.profiles.insert(id.clone(), (name, language));
        id
    }

    pub(super) fn add_token(&self, token: &ReplyToken, chat: Option<String>) {
        self.chats().tokens.insert(token.expose().to_owned(), chat);
    }

    /// Takes what a chat has heard since the last call.
    pub(super) fn heard(&self, chat: &str) -> Vec<Value> {
        self.chats().heard.remove(chat).unwrap_or_default()
    }

    fn say(&self, chat: String, messages: &[Message]) {
        let messages = messages
            .iter()
            .map(|message| serde_json::to_value(message).expect("messages are JSON"));
        self.chats().heard.entry(chat).or_default().extend(messages);
    }
}

/// Returns a message as a test reads it.
pub(super) fn shown(message: &Value) -> String {
    match (message["type"].as_str(), message["text"].as_str()) {
        (Some("text"), Some(text)) => text.to_owned(),
        (Some(kind), _) => format!("[{kind}]"),
        (None, _) => "[unknown]".to_owned(),
    }
}

#[async_trait]
impl Platform for TestLine {
    async fn reply(&self, token: &ReplyToken, messages: &[Message]) -> Result<Sent, Error> {
        let chat = self.chats().tokens.remove(token.expose()).flatten();
        self.say(chat.unwrap_or_default(), messages);
        Ok(Sent::default())
    }

    async fn push(
        &self,
        to: &ChatId,
        messages: &[Message],
        _retry_key: Uuid,
    ) -> Result<Sent, Error> {
        self.say(to.to_string(), messages);
        Ok(Sent::default())
    }

    async fn profile(&self, user: &UserId) -> Result<Profile, Error> {
        let known = self.chats().profiles.get(user.as_str()).cloned().unwrap_or_default();
        let mut profile = Profile::default();
        profile.display_name = known.0;
        profile.language = Some(known.1);
        Ok(profile)
    }

    async fn quota(&self) -> Result<Quota, Error> {
        Ok(Quota::default())
    }

    async fn quota_used(&self) -> Result<u64, Error> {
        Ok(0)
    }
}
