//! Replies that pass a push that waits for its retry (O8).

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Event, Job, Result, TextMessage,
    testing::{Call, Fault, TestBot, TestUser},
};

use crate::secs;

/// Answers as the words of the text say.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    for word in message.text.split(' ') {
        match word.split_once(':') {
            Some(("ring", text)) => _ = cx.after(secs(2), Ring { text: text.to_owned() }),
            Some(("keep", text)) => {
                _ = cx.after(secs(3), Ring { text: text.to_owned() }).keep_reply();
            }
            _ if word == "loading" => cx.show_loading(secs(40)),
            _ => _ = cx.reply(word),
        }
    }
    Ok(())
}

/// A timer, which rings by reply where it keeps the reply token, else by push.
#[derive(Serialize, Deserialize)]
struct Ring {
    text: String,
}

impl Job for Ring {
    const KIND: &'static str = "ring";

    async fn run(self, cx: Context) -> Result {
        cx.reply(self.text);
        Ok(())
    }
}

fn app() -> App {
    let answer = |cx: Context, _: Event| async move {
        cx.reply("tapped");
        Ok(())
    };
    App::new("parrot").on_text(on_text).on_postback(answer).job::<Ring>()
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Starts a bot whose push "late" fails, and waits for its retry.
fn start_late() -> (TestBot, TestUser) {
    let (bot, alice) = start();
    bot.line().fail_all_calls(Call::Push, Fault::ServerError);
    alice.says("ring:late");
    bot.advance(secs(2));
    assert_eq!(bot.line().calls(Call::Push), 1);
    (bot, alice)
}

fn heard(user: &TestUser) -> Vec<(String, Call)> {
    user.hears_in_detail().into_iter().map(|heard| (heard.text(), heard.by)).collect()
}

fn reply(text: &str) -> (String, Call) {
    (text.to_owned(), Call::Reply)
}

fn push(text: &str) -> (String, Call) {
    (text.to_owned(), Call::Push)
}

#[test]
fn o8_replies_pass_a_push_that_waits_for_its_retry() {
    for fault in [
        Fault::ServerError,
        Fault::TimeoutBefore,
        Fault::ConnectionRefused,
        Fault::TooManyToOneChat,
        Fault::UnclearLimit,
    ] {
        let (bot, alice) = start();
        bot.line().fail_all_calls(Call::Push, fault);
        alice.says("ring:late");
        bot.advance(secs(7));
        for text in ["one", "two"] {
            alice.says(text);
        }
        assert_eq!(heard(&alice), [reply("one"), reply("two")], "{fault:?}");
        bot.line().recover();
        bot.advance(secs(3600));
        assert_eq!(heard(&alice), [push("late")], "{fault:?}");
        assert_eq!(bot.line().quota_used(), 1, "{fault:?}");
    }
}

#[test]
fn o8_replies_to_what_is_no_message_pass_as_well() {
    let (bot, alice) = start_late();
    alice.taps("one");
    alice.taps("two");
    assert_eq!(heard(&alice), [reply("tapped"), reply("tapped")]);
    assert_eq!(bot.failing_jobs().len(), 1, "the push");
}

#[test]
fn o8_a_push_that_is_due_goes_before_the_next_reply() {
    let (bot, alice) = start_late();
    bot.line().fail_next_call(Call::Reply, Fault::TimeoutBefore);
    alice.says("one");
    alice.says("two");
    bot.line().recover();
    // The first reply has the lane while LINE does not answer, and until it is settled; the push is due meanwhile.
    bot.advance(secs(30));
    assert_eq!(heard(&alice), [reply("one"), push("late"), reply("two")]);
}

#[test]
fn o8_pushes_keep_their_order_and_so_do_the_messages_of_one_event() {
    let (bot, alice) = start_late();
    alice.says("ring:second one");
    bot.advance(secs(1));
    alice.says("ring:third keep:fourth");
    bot.advance(secs(5));
    assert_eq!(heard(&alice), [reply("one")], "the other reply comes after a push of its event");
    bot.line().recover();
    bot.advance(secs(20));
    assert_eq!(heard(&alice), [push("late"), push("second"), push("third"), reply("fourth")]);
}

#[test]
fn o8_a_kept_reply_passes_a_push_of_another_event_and_none_of_its_own() {
    let (bot, alice) = start_late();
    alice.says("keep:one");
    bot.advance(secs(3));
    assert_eq!(heard(&alice), [reply("one")]);
    assert_eq!(bot.failing_jobs().len(), 1, "the push");

    let (bot, alice) = start();
    bot.line().fail_all_calls(Call::Push, Fault::ServerError);
    alice.says("ring:first keep:second");
    bot.advance(secs(5));
    assert_eq!(heard(&alice), []);
    bot.line().recover();
    bot.advance(secs(20));
    assert_eq!(heard(&alice), [push("first"), reply("second")]);
}

#[test]
fn o8_a_refused_reply_goes_back_to_its_place_and_is_pushed_there() {
    let (bot, alice) = start_late();
    bot.line().fail_next_call(Call::Reply, Fault::InvalidReplyToken);
    alice.says("ring:third one");
    alice.says("two");
    bot.advance(secs(3));
    assert_eq!(heard(&alice), [reply("two")], "the next reply goes on meanwhile");
    assert_eq!(bot.line().calls(Call::Reply), 2);
    bot.line().recover();
    bot.advance(secs(60));
    assert_eq!(heard(&alice), [push("late"), push("one"), push("third")]);
    assert_eq!(bot.dead_jobs().len(), 0);
}

#[test]
fn o8_a_reply_that_has_grown_too_old_goes_back_to_its_place() {
    let (bot, alice) = start_late();
    bot.line().fail_all_calls(Call::Reply, Fault::ConnectionRefused);
    alice.says("ring:third one");
    bot.advance(secs(70));
    let replies = bot.line().calls(Call::Reply);
    bot.line().recover();
    bot.advance(secs(600));
    assert_eq!(heard(&alice), [push("late"), push("one"), push("third")]);
    assert_eq!(bot.line().calls(Call::Reply), replies, "its token is used no more");
}

#[test]
fn o8_a_reply_of_unknown_outcome_keeps_the_lane_until_it_is_settled() {
    let (bot, alice) = start_late();
    bot.line().fail_next_call(Call::Reply, Fault::TimeoutAfter);
    alice.says("one");
    alice.says("two");
    assert_eq!(heard(&alice), [reply("one")], "LINE has it, and did not say so");
    bot.advance(secs(8));
    assert_eq!(heard(&alice), [reply("two")]);
    bot.line().recover();
    bot.advance(secs(60));
    assert_eq!(heard(&alice), [push("late")]);
}

#[test]
fn o8_an_animation_of_the_event_whose_reply_passes_is_dropped() {
    let (bot, alice) = start_late();
    alice.says("one loading");
    assert_eq!(heard(&alice), [reply("one")]);
    bot.line().recover();
    bot.advance(secs(30));
    assert_eq!((heard(&alice), bot.line().calls(Call::Loading)), (vec![push("late")], 0));
    alice.says("two loading");
    assert_eq!(bot.line().calls(Call::Loading), 1, "nothing waits any more");
}

#[test]
fn o8_nothing_passes_while_the_outbox_is_paused() {
    for fault in [Fault::Unauthorized, Fault::RateLimit] {
        let (bot, alice) = start();
        bot.line().fail_next_call(Call::Push, fault);
        alice.says("ring:late");
        bot.advance(secs(2));
        alice.says("one");
        bot.advance(secs(60));
        assert_eq!(heard(&alice), [push("late"), reply("one")], "{fault:?}");
    }
}

#[test]
fn o8_replies_pass_a_push_that_waits_since_line_forbids_all_of_them() {
    let (bot, alice) = start();
    bot.line().fail_all_calls(Call::Push, Fault::Forbidden);
    for n in 0..20 {
        bot.user(&format!("user {n}")).says("ring:late");
    }
    bot.advance(secs(3));
    alice.says("ring:late");
    bot.advance(secs(3));
    for _ in 0..3 {
        alice.says("one");
        bot.advance(secs(20));
    }
    assert_eq!(heard(&alice), [reply("one"), reply("one"), reply("one")]);
    bot.line().recover();
    bot.advance(secs(600));
    assert_eq!(heard(&alice), [push("late")]);
    assert!(bot.dead_jobs().len() < 20, "those before");
}

#[test]
fn o8_a_reply_whose_process_dies_while_it_passes_is_said_once() {
    let (bot, alice) = start_late();
    bot.line().fail_next_call(Call::Reply, Fault::TimeoutAfter);
    alice.says("one");
    bot.crash();
    bot.line().recover();
    bot.advance(secs(60));
    assert_eq!(heard(&alice), [reply("one"), push("late")]);
}

#[test]
fn o8_replies_pass_a_push_that_was_put_off_by_an_earlier_process() {
    let (bot, alice) = start_late();
    bot.restart_with(app());
    alice.says("one");
    assert_eq!(heard(&alice), [reply("one")]);
    bot.line().recover();
    bot.advance(secs(60));
    assert_eq!(heard(&alice), [push("late")]);
}

#[test]
fn o8_a_push_that_is_unsent_while_it_waits_leaves_the_lane() {
    let (bot, alice) = start();
    bot.line().fail_all_calls(Call::Push, Fault::ServerError);
    let message = alice.says("ring:late");
    alice.says("ring:next");
    bot.advance(secs(3));
    message.unsend();
    bot.line().recover();
    bot.advance(secs(1));
    assert_eq!(heard(&alice), [push("next")], "at once");
    bot.advance(secs(600));
    assert_eq!(heard(&alice), []);
}
