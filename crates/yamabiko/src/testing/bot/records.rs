//! What older, newer and broken versions may have stored: each has its outcome, and none stops another.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use yamabiko_queue::{
    Effect, NewJob, Outcome,
    job::{EVENTS, OUTBOX},
    store::{Commit, Sending, Want},
};

use super::*;
use crate::{
    Context, Job, Result, TextMessage,
    context::{EVENT_KIND, chat_lane},
    delivery::DELIVERY_KIND,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Order {
    items: Vec<String>,
}

impl Job<Cart> for Order {
    const KIND: &'static str = "order";

    async fn run(self, cx: Context<Cart>) -> Result {
        cx.push(self.items.join(", "));
        Ok(())
    }
}

async fn on_text(cx: Context<Cart>, message: TextMessage) -> Result {
    cx.reply(message.text);
    Ok(())
}

fn bot() -> Bot {
    Bot::start(App::new("shop").with_state::<Cart>().on_text(on_text).job::<Order>())
}

fn job(kind: &str, chat: &str, payload: &[u8]) -> NewJob {
    let queue = if kind == DELIVERY_KIND { OUTBOX } else { EVENTS };
    let lane = if kind == DELIVERY_KIND { chat.to_owned() } else { chat_lane(&chat.into()) };
    NewJob {
        queue: queue.to_owned(),
        lane: Some(lane),
        chat: Some(chat.to_owned()),
        ..NewJob::new(kind, payload)
    }
}

/// Lets an earlier version leave a state.
fn leave_state(bot: &Bot, chat: &str, state: &[u8]) {
    let earlier = job("of an earlier version", chat, b"");
    let want = Want { queues: vec![EVENTS.to_owned()], at_most: 1 };
    bot.process.ask(async |store| {
        store.insert(std::slice::from_ref(&earlier)).await?;
        let claim = store.turn(Sending::once(), &[], &[want]).await?.claims.remove(0);
        let effects = vec![Effect::SetState(Some(state.to_vec()))];
        let commit =
            Commit { effects, ..Commit::bare(claim.job.id, claim.token, Outcome::Complete) };
        store.turn(Sending::once(), &[commit], &[]).await
    });
}

/// Stores a payload, lets the bot work, and returns what became of it.
fn outcome(bot: &mut Bot, kind: &str, payload: &[u8]) -> JobRecord {
    let stored = job(kind, "Ualice", payload);
    let id = stored.id;
    bot.process.ask(async |store| store.insert(std::slice::from_ref(&stored)).await);
    bot.process.settle();
    bot.process.ask(async |store| store.get(id).await).expect("it is kept")
}

/// Says something in another chat: the bot is well.
fn is_well(bot: &mut Bot) {
    let source = json!({"type": "user", "userId": "Ubob"});
    let said = json!({"type": "message", "message": {"type": "text", "text": "hi"}});
    let before = bot.list(State::Completed).len();
    bot.happens(said, Some(source));
    assert!(bot.list(State::Completed).len() >= before + 2, "the event and its answer");
}

fn error(record: &JobRecord) -> &str {
    last_error(record)
}

#[test]
fn a_newer_payload_waits_for_a_newer_version_whatever_its_form() {
    let mut bot = bot();
    for kind in [EVENT_KIND, DELIVERY_KIND] {
        for payload in [&br#"{"v":3}"#[..], br#"{"v":4294967295,"event":7,"to":[],"messages":1}"#] {
            let waits = outcome(&mut bot, kind, payload);
            assert_eq!(waits.state, State::Scheduled, "{kind}: {}", error(&waits));
            assert!(error(&waits).contains("newer"), "{}", error(&waits));
            bot.process.ask(async |store| store.cancel(&[waits.job.id]).await);
        }
    }
    is_well(&mut bot);
}

#[test]
fn a_payload_of_another_form_is_dead_and_says_why() {
    let mut bot = bot();
    for payload in [&b""[..], b"null", b"{}", br#"{"v":1}"#, br#"{"v":-1}"#, b"\xff", b"[[[["] {
        for (kind, what) in [(EVENT_KIND, "not an event"), (DELIVERY_KIND, "not a delivery")] {
            let dead = outcome(&mut bot, kind, payload);
            assert_eq!(dead.state, State::Dead);
            assert!(error(&dead).contains(what), "{}", error(&dead));
        }
        let waits = outcome(&mut bot, Order::KIND, payload);
        assert_eq!(waits.state, State::Scheduled, "a newer version may be deploying");
        assert!(error(&waits).contains("cannot be read as order"), "{}", error(&waits));
    }
    is_well(&mut bot);
}

#[test]
fn fields_that_only_another_version_knows_are_passed_over() {
    let mut bot = bot();
    let event = json!({"v": 1, "destination": null, "of_tomorrow": [1],
        "event": {"type": "message", "message": {"type": "text", "id": "1", "text": "hi"}}});
    let done = outcome(&mut bot, EVENT_KIND, event.to_string().as_bytes());
    assert_eq!(done.state, State::Completed, "{}", error(&done));
    let done = outcome(&mut bot, Order::KIND, br#"{"items":["tea"],"of_tomorrow":{}}"#);
    assert_eq!(done.state, State::Completed, "{}", error(&done));
}

#[test]
fn s2_a_state_has_its_outcome_whoever_wrote_it() {
    for (state, expected, says) in [
        (&br#"{"v":1,"s":{"items":["tea"],"of_tomorrow":1}}"#[..], State::Completed, ""),
        (br#"{"v":0,"s":{"items":[]}}"#, State::Completed, ""),
        (br#"{"v":2,"data":"of another form"}"#, State::Scheduled, "version 2"),
        (br#"{"v":1,"s":{"items":7}}"#, State::Dead, "version 1 cannot be read"),
        (br#"{"v":1}"#, State::Dead, "version 1 cannot be read"),
        (b"\xff\x00", State::Dead, "Cart"),
        (b"", State::Dead, "Cart"),
    ] {
        let mut bot = bot();
        leave_state(&bot, "Ualice", state);
        let record = outcome(&mut bot, Order::KIND, br#"{"items":["tea"]}"#);
        assert_eq!(record.state, expected, "{}", error(&record));
        assert!(says.is_empty() || error(&record).contains(says), "{}", error(&record));
        is_well(&mut bot);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_payload_and_no_state_stops_a_bot(
        payloads in vec((0..3_usize, any_payload()), 1..6), state in any_payload(),
    ) {
        let mut bot = bot();
        leave_state(&bot, "Ualice", &state);
        for (kind, payload) in payloads {
            let kind = [EVENT_KIND, DELIVERY_KIND, Order::KIND][kind];
            let record = outcome(&mut bot, kind, &payload);
            let has_ended = matches!(record.state, State::Completed);
            prop_assert!(has_ended || record.job.lane.is_some() && !error(&record).is_empty());
        }
        is_well(&mut bot);
        bot.advance(Duration::from_secs(60));
    }
}

/// Bytes, and payloads in which one thing is another.
fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    let right = prop::sample::select(vec![
        r#"{"v":1,"destination":"U","event":{"type":"message","message":{"type":"text","id":"1","text":"hi"}}}"#,
        r#"{"v":1,"to":"Ualice","messages":[{"type":"text","text":"hi"}],"token_arrived":null}"#,
        r#"{"v":1,"s":{"items":["tea"]}}"#,
        r#"{"items":["tea"]}"#,
    ]);
    let changed = (right, any::<prop::sample::Index>(), 0..12_usize, "[0-9\\[\\]{}\":,a-z.]{0,5}")
        .prop_map(|(right, at, left_out, other)| {
            let mut bytes = right.as_bytes().to_vec();
            let at = at.index(bytes.len());
            let end = (at + left_out).min(bytes.len());
            bytes.splice(at..end, other.into_bytes());
            bytes
        });
    prop_oneof![1 => vec(any::<u8>(), 0..40), 5 => changed]
}
