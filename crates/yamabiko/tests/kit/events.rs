//! Each type of event, as the bot's handlers see it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use yamabiko::{
    App, Context, Event, EventKind, Job, MessageContent, Result, TextMessage,
    testing::{TestBot, TestUser},
};

async fn on_other(cx: Context, event: Event) -> Result {
    let seen = match event.kind {
        EventKind::Message(MessageContent::Text(text)) => {
            let mentioned = text.mentions.iter().any(|mention| mention.is_self);
            format!("text {} {mentioned} {:?}", text.text, text.quoted_message_id)
        }
        EventKind::Message(MessageContent::File(file)) => {
            format!("{} {:?}", file.file_name, file.file_size)
        }
        EventKind::Message(content) => {
            format!("{content:?}").split([' ', '(']).next().unwrap().to_owned()
        }
        EventKind::MessageEdited(MessageContent::Text(text)) => {
            format!("edited {} {}", text.id, text.text)
        }
        EventKind::Postback { data, params } => format!("{data} {params:?}"),
        kind => format!("{kind:?}").split([' ', '(']).next().unwrap().to_owned(),
    };
    cx.data::<Seen>()?.0.lock().unwrap().push(seen);
    Ok(())
}

#[derive(Clone, Default)]
struct Seen(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl Seen {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn start() -> (TestBot, TestUser, Seen) {
    let seen = Seen::default();
    let bot = TestBot::start(App::new("observer").data(seen.clone()).on_other(on_other));
    let alice = bot.user("Alice");
    (bot, alice, seen)
}

#[test]
fn each_type_of_message_reaches_the_bot() {
    let (_bot, alice, seen) = start();
    alice.says("hello");
    alice.sends_sticker("446", "1988");
    alice.sends_image();
    alice.sends_video();
    alice.sends_audio();
    alice.sends_file("plan.pdf", 1234);
    alice.sends_location("Tokyo", 35.7, 139.7);
    alice.sends_message(json!({"type": "hologram"}));
    assert_eq!(
        seen.take(),
        [
            "text hello false None",
            "Sticker",
            "Image",
            "Video",
            "Audio",
            "plan.pdf Some(1234)",
            "Location",
            "Unknown"
        ]
    );
}

#[test]
fn each_type_of_event_reaches_the_bot() {
    let (bot, alice, seen) = start();
    alice.follows();
    alice.taps("undo");
    alice.picks("when", json!({"datetime": "2027-01-15T18:00"}));
    alice.watches_video("trailer");
    alice.comes_near_beacon("d41d8cd98f");
    alice.links_account("nonce");
    alice.changes_membership("joined", 3189);
    alice.sends(json!({"type": "somethingNew"}));
    bot.receives(json!({"type": "accountLink", "link": {"result": "failed", "nonce": "x"}}));
    alice.unfollows();
    let family = bot.group("Family", &[&alice]);
    let bob = bot.user("Bob");
    bob.joins(&family);
    bob.leaves(&family);
    family.bot_leaves();
    family.bot_joins();
    assert_eq!(
        seen.take(),
        [
            "Follow",
            "undo None",
            r#"when Some(Object {"datetime": String("2027-01-15T18:00")})"#,
            "VideoPlayComplete",
            "Beacon",
            "AccountLink",
            "Membership",
            "Unknown",
            "AccountLink",
            "Unfollow",
            "MemberJoined",
            "MemberLeft",
            "Leave",
            "Join",
        ]
    );
}

#[test]
fn a_message_is_edited_quoted_and_taken_back() {
    let (_bot, alice, seen) = start();
    let said = alice.says("180");
    assert_eq!((said.id().as_str(), said.quote_token()), ("1", "quote-1"));
    said.edit("60");
    alice.quotes(&said.id(), "this one");
    alice.mentions_bot("list");
    said.unsend();
    assert_eq!(
        seen.take(),
        [
            "text 180 false None",
            "edited 1 60",
            r#"text this one false Some(MessageId("1"))"#,
            "text @Bot list true None",
            "Unsend",
        ]
    );
}

#[test]
fn i1_a_redelivered_event_has_no_effect() {
    let (bot, alice, seen) = start();
    let said = alice.says("once");
    said.redeliver();
    bot.redeliver_last();
    assert_eq!(seen.take().len(), 1);
}

#[test]
fn i4_in_standby_handlers_run_and_nothing_is_said() {
    async fn answers(cx: Context, _event: Event) -> Result {
        assert!(!cx.can_reply());
        cx.reply("hello");
        cx.data::<Seen>()?.0.lock().unwrap().push("ran".to_owned());
        Ok(())
    }
    let seen = Seen::default();
    let bot = TestBot::start(App::new("polite").data(seen.clone()).on_other(answers));
    let alice = bot.user("Alice");
    bot.stand_by(true);
    alice.says("hello");
    assert_eq!((seen.take().len(), alice.hears().len()), (1, 0));
}

#[test]
fn i4_what_an_edited_message_has_started_is_cancelled_when_it_is_taken_back() {
    async fn on_text(cx: Context, _message: TextMessage) -> Result {
        cx.reply("write it again");
        Ok(())
    }
    async fn on_edited(cx: Context, _event: Event) -> Result {
        cx.after(crate::secs(60), Remind {});
        Ok(())
    }
    let app = App::new("reminder").on_text(on_text).on_message_edited(on_edited).job::<Remind>();
    let bot = TestBot::start(app);
    let alice = bot.user("Alice");
    let said = alice.says("tea");
    said.edit("tea at five");
    assert_eq!(alice.timers().len(), 1);
    said.unsend();
    assert_eq!(alice.timers().len(), 0);
}

#[test]
fn i4_an_unfollow_that_is_told_late_leaves_alone_what_was_asked_for_after_it() {
    async fn on_text(cx: Context, _message: TextMessage) -> Result {
        cx.after(crate::secs(600), Remind {});
        Ok(())
    }
    let bot = TestBot::start(App::new("reminder").on_text(on_text).job::<Remind>());
    let alice = bot.user("Alice");
    for late in [crate::secs(10), Duration::from_millis(500)] {
        alice.says("before");
        bot.advance(crate::secs(10));
        let left = bot.now().as_millis();
        bot.advance(late);
        alice.says("after");
        alice.sends(json!({"type": "unfollow", "timestamp": left}));
        assert_eq!(alice.timers().len(), 1, "the user has come back meanwhile");
        alice.sends(json!({"type": "unfollow"}));
        assert_eq!(alice.timers().len(), 0);
    }
}

#[test]
fn i4_an_unfollow_that_is_told_late_is_judged_by_lines_clock_alone() {
    async fn on_text(cx: Context, _message: TextMessage) -> Result {
        cx.after(crate::secs(600), Remind {});
        Ok(())
    }
    let bot = TestBot::start(App::new("reminder").on_text(on_text).job::<Remind>());
    let alice = bot.user("Alice");
    // As where the store's clock is 2 h behind.
    let at_line = |seconds: u64| (bot.now() + crate::secs(7200 + seconds)).as_millis();
    let text = |time: i64| {
        json!({"type": "message", "timestamp": time,
            "message": {"type": "text", "id": time.to_string(), "text": "tea"}})
    };
    let (before, left, after) = (at_line(1), at_line(2), at_line(3));
    for time in [before, after] {
        alice.sends(text(time));
    }
    alice.sends(json!({"type": "unfollow", "timestamp": left}));
    assert_eq!(alice.timers().len(), 1, "what was asked for on coming back");
    alice.sends(json!({"type": "unfollow", "timestamp": after}));
    assert_eq!(alice.timers().len(), 0);
}

#[derive(Serialize, Deserialize)]
struct Remind {}

impl Job for Remind {
    const KIND: &'static str = "remind";

    async fn run(self, cx: Context) -> Result {
        cx.push("tea");
        Ok(())
    }
}

/// Starts 300 timers for each text, and cancels all but the last for "stop".
async fn many(cx: Context, message: TextMessage) -> Result {
    if message.text == "stop" {
        cx.after(crate::secs(60), Remind {});
        cx.cancel_all::<Remind>();
        cx.after(crate::secs(60), Remind {});
        return Ok(());
    }
    for n in 0..300 {
        cx.after(crate::secs(60 + n), Remind {});
    }
    cx.after(crate::secs(60), Other {});
    Ok(())
}

fn with_1500_timers() -> (TestBot, TestUser) {
    let bot = TestBot::start(App::new("busy").on_text(many).job::<Remind>().job::<Other>());
    let alice = bot.user("Alice");
    for _ in 0..5 {
        alice.says("more");
    }
    assert_eq!(alice.timers().len(), 1505);
    (bot, alice)
}

#[test]
fn i4_nothing_rings_after_an_unfollow_of_a_chat_with_1500_timers() {
    let (bot, alice) = with_1500_timers();
    alice.unfollows();
    assert_eq!(alice.timers().len(), 0);
    alice.follows();
    bot.advance(crate::secs(600));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn i4_cancel_all_takes_the_jobs_of_one_kind_that_were_asked_for_before_however_many() {
    let (bot, alice) = with_1500_timers();
    alice.says("stop");
    assert_eq!(alice.timers().len(), 6, "those of another kind, and the one that came after");
    bot.advance(crate::secs(600));
    let heard = alice.hears();
    assert_eq!(heard.iter().filter(|text| *text == "tea").count(), 1);
    assert_eq!(heard.iter().filter(|text| *text == "cake").count(), 5);
}

#[derive(Serialize, Deserialize)]
struct Other {}

impl Job for Other {
    const KIND: &'static str = "other";

    async fn run(self, cx: Context) -> Result {
        cx.push("cake");
        Ok(())
    }
}
