//! The whole bot, on the test kit's clock.

use std::time::Duration;

use serde_json::json;
use yamabiko::{
    Setting as _,
    testing::{Call, Fault, TestBot, TestUser},
};

use crate::{app, limit::TimersPerChat, short::ShortTimer};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(app());
    let alice = bot.user_speaking("Alice", "en");
    (bot, alice)
}

#[test]
fn a_number_is_confirmed_at_once_and_notified_when_the_time_has_come() {
    let (bot, alice) = start();
    alice.says("180");
    assert_eq!(alice.hears(), ["⏰ I will call you back in 180 s (3 min), at 17:03:00."]);
    bot.advance(secs(179));
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(secs(1));
    assert_eq!(alice.hears(), ["🔔 Time is up: 180 s (3 min)."]);
    bot.advance(secs(3600));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn confirmation_and_notification_quote_the_request() {
    let (bot, alice) = start();
    alice.says("60");
    bot.advance(secs(60));
    let quotes: Vec<_> =
        alice.hears_messages().iter().map(|message| message["quoteToken"].clone()).collect();
    assert_eq!(quotes, ["quote-1", "quote-1"]);
}

#[test]
fn other_messages_are_handled_while_a_timer_runs() {
    let (bot, alice) = start();
    alice.says("180");
    alice.says("hello");
    alice.says("60");
    let heard = alice.hears();
    assert_eq!(heard.len(), 3);
    assert!(heard[1].contains("Example: 180"), "{heard:?}");
    bot.advance(secs(60));
    assert_eq!(alice.hears(), ["🔔 Time is up: 60 s (1 min)."]);
}

#[test]
fn zero_fires_at_once() {
    let (_bot, alice) = start();
    alice.says("0");
    assert_eq!(
        alice.hears(),
        ["⏰ I will call you back in 0 s, at 17:00:00.", "🔔 Time is up: 0 s."]
    );
}

#[test]
fn a_number_is_understood_however_a_person_types_it() {
    let (_bot, alice) = start();
    for text in [
        " 180 ",
        "180\n",
        "１８０",
        "　＋１８０　",
        "1\u{200b}80",
        "\u{2060}180",
        "\u{2066}180\u{2069}",
        "180\u{fe0f}",
        "\u{feff}180",
    ] {
        alice.says(text);
        let heard = alice.hears();
        assert!(heard[0].contains("180 s (3 min)"), "{text:?} {heard:?}");
    }
    alice.sends_message(json!({"type": "text", "text": "()180",
        "emojis": [{"index": 0, "length": 2, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}]}));
    assert!(alice.hears()[0].contains("180 s (3 min)"));
    alice.says("cancel　２");
    assert!(alice.hears()[0].starts_with("🗑"));
    alice.says("ｷｬﾝｾﾙ");
    assert!(alice.hears()[0].starts_with("🗑"));
    alice.says("キャンセ\u{feff}ル");
    assert!(alice.hears()[0].starts_with("🗑"));
}

#[test]
fn in_a_group_a_mention_of_the_bot_is_no_part_of_the_request() {
    let (bot, alice) = start();
    let family = bot.group("Family", &[&alice]);
    let alice = alice.inside(&family);
    alice.mentions_bot("180");
    // Its letters do not tell the language either.
    assert_eq!(family.hears(), ["⏰ 180秒（3分）後、17:03:00 にお知らせします。"]);
    let of_the_bot = json!({"index": 4, "length": 4, "type": "user", "userId": "Ubot"});
    alice.sends_message(json!({"type": "text", "text": "一覧 @Bot", "mention": {"mentionees": [{
        "index": 3, "length": 4, "type": "user", "userId": "Ubot"}]}}));
    assert!(family.hears()[0].starts_with("⏳ タイマー 1件"));
    alice.sends_message(
        json!({"type": "text", "text": "🍎 1 @Bot", "mention": {"mentionees": [of_the_bot]}}),
    );
    assert!(family.hears()[0].starts_with("😵"), "what the user wrote is not cut");
}

#[test]
fn over_a_year_is_an_error_that_names_the_limit() {
    let (bot, alice) = start();
    alice.says("31536001");
    let heard = alice.hears();
    assert!(heard[0].contains("31536000") && heard[0].contains("Example"), "{heard:?}");
    bot.advance(secs(31_536_002));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn a_timer_of_a_year_fires_after_a_year() {
    let (bot, alice) = start();
    alice.says("31536000");
    bot.advance(secs(31_535_999));
    assert_eq!(alice.hears().len(), 1);
    bot.advance(secs(1));
    assert_eq!(alice.hears().len(), 1);
}

#[test]
fn every_other_event_that_can_be_answered_gets_a_smile() {
    let (_bot, alice) = start();
    alice.sends_sticker("446", "1988");
    alice.sends(json!({"type": "follow", "follow": {"isUnblocked": false}}));
    alice.sends(json!({"type": "postback", "postback": {"data": "x"}}));
    alice.sends(json!({"type": "message", "message": {"type": "image", "contentProvider": {"type": "line"}}}));
    alice.sends(json!({"type": "somethingNew", "somethingNew": {}}));
    alice.sends(json!({"type": "unfollow"}));
    assert_eq!(alice.hears(), ["😄"; 5]);
}

#[test]
fn where_nobody_can_be_called_back_the_reply_says_so() {
    let bot = TestBot::start(app());
    for source in
        [json!(null), json!({"type": "user"}), json!({"type": "planet", "planetId": "P1"})]
    {
        let stranger = bot.stranger(source.clone());
        stranger.says("180");
        let heard = stranger.hears_in_detail();
        assert_eq!((heard.len(), heard[0].by), (1, Call::Reply), "{source}");
        assert!(heard[0].text().starts_with("😵 送り先がわからないため"), "{heard:?}");
        stranger.says("hello");
        stranger.says("list");
        stranger.says("cancel");
        stranger.sends_sticker("446", "1988");
        let heard = stranger.hears();
        assert!(heard[0].contains("Example: 180"), "{heard:?}");
        assert_eq!(heard[1..], ["No timers are pending.", "No timers are pending.", "😄"]);
    }
    bot.receives(json!({"type": "message", "message": {"type": "text", "text": "１８０"}}));
    assert_eq!(bot.stranger(json!(null)).hears().len(), 1, "without any source");
    bot.advance(secs(600));
    assert_eq!(bot.line().calls(Call::Push), 0);
}

#[test]
fn list_shows_what_is_pending_and_cancel_removes_it() {
    let (bot, alice) = start();
    alice.says("list");
    assert_eq!(alice.hears(), ["No timers are pending."]);
    alice.says("180");
    alice.says("60");
    drop(alice.hears());
    alice.says("list");
    assert_eq!(
        alice.hears(),
        ["⏳ 2 pending\n1. 17:01:00, 1 min left (60 s)\n2. 17:03:00, 3 min left (180 s)"]
    );
    alice.says("cancel 2");
    assert_eq!(alice.hears(), ["🗑 Cancelled the timer of 180 s (3 min) at 17:03:00.\n1 left."]);
    alice.says("cancel");
    assert_eq!(alice.hears(), ["🗑 Cancelled the timer of 60 s (1 min) at 17:01:00."]);
    bot.advance(secs(300));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn cancel_all_removes_all_and_touches_nobody_else() {
    let (bot, alice) = start();
    let bob = bot.user_speaking("Bob", "en");
    for user in [&alice, &bob] {
        user.says("10");
        user.says("20");
        drop(user.hears());
    }
    alice.says("cancel all");
    assert_eq!(alice.hears(), ["🗑 Cancelled 2 timers."]);
    bot.advance(secs(20));
    assert_eq!((alice.hears().len(), bob.hears().len()), (0, 2));
}

#[test]
fn cancelling_a_number_that_is_not_there_shows_an_example() {
    let (_bot, alice) = start();
    alice.says("10");
    drop(alice.hears());
    alice.says("cancel 7");
    assert!(alice.hears()[0].contains("Example: cancel 1"));
}

#[test]
fn the_profile_decides_the_language_and_japanese_is_the_default() {
    let bot = TestBot::start(app());
    let (sakura, alice) = (bot.user("さくら"), bot.user_speaking("Alice", "en"));
    for user in [&sakura, &alice] {
        user.says("hello");
    }
    assert!(sakura.hears()[0].contains("例：180"));
    assert!(alice.hears()[0].contains("Example: 180"));
    sakura.says("５");
    bot.advance(secs(5));
    assert_eq!(sakura.hears(), ["⏰ 5秒後、17:00:05 にお知らせします。", "🔔 5秒たちました。"]);
}

#[test]
fn taking_the_request_back_cancels_its_timer() {
    let (bot, alice) = start();
    alice.says("60");
    alice.says("90");
    drop(alice.hears());
    alice.sends(json!({"type": "unsend", "unsend": {"messageId": "1"}}));
    bot.advance(secs(100));
    assert_eq!(alice.hears(), ["🔔 Time is up: 90 s (1 min 30 s)."]);
}

#[test]
fn blocking_the_bot_cancels_all_timers_of_the_chat() {
    let (bot, alice) = start();
    alice.says("60");
    drop(alice.hears());
    alice.sends(json!({"type": "unfollow"}));
    bot.advance(secs(100));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn a_late_event_makes_no_late_timer() {
    let (bot, alice) = start();
    let sent = 1_800_000_000_000_i64 - 50_000;
    alice.sends(
        json!({"type": "message", "timestamp": sent, "message": {"type": "text", "text": "60"}}),
    );
    assert_eq!(alice.hears(), ["⏰ I will call you back in 60 s (1 min), at 17:00:10."]);
    bot.advance(secs(10));
    assert_eq!(alice.hears(), ["🔔 Time is up: 60 s (1 min)."]);
}

#[test]
fn an_overdue_notification_says_when_it_was_due_which_is_true_whenever_line_takes_it() {
    for (language, text) in [
        ("en", "🔔 Time is up: 60 s (1 min). It was due at 16:59:59."),
        ("ja", "🔔 60秒（1分）たちました（16:59:59 の予定でした）。"),
    ] {
        let bot = TestBot::start(app());
        let alice = bot.user_speaking("Alice", language);
        bot.line().fail_all_calls(Call::Push, Fault::ServerError);
        let sent = 1_800_000_000_000_i64 - 61_000;
        alice.sends(json!({"type": "message", "timestamp": sent, "message": {"type": "text", "text": "60"}}));
        bot.advance(secs(6));
        bot.line().recover();
        bot.advance(secs(60));
        assert_eq!(alice.hears()[1], text);
    }
}

#[test]
fn the_same_webhook_again_has_no_effect() {
    let (bot, alice) = start();
    for _ in 0..3 {
        alice.sends(json!({"type": "message", "webhookEventId": "01HSAME", "message": {"type": "text", "text": "5"}}));
    }
    bot.advance(secs(5));
    assert_eq!(alice.hears().len(), 2);
}

#[test]
fn i4_in_standby_nothing_is_sent_and_no_timer_is_started() {
    let (bot, alice) = start();
    alice.says("600");
    drop(alice.hears());
    bot.stand_by(true);
    for text in ["2", "hello", "list"] {
        alice.says(text);
    }
    bot.stand_by(false);
    bot.advance(secs(5));
    assert_eq!(alice.hears(), [""; 0]);
    alice.says("list");
    assert!(alice.hears()[0].starts_with("⏳ 1 pending"), "none that would never ring is listed");
}

#[test]
fn o9_hints_and_smiles_that_come_too_late_for_a_reply_cost_no_push() {
    let (bot, alice) = start();
    let bob = bot.user_speaking("Bob", "en");
    let family = bot.group("Family", &[&alice, &bob]);
    bot.line().fail_all_calls(Call::Reply, Fault::ConnectionRefused);
    for _ in 0..10 {
        alice.says_in(&family, "what shall we have for dinner?");
        bob.says_in(&family, "99999999999");
    }
    alice.sends_sticker("446", "1988");
    bob.says("180");
    bot.advance(secs(53));
    bot.line().recover();
    bot.advance(secs(600));
    assert_eq!((family.hears().len(), alice.hears().len()), (0, 0));
    let heard = bob.hears_in_detail();
    let by: Vec<_> = heard.iter().map(|heard| heard.by).collect();
    assert_eq!(by, [Call::Push; 2], "what was asked for is confirmed and rung all the same");
}

/// A bot whose timers of up to 45 s cost no push.
fn start_with_short_timers() -> (TestBot, TestUser) {
    let bot = TestBot::start(app().data(ShortTimer(45)));
    let alice = bot.user_speaking("Alice", "en");
    (bot, alice)
}

#[test]
fn o1_a_short_timer_of_30_s_shows_the_animation_and_costs_no_push() {
    let (bot, alice) = start_with_short_timers();
    alice.says("30");
    assert_eq!((alice.hears().len(), alice.loading()), (0, Some(bot.now() + secs(30))));
    bot.advance(secs(29));
    assert_eq!(alice.hears().len(), 0);
    bot.advance(secs(1));
    let heard = alice.hears_in_detail();
    assert_eq!((heard[0].text().as_str(), heard[0].by), ("🔔 Time is up: 30 s.", Call::Reply));
    assert_eq!((bot.line().calls(Call::Push), bot.line().quota_used()), (0, 0));
}

#[test]
fn o3_a_short_timer_whose_token_is_refused_is_pushed_once() {
    let (bot, alice) = start_with_short_timers();
    alice.says("30");
    bot.line().fail_next_call(Call::Reply, Fault::InvalidReplyToken);
    bot.advance(secs(600));
    let heard = alice.hears_in_detail();
    assert_eq!((heard.len(), heard[0].by, bot.line().quota_used()), (1, Call::Push, 1));
}

#[test]
fn o2_a_timer_that_is_not_short_is_confirmed_and_pushed() {
    let (bot, alice) = start_with_short_timers();
    alice.says("46");
    bot.advance(secs(46));
    let calls: Vec<_> = alice.hears_in_detail().iter().map(|heard| heard.by).collect();
    assert_eq!(calls, [Call::Reply, Call::Push]);
    assert_eq!(bot.line().calls(Call::Loading), 0);
}

#[test]
fn in_a_group_a_short_timer_is_confirmed_and_pushed() {
    let (bot, alice) = start_with_short_timers();
    let family = bot.group("Family", &[&alice]);
    alice.says_in(&family, "30");
    bot.advance(secs(30));
    let calls: Vec<_> = family.hears_in_detail().iter().map(|heard| heard.by).collect();
    assert_eq!(calls, [Call::Reply, Call::Push]);
}

#[test]
fn a_short_timer_is_listed_and_cancelled_as_any_other() {
    let (bot, alice) = start_with_short_timers();
    alice.says("30");
    alice.says("list");
    assert_eq!(alice.hears(), ["⏳ 1 pending\n1. 17:00:30, 30 s left (30 s)"]);
    alice.says("cancel");
    assert_eq!(alice.hears(), ["🗑 Cancelled the timer of 30 s at 17:00:30."]);
    bot.advance(secs(60));
    assert_eq!(alice.hears().len(), 0);
}

#[test]
fn by_default_no_timer_is_short() {
    let (bot, alice) = start();
    alice.says("0");
    assert_eq!((alice.hears().len(), bot.line().calls(Call::Loading)), (2, 0));
}

#[test]
fn the_page_of_settings_names_the_bots_own_with_its_default() {
    let page = include_str!("../../../docs/settings.md");
    let own = page.split("\n## The timer bot").nth(1).unwrap();
    let own = own.split("\n## ").next().unwrap();
    let rows: Vec<_> = own.lines().filter(|line| line.starts_with("| `")).collect();
    let named = [
        (ShortTimer::NAME, ShortTimer::DEFAULT, "45"),
        (TimersPerChat::NAME, TimersPerChat::DEFAULT, "10,000"),
    ];
    assert_eq!(rows.len(), named.len());
    for (row, (name, default, most)) in rows.iter().zip(named) {
        assert!(row.starts_with(&format!("| `{name}` | `{default}` |")), "{row}");
        assert!(row.contains(most), "{row}");
    }
}

#[test]
fn a_chat_may_have_so_many_timers_and_is_told_the_number() {
    let bot = TestBot::start(app().data(TimersPerChat(3)));
    let (alice, bob) = (bot.user_speaking("Alice", "en"), bot.user_speaking("Bob", "ja"));
    for seconds in ["10", "20", "30"] {
        alice.says(seconds);
        assert!(alice.hears()[0].starts_with("⏰"), "{seconds}");
    }
    alice.says("40");
    assert_eq!(
        alice.hears(),
        [
            "😵 3 timers are pending here, which is the most.\nSend “cancel” to remove one, or wait until one rings."
        ]
    );
    assert_eq!(alice.timers().len(), 3);
    for seconds in ["1", "2", "3", "4"] {
        bob.says(seconds);
    }
    let heard = bob.hears();
    assert_eq!(
        heard[3],
        "😵 タイマーは1つのトークで3件までです。\n「取消」で減らすか、どれかが鳴るまでお待ちください。"
    );
    // One that has rung, or was cancelled, makes room.
    bot.advance(secs(10));
    alice.says("cancel");
    assert!(alice.hears().last().unwrap().starts_with("🗑"));
    for seconds in ["50", "60"] {
        alice.says(seconds);
        assert!(alice.hears()[0].starts_with("⏰"), "{seconds}");
    }
    alice.says("70");
    assert!(alice.hears()[0].starts_with("😵 3 timers"));
}

#[test]
fn cancel_all_takes_every_timer_and_leaves_those_of_others() {
    let (bot, alice) = start();
    let bob = bot.user_speaking("Bob", "en");
    bob.says("60");
    assert_eq!(bob.hears().len(), 1);
    for seconds in 1..=100 {
        alice.says(&format!("{}", 60 + seconds));
    }
    assert_eq!(alice.hears().len(), 100);
    alice.says("cancel all");
    assert_eq!(alice.hears(), ["🗑 Cancelled 100 timers."]);
    alice.says("list");
    assert_eq!(alice.hears(), ["No timers are pending."]);
    alice.says("5");
    bot.advance(secs(200));
    assert_eq!(alice.hears().len(), 2, "what was asked for later rings");
    assert_eq!(bob.hears(), ["🔔 Time is up: 60 s (1 min)."]);
}
