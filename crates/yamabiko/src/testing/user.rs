//! A user who chats with a bot under test.

#![expect(
    clippy::must_use_candidate,
    reason = "what is said has its effect, and few tests need what it returns"
)]

use std::ops::Deref;

use serde_json::{Value, json};
use yamabiko_line::{client::Content, id::MessageId};

use super::{TestChat, TestGroup, TestMessage, bot::BOT, handle::Handle};

/// A user who chats with a bot under test, alone or [inside](Self::inside) a group.
///
/// Each method that makes something happen returns when the bot has done what follows.
#[derive(Clone, Debug)]
pub struct TestUser {
    id: String,
    /// Where the user speaks.
    chat: TestChat,
}

// What is heard and kept is the chat's; a test writes `alice.hears()` for it.
impl Deref for TestUser {
    type Target = TestChat;

    fn deref(&self) -> &TestChat {
        &self.chat
    }
}

impl TestUser {
    pub(super) fn new(id: String, bot: Handle) -> Self {
        let chat = TestChat::user(&id, bot);
        Self { id, chat }
    }

    pub(super) fn unnamed(source: Value, bot: Handle) -> Self {
        Self { id: String::new(), chat: TestChat::unnamed(source, bot) }
    }

    /// Returns the user's id; a stranger has none.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the same user as one who speaks in a group or room: all that is sent and heard is sent and heard there.
    #[must_use]
    pub fn inside(&self, group: &TestGroup) -> Self {
        Self { id: self.id.clone(), chat: (**group).clone() }
    }

    /// Causes any event, as LINE's reference writes it; ids, times and tokens that are missing are added.
    pub fn sends(&self, event: Value) {
        self.happens(event);
    }

    /// Writes a text to the bot.
    pub fn says(&self, text: &str) -> TestMessage {
        self.sends_message(json!({"type": "text", "text": text}))
    }

    /// Writes a text in a group or room; short for `inside(group).says(text)`.
    pub fn says_in(&self, group: &TestGroup, text: &str) -> TestMessage {
        self.inside(group).says(text)
    }

    /// Writes a text that quotes an earlier message, of a user or of the bot.
    pub fn quotes(&self, message: &MessageId, text: &str) -> TestMessage {
        self.sends_message(
            json!({"type": "text", "text": text, "quotedMessageId": message.as_str()}),
        )
    }

    /// Writes `@Bot`, which mentions the bot, and a text behind it.
    pub fn mentions_bot(&self, text: &str) -> TestMessage {
        let mentionee =
            json!({"index": 0, "length": 4, "type": "user", "userId": BOT, "isSelf": true});
        self.sends_message(
            json!({"type": "text", "text": format!("@Bot {text}"), "mention": {"mentionees": [mentionee]}}),
        )
    }

    /// Sends a sticker to the bot.
    pub fn sends_sticker(&self, package_id: &str, sticker_id: &str) -> TestMessage {
        self.sends_message(
            json!({"type": "sticker", "packageId": package_id, "stickerId": sticker_id}),
        )
    }

    /// Sends an image with this content, a JPEG as LINE makes of all, which the bot can download.
    pub fn sends_picture(&self, bytes: impl Into<Vec<u8>>) -> TestMessage {
        let message = json!({"type": "image", "contentProvider": {"type": "line"}});
        self.sends_content(message, "image/jpeg", bytes)
    }

