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

use std::{thread, time::Duration};

use serde_json::Value;
use yamabiko_queue::{JobRecord, Timestamp};

use crate::{App, state::ChatState};

mod bot;
mod chat;
mod fault;
mod group;
mod handle;
mod heard;
mod job;
mod line;
mod media;
mod message;
mod process;
mod retry_keys;
mod user;
mod world;

use bot::Bot;
pub use chat::TestChat;
pub use fault::{Call, Fault};
pub use group::TestGroup;
use handle::Handle;
pub use heard::Heard;
pub use job::TestJob;
pub use line::TestLine;
pub use media::TestPicture;
pub use message::TestMessage;
pub use user::TestUser;

/// A bot under test, on a thread and a store of its own.
///
/// Each call returns when everything that it caused has been done: nothing is ready, running or uncommitted.
/// Only runs that sleep (`cx.sleep`), and calls that LINE lets time out, go on when the clock moves.
/// Nothing waits really: limits of time, retries, pauses and leases all go by the bot's clock, and retries come
/// without the jitter that they have in production.
///
/// A run that sleeps is left asleep, whatever else it waits for. One that only waits for something else, such as a server of
/// the test's own, is really waited for, for a minute at most.
///
/// # Panics
/// When it is dropped, if something went wrong that the test has not looked at: a job is dead, one has failed and waits to
/// be tried again, or a context was used after its run had ended. [`dead_jobs`](Self::dead_jobs),
/// [`failing_jobs`](Self::failing_jobs) and [`late_calls`](Self::late_calls) look at them.
///
/// ```
/// use std::time::Duration;
/// use yamabiko::{App, Context, Result, TextMessage, testing::TestBot};
///
/// async fn on_text(cx: Context, _message: TextMessage) -> Result {
///     cx.sleep(Duration::from_secs(600)).await;
///     Ok(())
/// }
///
/// let bot = TestBot::start(App::new("sleeper").on_text(on_text));
/// let alice = bot.user("Alice");
/// alice.says("hello");
/// bot.advance(Duration::from_secs(20));
/// assert_eq!(bot.dead_jobs()[0].error(), "took longer than 20s");
/// ```
#[derive(Debug)]
pub struct TestBot {
    handle: Handle,
    thread: Option<thread::JoinHandle<()>>,
}

impl TestBot {
    /// Starts a bot with an empty store; its clock stands at 2027-01-15 17:00:00 in Tokyo.
    ///
    /// # Panics
    /// If the bot is put together wrongly (a job kind registered twice).
    #[must_use]
    pub fn start<S: ChatState>(app: App<S>) -> Self {
        let (handle, acts) = Handle::new();
        let thread = thread::Builder::new()
            .name("bot under test".to_owned())
            .spawn(move || Bot::start(app).serve(&acts))
            .expect("a thread can be started");
        let bot = Self { handle, thread: Some(thread) };
        bot.handle.ask(|_| ());
        bot
    }

    /// Returns a user of this name, whose language is Japanese, and who is a friend of the bot.
    #[must_use]
    pub fn user(&self, name: &str) -> TestUser {
        self.user_speaking(name, "ja")
    }

    /// Returns a user of this name and language (a BCP 47 tag).
    #[must_use]
    pub fn user_speaking(&self, name: &str, language: &str) -> TestUser {
        let (name, language) = (name.to_owned(), language.to_owned());
        let id = self.handle.ask(move |bot| bot.line.world().add_user(name, language));
        TestUser::new(id, self.handle.clone())
    }

    /// Returns a user whose events have this as their source: of a type that nobody knows, without an id, or `null`.
    ///
    /// LINE names no chat to push to, so only replies are heard. All strangers hear what is said to any of them;
    /// so does who causes an event without a source ([`receives`](Self::receives)).
    ///
    /// ```
    /// use serde_json::json;
    /// # use yamabiko::{App, Context, Result, TextMessage, testing::TestBot};
    /// # async fn on_text(cx: Context, message: TextMessage) -> Result {
    /// #     cx.reply(format!("You said {}", message.text));
    /// #     Ok(())
    /// # }
    /// # let bot = TestBot::start(App::new("parrot").on_text(on_text));
    /// let stranger = bot.stranger(json!({"type": "planet", "planetId": "P1"}));
    /// stranger.says("hello");
    /// assert_eq!(stranger.hears(), ["You said hello"]);
    /// ```
    #[must_use]
    pub fn stranger(&self, source: Value) -> TestUser {
        TestUser::unnamed(source, self.handle.clone())
    }

    /// Returns a group of this name that the bot is in already, with these members.
    #[must_use]
    pub fn group(&self, name: &str, members: &[&TestUser]) -> TestGroup {
        TestGroup::new(name, TestChat::group(self.add_group('C', members), self.handle.clone()))
    }

    /// Returns a room that the bot is in already, with these members.
    #[must_use]
    pub fn room(&self, members: &[&TestUser]) -> TestGroup {
        TestGroup::new("", TestChat::room(self.add_group('R', members), self.handle.clone()))
    }

    fn add_group(&self, letter: char, members: &[&TestUser]) -> String {
        let members = members.iter().map(|member| member.id().to_owned()).collect();
        self.handle.ask(move |bot| bot.line.world().add_group(letter, members))
    }

