//! Messages in the words of a script, for transcripts and for what came instead.

use serde_json::Value;

use super::pattern::Pattern;
pub(crate) use super::words::write_name;
use super::words::{write_line, write_quoted, write_text};

/// Writes what the bot has said as the expectation that only it meets.
pub(crate) fn bot_says(chat: &str, message: &Value) -> String {
    let start = format!("Bot → {}", write_name(chat));
    let object = &message["message"];
    let mut step = match (message["type"].as_str(), message["text"].as_str()) {
        (Some("text" | "textV2"), Some(text)) => {
            write_text(&format!("{start}:"), &Pattern::exactly(text))
        }
        (kind, _) => format!("{start} sends {}", kind.unwrap_or("unknown")),
    };
    for field in ["altText", "packageId", "stickerId", "title", "originalContentUrl"] {
        if let Some(value) = object[field].as_str() {
            step += &format!("\n  has $.{field} = {}", write_quoted(value));
        }
    }
    let labels = offered(object);
    if !labels.is_empty() {
        let labels: Vec<_> = labels.into_iter().map(write_name).collect();
        step += &format!("\n  offers {}", labels.join(", "));
    }
    if let Some(via) = message["via"].as_str() {
        step += &format!("\n  by {via}");
    }
    step
}

/// The labels of a message's quick replies.
pub(crate) fn offered(message: &Value) -> Vec<&str> {
    let items = message["quickReply"]["items"].as_array();
    items.into_iter().flatten().filter_map(|item| item["action"]["label"].as_str()).collect()
}

/// Writes what a user has said: LINE's message object; `source` is where the content of media is.
pub(crate) fn user_says(who: &str, message: &Value, source: &str) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    match text("type") {
        "text" => write_text(&format!("{who}:"), text("text")),
        "sticker" => format!("{who} sends sticker {} {}", text("packageId"), text("stickerId")),
        kind @ ("image" | "video" | "audio" | "file") => {
            let mut step = write_line(&format!("{who} sends {kind}"), source);
            if let Some(name) = message["fileName"].as_str() {
                step += &write_line("\n  named", name);
            }
            if let Some(duration) = message["duration"].as_u64() {
                step += &format!("\n  lasts {duration} ms");
            }
            step
        }
        _ => {
            let mut plain = message.clone();
            if let Some(plain) = plain.as_object_mut() {
                // These are given anew.
                plain.retain(|name, _| {
                    !matches!(
                        name.as_str(),
                        "id" | "quoteToken" | "markAsReadToken" | "quotedMessageId"
                    )
                });
            }
            format!("{who} sends {}", json(&plain))
        }
    }
}

/// Writes an object on one line in which nothing looks like a comment.
pub(crate) fn json(object: &Value) -> String {
    object.to_string().replace('#', "\\u0023")
}

/// Writes who acts, and where.
pub(crate) fn actor(user: &str, group: Option<&str>) -> String {
    match group {
        None => write_name(user),
        Some(group) => format!("{} in {}", write_name(user), write_name(group)),
    }
}

/// Writes that somebody edits a message.
pub(crate) fn edits(who: &str, which: &str, text: &str) -> String {
    write_text(&format!("{who} edits {which}:"), text)
}

/// Writes a postback.
pub(crate) fn posts_back(who: &str, postback: &Value) -> String {
    let data = postback["data"].as_str().unwrap_or_default();
    let mut step = write_line(&format!("{who} posts back"), data);
    if let Some(shown) = postback["displayText"].as_str() {
        step += &write_line("\n  shows", shown);
    }
    if postback["params"].is_object() {
        step += &format!("\n  params {}", json(&postback["params"]));
    }
    step
}

/// Writes an event as it is, without what is given anew.
pub(crate) fn causes(who: &str, event: &Value) -> String {
    const GIVEN: [&str; 6] =
        ["mode", "timestamp", "source", "webhookEventId", "deliveryContext", "replyToken"];
    let mut plain = event.clone();
    if let Some(plain) = plain.as_object_mut() {
        plain.retain(|name, _| !GIVEN.contains(&name.as_str()));
    }
    format!("{who} causes {}", json(&plain))
}