    /// Sends a message of any type, as LINE's reference writes it, with this content, which the bot can download.
    pub fn sends_content(
        &self,
        message: Value,
        content_type: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> TestMessage {
        let content = Content::Ready { content_type: content_type.to_owned(), bytes: bytes.into() };
        let mut event = json!({"type": "message"});
        event["message"] = message;
        let source = self.source();
        let event = self.chat.bot.ask(move |bot| bot.happens_with(event, source, content));
        TestMessage::new(event, self.chat.bot.clone())
    }

    /// Sends an image to the bot, of which LINE has no content.
    pub fn sends_image(&self) -> TestMessage {
        self.sends_message(json!({"type": "image", "contentProvider": {"type": "line"}}))
    }

    /// Sends a video of 5 s to the bot.
    pub fn sends_video(&self) -> TestMessage {
        self.sends_message(
            json!({"type": "video", "duration": 5000, "contentProvider": {"type": "line"}}),
        )
    }

    /// Sends a sound of 5 s to the bot.
    pub fn sends_audio(&self) -> TestMessage {
        self.sends_message(
            json!({"type": "audio", "duration": 5000, "contentProvider": {"type": "line"}}),
        )
    }

    /// Sends a file of this name and size in bytes to the bot.
    pub fn sends_file(&self, name: &str, size: u64) -> TestMessage {
        self.sends_message(json!({"type": "file", "fileName": name, "fileSize": size}))
    }

    /// Sends a location, in degrees north and east, to the bot.
    pub fn sends_location(&self, title: &str, latitude: f64, longitude: f64) -> TestMessage {
        self.sends_message(
            json!({"type": "location", "title": title, "latitude": latitude, "longitude": longitude}),
        )
    }

    /// Sends a message of any type, as LINE's reference writes it, to the bot.
    pub fn sends_message(&self, message: Value) -> TestMessage {
        let mut event = json!({"type": "message"});
        event["message"] = message;
        TestMessage::new(self.happens(event), self.chat.bot.clone())
    }

    /// Taps a button with this data.
    pub fn taps(&self, data: &str) {
        self.sends(json!({"type": "postback", "postback": {"data": data}}));
    }

    /// Picks a date or time on a button with this data; `params` as LINE sends them, `{"datetime": "2027-01-15T18:00"}`.
    pub fn picks(&self, data: &str, params: Value) {
        let mut postback = json!({"data": data});
        postback["params"] = params;
        self.sends(json!({"type": "postback", "postback": postback}));
    }

    /// Adds the bot as a friend, or unblocks it.
    pub fn follows(&self) {
        self.sends(json!({"type": "follow", "follow": {"isUnblocked": false}}));
    }

    /// Blocks the bot: nothing that it says is heard until the user follows it again or writes to it.
    pub fn unfollows(&self) {
        self.sends(json!({"type": "unfollow"}));
    }

    /// Joins a group or room that the bot is in.
    pub fn joins(&self, group: &TestGroup) {
        group.sends(json!({"type": "memberJoined", "joined": {"members": [self.as_member()]}}));
    }

    /// Leaves a group or room that the bot is in.
    pub fn leaves(&self, group: &TestGroup) {
        group.sends(json!({"type": "memberLeft", "left": {"members": [self.as_member()]}}));
    }

    /// Watches a video that was sent with this tracking id to its end.
    pub fn watches_video(&self, tracking_id: &str) {
        let video = json!({"trackingId": tracking_id});
        self.sends(json!({"type": "videoPlayComplete", "videoPlayComplete": video}));
    }

    /// Comes near a beacon with this hardware id.
    pub fn comes_near_beacon(&self, hwid: &str) {
        self.sends(json!({"type": "beacon", "beacon": {"hwid": hwid, "type": "enter"}}));
    }

    /// Links an account of another service, which knows the user by this nonce.
    pub fn links_account(&self, nonce: &str) {
        self.sends(json!({"type": "accountLink", "link": {"result": "ok", "nonce": nonce}}));
    }

    /// Begins, renews or ends a membership: `joined`, `renewed` or `left`.
    pub fn changes_membership(&self, how: &str, membership_id: u64) {
        let membership = json!({"type": how, "membershipId": membership_id});
        self.sends(json!({"type": "membership", "membership": membership}));
    }

    fn as_member(&self) -> Value {
        json!({"type": "user", "userId": self.id})
    }

    fn source(&self) -> Value {
        let mut source = self.chat.source.clone();
        if !self.id.is_empty() {
            source["userId"] = json!(self.id);
        }
        source
    }

    fn happens(&self, event: Value) -> Value {
        let source = self.source();
        self.chat.bot.ask(move |bot| bot.happens(event, Some(source)))
    }
}
