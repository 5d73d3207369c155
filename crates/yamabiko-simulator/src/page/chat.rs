//! One chat: bubbles, quotes, quick replies, the loading animation.

use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::look::{Look, sender_field, web};
use super::parts::{Tap, icon};
use super::{content, people, stickers};
use crate::chats::Message;

/// Draws a message where it belongs: one's own at the right, all others' at the left.
pub(crate) fn message(message: &Message, look: &Look<'_>) -> Markup {
    let from = if message.is_from_bot() { "bot" } else { "user" };
    let mine = look.is_mine(message);
    let side = if mine { "mine" } else { "theirs" };
    let plain = !message.unsent && content::is_plain(message);
    html! {
        li #{ "m-" (message.id) } .message .(side) .unsent[message.unsent] .wide[content::is_wide(message)]
            data-into="messages" data-testid="message" data-from=(from) data-who=(look.name_of(message))
            data-sender=[message.sender.as_deref()] data-message-id=(message.id)
            data-via=(message.via.word()) data-type=(message.kind()) data-at=(message.at) {
            @if !mine { (avatar(message, look)) }
            div.said {
                @if !mine { span.name data-testid="sender" { (look.name_of(message)) } }
                div.line {
                    div.bubble .plain[plain] {
                        @if let Some(quoted) = &message.quoted_message_id { (quote(quoted, look)) }
                        (content::content(message, look))
                    }
                    (meta(message, look))
                    @if !message.unsent { (actions(message, mine, look)) }
                }
            }
        }
    }
}

fn avatar(message: &Message, look: &Look<'_>) -> Markup {
    let user = message.sender.as_deref().and_then(|id| look.chats.user(id));
    html! {
        @if let Some(user) = user { (people::face(user)) }
        @else if let Some(url) = sender_field(message, "iconUrl").and_then(web) {
            img.avatar.own src=(url) alt="" data-testid="sender-icon";
        } @else { span.avatar aria-hidden="true" { (stickers::mascot()) } }
    }
}

fn meta(message: &Message, look: &Look<'_>) -> Markup {
    html! {
        div.meta {
            @if message.edited { span.edited data-testid="edited" { (look.words.edited) } }
            @if message.read { span.read data-testid="read" { (look.words.read) } }
            @if message.is_from_bot() { span.via { (message.via.word()) } }
            time data-at=(message.at) {}
        }
    }
}

fn actions(message: &Message, mine: bool, look: &Look<'_>) -> Markup {
    let words = look.words;
    let action = |deed: &str, label: &str, path: &str| {
        html! {
            button type="button" data-do=(deed) data-id=(message.id) title=(label) aria-label=(label)
                data-testid={ "message-" (deed) } { (icon(path)) }
        }
    };
    html! {
        div.actions {
            (action("quote", words.quote, "M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6v1"))
            @if mine && look.in_group() && message.kind() == "text" {
                (action("edit", words.edit, "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4"))
            }
            @if mine {
                (action("unsend", words.unsend, "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"))
            }
        }
    }
}

fn quote(id: &str, look: &Look<'_>) -> Markup {
    let quoted = look.chat.message(id);
    html! {
        a.quote data-testid="quote" data-quoted-id=(id) href={ "#m-" (id) } {
            @if let Some(message) = quoted {
                span.who { (look.name_of(message)) }
                span.what { (summary(message, look)) }
            } @else { span.what { "…" } }
        }
    }
}

/// Says a message in one line.
pub(crate) fn summary<'a>(message: &'a Message, look: &'a Look<'_>) -> &'a str {
    let words = look.words;
    let field = |name: &str| message.content.get(name).and_then(Value::as_str);
    match message.kind() {
        _ if message.unsent => words.unsent,
        "sticker" => words.sticker,
        "image" => words.picture,
        "video" => words.video,
        "audio" => words.audio,
        "file" => field("fileName").unwrap_or(words.file),
        "location" => field("title").unwrap_or(words.location),
        kind => message.text().or_else(|| field("altText")).unwrap_or(kind),
    }
}

/// Draws the buttons of the last message; empty if it has none.
pub(crate) fn quick_replies(look: &Look<'_>) -> Markup {
    let last = look.chat.messages.back().filter(|message| message.is_from_bot());
    let items =
        last.and_then(|message| message.content.get("quickReply")?.get("items")?.as_array());
    html! {
        div #quick .quick {
            @for item in items.into_iter().flatten() {
                @let tap = Tap::of(&item["action"]);
                button type="button" data-do=[tap.deed] data-action=[tap.action]
                    data-testid="quick-reply" data-kind=[item["action"]["type"].as_str()] {
                    @if let Some(url) = item["imageUrl"].as_str().and_then(web) { img src=(url) alt=""; }
                    (tap.label.unwrap_or_default())
                }
            }
        }
    }
}

/// Draws the dots of the loading animation, if it runs.
pub(crate) fn loading(look: &Look<'_>) -> Markup {
    let runs = look.chat.loading(look.now).is_some();
    html! {
        div #loading .loading hidden[!runs] data-testid="loading" role="status" {
            span.avatar aria-hidden="true" { (stickers::mascot()) }
            span.dots title={ (look.bot) " " (look.words.typing) } {
                (PreEscaped("<i></i><i></i><i></i>"))
            }
            span.typing { (look.words.typing) "…" }
        }
    }
}
