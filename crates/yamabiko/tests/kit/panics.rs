//! Whatever of an author's code panics, it is a failure of its run: its chat goes on, and all others do.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use yamabiko::{
    App, ChatState, Context, Job, Lane, Message, Result, TextMessage,
    testing::{TestBot, TestUser},
};

use crate::secs;

/// Text that panics where it is told to.
#[derive(Debug, Default)]
struct Brittle(String);

impl Brittle {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn panics_at(&self, place: &str) {
        assert_ne!(self.0, place, "an author's mistake");
    }
}

impl Clone for Brittle {
    fn clone(&self) -> Self {
        self.panics_at("clone");
        Self(self.0.clone())
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        self.panics_at("drop");
    }
}

impl fmt::Display for Brittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.panics_at("display");
        f.write_str(&self.0)
    }
}

impl std::error::Error for Brittle {}

impl Serialize for Brittle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.panics_at("serialize");
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Brittle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let brittle = Self::new(String::deserialize(deserializer)?);
        brittle.panics_at("deserialize");
        Ok(brittle)
    }
}

impl From<Brittle> for Message {
    fn from(brittle: Brittle) -> Self {
        brittle.panics_at("message");
        Self::text(brittle.0.clone())
    }
}

#[derive(Serialize, Deserialize)]
struct Task(Brittle);

impl Job<Brittle> for Task {
    const KIND: &'static str = "task";
    const MAX_ATTEMPTS: u32 = 1;

    async fn run(self, cx: Context<Brittle>) -> Result {
        self.0.panics_at("run");
        cx.checkpoint(&Self(Brittle::new("serialize"))).await
    }
}

/// Like a task, but in no lane: sleeps, or panics.
#[derive(Serialize, Deserialize)]
struct Aside {
    sleeps: bool,
}

impl Job<Brittle> for Aside {
    const KIND: &'static str = "aside";
    const LANE: Lane = Lane::None;
    const MAX_ATTEMPTS: u32 = 1;

    async fn run(self, cx: Context<Brittle>) -> Result {
        assert!(self.sleeps, "an author's mistake: no rest");
        let _dropped_by_the_cancel = Brittle::new("drop");
        cx.sleep(secs(60)).await;
        Ok(())
    }
}

/// Does what it is told, and answers all else.
async fn on_text(cx: Context<Brittle>, message: TextMessage) -> Result {
    match message.text.split_once(' ') {
        Some(("handler", _)) => panic!("an author's mistake: no handler"),
        Some(("state", "read")) => drop(cx.state()),
        Some(("state", place)) => cx.set_state(Brittle::new(place)),
        Some(("message", place)) => drop(cx.reply(Brittle::new(place))),
        Some(("error", place)) => return Err(Brittle::new(place).into()),
        Some(("task", place)) => drop(cx.enqueue(Task(Brittle::new(place)))),
        Some(("aside", what)) => drop(cx.enqueue(Aside { sleeps: what == "sleeps" })),
        Some(("timer", place)) => drop(cx.after(secs(3600), Task(Brittle::new(place)))),
        Some(("timers", _)) => {
            cx.timers().await?.iter().for_each(|timer| drop(timer.job::<Task>()));
        }
        Some(("blocking", _)) => cx.blocking(|| panic!("an author's mistake: no thread")).await?,
        Some(("sleep", place)) => {
            let _dropped_by_the_limit = Brittle::new(place);
            cx.sleep(secs(3600)).await;
        }
        _ => drop(cx.reply(format!("you said {}", message.text))),
    }
    Ok(())
}

fn app() -> App<Brittle> {
    App::new("brittle").with_state().on_text(on_text).job::<Task>().job::<Aside>()
}

/// Checks that this many jobs have died of a panic, and that their chat and another are answered.
#[track_caller]
fn survives(bot: &TestBot, alice: &TestUser, dead: usize) {
    bot.advance(secs(60));
    let errors: Vec<_> = bot.dead_jobs().iter().map(|job| job.error().to_owned()).collect();
    assert_eq!(errors.len(), dead, "{errors:?}");
    let is_panic = |error: &String| error.starts_with("panicked: ") && error.contains("mistake");
    assert!(errors.iter().all(is_panic), "{errors:?}");
    let bob = bot.user("Bob");
    for user in [alice, &bob] {
        drop(user.hears());
        user.says("hello");
        assert_eq!(user.hears(), ["you said hello"]);
    }
}

