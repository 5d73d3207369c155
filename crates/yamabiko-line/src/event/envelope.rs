//! The body of a webhook, taken apart so that each event is read on its own.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

use super::Event;
pub use crate::error::EnvelopeError;

/// The body of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The bot's user id; `None` if missing or not a text.
    pub destination: Option<String>,
    /// The events, of any number of users; may be empty.
    pub events: Vec<Event>,
}

impl Envelope {
    /// Reads the body of a webhook whose signature was verified.
    ///
    /// # Errors
    /// If the body is not a JSON object with an array `events`. Whatever stands in the array is an event.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        // A byte in one text that is no UTF-8 shall not cost the other events.
        let body = String::from_utf8_lossy(body);
        // Nor shall half of a surrogate pair in a name that nobody asks for.
        Self::read(&body).or_else(|_| Self::read(&without_lone_surrogates(&body)))
    }

    fn read(body: &str) -> Result<Self, EnvelopeError> {
        let body: BTreeMap<String, &RawValue> =
            serde_json::from_str(body).map_err(|_| EnvelopeError)?;
        let events: Vec<&RawValue> =
            body.get("events").and_then(|events| read(events)).ok_or(EnvelopeError)?;
        let destination: Option<String> =
            body.get("destination").and_then(|destination| read(destination));
        let event =
            |raw: &RawValue| Event::from_value(value(raw.get())).for_bot(destination.as_deref());
        let events = events.into_iter().map(event).collect();
        Ok(Self { destination, events })
    }
}

fn read<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Reads one event; what cannot be held as JSON (nested too deeply, a number too large) is held as text.
fn value(event: &str) -> Value {
    serde_json::from_str(event)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(event)))
        .unwrap_or_else(|_| Value::String(event.to_owned()))
}

/// Replaces halves of surrogate pairs, as a text cut inside an emoji has them, by U+FFFD.
fn without_lone_surrogates(json: &str) -> String {
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let kept = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                whole.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // An escape is a backslash and one more character, which may be a backslash, too.
            (None, _) => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
        };
        whole.push_str(&rest[..kept]);
        rest = &rest[kept..];
    }
    whole.push_str(rest);
    whole
}

/// Returns the UTF-16 unit of the escape `\uXXXX` at the front of a text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_surrogate_pairs_are_replaced_and_nothing_else() {
        for (given, expected) in [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\ude00b""#, r#""\ufffdb""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d \n \u3042 あ""#, r#""\\ud83d \n \u3042 あ""#),
            ("\\", "\\"),
        ] {
            assert_eq!(without_lone_surrogates(given), expected);
        }
    }

    #[test]
    fn an_event_that_cannot_be_held_as_json_is_kept_as_text_beside_the_others() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let body = format!(
            r#"{{"destination":5,"events":[{{"type":"join"}},1e999,{deep},{{"type":"leave"}}]}}"#
        );
        let envelope = Envelope::parse(body.as_bytes()).unwrap();
        assert_eq!(envelope.destination, None);
        let types: Vec<_> = envelope.events.iter().map(Event::event_type).collect();
        assert_eq!(types, ["join", "", "", "leave"]);
        assert_eq!(envelope.events[1].raw, "1e999");
        assert_eq!(envelope.events[2].raw, deep);
    }

    #[test]
    fn a_text_cut_inside_an_emoji_or_with_wrong_bytes_is_still_a_text() {
        let body = b"{\"events\":[{\"type\":\"message\",\"message\":\
            {\"type\":\"text\",\"id\":\"1\",\"text\":\"\\ud83d \xff\"}}]}";
        let envelope = Envelope::parse(body).unwrap();
        assert_eq!(envelope.events[0].raw["message"]["text"], "\u{fffd} \u{fffd}");
    }

    #[test]
    fn a_name_cut_inside_an_emoji_costs_no_event() {
        let body = br#"{"\ud83d":1,"events":[{"type":"join"}]}"#;
        assert_eq!(Envelope::parse(body).unwrap().events[0].event_type(), "join");
    }

    #[test]
    fn a_body_without_an_array_of_events_is_refused() {
        for body in
            ["", "null", "[]", "{}", r#"{"events":{}}"#, r#"{"events":null}"#, r#"{"events":[]} x"#]
        {
            assert_eq!(Envelope::parse(body.as_bytes()), Err(EnvelopeError), "{body}");
        }
        assert!(Envelope::parse(br#"{"events":[]}"#).unwrap().events.is_empty());
    }
}
