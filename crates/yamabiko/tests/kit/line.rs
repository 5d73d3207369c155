//! LINE's rules and faults, and what the runtime makes of them.

use yamabiko::{
    App, Context, Result, TextMessage,
    testing::{Call, Fault, TestBot, TestChat, TestUser},
};

use crate::secs;

/// `push` is answered by push, `profile` by the user's name, all else by reply.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    let answer = match message.text.as_str() {
        "push" => {
            cx.push_to(&cx.chat().cloned().unwrap(), "pushed");
            return Ok(());
        }
        "profile" => cx.profile().await?.display_name,
        "profile or not" => {
            cx.profile().await.map_or_else(|error| error.to_string(), |one| one.display_name)
        }
        _ => "replied".to_owned(),
    };
    cx.reply(answer);
    Ok(())
}

/// The reply token is used first, so that what follows has to be pushed.
async fn pushes(cx: Context, _message: TextMessage) -> Result {
    for n in 1..=6 {
        cx.push(n.to_string());
    }
    Ok(())
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("parrot").on_text(on_text));
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Starts a bot that says five messages by reply and a sixth by push.
fn start_pushing() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("pusher").on_text(pushes));
    let alice = bot.user("Alice");
    (bot, alice)
}

fn how(chat: &TestChat) -> Vec<(String, Call)> {
    chat.hears_in_detail().into_iter().map(|heard| (heard.text(), heard.by)).collect()
}

#[test]
fn a_reply_is_free_and_a_push_is_counted() {
    let (bot, alice) = start_pushing();
    alice.says("hello");
    let heard = how(&alice);
    assert_eq!(heard[4..], [("5".to_owned(), Call::Reply), ("6".to_owned(), Call::Push)]);
    let line = bot.line();
    assert_eq!((line.calls(Call::Reply), line.calls(Call::Push), line.quota_used()), (1, 1, 1));
}

#[test]
fn a_reply_that_fails_is_tried_again() {
    for fault in [Fault::ServerError, Fault::ConnectionRefused, Fault::TimeoutBefore] {
        let (bot, alice) = start();
        bot.line().fail_next(fault);
        alice.says("hello");
        assert_eq!(alice.hears(), [""; 0], "{fault:?}");
        bot.advance(secs(10));
        assert_eq!(how(&alice), [("replied".to_owned(), Call::Reply)], "{fault:?}");
    }
}

#[test]
fn o3_a_reply_that_line_took_without_an_answer_is_said_once() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::TimeoutAfter);
    alice.says("hello");
    bot.advance(secs(60));
    assert_eq!(how(&alice), [("replied".to_owned(), Call::Reply)]);
    assert_eq!(bot.line().calls(Call::Reply), 2, "the second is refused: the token is used");
}

#[test]
fn o3_a_reply_of_which_nobody_can_tell_is_not_said_again() {
    let (bot, alice) = start();
    bot.line().fail_all(Fault::ServerError);
    alice.says("hello");
    bot.advance(secs(70));
    bot.line().recover();
    bot.advance(secs(600));
    assert_eq!((alice.hears().len(), bot.line().calls(Call::Push)), (0, 0));
}

#[test]
fn o4_a_push_that_line_took_without_an_answer_is_said_once() {
    let (bot, alice) = start_pushing();
    bot.line().fail_next_call(Call::Push, Fault::TimeoutAfter);
    alice.says("hello");
    bot.advance(secs(60));
    assert_eq!(how(&alice)[5..], [("6".to_owned(), Call::Push)]);
    assert_eq!((bot.line().calls(Call::Push), bot.line().quota_used()), (2, 1));
}

#[test]
fn o2_a_reply_token_that_has_grown_too_old_is_left_for_a_push() {
    let (bot, alice) = start();
    bot.line().fail_all(Fault::ConnectionRefused);
    alice.says("hello");
    bot.advance(secs(70));
    bot.line().recover();
    bot.advance(secs(300));
    assert_eq!(how(&alice), [("replied".to_owned(), Call::Push)]);
}