    /// Moves the clock forward, from due time to due time.
    pub fn advance(&self, time: Duration) {
        self.handle.ask(move |bot| bot.advance(time));
    }

    /// Returns the time at which the clock stands.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.handle.ask(|bot| bot.clock.now())
    }

    /// Returns LINE, to let it fail and to count what it was asked.
    #[must_use]
    pub fn line(&self) -> TestLine {
        TestLine::new(self.handle.ask(|bot| bot.line.clone()))
    }

    /// Fetches what the bot has published at this address, as LINE does; `None` where nothing is, or no longer.
    #[must_use]
    pub fn fetches(&self, url: &str) -> Option<TestPicture> {
        let url = url.to_owned();
        self.handle.ask(move |bot| bot.fetch(&url))
    }

    /// Delivers any event, also one without a source, as LINE's reference writes it; what is missing is added.
    pub fn receives(&self, event: Value) {
        self.handle.ask(move |bot| bot.happens(event, None));
    }

    /// Delivers the last event again, as LINE does when it has heard no 200.
    ///
    /// # Panics
    /// If nothing has happened yet.
    pub fn redeliver_last(&self) {
        assert!(self.handle.ask(Bot::redeliver_last), "there is no event to deliver again");
    }

    /// Puts the channel into standby in all chats, as where another channel has taken them over, or back into active mode.
    ///
    /// In standby, events come without a reply token; nothing that their runs start is sent, later either.
    pub fn stand_by(&self, standby: bool) {
        self.handle.ask(move |bot| bot.standby = standby);
    }

    /// Loses all webhooks on their way to the bot from now on, or no longer; what happens meanwhile is only heard of when
    /// it is delivered again.
    ///
    /// ```
    /// # use yamabiko::{App, Context, Result, TextMessage, testing::TestBot};
    /// # async fn on_text(cx: Context, message: TextMessage) -> Result {
    /// #     cx.reply(format!("You said {}", message.text));
    /// #     Ok(())
    /// # }
    /// # let bot = TestBot::start(App::new("parrot").on_text(on_text));
    /// # let alice = bot.user("Alice");
    /// bot.lose_webhooks(true);
    /// let said = alice.says("hello");
    /// bot.lose_webhooks(false);
    /// alice.says("are you there?");
    /// said.redeliver();
    /// assert_eq!(alice.hears(), ["You said are you there?", "You said hello"]);
    /// ```
    pub fn lose_webhooks(&self, lose: bool) {
        self.handle.ask(move |bot| bot.loses_webhooks = lose);
    }

    /// Kills the bot's process in the middle of what it does, and starts it again on the same store.
    ///
    /// What is running is what sleeps; it comes back when its claim has ended, 5 s later by the clock.
    pub fn crash(&self) {
        self.handle.ask(Bot::crash);
    }

    /// Stops the bot and starts another version of it on the same store, as a deployment does.
    ///
    /// What is running goes back to the queue, and the new version begins it anew.
    ///
    /// # Panics
    /// If the new version is put together wrongly.
    pub fn restart_with<S: ChatState>(&self, app: App<S>) {
        self.handle.ask(move |bot| bot.restart(app));
    }

    /// Returns the dead jobs, the first one first. To look at them is to expect them.
    #[must_use]
    pub fn dead_jobs(&self) -> Vec<TestJob> {
        self.jobs(Bot::dead)
    }

    /// Returns the jobs that have failed and wait to be tried again. To look at them is to expect them.
    #[must_use]
    pub fn failing_jobs(&self) -> Vec<TestJob> {
        self.jobs(Bot::failing)
    }

    /// Returns the jobs that ended well, the first one first, handlers and calls to LINE among them.
    #[must_use]
    pub fn completed_jobs(&self) -> Vec<TestJob> {
        self.jobs(|bot| bot.completed())
    }

    /// Returns the kind of job for each use of a context after its run had ended, since the last call.
    #[must_use]
    pub fn late_calls(&self) -> Vec<String> {
        self.handle.ask(|bot| bot.late_calls())
    }

    /// Runs a dead job again, as a person may do.
    ///
    /// # Panics
    /// If it is not dead, and not due later either.
    pub fn run_again(&self, job: &TestJob) {
        let id = job.id;
        assert!(self.handle.ask(move |bot| bot.run_again(id)), "{} cannot run again", job.kind);
    }

    fn jobs(&self, list: impl FnOnce(&mut Bot) -> Vec<JobRecord> + Send + 'static) -> Vec<TestJob> {
        self.handle.ask(list).into_iter().map(TestJob::of).collect()
    }
}

impl Drop for TestBot {
    fn drop(&mut self) {
        let unseen = self.handle.try_ask(Bot::unseen).unwrap_or_default();
        self.handle.stop();
        let ended = self.thread.take().map(thread::JoinHandle::join);
        if thread::panicking() {
            return;
        }
        if let Some(Err(panic)) = ended {
            std::panic::resume_unwind(panic);
        }
        assert!(
            unseen.is_empty(),
            "the test has not looked at what went wrong (dead_jobs, failing_jobs and late_calls do):\n  {}",
            unseen.join("\n  ")
        );
    }
}