/// Lets a user say this, after which one job dies of a panic.
#[track_caller]
fn dies_alone(said: &[&str]) {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    said.iter().for_each(|text| drop(alice.says(text)));
    survives(&bot, &alice, 1);
}

#[test]
fn a_panic_of_a_handler_is_a_failure_of_its_run() {
    dies_alone(&["handler panics"]);
}

#[test]
fn a_panic_of_a_handler_before_its_first_await_is_a_failure_of_its_run() {
    let handler = |cx: Context<Brittle>, message: TextMessage| {
        Brittle::new(message.text.as_str()).panics_at("at once");
        async move { on_text(cx, message).await }
    };
    let bot = TestBot::start(App::new("brittle").with_state().on_text(handler));
    let alice = bot.user("Alice");
    alice.says("at once");
    survives(&bot, &alice, 1);
}

#[test]
fn a_panic_of_a_job_is_a_failure_of_its_run() {
    dies_alone(&["task run"]);
    dies_alone(&["aside runs"]);
}

#[test]
fn a_panic_of_blocking_work_is_a_failure_of_its_run() {
    dies_alone(&["blocking panics"]);
}

#[test]
fn a_panic_in_reading_a_job_is_a_failure_of_its_run() {
    dies_alone(&["task deserialize"]);
}

#[test]
fn a_panic_in_writing_a_job_is_a_failure_of_the_run_that_asks_for_it() {
    dies_alone(&["task serialize"]);
    dies_alone(&["timer serialize"]);
    // The checkpoint of a job that runs.
    dies_alone(&["task checkpoint"]);
}

#[test]
fn a_panic_in_looking_through_timers_is_a_failure_of_the_run() {
    dies_alone(&["timer deserialize", "timers read"]);
}

#[test]
fn a_panic_in_making_a_message_is_a_failure_of_its_run() {
    dies_alone(&["message message"]);
}

#[test]
fn a_panic_in_the_text_of_an_error_is_a_failure_of_its_run() {
    dies_alone(&["error display"]);
}

#[test]
fn a_panic_in_writing_or_dropping_the_state_is_a_failure_of_its_run() {
    dies_alone(&["state serialize"]);
    dies_alone(&["state drop"]);
}

#[test]
fn a_panic_in_copying_the_state_is_a_failure_of_its_run() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("state clone");
    alice.says("state read");
    survives(&bot, &alice, 1);
}

#[test]
fn a_panic_in_reading_the_state_is_a_failure_of_each_run_that_reads_it() {
    let bot = TestBot::start(app());
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    alice.says("state deserialize");
    alice.says("hello");
    alice.says("hello again");
    bot.advance(secs(60));
    assert_eq!(bot.dead_jobs().len(), 2, "the chat's lane goes on");
    bob.says("hello");
    assert_eq!(bob.hears(), ["you said hello"]);
}

#[test]
fn a_panic_in_migrating_a_state_is_a_failure_of_each_run_that_reads_it() {
    let bot = TestBot::start(app());
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    alice.says("state old");
    let migrates = |_: u32, _: serde_json::Value| panic!("an author's mistake: no way back");
    bot.restart_with(app().migrate_state(2, migrates));
    alice.says("hello");
    bot.advance(secs(60));
    assert_eq!(bot.dead_jobs()[0].error(), "panicked: an author's mistake: no way back");
    bob.says("hello");
    assert_eq!(bob.hears(), ["you said hello"]);
}

#[test]
fn a_panic_in_making_a_first_state_is_a_failure_of_its_run() {
    #[derive(Clone, Serialize, Deserialize)]
    struct None;
    impl Default for None {
        fn default() -> Self {
            panic!("an author's mistake: nothing to begin with")
        }
    }
    async fn on_text<S: ChatState>(_cx: Context<S>, _message: TextMessage) -> Result {
        Ok(())
    }
    let bot = TestBot::start(App::new("brittle").with_state::<None>().on_text(on_text));
    let alice = bot.user("Alice");
    alice.says("one");
    alice.says("two");
    bot.advance(secs(60));
    assert_eq!(bot.dead_jobs().len(), 2, "the chat's lane goes on");
}

#[test]
fn a_panic_in_dropping_a_run_whose_time_is_up_is_a_failure_of_it() {
    dies_alone(&["sleep drop"]);
}

#[test]
fn a_panic_in_dropping_a_run_that_is_cancelled_holds_nothing() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("aside sleeps").unsend();
    survives(&bot, &alice, 0);
}
