//! Checks of requests to send messages, as LINE makes them, with LINE's words.
//!
//! Limits stand in tables of [`field::Field`]s, one table for each object of LINE's reference.

mod action;
mod component;
mod datetime;
mod field;
mod flex;
mod imagemap;
mod measure;
mod message;
mod properties;
mod request;
mod template;
#[cfg(test)]
mod testing;
mod text;
mod url;

use serde_json::{Value, json};

use self::field::{Field, Kind, Place, needed};
pub(crate) use self::request::{Call, messages_of, request};

/// Is one thing wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) property: String,
    /// LINE reads a request before it checks it, so it says nothing else about an unreadable one.
    pub(crate) unreadable: bool,
}

impl Problem {
    pub(crate) fn new(property: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), property: property.into(), unreadable: false }
    }

    /// A property of the wrong type, or an id in the wrong form.
    fn unreadable(property: &str) -> Self {
        let message = format!(
            "The property, '{property}', in the request body is invalid (line: -, column: -)"
        );
        Self { unreadable: true, ..Self::new(property, message) }
    }

    /// The problem as it stands in LINE's answer.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "message": self.message, "property": self.property })
    }
}

/// LINE's reference, each call: "Max: 5".
static MESSAGES: &[Field] = &[needed("messages", Kind::List(1, 5, message::check))];

/// Finds what is wrong with the `messages` of a request, whatever call it is.
pub(crate) fn messages(request: &Value) -> Vec<Problem> {
    if !request.is_object() {
        let text = "The request body could not be parsed as JSON (line: 1, column: 1)";
        return vec![Problem { unreadable: true, ..Problem::new("", text) }];
    }
    let mut problems = Vec::new();
    field::check(&Place::root(request), MESSAGES, &mut problems);
    problems
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::{example, examples};
    use super::*;

    fn properties(request: &Value) -> Vec<String> {
        messages(request).into_iter().map(|problem| problem.property).collect()
    }

    #[test]
    fn a_call_has_one_to_five_messages() {
        let hi = example("text");
        for right in [json!([hi]), json!([hi, hi, hi, hi, hi])] {
            assert!(properties(&json!({ "messages": right })).is_empty());
        }
        for wrong in [json!([]), json!([hi, hi, hi, hi, hi, hi]), Value::Null, json!("hi")] {
            assert_eq!(properties(&json!({ "messages": wrong })), ["messages"]);
        }
    }

    #[test]
    fn each_message_is_checked() {
        let (right, wrong) = (example("text"), json!({ "type": "text", "text": "" }));
        let request = json!({ "messages": [wrong, right, wrong, 1] });
        let expected = ["messages[0].text", "messages[2].text", "messages[3]"];
        assert_eq!(properties(&request), expected);
    }

    /// Values and names that lead deep into the checks.
    const WORDS: [&str; 44] = [
        "",
        "text",
        "textV2",
        "{a}",
        "{",
        "$🍎",
        "template",
        "buttons",
        "carousel",
        "columns",
        "confirm",
        "actions",
        "action",
        "postback",
        "uri",
        "https://a.jp/é",
        "datetimepicker",
        "mode",
        "date",
        "min",
        "2024-02-30",
        "flex",
        "contents",
        "bubble",
        "body",
        "hero",
        "box",
        "layout",
        "baseline",
        "size",
        "10%",
        "é",
        "aspectRatio",
        "1:3",
        "substitution",
        "mention",
        "emojis",
        "index",
        "quickReply",
        "items",
        "sender",
        "name",
        "type",
        "a",
    ];

    fn any_json() -> impl Strategy<Value = Value> {
        let word = proptest::sample::select(&WORDS);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            word.clone().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, move |inner| {
            let fields = proptest::collection::hash_map(word.clone(), inner.clone(), 0..8);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::from),
                fields.prop_map(|fields| json!(fields)),
            ]
        })
    }

    /// Puts a value in the place of the `at`th value within another, counted from the outside.
    fn replace(value: &mut Value, at: &mut usize, new: &Value) {
        if *at == 0 {
            value.clone_from(new);
        }
        *at = at.wrapping_sub(1);
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, new)),
            Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, at, new)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn no_json_makes_the_checks_panic(
            random in any_json(),
            example in proptest::sample::select(examples()),
            at in 0..24_usize,
        ) {
            let mut changed = example;
            replace(&mut changed, &mut at.clone(), &random);
            let body = json!({ "to": random, "messages": [random, changed] });
            for name in ["reply", "push", "multicast", "narrowcast", "broadcast"] {
                let call = Call::named(name).expect("is a call");
                request(call, &body);
                request(call, &random);
            }
        }
    }
}