#[test]
fn o3_a_reply_token_that_line_refuses_is_left_for_a_push() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::InvalidReplyToken);
    alice.says("hello");
    assert_eq!(how(&alice), [("replied".to_owned(), Call::Push)]);
}

#[test]
fn o5_refused_credentials_and_too_many_calls_pause_the_outbox() {
    let waits = [(Fault::Unauthorized, 30), (Fault::RateLimit, 1)];
    for (fault, seconds) in waits {
        let (bot, alice) = start();
        let begin = bot.now();
        bot.line().fail_next(fault);
        alice.says("hello");
        bot.advance(secs(60));
        let heard = &alice.hears_in_detail()[0];
        assert_eq!((heard.by, heard.at.since(begin)), (Call::Reply, secs(seconds)), "{fault:?}");
    }
}

#[test]
fn o5_a_chat_that_is_sent_too_much_waits_alone() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    bot.line().fail_next(Fault::TooManyToOneChat);
    alice.says("hello");
    bob.says("hello");
    assert_eq!((alice.hears().len(), bob.hears().len()), (0, 1));
    bot.advance(secs(1));
    assert_eq!(alice.hears(), ["replied"]);
}

#[test]
fn o5_when_the_months_messages_are_used_up_pushes_are_dead_and_replies_go_on() {
    let (bot, alice) = start_pushing();
    bot.line().set_quota(1);
    alice.says("hello");
    alice.says("hello");
    assert_eq!(alice.hears().len(), 11);
    assert!(bot.dead_jobs()[0].error().starts_with("the month's messages are used up"));
    bot.advance(secs(31 * 24 * 60 * 60));
    alice.says("hello");
    assert_eq!(alice.hears().len(), 6, "another month");
}

#[test]
fn o5_a_push_that_meets_a_used_up_quota_is_dead() {
    let (bot, alice) = start_pushing();
    bot.line().fail_next_call(Call::Push, Fault::QuotaUsedUp);
    alice.says("hello");
    assert_eq!((alice.hears().len(), bot.dead_jobs().len()), (5, 1));
}

#[test]
fn o5_lines_text_about_the_month_counts_though_the_consumption_lags_behind() {
    let (bot, alice) = start_pushing();
    bot.line().set_quota(200);
    bot.line().fail_next_call(Call::Push, Fault::QuotaUsedUpEarly);
    alice.says("hello");
    alice.says("hello again");
    assert_eq!(how(&alice)[5..].len(), 6, "nothing waits behind the push");
    assert!(bot.dead_jobs()[0].error().starts_with("the month's messages are used up"));
    assert_eq!(bot.line().calls(Call::Push), 2, "the next push is tried: LINE may take it");
    assert_eq!(bot.line().calls(Call::Quota), 0, "the text is clear");
}

#[test]
fn o5_where_the_text_of_a_429_is_unclear_the_consumption_decides() {
    let (bot, alice) = start_pushing();
    bot.line().set_quota(1);
    bot.line().fail_next_call(Call::Push, Fault::UnclearLimit);
    alice.says("hello");
    assert_eq!(alice.hears().len(), 5);
    bot.advance(secs(1));
    assert_eq!(alice.hears(), ["6"], "there was room for one");
    bot.line().fail_next_call(Call::Push, Fault::UnclearLimit);
    alice.says("hello");
    assert_eq!((alice.hears().len(), bot.dead_jobs().len()), (5, 1));
}

#[test]
fn a_profile_that_is_not_found_is_an_error_of_the_handlers() {
    let (bot, alice) = start();
    bot.line().fail_next_call(Call::Profile, Fault::NotFound);
    alice.says("profile or not");
    assert_eq!(alice.hears(), ["LINE answered 404: Not found"]);
    alice.says("profile");
    assert_eq!(alice.hears(), ["Alice"]);
}

