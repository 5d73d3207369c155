//! Examples of valid messages, and what is wrong when one value in them changes.

use serde_json::{Value, json};

/// The smallest valid message of each type, and one of each kind of template and container.
pub(super) fn examples() -> Vec<Value> {
    let picture = "https://example.com/a.png";
    let yes = json!({ "type": "message", "label": "yes", "text": "yes" });
    let template =
        |template: Value| json!({ "type": "template", "altText": "?", "template": template });
    let column = json!({ "text": "?", "actions": [yes] });
    let bubble = json!({ "type": "bubble",
        "body": { "type": "box", "layout": "vertical", "contents": [] } });
    let flex = |contents: Value| json!({ "type": "flex", "altText": "?", "contents": contents });
    let area = json!({ "x": 0, "y": 0, "width": 520, "height": 1_040 });
    vec![
        json!({ "type": "text", "text": "hi" }),
        json!({ "type": "textV2", "text": "hi" }),
        json!({ "type": "sticker", "packageId": "446", "stickerId": "1988" }),
        json!({ "type": "image", "originalContentUrl": picture, "previewImageUrl": picture }),
        json!({ "type": "video", "originalContentUrl": picture, "previewImageUrl": picture }),
        json!({ "type": "audio", "originalContentUrl": picture, "duration": 60_000 }),
        json!({ "type": "location", "title": "here", "address": "1-3 Kioicho",
            "latitude": 35.67966, "longitude": 139 }),
        json!({ "type": "imagemap", "baseUrl": picture, "altText": "?",
            "baseSize": { "width": 1_040, "height": 1_040 },
            "actions": [{ "type": "message", "text": "yes", "area": area }] }),
        template(json!({ "type": "buttons", "text": "?", "actions": [yes] })),
        template(json!({ "type": "confirm", "text": "?", "actions": [yes, yes] })),
        template(json!({ "type": "carousel", "columns": [column] })),
        template(json!({ "type": "image_carousel", "columns": [
            { "imageUrl": picture, "action": { "type": "message", "text": "yes" } }] })),
        flex(bubble.clone()),
        flex(json!({ "type": "carousel", "contents": [bubble] })),
        json!({ "type": "coupon", "couponId": "01JYNW8JMQVFBNWF1APF8Z3FS7" }),
    ]
}

/// Finds the example of a type; of templates and Flex Messages by the type of what they hold.
pub(super) fn example(kind: &str) -> Value {
    let found = examples().into_iter().find(|message| {
        let kinds = [&message["type"], &message["template"]["type"], &message["contents"]["type"]];
        kinds.iter().any(|this| **this == kind)
    });
    found.expect("there is an example of each type")
}

/// An example with one button for a quick reply.
pub(super) fn with_quick_reply(action: &Value) -> Value {
    let items = json!([{ "type": "action", "action": action }]);
    with(&example("text"), "/quickReply", json!({ "items": items }))
}

/// A Flex Message with one bubble that has this in its body.
pub(super) fn with_component(component: &Value) -> Value {
    with(&example("bubble"), "/contents/body/contents", json!([component]))
}

/// Changes or adds one value; its parent is there already.
pub(super) fn with(message: &Value, pointer: &str, value: impl Into<Value>) -> Value {
    let mut message = message.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("starts with a slash");
    let parent = message.pointer_mut(parent).expect("the parent is there");
    match name.parse::<usize>() {
        Ok(at) if parent.is_array() => parent[at] = value.into(),
        _ => parent[name] = value.into(),
    }
    message
}

/// Leaves one value out.
pub(super) fn without(message: &Value, pointer: &str) -> Value {
    let mut message = message.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("starts with a slash");
    let parent = message.pointer_mut(parent).expect("the parent is there");
    parent.as_object_mut().expect("is an object").remove(name);
    message
}

/// Tells what is wrong with a message, each with its place and its text.
pub(super) fn problems(message: &Value) -> Vec<(String, String)> {
    let problems = super::messages(&json!({ "messages": [message] }));
    problems.into_iter().map(|problem| (problem.property, problem.message)).collect()
}

/// Asserts that a message is valid.
pub(super) fn assert_valid(message: &Value) {
    assert_eq!(problems(message), [], "{message}");
}

/// Asserts that a message has exactly one fault, at the pointed place.
pub(super) fn assert_wrong(message: &Value, pointer: &str) {
    let properties: Vec<String> = problems(message).into_iter().map(|(place, _)| place).collect();
    assert_eq!(properties, [property(pointer)], "{message}");
}

/// Asserts that the first value is still taken and the second is not.
pub(super) fn assert_limit(
    message: &Value,
    pointer: &str,
    right: impl Into<Value>,
    wrong: impl Into<Value>,
) {
    assert_valid(&with(message, pointer, right));
    assert_wrong(&with(message, pointer, wrong), pointer);
}

/// Writes a JSON pointer into a message as LINE writes the place.
fn property(pointer: &str) -> String {
    let mut property = "messages[0]".to_owned();
    for part in pointer.split('/').skip(1) {
        let index = part.bytes().all(|b| b.is_ascii_digit());
        property += &if index { format!("[{part}]") } else { format!(".{part}") };
    }
    property
}

/// A text of so many letters.
pub(super) fn letters(count: usize) -> String {
    "x".repeat(count)
}

/// A text of so many grapheme clusters, each of five characters.
pub(super) fn families(count: usize) -> String {
    "👨\u{200d}👩\u{200d}👧".repeat(count)
}

/// An address of so many characters.
pub(super) fn url(length: usize) -> String {
    format!("{:x<length$}", "https://example.com/")
}
