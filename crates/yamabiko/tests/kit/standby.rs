//! Standby (I4): nothing is sent for an event in standby, now or later, whatever its run starts.

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, ChatId, Context, Job, Lane, Permanent, Result, TextMessage,
    testing::{Call, TestBot, TestUser},
};

use crate::secs;

async fn on_text(cx: Context, message: TextMessage) -> Result {
    let (how, chat) = message.text.split_once(' ').unwrap_or((&message.text, ""));
    let later = Later { how: how.to_owned(), chat: ChatId::new(chat), step: 0 };
    cx.reply("heard");
    match how {
        "dies" => return Err(Permanent("as asked".to_owned()).into()),
        "laneless" => drop(cx.enqueue(Laneless(later))),
        _ => drop(cx.after(secs(60), later)),
    }
    Ok(())
}

/// A job that says something in each way that there is.
#[derive(Clone, Serialize, Deserialize)]
struct Later {
    how: String,
    chat: ChatId,
    step: u32,
}

impl Job for Later {
    const KIND: &'static str = "later";
    const MAX_ATTEMPTS: u32 = 2;

    async fn run(mut self, cx: Context) -> Result {
        cx.push(format!("{} {}", self.how, self.step));
        cx.show_loading(secs(20));
        self.step += 1;
        match (self.how.as_str(), self.step) {
            ("chain", 1..4) => drop(cx.after(secs(60), self)),
            ("elsewhere", _) => cx.push_to(&self.chat, "elsewhere"),
            ("checkpoint", 1) => {
                cx.checkpoint(&self).await?;
                cx.push("after the checkpoint");
                cx.sleep(secs(60)).await;
            }
            ("job-dies", _) => anyhow::bail!("as asked"),
            _ => {}
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Laneless(Later);

impl Job for Laneless {
    const KIND: &'static str = "laneless";
    const LANE: Lane = Lane::None;

    async fn run(self, cx: Context) -> Result {
        cx.push("laneless");
        let next = Later { how: "after laneless".to_owned(), ..self.0 };
        cx.enqueue(next);
        Ok(())
    }
}

fn app() -> App {
    App::new("polite").on_text(on_text).job::<Later>().job::<Laneless>()
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Lets Alice write while the channel is in standby, and gives it back at once.
fn says_in_standby(bot: &TestBot, alice: &TestUser, text: &str) {
    bot.stand_by(true);
    alice.says(text);
    bot.stand_by(false);
}

fn assert_nothing_was_sent(bot: &TestBot) {
    let calls = [Call::Reply, Call::Push, Call::Loading].map(|call| bot.line().calls(call));
    assert_eq!(calls, [0, 0, 0], "replies, pushes, animations");
}

#[test]
fn i4_what_a_run_in_standby_starts_says_nothing_later_either() {
    for how in ["once", "chain", "laneless", "checkpoint"] {
        let (bot, alice) = start();
        alice.says(how);
        bot.advance(secs(600));
        assert!(alice.hears().len() > 1, "{how} says something while the channel is active");

        let (bot, alice) = start();
        says_in_standby(&bot, &alice, how);
        bot.advance(secs(600));
        assert!(bot.completed_jobs().len() > 1, "{how} ran");
        assert_nothing_was_sent(&bot);
    }
}

#[test]
fn i4_nothing_is_sent_to_other_chats_in_standby() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    says_in_standby(&bot, &alice, &format!("elsewhere {}", bob.id()));
    bot.advance(secs(60));
    assert_eq!((bob.hears().len(), bot.completed_jobs().len()), (0, 2));
    assert_nothing_was_sent(&bot);
}

#[test]
fn i4_a_death_in_standby_is_told_to_nobody() {
    let (bot, alice) = start();
    says_in_standby(&bot, &alice, "dies");
    says_in_standby(&bot, &alice, "job-dies");
    bot.advance(secs(600));
    assert_eq!(bot.dead_jobs().len(), 2);
    assert_nothing_was_sent(&bot);
}

#[test]
fn i4_a_job_that_a_person_runs_again_stays_in_standby() {
    let (bot, alice) = start();
    says_in_standby(&bot, &alice, "dies");
    says_in_standby(&bot, &alice, "job-dies");
    bot.advance(secs(600));
    for job in bot.dead_jobs() {
        bot.run_again(&job);
    }
    bot.advance(secs(600));
    assert_eq!(bot.dead_jobs().len(), 2, "they died again");
    assert_nothing_was_sent(&bot);
}

#[test]
fn i4_standby_outlives_crashes_checkpoints_and_deployments() {
    let (bot, alice) = start();
    says_in_standby(&bot, &alice, "checkpoint");
    bot.crash();
    bot.advance(secs(70));
    bot.crash();
    bot.advance(secs(30));
    bot.restart_with(app());
    bot.advance(secs(600));
    assert!(alice.timers().is_empty());
    assert_nothing_was_sent(&bot);
}

#[test]
fn i4_a_timer_that_was_asked_for_in_standby_is_listed_as_such() {
    let (bot, alice) = start();
    alice.says("active");
    says_in_standby(&bot, &alice, "mute");
    let timers = alice.timers();
    let how = |timer: &yamabiko::Timer| timer.job::<Later>().unwrap().how;
    assert_eq!(
        timers.iter().map(|timer| (how(timer), timer.standby)).collect::<Vec<_>>(),
        [("active".to_owned(), false), ("mute".to_owned(), true)]
    );
    bot.advance(secs(60));
    assert_eq!(alice.hears(), ["heard", "active 0"]);
}

#[test]
fn i4_the_mode_of_the_event_counts_and_not_that_of_the_moment() {
    let (bot, alice) = start();
    alice.says("once");
    bot.stand_by(true);
    bot.advance(secs(60));
    assert_eq!(alice.hears(), ["heard", "once 0"], "what was promised is kept");
}

#[test]
fn i4_an_event_of_nobody_in_standby_is_no_mistake() {
    let bot = TestBot::start(app());
    bot.stand_by(true);
    bot.stranger(serde_json::json!(null)).says("once");
    bot.advance(secs(60));
    assert_eq!(bot.completed_jobs().len(), 2);
    assert_nothing_was_sent(&bot);
}

#[test]
fn i4_a_user_who_leaves_in_standby_is_not_called_back() {
    let (bot, alice) = start();
    alice.says("once");
    assert_eq!(alice.hears(), ["heard"]);
    bot.stand_by(true);
    alice.unfollows();
    assert!(alice.timers().is_empty());
}
