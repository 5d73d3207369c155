//! Reply tokens that a job keeps for its end, and the loading animation (O1, O2, O3).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Job, Lane, Permanent, Result, TextMessage,
    testing::{Call, Fault, TestBot, TestUser},
};

use crate::secs;

#[derive(Serialize, Deserialize)]
struct Egg {
    seconds: u64,
    /// What its run does: `fails` at first, `dies`, `saves` and says another, `passes` its token on, or just speaks.
    how: String,
}

impl Job for Egg {
    const KIND: &'static str = "egg";

    async fn run(mut self, cx: Context) -> Result {
        match self.how.as_str() {
            "fails" if cx.late_by() < secs(3) => boils_not()?,
            "dies" => return Err(Permanent("the stove is cold".into()).into()),
            "saves" => {
                cx.push("almost");
                "speaks".clone_into(&mut self.how);
                cx.checkpoint(&self).await?;
            }
            "passes" => {
                cx.after(secs(self.seconds), Self { seconds: 0, how: String::new() }).keep_reply();
                cx.push("not yet");
                return Ok(());
            }
            "sleeps" => cx.sleep(secs(10)).await,
            _ => {}
        }
        cx.push("the egg");
        Ok(())
    }
}

fn boils_not() -> Result {
    Err(std::io::Error::other("the water does not boil").into())
}

/// A job without a lane that takes 20 s.
#[derive(Serialize, Deserialize)]
struct Bake;

impl Job for Bake {
    const KIND: &'static str = "bake";
    const LANE: Lane = Lane::None;

    async fn run(self, cx: Context) -> Result {
        cx.sleep(secs(20)).await;
        cx.push("the bread");
        Ok(())
    }
}

/// `SECONDS HOW`, `bake`, `twice`, `cancel`, or something that is answered.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    let (first, how) = message.text.split_once(' ').unwrap_or((&message.text, ""));
    let egg = |seconds| Egg { seconds, how: how.to_owned() };
    match (first, first.parse()) {
        (_, Ok(seconds)) => {
            cx.after(secs(seconds), egg(seconds)).keep_reply();
            if how == "talks" {
                cx.reply("I am at it");
            }
            cx.show_loading(secs(seconds));
        }
        ("bake", _) => drop(cx.enqueue(Bake).keep_reply()),
        ("twice", _) => {
            cx.after(secs(1), egg(1)).keep_reply();
            cx.after(secs(2), egg(2)).keep_reply();
        }
        ("cancel", _) => cx.timers().await?.iter().for_each(|timer| cx.cancel(timer.id)),
        _ => {
            cx.reply("hello");
        }
    }
    Ok(())
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("kitchen").on_text(on_text).job::<Egg>().job::<Bake>());
    let alice = bot.user("Alice");
    (bot, alice)
}

fn how(user: &TestUser) -> Vec<(String, Call)> {
    user.hears_in_detail().into_iter().map(|heard| (heard.text(), heard.by)).collect()
}

fn said(text: &str, by: Call) -> Vec<(String, Call)> {
    vec![(text.to_owned(), by)]
}

#[test]
fn o1_a_job_keeps_the_reply_token_for_its_end() {
    let (bot, alice) = start();
    alice.says("30");
    assert!(alice.timers()[0].keeps_reply);
    bot.advance(secs(29));
    assert_eq!(how(&alice), []);
    bot.advance(secs(1));
    assert_eq!(how(&alice), said("the egg", Call::Reply));
    assert_eq!((bot.line().calls(Call::Push), bot.line().quota_used()), (0, 0));
}

#[test]
fn o1_what_the_handler_says_beside_a_kept_token_is_pushed() {
    let (bot, alice) = start();
    alice.says("30 talks");
    assert_eq!(how(&alice), said("I am at it", Call::Push));
    bot.advance(secs(30));
    assert_eq!(how(&alice), said("the egg", Call::Reply));
    assert_eq!(bot.line().calls(Call::Reply), 1);
}

#[test]
fn o1_a_token_is_kept_by_one_job_only() {
    let (bot, alice) = start();
    alice.says("twice");
    assert!(bot.dead_jobs()[0].error().contains("keep_reply"));
    assert_eq!(alice.timers(), []);
}

#[test]
fn o1_a_laneless_job_keeps_it_too_and_the_chat_goes_on() {
    let (bot, alice) = start();
    alice.says("bake");
    alice.says("hi");
    bot.advance(secs(20));
    let both = [said("hello", Call::Reply), said("the bread", Call::Reply)].concat();
    assert_eq!(how(&alice), both);
}

#[test]
fn o1_a_job_that_hands_its_token_on_no_longer_has_it() {
    let (bot, alice) = start();
    alice.says("20 passes");
    bot.advance(secs(20));
    assert_eq!(how(&alice), said("not yet", Call::Push));
    bot.advance(secs(20));
    assert_eq!(how(&alice), said("the egg", Call::Reply));
}

#[test]
fn o1_a_token_that_was_used_before_a_checkpoint_is_not_used_after_it() {
    let (bot, alice) = start();
    alice.says("20 saves");
    bot.advance(secs(20));
    let heard = [said("almost", Call::Reply), said("the egg", Call::Push)].concat();
    assert_eq!(how(&alice), heard);
    assert_eq!(bot.line().calls(Call::Reply), 1);
}

