//! Checks of messages to send, as LINE makes them, with LINE's words.

use serde_json::{Value, json};

/// Most messages of one call.
const MAX_MESSAGES: usize = 5;
/// Most buttons of a quick reply.
const MAX_QUICK_REPLIES: usize = 13;
/// Most bytes of postback data, in UTF-16 units.
const MAX_POSTBACK_DATA: usize = 300;
/// Most characters of an address.
const MAX_URL: usize = 2_000;

/// The message types that can be sent, and the fields that each must have.
const TYPES: [(&str, &[&str]); 11] = [
    ("audio", &["originalContentUrl", "duration"]),
    ("coupon", &["couponId"]),
    ("flex", &["altText", "contents"]),
    ("image", &["originalContentUrl", "previewImageUrl"]),
    ("imagemap", &["altText", "baseUrl", "baseSize", "actions"]),
    ("location", &["title", "address", "latitude", "longitude"]),
    ("sticker", &["packageId", "stickerId"]),
    ("template", &["altText", "template"]),
    ("text", &["text"]),
    ("textV2", &["text"]),
    ("video", &["originalContentUrl", "previewImageUrl"]),
];

/// Is one thing wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) property: String,
}

impl Problem {
    pub(crate) fn new(property: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), property: property.into() }
    }

    /// The problem as it stands in LINE's answer.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "message": self.message, "property": self.property })
    }
}

/// Finds what is wrong with the `messages` of a request.
pub(crate) fn messages(request: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        problems.push(Problem::new("messages", "Size must be between 1 and 5"));
        return problems;
    }
    for (at, message) in messages.iter().enumerate() {
        check_message(message, &format!("messages[{at}]"), &mut problems);
    }
    problems
}

fn check_message(message: &Value, path: &str, problems: &mut Vec<Problem>) {
    let kind = message["type"].as_str().unwrap_or_default();
    let Some((_, required)) = TYPES.iter().find(|(name, _)| *name == kind) else {
        let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        let text = format!("Must be one of the following values: [{}]", known.join(", "));
        problems.push(Problem::new(format!("{path}/type"), text));
        return;
    };
    for field in *required {
        let value = &message[*field];
        if value.is_null() || value.as_str() == Some("") {
            problems.push(Problem::new(format!("{path}.{field}"), "May not be empty"));
        }
    }
    let mut length = |field: &str, most: usize| {
        if message[field].as_str().is_some_and(|text| utf16(text) > most) {
            let text = format!("Length must be between 0 and {most}");
            problems.push(Problem::new(format!("{path}.{field}"), text));
        }
    };
    length("text", 5_000);
    length("altText", 1_500);
    length("originalContentUrl", MAX_URL);
    length("previewImageUrl", MAX_URL);
    for field in ["packageId", "stickerId"] {
        let digits = |id: &str| id.bytes().all(|b| b.is_ascii_digit());
        if kind == "sticker" && !message[field].as_str().is_none_or(digits) {
            problems.push(Problem::new(format!("{path}.{field}"), "Must be a number"));
        }
    }
    if !message["quoteToken"].is_null() && !matches!(kind, "text" | "textV2" | "sticker") {
        problems.push(Problem::new(format!("{path}.quoteToken"), "Unknown property"));
    }
    check_quick_reply(&message["quickReply"], &format!("{path}.quickReply"), problems);
}

fn check_quick_reply(quick_reply: &Value, path: &str, problems: &mut Vec<Problem>) {
    if quick_reply.is_null() {
        return;
    }
    let items = quick_reply["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() || items.len() > MAX_QUICK_REPLIES {
        problems.push(Problem::new(format!("{path}.items"), "Size must be between 1 and 13"));
        return;
    }
    for (at, item) in items.iter().enumerate() {
        let path = format!("{path}.items[{at}].action");
        let action = &item["action"];
        let needed: &[&str] = match action["type"].as_str() {
            Some("message") => &["label", "text"],
            Some("postback") => &["label", "data"],
            Some("uri") => &["label", "uri"],
            Some("datetimepicker") => &["label", "data", "mode"],
            Some("clipboard") => &["label", "clipboardText"],
            Some("camera" | "cameraRoll" | "location") => &["label"],
            _ => &["type"],
        };
        for field in needed {
            if action[*field].as_str().is_none_or(str::is_empty) {
                problems.push(Problem::new(format!("{path}.{field}"), "May not be empty"));
            }
        }
        let label = action["label"].as_str().unwrap_or_default();
        // LINE counts grapheme clusters here; a cluster has at least one character, so this
        // count is the stricter one where they differ.
        if label.chars().count() > 20 {
            let text = "Length must be between 0 and 20";
            problems.push(Problem::new(format!("{path}.label"), text));
        }
        if action["data"].as_str().is_some_and(|data| utf16(data) > MAX_POSTBACK_DATA) {
            let text = "Length must be between 0 and 300";
            problems.push(Problem::new(format!("{path}.data"), text));
        }
    }
}

/// Counts as LINE counts the characters of a text.
fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(messages_: &Value) -> Vec<(String, String)> {
        messages(&json!({ "messages": messages_ }))
            .into_iter()
            .map(|problem| (problem.property, problem.message))
            .collect()
    }

    fn text(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn a_call_has_one_to_five_messages() {
        let hi = text("hi");
        assert!(problems(&json!([hi])).is_empty());
        assert!(problems(&json!([hi, hi, hi, hi, hi])).is_empty());
        for wrong in [json!([]), json!([hi, hi, hi, hi, hi, hi]), Value::Null, json!("hi")] {
            assert_eq!(problems(&wrong)[0].0, "messages");
        }
    }

    #[test]
    fn a_text_is_counted_in_utf_16_units() {
        assert!(problems(&json!([text(&"🍎".repeat(2_500))])).is_empty());
        let long = problems(&json!([text("ok"), text(&format!("{}x", "🍎".repeat(2_500)))]));
        let expected = ("messages[1].text".into(), "Length must be between 0 and 5000".into());
        assert_eq!(long, [expected]);
        assert_eq!(problems(&json!([text("")]))[0].1, "May not be empty");
    }

    #[test]
    fn an_unknown_type_and_a_missing_field_are_named() {
        assert_eq!(problems(&json!([{ "type": "song" }]))[0].0, "messages[0]/type");
        let sticker = problems(&json!([{ "type": "sticker", "packageId": "446" }]));
        assert_eq!(sticker[0].0, "messages[0].stickerId");
    }

    #[test]
    fn a_quick_reply_has_at_most_13_buttons() {
        let item = json!({ "type": "action",
            "action": { "type": "message", "label": "yes", "text": "yes" } });
        let with = |count: usize| {
            let items = vec![item.clone(); count];
            json!([{ "type": "text", "text": "?", "quickReply": { "items": items } }])
        };
        assert!(problems(&with(13)).is_empty());
        assert_eq!(problems(&with(14))[0].0, "messages[0].quickReply.items");
    }
}
