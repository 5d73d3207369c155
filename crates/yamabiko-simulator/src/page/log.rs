//! The log beside the chat: one line for each request, its JSON within.

use maud::{Markup, html};

use super::words::Words;
use crate::log::{Direction, Entry};

/// Draws an entry; it opens to what was asked and answered.
pub(crate) fn entry(entry: &Entry, words: &Words) -> Markup {
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
    let redeliver = entry.webhook_event_id.as_deref();
    html! {
        details #{ "l-" (entry.n) } .entry .(class) .(state) data-into="log" data-testid="log-entry"
            data-direction=(class) data-status=[entry.status] {
            summary {
                span.arrow aria-hidden="true" { (arrow) }
                span.what title=(entry.what) { (short(&entry.what)) }
                @if entry.redelivery { span.tag { (words.redelivery) } }
                @if let Some(status) = entry.status { span.status { (status) } }
                @else if let Some(reason) = entry.reason { span.status { (reason) } }
                @else { span.status { (words.waiting) } }
                @if let Some(duration) = entry.duration_ms {
                    span.duration .slow[duration >= 1_000] { (duration) " ms" }
                }
                time data-at=(entry.at) data-seconds {}
            }
            div.bodies {
                @if let Some(id) = &entry.request_id { p.id { "x-line-request-id: " (id) } }
                @if let Some(id) = redeliver {
                    p.id { "webhookEventId: " (id) }
                    button type="button" data-redeliver=(id) { (words.again) }
                }
                (body(words.request, &entry.request))
                (body(words.response, &entry.response))
            }
        }
    }
}

/// Leaves out what all calls have in common.
fn short(what: &str) -> String {
    what.replacen("/v2/bot/", "", 1)
}

fn body(title: &str, body: &str) -> Markup {
    let pretty = serde_json::from_str::<serde_json::Value>(body)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    html! {
        @if !body.is_empty() {
            h3 { (title) }
            pre { (pretty.as_deref().unwrap_or(body)) }
        }
    }
}
