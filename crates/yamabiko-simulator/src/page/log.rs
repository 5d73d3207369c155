//! The log beside the chat: one line for each request, its JSON within.

use maud::{Markup, html};
use serde_json::Value;

use super::look::Look;
use super::words::Words;
use crate::log::{Direction, Entry};
use crate::platform::Memory;

/// Draws an entry; it opens to what was asked and answered.
pub(crate) fn entry(memory: &Memory, entry: &Entry, look: &Look<'_>) -> Markup {
    let words = look.words;
    let (class, arrow) = match entry.direction {
        Direction::Webhook => ("webhook", "→"),
        Direction::Api => ("api", "←"),
    };
    let state = match (entry.status, entry.reason) {
        (Some(200..=299), None) => "good",
        (Some(409), _) => "fair",
        (None, None) => "open",
        _ => "bad",
    };
    html! {
        details #{ "l-" (entry.n) } .entry .(class) .(state) .here[is_here(memory, entry, look)]
            .cut[entry.status.is_none() && entry.reason.is_some()]
            data-into="log" data-testid="log-entry" data-direction=(class) data-status=[entry.status] {
            summary {
                span.arrow aria-hidden="true" { (arrow) }
                span.what title=(entry.what) { (short(&entry.what)) }
                @if entry.redelivery { span.tag { (words.redelivery) } }
                @if let Some(status) = entry.status { span.status { (status) } }
                @else if let Some(reason) = entry.reason { span.status { (told(reason, words)) } }
                @else { span.status { (words.waiting) } }
                @if let Some(duration) = entry.duration_ms.filter(|_| entry.reason != Some("lost")) {
                    span.duration .slow[duration >= 1_000] { (duration) " ms" }
                }
                time data-at=(entry.at) data-seconds {}
            }
            div.bodies {
                @if let Some(id) = &entry.request_id { p.id { "x-line-request-id: " (id) } }
                @if let Some(id) = &entry.webhook_event_id {
                    p.id { "webhookEventId: " (id) }
                    button type="button" data-do="redeliver" data-event-id=(id)
                        data-testid="redeliver" { (words.again) }
                }
                @if entry.direction == Direction::Webhook {
                    button type="button" data-do="replay" data-testid="replay" { (words.replay) }
                }
                (body(words.request, &entry.request))
                (body(words.response, &entry.response))
            }
        }
    }
}

/// Says what went wrong on purpose in the reader's language; LINE's own words stay as they are.
fn told(reason: &'static str, words: &Words) -> &'static str {
    match reason {
        "lost" => words.lost,
        "connection reset" => words.connection_reset,
        "answer withheld" => words.withheld,
        reason => reason,
    }
}

/// Leaves out what all calls have in common.
fn short(what: &str) -> String {
    what.replacen("/v2/bot/", "", 1)
}

fn body(title: &str, body: &str) -> Markup {
    let pretty = serde_json::from_str::<Value>(body)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    html! {
        @if !body.is_empty() {
            h3 { (title) }
            pre { (pretty.as_deref().unwrap_or(body)) }
        }
    }
}

/// Tells whether an entry is about the chat that is open.
fn is_here(memory: &Memory, entry: &Entry, look: &Look<'_>) -> bool {
    let id = look.chat.id.as_str();
    let is_said = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit()) && look.chat.message(part).is_some()
    };
    if entry.what.contains(id) || entry.what.split('/').any(is_said) {
        return true;
    }
    let request: Value = serde_json::from_str(&entry.request).unwrap_or_default();
    match entry.direction {
        Direction::Webhook => is_of(&request, id),
        Direction::Api => match &request["to"] {
            Value::String(to) => to == id,
            Value::Array(all) => all.iter().any(|to| to == id),
            _ if request["chatId"] == id => true,
            _ => {
                let token = request["replyToken"].as_str().filter(|token| !token.is_empty());
                token.is_some_and(|token| answers(memory, entry, token, id))
            }
        },
    }
}

/// Tells whether a webhook's events come from a chat.
fn is_of(webhook: &Value, id: &str) -> bool {
    let events = webhook["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    events.iter().any(|event| {
        let source = &event["source"];
        let of = match source["type"].as_str() {
            Some("group") => &source["groupId"],
            Some("room") => &source["roomId"],
            _ => &source["userId"],
        };
        of == id
    })
}

/// Tells whether a reply's token came with a webhook of a chat: one of the last thousand before it.
fn answers(memory: &Memory, entry: &Entry, token: &str, id: &str) -> bool {
    let before = memory.log.iter().rev().skip_while(|other| other.n >= entry.n).take(1_000);
    let webhook = before
        .filter(|other| other.direction == Direction::Webhook)
        .find(|other| other.request.contains(token));
    webhook.is_some_and(|webhook| {
        serde_json::from_str(&webhook.request).is_ok_and(|webhook: Value| is_of(&webhook, id))
    })
}
