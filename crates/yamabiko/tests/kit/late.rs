//! Replies that come too late for their reply token (O9).

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Job, Permanent, Result, TextMessage,
    testing::{Call, Fault, TestBot, TestUser},
};

use crate::secs;

/// Answers as the words of the text say: `free`, `reply`, `push`, in their order.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    for word in message.text.split(' ') {
        match word {
            "free" => drop(cx.reply("free").free_only()),
            "reply" => drop(cx.reply("reply")),
            "keep" => drop(cx.after(secs(1), Later).keep_reply()),
            "later" => drop(cx.after(secs(1), Later)),
            "dies" => return Err(Permanent("as it was told".to_owned()).into()),
            _ => cx.push(word),
        }
    }
    Ok(())
}

/// A job that says something for nothing.
#[derive(Serialize, Deserialize)]
struct Later;

impl Job for Later {
    const KIND: &'static str = "later";

    async fn run(self, cx: Context) -> Result {
        cx.reply("later").free_only();
        Ok(())
    }
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("miser").on_text(on_text).job::<Later>());
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Lets a text be answered a minute late.
fn late(text: &str) -> (TestBot, Vec<(String, Call)>) {
    let (bot, alice) = start();
    bot.line().fail_all_calls(Call::Reply, Fault::ConnectionRefused);
    alice.says(text);
    bot.advance(secs(60));
    bot.line().recover();
    bot.advance(secs(60));
    let heard = heard(&alice);
    (bot, heard)
}

fn heard(user: &TestUser) -> Vec<(String, Call)> {
    user.hears_in_detail().into_iter().map(|heard| (heard.text(), heard.by)).collect()
}

fn all(words: &str, by: Call) -> Vec<(String, Call)> {
    words.split(' ').map(|word| (word.to_owned(), by)).collect()
}

#[test]
fn o9_what_is_free_only_is_sent_by_the_reply_token() {
    let (bot, alice) = start();
    alice.says("free reply push");
    assert_eq!(heard(&alice), all("free reply push", Call::Reply));
    assert_eq!(bot.line().quota_used(), 0);
}

#[test]
fn o9_what_comes_too_late_for_its_token_is_pushed_but_for_what_is_free_only() {
    let (bot, heard) = late("free reply free push");
    assert_eq!(heard, all("reply push", Call::Push));
    assert_eq!(bot.line().quota_used(), 1);
}

#[test]
fn o9_where_all_is_free_only_and_late_line_is_not_called() {
    let (bot, heard) = late("free free");
    assert_eq!((heard.len(), bot.line().calls(Call::Push)), (0, 0));
}

#[test]
fn o9_a_refused_token_is_as_good_as_one_that_is_too_old() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::InvalidReplyToken);
    alice.says("free push");
    assert_eq!(heard(&alice), all("push", Call::Push));
    assert_eq!(bot.line().quota_used(), 1);
}

#[test]
fn o9_an_uncertain_reply_stays_uncertain_though_it_is_free_only() {
    let (bot, alice) = start();
    bot.line().fail_next(Fault::TimeoutAfter);
    alice.says("free");
    bot.advance(secs(60));
    assert_eq!(heard(&alice), all("free", Call::Reply), "said once, and found out by its token");
}

#[test]
fn o9_free_only_messages_without_a_token_are_dropped_and_delay_nothing() {
    let (bot, alice) = start();
    alice.says("1 2 3 4 5 free 6");
    assert_eq!(heard(&alice), [all("1 2 3 4 5", Call::Reply), all("6", Call::Push)].concat());
    alice.says("later");
    bot.advance(secs(1));
    alice.says("keep free");
    assert_eq!(heard(&alice), [], "a job without a token, and a handler that has given its away");
    bot.advance(secs(1));
    assert_eq!(heard(&alice), all("later", Call::Reply));
}

#[test]
fn o9_the_apology_for_a_handler_costs_no_push() {
    let (bot, alice) = start();
    alice.says("dies");
    assert_eq!((heard(&alice).len(), bot.line().calls(Call::Push)), (1, 0));
    bot.line().fail_all_calls(Call::Reply, Fault::ConnectionRefused);
    alice.says("dies");
    bot.advance(secs(60));
    bot.line().recover();
    bot.advance(secs(60));
    assert_eq!((heard(&alice).len(), bot.line().calls(Call::Push)), (0, 0));
    assert_eq!(bot.dead_jobs().len(), 2);
}

#[test]
fn o9_free_only_behind_a_checkpoint_is_a_mistake_with_a_name() {
    #[derive(Serialize, Deserialize)]
    struct Report;

    impl Job for Report {
        const KIND: &'static str = "report";

        async fn run(self, cx: Context) -> Result {
            let reply = cx.reply("half");
            cx.checkpoint(&self).await?;
            reply.free_only();
            Ok(())
        }
    }

    async fn reports(cx: Context, _message: TextMessage) -> Result {
        cx.enqueue(Report);
        Ok(())
    }

    let bot = TestBot::start(App::new("reporter").on_text(reports).job::<Report>());
    bot.user("Alice").says("report");
    assert!(bot.dead_jobs()[0].error().contains("free_only"));
}

#[test]
fn o9_a_dead_reply_that_runs_again_says_nothing_that_is_free_only() {
    let (bot, alice) = start();
    bot.line().refuse_property("text");
    alice.says("free push");
    let dead = bot.dead_jobs();
    bot.line().recover();
    bot.run_again(&dead[0]);
    assert_eq!(heard(&alice), all("push", Call::Push));
}
