//! One chat: bubbles, quotes, quick replies, the loading animation.

use maud::{Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::layout::Look;
use super::stickers;
use crate::chats::{Chat, Message};

/// Draws a message where it belongs: the user's at the right, the bot's at the left.
pub(crate) fn message(chat: &Chat, message: &Message, look: &Look<'_>) -> Markup {
    let from = if message.is_from_bot() { "bot" } else { "user" };
    let plain = matches!(message.kind(), "sticker" | "image") && !message.unsent;
    let words = look.words;
    html! {
        li #{ "m-" (message.id) } .message .(from) .unsent[message.unsent] data-into="messages"
            data-testid="message" data-from=(from) data-message-id=(message.id)
            data-via=(message.via.word()) data-type=(message.kind()) data-at=(message.at) {
            @if message.is_from_bot() { span.avatar aria-hidden="true" { (stickers::mascot()) } }
            div.said {
                @if message.is_from_bot() { span.name { (look.bot) } }
                div.line {
                    div.bubble .plain[plain] {
                        @if let Some(quoted) = &message.quoted_message_id {
                            (quote(chat, quoted, look))
                        }
                        (content(message, look))
                    }
                    div.meta {
                        @if message.read { span.read { (words.read) } }
                        @if message.is_from_bot() { span.via { (message.via.word()) } }
                        time data-at=(message.at) {}
                    }
                    @if !message.unsent {
                        div.actions {
                            button type="button" data-quote=(message.id) title=(words.quote)
                                aria-label=(words.quote) { (icon("M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6v1")) }
                            @if !message.is_from_bot() {
                                button type="button" data-unsend=(message.id) title=(words.unsend)
                                    aria-label=(words.unsend) { (icon("M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Draws a small line picture.
pub(crate) fn icon(path: &str) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" aria-hidden="true" { path d=(path) {} }
    }
}

fn quote(chat: &Chat, id: &str, look: &Look<'_>) -> Markup {
    let quoted = chat.message(id);
    let who = match quoted {
        Some(message) if message.is_from_bot() => look.bot,
        _ => &chat.name,
    };
    html! {
        a.quote data-testid="quote" data-quoted-id=(id) href={ "#m-" (id) } {
            span.who { (who) }
            span.what { @if let Some(message) = quoted { (summary(message, look)) } @else { "…" } }
        }
    }
}

/// Says a message in one line.
pub(crate) fn summary<'a>(message: &'a Message, look: &'a Look<'_>) -> &'a str {
    let alt = message.content.get("altText").and_then(Value::as_str);
    match message.kind() {
        _ if message.unsent => look.words.unsent,
        "sticker" => look.words.sticker,
        "image" => look.words.picture,
        kind => message.text().or(alt).unwrap_or(kind),
    }
}

fn content(message: &Message, look: &Look<'_>) -> Markup {
    let field = |name: &str| message.content.get(name).and_then(Value::as_str).unwrap_or_default();
    if message.unsent {
        return html! { span.text { (look.words.unsent) } };
    }
    match message.kind() {
        "text" | "textV2" => html! { span.text data-testid="text" { (field("text")) } },
        "sticker" => html! {
            span.sticker data-sticker-id=(field("stickerId")) {
                (stickers::art(field("packageId"), field("stickerId")))
            }
        },
        "image" if !field("previewImageUrl").is_empty() => html! {
            a.picture href=(field("originalContentUrl")) target="_blank" rel="noreferrer" {
                img src=(field("previewImageUrl")) alt=(look.words.picture) loading="lazy";
            }
        },
        kind => html! {
            span.text { (summary(message, look)) }
            details.json { summary { (kind) } pre { (pretty(&message.content)) } }
        },
    }
}

fn pretty(content: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(content).unwrap_or_default()
}

/// Draws the buttons of the last message; empty if it has none.
pub(crate) fn quick_replies(chat: &Chat) -> Markup {
    let last = chat.messages.back().filter(|message| message.is_from_bot());
    let items =
        last.and_then(|message| message.content.get("quickReply")?.get("items")?.as_array());
    html! {
        div #quick .quick {
            @for item in items.into_iter().flatten() {
                @let action = &item["action"];
                @let kind = action["type"].as_str().unwrap_or_default();
                button type="button" data-testid="quick-reply" data-action=(action)
                    disabled[!matches!(kind, "message" | "postback" | "uri" | "clipboard")] {
                    (action["label"].as_str().unwrap_or_default())
                }
            }
        }
    }
}

/// Draws the dots of the loading animation, if it runs.
pub(crate) fn loading(chat: &Chat, look: &Look<'_>) -> Markup {
    let runs = chat.loading(look.now).is_some();
    html! {
        div #loading .loading hidden[!runs] data-testid="loading" role="status" {
            span.avatar aria-hidden="true" { (stickers::mascot()) }
            span.dots title={ (look.bot) " " (look.words.typing) } {
                (PreEscaped("<i></i><i></i><i></i>"))
            }
        }
    }
}
