//! LINE fails: what is said once, and what is given up.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Job, Result, TextMessage,
    testing::{Call, Fault, TestBot},
};

fn app() -> App {
    App::new("egg-timer").on_text(on_text).job::<Done>()
}

async fn on_text(cx: Context, _message: TextMessage) -> Result {
    cx.reply("Three minutes from now");
    cx.after(Duration::from_secs(180), Done);
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Done;

impl Job for Done {
    const KIND: &'static str = "done";

    async fn run(self, cx: Context) -> Result {
        cx.push("Done!");
        Ok(())
    }
}

#[test]
fn what_line_took_without_an_answer_is_said_once() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    bot.line().fail_next(Fault::TimeoutAfter);
    alice.says("egg");
    bot.advance(Duration::from_secs(60));
    assert_eq!(alice.hears(), ["Three minutes from now"]);

    bot.line().fail_next(Fault::TimeoutAfter);
    bot.advance(Duration::from_secs(600));
    assert_eq!(alice.hears(), ["Done!"]);
    assert_eq!(bot.line().calls(Call::Push), 2, "the second says nothing again");
}

#[test]
fn while_line_is_away_messages_wait() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    bot.line().fail_all(Fault::ConnectionRefused);
    alice.says("egg");
    bot.advance(Duration::from_secs(60));
    bot.line().recover();
    bot.advance(Duration::from_secs(60));
    let heard = alice.hears_in_detail();
    assert_eq!(heard[0].text(), "Three minutes from now");
    assert_eq!(heard[0].by, Call::Push, "the reply token has grown too old");
}

#[test]
fn a_used_up_quota_costs_the_push_and_not_the_reply() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    bot.line().set_quota(0);
    alice.says("egg");
    bot.advance(Duration::from_secs(180));
    assert_eq!(alice.hears(), ["Three minutes from now"]);
    assert!(bot.dead_jobs()[0].error().contains("used up"));
}
