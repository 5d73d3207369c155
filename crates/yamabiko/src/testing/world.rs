//! What LINE knows: who is in which chat, what was heard, and what was used up.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use uuid::Uuid;
use yamabiko_line::{
    client::{Content, Sent},
    error::{Error, ErrorKind, Reached},
    id::{ChatId, ChatKind, MessageId},
    message::Message,
};
use yamabiko_queue::{ManualClock, Timestamp};

use super::{
    fault::{Call, Fault, Faults, refused, refused_for},
    heard::Heard,
    retry_keys::RetryKeys,
};

/// How long a reply token can be used after its webhook.
const TOKEN_LIFE_SECONDS: u64 = 60;
/// The ids of the bot's messages begin here, far from those of users.
const BOT_MESSAGES: u64 = 9_000_000_000;

/// What LINE knows.
#[derive(Debug)]
pub(super) struct World {
    clock: ManualClock,
    pub(super) faults: Faults,
    /// Name and language of each user.
    pub(super) users: HashMap<String, (String, String)>,
    /// Users who have blocked the bot.
    blocked: HashSet<String>,
    /// The members of the groups and rooms that the bot is in.
    groups: HashMap<String, HashSet<String>>,
    /// Groups and rooms so far.
    groups_so_far: usize,
    tokens: HashMap<String, ReplyToken>,
    pub(super) retry_keys: RetryKeys,
    /// The properties of messages that LINE refuses.
    pub(super) refused_properties: HashSet<String>,
    heard: HashMap<String, Vec<Heard>>,
    /// Until when the loading animation is shown in which chat.
    loading: HashMap<String, Timestamp>,
    /// What users sent, by the ids of their messages; `None` where it was taken back.
    contents: HashMap<String, Option<Content>>,
    /// The content of the message that is about to be sent.
    pub(super) upload: Option<Content>,
    said: u64,
    pub(super) quota: Option<u64>,
    /// Messages of this month, by recipients.
    used: (String, u64),
    calls: HashMap<Call, usize>,
}

#[derive(Debug)]
struct ReplyToken {
    chat: Option<String>,
    until: Timestamp,
    used: bool,
}

