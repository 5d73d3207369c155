//! What LINE tells of a message that was taken back before the bot heard of it (I5).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use yamabiko::{
    App, Context, Event, EventKind, Job, MessageContent, Permanent, Result, TextMessage,
    testing::{TestBot, TestUser},
};

use crate::secs;

async fn on_text(cx: Context, message: TextMessage) -> Result {
    cx.reply(format!("heard {}", message.text));
    cx.after(secs(60), Remind { of: message.text });
    Ok(())
}

async fn on_other(cx: Context, event: Event) -> Result {
    if let EventKind::MessageEdited(MessageContent::Text(text)) = event.kind {
        return on_text(cx, text).await;
    }
    if matches!(event.kind, EventKind::Message(_)) {
        cx.reply("heard something");
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Remind {
    of: String,
}

impl Job for Remind {
    const KIND: &'static str = "remind";

    async fn run(self, cx: Context) -> Result {
        cx.push(self.of);
        Ok(())
    }
}

fn app() -> App {
    App::new("reminder").on_text(on_text).on_other(on_other).job::<Remind>()
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Does what the bot does not hear of.
fn unheard<T>(bot: &TestBot, happens: impl FnOnce() -> T) -> T {
    bot.lose_webhooks(true);
    let happened = happens();
    bot.lose_webhooks(false);
    happened
}

#[test]
fn i5_a_message_that_comes_after_its_unsend_has_no_effect() {
    let (bot, alice) = start();
    let said = unheard(&bot, || alice.says("tea"));
    let sticker = unheard(&bot, || alice.sends_sticker("446", "1988"));
    for message in [&said, &sticker] {
        message.unsend();
        message.redeliver();
        message.redeliver();
    }
    bot.advance(secs(60));
    assert_eq!((alice.hears(), alice.timers().len()), (Vec::<String>::new(), 0));
}

#[test]
fn i5_an_edit_that_comes_after_the_unsend_has_no_effect() {
    let (bot, alice) = start();
    let said = alice.says("tea");
    let edited = unheard(&bot, || said.edit("coffee"));
    said.unsend();
    edited.redeliver();
    bot.advance(secs(60));
    assert_eq!(alice.hears(), ["heard tea"]);
}

#[test]
fn i5_only_the_message_that_was_taken_back_is_ignored() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    let family = bot.group("Family", &[&alice, &bob]);
    let first = unheard(&bot, || alice.says_in(&family, "tea"));
    let second = unheard(&bot, || alice.says_in(&family, "coffee"));
    let third = unheard(&bot, || bob.says("milk"));
    first.unsend();
    for message in [first, second, third] {
        message.redeliver();
    }
    bot.advance(secs(60));
    assert_eq!(family.hears(), ["heard coffee", "coffee"]);
    assert_eq!(bob.hears(), ["heard milk", "milk"]);
}

#[test]
fn i5_an_unsend_whose_own_handler_fails_is_remembered() {
    async fn on_unsend(_cx: Context, _event: Event) -> Result {
        Err(Permanent("as asked".to_owned()).into())
    }
    let bot = TestBot::start(app().on_unsend(on_unsend));
    let alice = bot.user("Alice");
    let said = unheard(&bot, || alice.says("tea"));
    said.unsend();
    assert_eq!(bot.dead_jobs()[0].error(), "as asked");
    drop(alice.hears());
    said.redeliver();
    bot.advance(secs(60));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn i5_an_unsend_outlives_crashes_and_is_remembered_for_a_day() {
    let (bot, alice) = start();
    let said = unheard(&bot, || alice.says("tea"));
    said.unsend();
    bot.crash();
    bot.restart_with(app());
    bot.advance(secs(23 * 60 * 60));
    said.redeliver();
    bot.advance(secs(60));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn i5_a_message_that_waits_for_its_next_attempt_is_not_tried_again_once_it_is_taken_back() {
    async fn on_text(cx: Context, _message: TextMessage) -> Result {
        if cx.attempt() == 1 {
            anyhow::bail!("as asked");
        }
        cx.reply("heard at last");
        Ok(())
    }
    let bot = TestBot::start(App::new("slow").on_text(on_text));
    let alice = bot.user("Alice");
    let said = alice.says("tea");
    assert_eq!(bot.failing_jobs().len(), 1);
    said.unsend();
    bot.advance(secs(20));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn i5_the_text_of_a_message_that_comes_after_its_unsend_is_not_kept() {
    let (bot, alice) = start();
    let said = unheard(&bot, || alice.says("a secret"));
    said.unsend();
    said.redeliver();
    let kept: Vec<Value> =
        bot.completed_jobs().iter().filter_map(yamabiko::testing::TestJob::job).collect();
    assert!(!format!("{kept:?}").contains("a secret"), "{kept:?}");
    drop(alice.hears());
}
