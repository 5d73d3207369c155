//! What `yamabiko-line` builds from any text, LINE takes; or building says what is wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use yamabiko_line::message::{MAX_MESSAGES, Message, MessageError, QuickReplyItem};

use crate::world::World;

/// Builds messages of these texts, and shows those that are valid to LINE's checks.
pub(crate) async fn build(world: &World, long: &str, short: &str) {
    let body = json!({ "type": "box", "layout": "vertical", "contents": [] });
    let bubble = json!({ "type": "bubble", "body": body });
    let text = Message::text(long);
    assert_eq!(text.validate().is_err(), long.trim().is_empty(), "only an empty text is refused");
    for message in [
        text,
        Message::text(long).quote(short),
        Message::text(long).quick_reply(vec![QuickReplyItem::message(short, long)]),
        Message::text("x").quick_reply(vec![QuickReplyItem::postback(short, long, Some(short))]),
        Message::text("x")
            .quick_reply(vec![QuickReplyItem::message(short, short); short.len().min(15)]),
        Message::sticker(short, long),
        Message::flex(long, bubble.clone()),
    ] {
        match message.validate() {
            Ok(()) => taken(world, message).await,
            Err(error) => named(&error),
        }
    }
}

async fn taken(world: &World, message: Message) {
    let kind = message.message_type().to_owned();
    let parts = message.split();
    for messages in parts.chunks(MAX_MESSAGES) {
        let body = json!({ "messages": messages });
        let answer = world.call("POST", "/v2/bot/message/validate/push", Some(body)).await;
        // Whether a sticker exists, only LINE knows.
        let is_known = kind != "sticker";
        assert!(answer.status == 200 || !is_known, "{answer:?}: {messages:?}");
    }
}

/// An error says what is wrong in its own words, whatever was given.
fn named(error: &MessageError) {
    let words = error.to_string();
    assert!(!words.is_empty() && words.len() < 300, "{words}");
}

fn any_text() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        " ",
        "\n",
        "\u{0}",
        "\u{7f}",
        "\u{200b}",
        "\u{feff}",
        "\u{202e}",
        "\u{3000}",
        "\u{85}",
        "👨‍👩‍👧‍👦",
        "é",
        "が",
        "🇯🇵",
        "\u{fe0f}",
        "\r\n",
        "{a}",
        "$",
    ]);
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        (odd, 0..5_200_usize).prop_map(|(part, times)| part.repeat(times)),
        ("[a-z🍎あ。 \\n]{1,9}", 1..3_000_usize).prop_map(|(part, times)| part.repeat(times)),
        (290..310_usize).prop_map(|length| "あ".repeat(length)),
        (4_990..5_010_usize).prop_map(|length| "x".repeat(length)),
    ]
}

#[test]
fn what_is_built_of_any_text_line_takes() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime is built");
    let world = runtime.block_on(World::new());
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    let texts = (any_text(), prop_oneof!["\\PC{0,22}", any::<String>()]);
    let result = TestRunner::new(config).run(&texts, |(long, short)| {
        let building = AssertUnwindSafe(|| runtime.block_on(build(&world, &long, &short)));
        catch_unwind(building).map_err(|_| TestCaseError::fail("see above"))
    });
    if let Err(error) = result {
        panic!("{}", error.to_string().chars().take(2_000).collect::<String>());
    }
}
