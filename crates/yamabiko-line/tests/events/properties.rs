//! Whatever LINE may send one day, nothing panics and no event costs another.

use proptest::{collection, prelude::*, sample::Index};
use serde_json::{Map, Value, json};
use yamabiko_line::{
    event::{Envelope, Event},
    secret::ReplyToken,
};

use crate::examples::every_event;

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
        prop_assert!(Envelope::parse(&body).is_ok() || !is_webhook);
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