#[test]
fn a_profile_without_an_answer_takes_five_seconds_of_the_handlers_time() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::TimeoutBefore);
    alice.says("profile or not");
    bot.advance(secs(4));
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(secs(1));
    assert_eq!(alice.hears(), ["LINE did not answer in time"]);
}

#[test]
fn a_call_without_an_answer_is_waited_for_in_a_task_of_its_own_too() {
    async fn delegates(cx: Context, _message: TextMessage) -> Result {
        let part = cx.clone();
        let profile = tokio::spawn(async move { part.profile().await }).await?;
        cx.reply(if profile.is_ok() { "known" } else { "unknown" });
        Ok(())
    }
    let bot = TestBot::start(App::new("delegate").on_text(delegates));
    let alice = bot.user("Alice");
    bot.line().fail_next(Fault::TimeoutBefore);
    alice.says("who am I?");
    bot.advance(secs(5));
    assert_eq!(alice.hears(), ["unknown"]);
}

#[test]
fn what_a_handler_pushes_to_its_own_chat_takes_the_reply_token() {
    let (_bot, alice) = start();
    alice.says("push");
    assert_eq!(how(&alice), [("pushed".to_owned(), Call::Reply)]);
}

/// `ten` is answered by ten messages, `long` and `longest` by long texts, any other text by itself.
async fn talks(cx: Context, message: TextMessage) -> Result {
    let answers = match message.text.as_str() {
        "ten" => (1..=10).map(|n| n.to_string()).collect(),
        "long" => vec![format!("{}\n{}", "あ".repeat(4_000), "い ".repeat(1_000))],
        "longest" => vec!["あ".repeat(5_000); 5],
        text => vec![text.to_owned()],
    };
    for answer in answers {
        cx.reply(answer);
    }
    Ok(())
}

fn start_talking() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("talker").on_text(talks));
    let alice = bot.user("Alice");
    (bot, alice)
}

#[test]
fn o1_ten_messages_said_in_one_commit_leave_in_two_calls_in_order() {
    let (bot, alice) = start_talking();
    alice.says("ten");
    let (texts, calls): (Vec<_>, Vec<_>) = how(&alice).into_iter().unzip();
    assert_eq!(texts, (1..=10).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(calls, [[Call::Reply; 5], [Call::Push; 5]].concat());
    assert_eq!((bot.line().calls(Call::Reply), bot.line().calls(Call::Push)), (1, 1));
}

#[test]
fn o1_five_texts_too_long_for_one_job_leave_in_two_calls() {
    let (bot, alice) = start_talking();
    alice.says("longest");
    assert_eq!(alice.hears().len(), 5);
    assert_eq!((bot.line().calls(Call::Reply), bot.line().calls(Call::Push)), (1, 1));
}

#[test]
fn o7_a_text_over_5000_units_is_split_between_its_lines() {
    let (bot, alice) = start_talking();
    alice.says("long");
    let heard = alice.hears();
    assert_eq!(heard[0], "あ".repeat(4_000));
    assert!(heard.len() == 2 && heard[1].starts_with('い'), "{}", heard.len());
    assert_eq!(bot.line().calls(Call::Reply), 1);
}

#[test]
fn o5_a_group_for_which_too_few_messages_are_left_is_not_kept_waiting() {
    let (bot, alice) = start_talking();
    let (bob, carol) = (bot.user("Bob"), bot.user("Carol"));
    let family = bot.group("Family", &[&alice, &bob, &carol]);
    bot.line().set_quota(2);
    alice.says_in(&family, "ten");
    assert_eq!(family.hears().len(), 5);
    assert!(bot.dead_jobs()[0].error().starts_with("the month's messages are used up"));
    alice.says_in(&family, "hello");
    assert_eq!(how(&family), [("hello".to_owned(), Call::Reply)]);
}
