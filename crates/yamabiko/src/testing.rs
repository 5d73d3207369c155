//! The test kit: a whole bot without a network and without waiting, on a clock that the test moves.
//!
//! ```
//! use std::time::Duration;
//! use yamabiko::{App, Context, Result, TextMessage, testing::TestBot};
//!
//! async fn on_text(cx: Context, message: TextMessage) -> Result {
//!     cx.reply(format!("You said {}", message.text));
//!     Ok(())
//! }
//!
//! let bot = TestBot::start(App::new("parrot").on_text(on_text));
//! let alice = bot.user("Alice");
//! alice.says("hello");
//! assert_eq!(alice.hears(), ["You said hello"]);
//! ```

use std::{fmt, sync::mpsc, thread, time::Duration};

use serde_json::{Value, json};

use crate::{App, state::ChatState};

mod bot;
mod line;

use bot::{Bot, Request};

/// A bot under test, on a thread and a store of its own.
///
/// Each call returns when everything that it caused has been done: nothing is ready, running or uncommitted.
#[derive(Debug)]
pub struct TestBot {
    requests: mpsc::Sender<Request>,
    thread: Option<thread::JoinHandle<()>>,
}

impl TestBot {
    /// Starts a bot with an empty store; its clock stands at 2027-01-15 17:00:00 in Tokyo.
    ///
    /// # Panics
    /// If the bot is put together wrongly (a job kind registered twice).
    #[must_use]
    pub fn start<S: ChatState>(app: App<S>) -> Self {
        let (requests, incoming) = mpsc::channel();
        let thread = thread::spawn(move || Bot::start(app).serve(&incoming));
        Self { requests, thread: Some(thread) }
    }

    /// Returns a user of this name, whose language is Japanese.
    #[must_use]
    pub fn user(&self, name: &str) -> TestUser {
        self.user_speaking(name, "ja")
    }

    /// Returns a user of this name and language (a BCP 47 tag).
    #[must_use]
    pub fn user_speaking(&self, name: &str, language: &str) -> TestUser {
        let id = self.ask(|answer| Request::User {
            name: name.to_owned(),
            language: language.to_owned(),
            answer,
        });
        TestUser { id, requests: self.requests.clone() }
    }

    /// Moves the clock forward, from due time to due time.
    pub fn advance(&self, time: Duration) {
        self.ask(|answer| Request::Advance { time, answer });
    }

    fn ask<T>(&self, request: impl FnOnce(mpsc::Sender<T>) -> Request) -> T {
        ask(&self.requests, request)
    }
}

impl Drop for TestBot {
    fn drop(&mut self) {
        drop(self.requests.send(Request::Stop));
        if let Some(Err(panic)) = self.thread.take().map(thread::JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// A user who chats with a bot under test.
#[derive(Clone)]
pub struct TestUser {
    id: String,
    requests: mpsc::Sender<Request>,
}

impl TestUser {
    /// Writes a text to the bot.
    pub fn says(&self, text: &str) {
        self.sends(json!({"type": "message", "message": {"type": "text", "text": text}}));
    }

    /// Sends a sticker to the bot.
    pub fn sends_sticker(&self, package_id: &str, sticker_id: &str) {
        let message = json!({"type": "sticker", "packageId": package_id, "stickerId": sticker_id});
        self.sends(json!({"type": "message", "message": message}));
    }

    /// Causes any event, as LINE's reference writes it; ids, times and tokens that are missing are added.
    pub fn sends(&self, event: Value) {
        ask(&self.requests, |answer| Request::Event { user: self.id.clone(), event, answer });
    }

    /// Returns what the bot has said since the last call: texts as they are, other messages as their type in brackets.
    #[must_use]
    pub fn hears(&self) -> Vec<String> {
        self.hears_messages().iter().map(line::shown).collect()
    }

    /// Returns the messages that the bot has said since the last call, as LINE's JSON.
    #[must_use]
    pub fn hears_messages(&self) -> Vec<Value> {
        ask(&self.requests, |answer| Request::Heard { user: self.id.clone(), answer })
    }

    /// Returns the user's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for TestUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestUser").field(&self.id).finish()
    }
}

fn ask<T>(requests: &mpsc::Sender<Request>, request: impl FnOnce(mpsc::Sender<T>) -> Request) -> T {
    let (answer, answered) = mpsc::channel();
    let gone = "the bot under test is gone: the panic above says why";
    requests.send(request(answer)).expect(gone);
    answered.recv().expect(gone)
}
