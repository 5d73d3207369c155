//! What a message says, by its type.

use maud::{Markup, html};
use serde_json::Value;

use super::look::{Look, web};
use super::{flex, imagemap, parts, stickers, template, text};
use crate::chats::{Message, kind};

/// Tells whether a message stands by itself, without a bubble around it.
pub(crate) fn is_plain(message: &Message) -> bool {
    let known = ["sticker", "image", "video", "flex", "template", "imagemap"];
    known.contains(&message.kind())
}

/// Tells whether a message may be as wide as the chat.
pub(crate) fn is_wide(message: &Message) -> bool {
    matches!(message.kind(), "flex" | "template")
}

/// Draws what a message says.
pub(crate) fn content(message: &Message, look: &Look<'_>) -> Markup {
    let field = |name: &str| message.content.get(name).and_then(Value::as_str).unwrap_or_default();
    let words = look.words;
    if message.unsent {
        return html! { span.text { (words.unsent) } };
    }
    match message.kind() {
        "text" => html! { span.text data-testid="text" { (text::plain(&message.content)) } },
        "textV2" => html! { span.text data-testid="text" { (text::v2(&message.content, look)) } },
        "sticker" => html! {
            span.sticker data-testid="sticker" data-sticker-id=(field("stickerId")) {
                (stickers::art(field("packageId"), field("stickerId")))
            }
        },
        "image" | "video" | "audio" => media(message, look),
        "file" => html! {
            a.file href={ "/media/" (message.id) } download=(field("fileName")) data-testid="file" {
                span.name { (field("fileName")) }
                span.hint { (size(message.content.get("fileSize"))) }
            }
        },
        "location" => location(message, look),
        "imagemap" => imagemap::imagemap(&message.content),
        "flex" => flex::flex(&message.content),
        "template" => template::template(&message.content, look),
        kind => html! {
            span.text { (super::chat::summary(message, look)) }
            (parts::json(kind, &Value::Object(message.content.clone())))
        },
    }
}

/// A picture, a video or an audio: a user's own, or one that the bot names an address of.
fn media(message: &Message, look: &Look<'_>) -> Markup {
    let given = |name: &str| message.content.get(name).and_then(Value::as_str).and_then(web);
    let own = (!message.is_from_bot()).then(|| format!("/media/{}", message.id));
    let original = own.as_deref().or_else(|| given("originalContentUrl"));
    let Some(original) = original else {
        return parts::json(message.kind(), &Value::Object(message.content.clone()));
    };
    let preview = own.as_deref().or_else(|| given("previewImageUrl")).unwrap_or(original);
    let tracking = message.content.get("trackingId").and_then(Value::as_str);
    match kind(&message.content) {
        "image" => html! {
            a.picture href=(original) target="_blank" rel="noreferrer" data-testid="picture" {
                img src=(preview) alt=(look.words.picture) loading="lazy";
            }
        },
        "video" => html! {
            video.film src=(original) poster=[own.is_none().then_some(preview)] controls preload="none"
                playsinline data-tracking=[tracking] data-testid="video" aria-label=(look.words.video) {}
            @if let Some(tracking) = tracking {
                button.watched type="button" data-do="watched" data-tracking=(tracking)
                    data-testid="video-complete" { (look.words.watched) }
            }
        },
        _ => html! {
            audio.sound src=(original) controls preload="none" data-testid="audio"
                aria-label=(look.words.audio) {}
        },
    }
}

fn location(message: &Message, look: &Look<'_>) -> Markup {
    let content = &message.content;
    let field = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
    let degree = |name: &str| content.get(name).and_then(Value::as_f64).unwrap_or_default();
    let (north, east) = (degree("latitude"), degree("longitude"));
    let map = format!("https://www.openstreetmap.org/?mlat={north}&mlon={east}&zoom=15");
    html! {
        div.location data-testid="location" {
            div.map aria-hidden="true" { (parts::icon("M12 21q7-7 7-12a7 7 0 0 0-14 0q0 5 7 12zM12 9h.010")) }
            b { (field("title")) }
            span { (field("address")) }
            a.hint href=(map) target="_blank" rel="noreferrer" title=(look.words.map) { (north) ", " (east) }
        }
    }
}

fn size(bytes: Option<&Value>) -> String {
    match bytes.and_then(Value::as_u64).unwrap_or_default() {
        bytes @ 0..1_024 => format!("{bytes} B"),
        bytes @ 1_024..1_048_576 => format!("{} KB", bytes / 1_024),
        bytes => format!("{} MB", bytes / 1_048_576),
    }
}
