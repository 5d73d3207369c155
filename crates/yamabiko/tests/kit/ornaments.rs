//! Ornaments that LINE refuses: a quote, quick replies, a sender (O9).

use serde_json::json;
use yamabiko::{
    App, Context, Message, QuickReplyItem, Result, TextMessage,
    testing::{Call, Fault, TestBot, TestUser},
};

use crate::secs;

/// Answers with an adorned message, by push behind five others where `push` is asked for.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    if message.text.starts_with("push") {
        (1..=5).for_each(|n| cx.push(n.to_string()));
    }
    cx.push(adorned());
    Ok(())
}

fn adorned() -> Message {
    let sender = json!({"type": "text", "text": "the news", "sender": {"name": "Herald"}});
    Message::raw(sender).quote("quote").quick_reply(vec![QuickReplyItem::message("Go on", "go on")])
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("herald").on_text(on_text));
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Returns the last message that the chat has heard, and by which call.
fn last(user: &TestUser) -> (serde_json::Value, Call) {
    let heard = user.hears_in_detail().pop().expect("the chat has heard something");
    (heard.message, heard.by)
}

fn bare() -> serde_json::Value {
    json!({"type": "text", "text": "the news"})
}

#[test]
fn o9_an_ornament_that_a_reply_is_refused_for_costs_all_ornaments_and_no_push() {
    for ornament in ["quoteToken", "quickReply", "sender"] {
        let (bot, alice) = start();
        bot.line().refuse_property(ornament);
        alice.says("hello");
        assert_eq!(last(&alice), (bare(), Call::Reply), "{ornament}");
        assert_eq!((bot.line().calls(Call::Reply), bot.line().quota_used()), (2, 0));
    }
}

#[test]
fn o9_an_ornament_that_a_push_is_refused_for_costs_all_ornaments_whatever_a_used_key_is_answered() {
    for refuses_used_keys in [false, true] {
        let (bot, alice) = start();
        bot.line().refuse_property("quoteToken");
        if refuses_used_keys {
            bot.line().refuse_used_retry_keys();
        }
        alice.says("push");
        assert_eq!(last(&alice), (bare(), Call::Push), "{refuses_used_keys}");
        assert_eq!((bot.line().calls(Call::Push), bot.line().quota_used()), (2, 1));
    }
}

#[test]
fn o9_a_message_that_is_refused_for_its_text_is_dead_and_its_chat_goes_on() {
    for text in ["hello", "push"] {
        let (bot, alice) = start();
        bot.line().refuse_property("text");
        alice.says(text);
        assert_eq!(alice.hears().len(), 0);
        let dead = bot.dead_jobs();
        assert!(dead.iter().all(|job| job.error().contains("messages[0].text")), "{dead:?}");
        assert_eq!(bot.line().calls(Call::Push), if text == "push" { 1 } else { 0 });
    }
}

#[test]
fn o9_what_is_refused_without_its_ornaments_too_is_dead_after_the_second_call() {
    let (bot, alice) = start();
    bot.line().refuse_property("quoteToken");
    bot.line().refuse_property("text");
    alice.says("hello");
    assert_eq!((bot.line().calls(Call::Reply), bot.line().calls(Call::Push)), (2, 0));
    assert_eq!(bot.dead_jobs().len(), 1);
}

#[test]
fn o9_a_reply_of_unknown_outcome_that_is_refused_for_its_text_is_not_taken_for_said() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::TimeoutBefore);
    alice.says("hello");
    bot.line().refuse_property("text");
    bot.advance(secs(60));
    assert_eq!((alice.hears().len(), bot.line().calls(Call::Push)), (0, 0));
    assert!(bot.dead_jobs()[0].error().contains("messages[0].text"));
}

#[test]
fn o9_a_reply_of_unknown_outcome_is_said_once_though_its_quote_is_refused_now() {
    for fault in [Fault::TimeoutBefore, Fault::TimeoutAfter] {
        let (bot, alice) = start();
        bot.line().fail_next(fault);
        alice.says("hello");
        bot.line().refuse_property("quoteToken");
        bot.advance(secs(60));
        let heard = alice.hears_in_detail();
        assert_eq!((heard.len(), heard[0].by, bot.line().calls(Call::Push)), (1, Call::Reply, 0));
        assert_eq!(heard[0].message == bare(), fault == Fault::TimeoutBefore);
    }
}

#[test]
fn o9_a_trimmed_reply_whose_token_is_refused_is_pushed_without_ornaments() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::InvalidQuoteToken);
    bot.line().fail_next(Fault::InvalidReplyToken);
    alice.says("hello");
    assert_eq!(last(&alice), (bare(), Call::Push));
    assert_eq!((bot.line().calls(Call::Reply), bot.line().calls(Call::Push)), (2, 1));
}

#[test]
fn o9_a_push_of_unknown_outcome_is_never_sent_twice_though_its_quote_is_refused_now() {
    for (fault, refuses_used_keys, said, dead) in [
        (Fault::TimeoutBefore, false, 1, 0),
        (Fault::TimeoutAfter, false, 1, 0),
        (Fault::TimeoutBefore, true, 0, 1),
        (Fault::TimeoutAfter, true, 1, 1),
    ] {
        let (bot, alice) = start();
        bot.line().fail_next_call(Call::Push, fault);
        alice.says("push");
        bot.line().refuse_property("quoteToken");
        if refuses_used_keys {
            bot.line().refuse_used_retry_keys();
        }
        bot.advance(secs(60));
        let news = alice.hears().iter().filter(|text| *text == "the news").count();
        let died = bot.dead_jobs();
        let case = format!("{fault:?} {refuses_used_keys} {died:?}");
        assert_eq!(
            (news, bot.line().quota_used(), died.len()),
            (said, said as u64, dead),
            "{case}"
        );
        assert!(died.iter().all(|job| job.error().starts_with("nobody can tell")), "{case}");
    }
}

#[test]
fn o9_a_crash_after_the_trim_repeats_the_same_push() {
    for fault in [Fault::TimeoutBefore, Fault::TimeoutAfter] {
        let (bot, alice) = start();
        bot.line().fail_next_call(Call::Push, Fault::InvalidQuoteToken);
        bot.line().fail_next_call(Call::Push, fault);
        alice.says("push");
        bot.crash();
        bot.advance(secs(60));
        assert_eq!(last(&alice), (bare(), Call::Push));
        assert_eq!((bot.line().calls(Call::Push), bot.line().quota_used()), (3, 1), "{fault:?}");
    }
}