#[test]
fn o1_a_failed_run_leaves_the_token_to_the_next() {
    let (bot, alice) = start();
    alice.says("20 fails");
    bot.advance(secs(20));
    assert_eq!(bot.failing_jobs().len(), 1);
    bot.advance(secs(20));
    assert_eq!(how(&alice), said("the egg", Call::Reply));
}

#[test]
fn o1_a_crash_leaves_the_token_to_the_next_run() {
    let (bot, alice) = start();
    alice.says("20 sleeps");
    bot.advance(secs(25));
    bot.crash();
    bot.advance(secs(20));
    assert_eq!(how(&alice), said("the egg", Call::Reply));
}

#[test]
fn o1_the_apology_of_a_job_is_pushed() {
    let (bot, alice) = start();
    alice.says("20 dies");
    bot.advance(secs(20));
    assert_eq!(bot.dead_jobs()[0].error(), "the stove is cold");
    assert_eq!(how(&alice)[0].1, Call::Push);
}

#[test]
fn a_cancelled_or_unsent_job_takes_its_token_with_it() {
    let (bot, alice) = start();
    alice.says("30");
    alice.says("cancel");
    alice.says("30").unsend();
    bot.advance(secs(60));
    assert_eq!(how(&alice), []);
    assert_eq!(bot.line().calls(Call::Reply), 0);
}

#[test]
fn o2_a_kept_token_is_used_up_to_55_seconds_after_its_arrival() {
    for (late, by) in [(55, Call::Reply), (56, Call::Push)] {
        let (bot, alice) = start();
        alice.says("40");
        bot.line().fail_all(Fault::ConnectionRefused);
        bot.advance(secs(40));
        // By the test's clock, attempts follow after 1, 2, 4 and 8 s: at 40, 41, 43, 47 and 55 s.
        bot.advance(Duration::from_millis(14_999));
        let before = bot.line().calls(Call::Reply);
        assert_eq!(before, 4);
        if by == Call::Reply {
            bot.line().recover();
        }
        bot.advance(secs(1));
        bot.line().recover();
        bot.advance(secs(60));
        assert_eq!(how(&alice), said("the egg", by), "{late} s");
    }
}

#[test]
fn o2_a_token_is_not_kept_for_what_ends_too_late() {
    let (bot, alice) = start();
    alice.says("56 talks");
    assert!(!alice.timers()[0].keeps_reply);
    assert_eq!(how(&alice), said("I am at it", Call::Reply), "the handler has it");
    bot.advance(secs(56));
    assert_eq!(how(&alice), said("the egg", Call::Push));
}

#[test]
fn o3_a_kept_token_that_line_refuses_is_left_for_one_push() {
    let (bot, alice) = start();
    alice.says("30");
    bot.line().fail_next(Fault::InvalidReplyToken);
    bot.advance(secs(600));
    assert_eq!(how(&alice), said("the egg", Call::Push));
    assert_eq!((bot.line().calls(Call::Push), bot.line().quota_used()), (1, 1));
}

#[test]
fn o3_a_kept_token_that_line_took_without_an_answer_is_said_once() {
    let (bot, alice) = start();
    alice.says("45");
    bot.line().fail_next(Fault::TimeoutAfter);
    bot.advance(secs(600));
    assert_eq!(how(&alice), said("the egg", Call::Reply));
    assert_eq!((bot.line().calls(Call::Reply), bot.line().calls(Call::Push)), (2, 0));
}

#[test]
fn the_loading_animation_is_shown_until_the_bot_speaks() {
    let (bot, alice) = start();
    alice.says("28");
    assert_eq!(alice.loading(), Some(bot.now() + secs(30)), "in steps of 5 s");
    bot.advance(secs(28));
    assert_eq!((alice.loading(), alice.hears().len()), (None, 1));
}

#[test]
fn the_loading_animation_follows_what_its_run_says() {
    let (_bot, alice) = start();
    alice.says("30 talks");
    assert!(alice.loading().is_some());
}

#[test]
fn a_group_has_no_loading_animation() {
    let (bot, alice) = start();
    let family = bot.group("Family", &[&alice]);
    alice.says_in(&family, "30");
    assert_eq!(bot.line().calls(Call::Loading), 0);
    bot.advance(secs(30));
    assert_eq!(family.hears_in_detail()[0].by, Call::Reply);
}

#[test]
fn a_loading_animation_that_fails_changes_nothing() {
    let faults = [
        Fault::ServerError,
        Fault::Unauthorized,
        Fault::RateLimit,
        Fault::ConnectionRefused,
        Fault::TimeoutBefore,
    ];
    for fault in faults {
        let (bot, alice) = start();
        bot.line().fail_next_call(Call::Loading, fault);
        alice.says("2");
        bot.advance(secs(2));
        assert_eq!(how(&alice), said("the egg", Call::Reply), "{fault:?}");
        assert_eq!((bot.line().calls(Call::Loading), alice.loading()), (1, None), "{fault:?}");
    }
}

#[test]
fn i4_in_standby_nothing_is_kept_and_no_animation_shown() {
    let (bot, alice) = start();
    bot.stand_by(true);
    alice.says("30");
    assert!(!alice.timers()[0].keeps_reply);
    assert_eq!(bot.line().calls(Call::Loading), 0);
    alice.says("cancel");
}
