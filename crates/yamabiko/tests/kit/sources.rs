//! Events of which LINE names no chat: they are answered by their reply token.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yamabiko::{
    App, Context, Event, Job, Result, TextMessage,
    testing::{Call, Fault, Heard, TestBot},
};

/// Sources without a chat that can be pushed to.
fn sources() -> Vec<Value> {
    vec![
        Value::Null,
        json!({}),
        json!([]),
        json!("me"),
        json!({"type": "user"}),
        json!({"type": "user", "userId": null}),
        json!({"type": "user", "userId": ""}),
        json!({"type": "group", "userId": "U4af4980629af4980629af4980629af49"}),
        json!({"type": "room"}),
        json!({"type": "planet", "planetId": "P1"}),
        json!({"userId": "U4af4980629af4980629af4980629af49"}),
    ]
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Counter {
    texts: u32,
}

async fn on_text(cx: Context<Counter>, message: TextMessage) -> Result {
    let texts = cx.state().texts + 1;
    cx.set_state(Counter { texts });
    assert_eq!(cx.state().texts, texts);
    match message.text.as_str() {
        "later" => drop(cx.after(crate::secs(30), Later {}).keep_reply()),
        "fail" => anyhow::bail!("as asked"),
        text => {
            assert!(cx.can_reply() && !cx.can_push());
            cx.reply(format!("{texts} {text}"));
        }
    }
    Ok(())
}

async fn on_other(cx: Context<Counter>, _event: Event) -> Result {
    cx.set_state(Counter { texts: 7 });
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Later {}

impl Job<Counter> for Later {
    const KIND: &'static str = "later";

    async fn run(self, cx: Context<Counter>) -> Result {
        cx.push("now");
        Ok(())
    }
}

fn start() -> TestBot {
    let app = App::new("counter").with_state::<Counter>();
    TestBot::start(app.on_text(on_text).on_other(on_other).job::<Later>())
}

fn said(heard: &[Heard]) -> Vec<(String, Call)> {
    heard.iter().map(|heard| (heard.text(), heard.by)).collect()
}

#[test]
fn an_event_without_a_chat_is_answered_by_its_reply_token() {
    let bot = start();
    for source in sources() {
        let stranger = bot.stranger(source.clone());
        stranger.says("hello");
        let heard = said(&stranger.hears_in_detail());
        // There is no chat to keep a state for.
        assert_eq!(heard, [("1 hello".to_owned(), Call::Reply)], "{source}");
    }
    let stranger = bot.stranger(Value::Null);
    bot.receives(json!({"type": "message", "message": {"type": "text", "text": "hi"}}));
    assert_eq!(stranger.hears(), ["1 hi"], "without any source");
    bot.receives(json!({"type": "accountLink", "link": {"result": "failed", "nonce": "x"}}));
    assert_eq!(bot.line().calls(Call::Push), 0);
}

#[test]
fn a_job_that_keeps_the_reply_token_of_an_event_without_a_chat_answers_by_it() {
    let bot = start();
    let stranger = bot.stranger(json!({"type": "planet"}));
    stranger.says("later");
    bot.advance(crate::secs(30));
    assert_eq!(said(&stranger.hears_in_detail()), [("now".to_owned(), Call::Reply)]);
}

#[test]
fn a_handler_that_dies_on_an_event_without_a_chat_apologises_by_its_reply_token() {
    let bot = start();
    let stranger = bot.stranger(json!({"type": "user"}));
    stranger.says("fail");
    bot.advance(crate::secs(20));
    assert_eq!(bot.dead_jobs()[0].error(), "as asked");
    let heard = stranger.hears_in_detail();
    assert_eq!((heard.len(), heard[0].by), (1, Call::Reply));
}

#[test]
fn an_event_without_a_chat_whose_token_is_refused_says_nothing_and_harms_nobody() {
    let bot = start();
    let (stranger, alice) = (bot.stranger(Value::Null), bot.user("Alice"));
    bot.line().fail_next_call(Call::Reply, Fault::InvalidReplyToken);
    stranger.says("hello");
    assert!(bot.dead_jobs()[0].error().contains("no chat to push to"));
    assert_eq!(stranger.hears(), [""; 0]);
    alice.says("later");
    bot.advance(crate::secs(30));
    assert_eq!(alice.hears(), ["now"]);
}

#[test]
fn the_dummies_of_lines_verification_reach_no_handler() {
    let bot = start();
    let (zeros, fs) = ("0".repeat(32), "f".repeat(32));
    let dummy = json!({"type": "user", "userId": "Udeadbeefdeadbeefdeadbeefdeadbeef"});
    let alice = bot.user("Alice");
    let of_alice = json!({"type": "user", "userId": alice.id()});
    for (token, source) in [
        (&zeros, &dummy),
        (&fs, &dummy),
        (&zeros, &of_alice),
        (&fs, &of_alice),
        (&fs, &json!(null)),
    ] {
        bot.receives(json!({"type": "message", "replyToken": token, "source": source,
            "message": {"type": "text", "id": "100001", "text": "Hello, world"}}));
    }
    bot.receives(json!({"type": "follow", "source": dummy}));
    assert_eq!(bot.completed_jobs().len(), 0);
    assert_eq!(bot.line().calls(Call::Reply) + bot.line().calls(Call::Push), 0);
}