impl World {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            faults: Faults::default(),
            users: HashMap::new(),
            blocked: HashSet::new(),
            groups: HashMap::new(),
            groups_so_far: 0,
            tokens: HashMap::new(),
            retry_keys: RetryKeys::default(),
            refused_properties: HashSet::new(),
            heard: HashMap::new(),
            loading: HashMap::new(),
            contents: HashMap::new(),
            upload: None,
            said: 0,
            quota: None,
            used: (String::new(), 0),
            calls: HashMap::new(),
        }
    }

    /// Adds a user, who is a friend of the bot.
    pub(super) fn add_user(&mut self, name: String, language: String) -> String {
        let id = format!("U{:032x}", self.users.len() + 1);
        self.users.insert(id.clone(), (name, language));
        id
    }

    /// Adds a group (`C`) or room (`R`) that the bot is in.
    pub(super) fn add_group(&mut self, letter: char, members: HashSet<String>) -> String {
        self.groups_so_far += 1;
        let id = format!("{letter}{:032x}", self.groups_so_far);
        self.groups.insert(id.clone(), members);
        id
    }

    /// Notes what an event says of who is where.
    pub(super) fn witness(&mut self, event: &Value) {
        if let (Some(id), Some(content)) = (event["message"]["id"].as_str(), self.upload.take()) {
            self.contents.insert(id.to_owned(), Some(content));
        }
        if let Some(id) = event["unsend"]["messageId"].as_str() {
            self.contents.insert(id.to_owned(), None);
        }
        let source = &event["source"];
        let user = source["userId"].as_str().unwrap_or_default().to_owned();
        let group = source["groupId"].as_str().or(source["roomId"].as_str()).map(str::to_owned);
        match (event["type"].as_str().unwrap_or_default(), group) {
            ("unfollow", _) => drop(self.blocked.insert(user)),
            ("follow", _) | ("message", None) => drop(self.blocked.remove(&user)),
            ("join", Some(group)) => drop(self.groups.entry(group).or_default()),
            ("leave", Some(group)) => drop(self.groups.remove(&group)),
            ("memberJoined", Some(group)) => {
                let members = self.groups.entry(group).or_default();
                members.extend(users_of(&event["joined"]));
            }
            ("memberLeft", Some(group)) => {
                let left: HashSet<_> = users_of(&event["left"]).collect();
                self.groups.entry(group).or_default().retain(|member| !left.contains(member));
            }
            _ => {}
        }
    }

    /// Gives out a reply token, or lets a redelivered one live longer.
    pub(super) fn grant(&mut self, token: &str, chat: Option<String>) {
        let until = self.clock.now() + std::time::Duration::from_secs(TOKEN_LIFE_SECONDS);
        let fresh = ReplyToken { chat, until, used: false };
        self.tokens.entry(token.to_owned()).or_insert(fresh).until = until;
    }

    /// Notes a call and returns how it fails, if it does.
    pub(super) fn begin(&mut self, call: Call) -> Option<Fault> {
        *self.calls.entry(call).or_default() += 1;
        let fault = self.faults.hit(call);
        if fault == Some(Fault::QuotaUsedUp) {
            self.quota = Some(self.used());
        }
        fault
    }

    /// Returns how often LINE was called.
    pub(super) fn calls(&self, call: Call) -> usize {
        self.calls.get(&call).copied().unwrap_or(0)
    }

    pub(super) fn reply(&mut self, token: &str, messages: &[Message]) -> Result<Sent, Error> {
        self.check(messages)?;
        let now = self.clock.now();
        let usable = |token: &&mut ReplyToken| !token.used && now <= token.until;
        let Some(token) = self.tokens.get_mut(token).filter(usable) else {
            return Err(Fault::InvalidReplyToken.error());
        };
        token.used = true;
        let chat = token.chat.clone().unwrap_or_default();
        self.say(&chat, messages, Call::Reply);
        Ok(Sent::default())
    }

    pub(super) fn push(
        &mut self,
        to: &ChatId,
        messages: &[Message],
        retry_key: Uuid,
    ) -> Result<Sent, Error> {
        let is_known = self.retry_keys.use_with(retry_key, messages)?;
        self.check(messages)?;
        if is_known && self.retry_keys.is_accepted(retry_key, self.clock.now()) {
            let mut sent = Sent::default();
            sent.already_accepted = true;
            return Ok(sent);
        }
        let recipients = match (to.kind(), self.groups.get(to.as_str())) {
            (ChatKind::Group | ChatKind::Room, None) => {
                return Err(refused(400, "Failed to send messages"));
            }
            (_, Some(members)) => members.len() as u64,
            (_, None) => u64::from(!self.blocked.contains(to.as_str())),
        };
        if recipients > 0 && self.quota.is_some_and(|limit| self.used() + recipients > limit) {
            return Err(Fault::QuotaUsedUp.error());
        }
        self.used = (self.month(), self.used() + recipients);
        self.retry_keys.accept(retry_key, self.clock.now());
        // Who has blocked the bot hears nothing, and the bot does not learn of it.
        if recipients > 0 {
            self.say(to.as_str(), messages, Call::Push);
        }
        Ok(Sent::default())
    }

    /// Refuses messages that have a property which LINE refuses.
    fn check(&self, messages: &[Message]) -> Result<(), Error> {
        let mut places = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            let message = serde_json::to_value(message).expect("messages are JSON");
            let refused = self.refused_properties.iter().filter(|name| !message[name].is_null());
            places.extend(refused.map(|name| format!("messages[{at}].{name}")));
        }
        let problems: Vec<_> = places.iter().map(|place| (&**place, "Invalid value")).collect();
        if problems.is_empty() { Ok(()) } else { Err(refused_for(&problems)) }
    }

    pub(super) fn show_loading(&mut self, chat: &ChatId, seconds: u8) -> Result<(), Error> {
        if chat.kind() != ChatKind::User {
            return Err(refused(400, "Only user id is acceptable"));
        }
        if !(5..=60).contains(&seconds) || !seconds.is_multiple_of(5) {
            return Err(refused(400, "loadingSeconds is not a multiple of 5 up to 60"));
        }
        let until = self.clock.now() + std::time::Duration::from_secs(seconds.into());
        self.loading.insert(chat.to_string(), until);
        Ok(())
    }

    pub(super) fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content, Error> {
        match self.contents.get(message.as_str()) {
            Some(Some(Content::Ready { bytes, .. })) if bytes.len() > max_bytes => {
                let error = format!("more than {max_bytes} bytes");
                Err(Error::without_answer(ErrorKind::TooLarge, Reached::Unknown, error))
            }
            Some(Some(content)) => Ok(content.clone()),
            Some(None) => Err(Fault::Gone.error()),
            None => Err(Fault::NotFound.error()),
        }
    }

    /// Returns until when the loading animation is shown, if it is.
    pub(super) fn loading(&self, chat: &str) -> Option<Timestamp> {
        self.loading.get(chat).copied().filter(|until| *until > self.clock.now())
    }

    /// Returns name and language of a friend, or the name of a member of a group that the bot is in.
    pub(super) fn profile(
        &self,
        chat: Option<&ChatId>,
        user: &str,
    ) -> Result<(String, Option<String>), Error> {
        let known = self.users.get(user);
        let profile = match chat.filter(|chat| chat.kind() != ChatKind::User) {
            Some(group) => {
                let members = self.groups.get(group.as_str());
                let is_member =
                    members.is_some_and(|members| members.iter().any(|member| member == user));
                known.filter(|_| is_member).map(|(name, _)| (name.clone(), None))
            }
            None => known
                .filter(|_| !self.blocked.contains(user))
                .map(|(name, language)| (name.clone(), Some(language.clone()))),
        };
        profile.ok_or_else(|| Fault::NotFound.error())
    }

    /// Returns how many messages were sent in this month, one for each recipient.
    pub(super) fn used(&self) -> u64 {
        if self.used.0 == self.month() { self.used.1 } else { 0 }
    }

    fn month(&self) -> String {
        let now = jiff::Timestamp::from_microsecond(self.clock.now().as_micros());
        let tokyo = now.and_then(|now| now.in_tz("Asia/Tokyo"));
        tokyo.map(|now| now.strftime("%Y-%m").to_string()).unwrap_or_default()
    }

    /// Takes what a chat has heard since the last call.
    pub(super) fn heard(&mut self, chat: &str) -> Vec<Heard> {
        self.heard.remove(chat).unwrap_or_default()
    }

    fn say(&mut self, chat: &str, messages: &[Message], by: Call) {
        self.loading.remove(chat);
        for message in messages {
            self.said += 1;
            let heard = Heard {
                id: MessageId::new((BOT_MESSAGES + self.said).to_string()),
                message: serde_json::to_value(message).expect("messages are JSON"),
                by,
                at: self.clock.now(),
            };
            self.heard.entry(chat.to_owned()).or_default().push(heard);
        }
    }
}

fn users_of(list: &Value) -> impl Iterator<Item = String> {
    let members = list["members"].as_array().into_iter().flatten();
    members.filter_map(|member| Some(member["userId"].as_str()?.to_owned()))
}
