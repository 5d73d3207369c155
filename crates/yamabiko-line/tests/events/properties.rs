//! Whatever LINE may send one day, nothing panics and no event costs another.

use proptest::{collection, prelude::*, sample::Index};
use serde_json::{Map, Value, json};
use yamabiko_line::{
    event::{Envelope, Event, EventKind, MessageContent},
    secret::ReplyToken,
};

use crate::{checks, examples::every_event};

/// Any JSON, with LINE's words among its keys and texts.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("type"),
        Just("message"),
        Just("text"),
        Just("source"),
        Just("userId"),
        Just("events"),
        Just("members"),
        Just("id"),
        Just("unsend"),
        Just("user"),
        Just("link"),
    ];
    let text = prop_oneof![word.prop_map(str::to_owned), any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A place in a text, as the platform tells of it: mostly near the text, at times anywhere.
fn any_place() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![4 => 0..30_i64, 1 => any::<i64>()].prop_map(Value::from);
    (number(), number(), any::<bool>()).prop_map(|(index, length, is_self)| {
        json!({"index": index, "length": length, "type": "user", "isSelf": is_self})
    })
}

/// JSON in forms that a writer of JSON avoids.
fn odd_json() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..300_usize).prop_map(|depth| format!("{}1{}", "[".repeat(depth), "]".repeat(depth))),
        (1..300_usize).prop_map(|depth| format!(
            "{}1{}",
            r#"{"a":"#.repeat(depth),
            "}".repeat(depth)
        )),
        "-?[1-9][0-9]{0,400}",
        "-?[0-9]\\.[0-9]{1,30}[eE][+-]?[0-9]{1,4}",
        r#""(\\u[dD][89a-fA-F][0-9a-f]{2}|a){1,6}""#,
        r#""(\\\\|\\n|\\/|\\u0000|\\u3042){1,6}""#,
        Just(r#"{"type":"user","type":"group","userId":"U1","userId":7}"#.to_owned()),
        Just(r#"{"":{"":{"":null}}}"#.to_owned()),
        Just("\t[ 1 ,\r\n2 ] ".to_owned()),
    ]
}

/// Returns the paths of all values below a value.
fn paths(value: &Value) -> Vec<String> {
    let below = |key: String, value: &Value| {
        let mut all = vec![format!("/{key}")];
        all.extend(paths(value).into_iter().map(|path| format!("/{key}{path}")));
        all
    };
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(key, value)| below(key.clone(), value)).collect()
        }
        Value::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.flat_map(|(index, value)| below(index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in collection::vec(any::<u8>(), 0..300)) {
        let is_webhook = serde_json::from_slice::<Value>(&body)
            .is_ok_and(|body| body.get("events").is_some_and(Value::is_array));
        prop_assert!(checks::webhook(&body).is_some() || !is_webhook);
    }

    #[test]
    fn a_webhook_with_other_bytes_in_it_never_panics(
        at in any::<Index>(), left_out in 0..40_usize, other in collection::vec(any::<u8>(), 0..6),
    ) {
        let mut body = json!({"destination": "Ubot", "events": every_event()}).to_string().into_bytes();
        let at = at.index(body.len());
        let end = (at + left_out).min(body.len());
        body.splice(at..end, other);
        checks::webhook(&body);
    }

    #[test]
    fn what_json_allows_and_nobody_expects_costs_no_other_event(
        event in any::<Index>(), part in any::<Index>(), odd in odd_json(), at in any::<Index>(),
    ) {
        let good: Vec<_> = every_event().into_iter().map(Event::from_value).collect();
        let mut bad = event.get(&every_event()).clone();
        let paths = paths(&bad);
        *bad.pointer_mut(part.get::<String>(&paths)).unwrap() = json!("the odd one");
        let bad = bad.to_string().replace("\"the odd one\"", &odd);
        let mut events: Vec<_> = every_event().iter().map(Value::to_string).collect();
        let at = at.index(events.len());
        events.insert(at, bad);
        let body = format!(r#"{{"\ud800":{odd},"events":[{}],"destination":"Ubot"}}"#, events.join(","));
        let mut read = checks::webhook(body.as_bytes()).expect("it is a webhook");
        read.remove(at);
        prop_assert_eq!(read, good);
    }

    #[test]
    fn any_text_is_split_within_its_limit(text in any::<String>(), limit in 1..40_usize) {
        checks::split(&text, limit);
    }

    #[test]
    fn any_text_has_a_plain_text_wherever_its_mentions_and_emoji_are_said_to_be(
        text in any::<String>(),
        mentionees in collection::vec(any_place(), 0..4),
        emojis in collection::vec(any_place(), 0..4),
    ) {
        let event = Event::from_value(json!({"type": "message", "message": {
            "type": "text", "id": "1", "text": text,
            "mention": {"mentionees": mentionees}, "emojis": emojis,
        }}));
        let EventKind::Message(MessageContent::Text(message)) = event.kind else {
            return Err(TestCaseError::fail("it is a text"));
        };
        checks::plain_text(&message);
    }

    #[test]
    fn arbitrary_json_is_refused_or_read_whole(body in any_json()) {
        let events = body.get("events").and_then(Value::as_array).map(Vec::len);
        let read = Envelope::parse(body.to_string().as_bytes());
        prop_assert_eq!(read.ok().map(|envelope| envelope.events.len()), events);
    }

    #[test]
    fn an_event_is_kept_as_it_came(raw in any_json()) {
        let event = Event::from_value(raw.clone());
        prop_assert_eq!(&event.raw, &raw);
        let again = Event::from_value(serde_json::from_str(&raw.to_string()).unwrap());
        prop_assert_eq!(event.key(None), again.key(None));
    }

    #[test]
    fn a_bad_event_costs_no_other(at in any::<Index>(), bad in any_json()) {
        let mut events = every_event();
        let good: Vec<_> = events.iter().cloned().map(Event::from_value).collect();
        let at = at.index(events.len());
        events.insert(at, bad.clone());
        let body = json!({"destination": "Ubot", "events": events}).to_string();
        let mut read = Envelope::parse(body.as_bytes()).unwrap().events;
        prop_assert_eq!(read.remove(at).raw, bad);
        prop_assert_eq!(read, good);
    }

    #[test]
    fn a_wrong_part_of_an_event_never_panics(
        event in any::<Index>(), part in any::<Index>(), wrong in any_json(),
    ) {
        let mut raw = event.get(&every_event()).clone();
        let paths = paths(&raw);
        *raw.pointer_mut(part.get::<String>(&paths)).unwrap() = wrong;
        let event = Event::from_value(raw.clone());
        prop_assert_eq!(&event.raw, &raw);
        let token = raw["replyToken"].as_str().filter(|token| !token.is_empty());
        prop_assert_eq!(event.reply_token.as_ref().map(ReplyToken::expose), token);
    }
}
