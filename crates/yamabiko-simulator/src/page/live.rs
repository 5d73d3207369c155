//! The stream of updates: what changed since the page last heard, drawn as it shall stand there.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use maud::html;
use serde::Deserialize;
use tokio::sync::watch;

use super::look::Look;
use super::words::Words;
use super::{View, chat, faults, layout, log, people, rules};
use crate::platform::{Memory, Platform};

/// Changes within this time come in one update.
const GATHER: Duration = Duration::from_millis(30);
/// Without a change, the page is looked after so often.
const IDLE: Duration = Duration::from_secs(60);
/// Most log entries of one update; a page that is far behind need not see all.
const MOST_ENTRIES: usize = 100;

/// Says what the page has: `epoch-revision`.
#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    after: String,
}

/// Streams the updates of one chat's page.
pub(crate) async fn events(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
    Query(Since { after }): Query<Since>,
    Query(view): Query<View>,
    headers: HeaderMap,
) -> Response {
    if platform.read(|memory| memory.chats.get(&chat_id).is_none()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    // A browser that connects anew says itself what it had last.
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let cursor = last.unwrap_or(&after);
    let (epoch, revision) = cursor.split_once('-').unwrap_or((cursor, ""));
    let live = Live {
        changes: platform.changes(),
        words: view.words(&headers),
        speaker: view.speaker,
        epoch: epoch.to_owned(),
        revision: revision.parse().unwrap_or(0),
        loading: None,
        chat_id,
        platform,
    };
    let updates = stream::unfold(live, async |mut live| {
        let event = live.next().await;
        Some((Ok::<_, Infallible>(event), live))
    });
    Sse::new(updates).keep_alive(KeepAlive::default()).into_response()
}

/// Is one open page.
struct Live {
    platform: Arc<Platform>,
    changes: watch::Receiver<u64>,
    chat_id: String,
    /// The member of a group who speaks.
    speaker: Option<String>,
    words: &'static Words,
    epoch: String,
    revision: u64,
    /// Whether the page shows the loading animation; not known at first.
    loading: Option<bool>,
}

impl Live {
    /// Waits for something that the page does not show yet.
    async fn next(&mut self) -> Event {
        loop {
            self.changes.mark_unchanged();
            let platform = Arc::clone(&self.platform);
            let (event, wait) = platform.read(|memory| self.look(&platform, memory));
            if let Some(event) = event {
                return event;
            }
            // The end of the waiting time is a reason to look, too: the animation may be over.
            if let Ok(Ok(())) = tokio::time::timeout(wait, self.changes.changed()).await {
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    /// Draws what is new; else says how long nothing can be new but by a change.
    fn look(&mut self, platform: &Platform, memory: &Memory) -> (Option<Event>, Duration) {
        let current = memory.chats.get(&self.chat_id).filter(|_| memory.epoch == self.epoch);
        let Some(current) = current else {
            // The simulator began anew: so does the page. It gets a new stream then.
            // A browser drops events without data.
            self.epoch.clone_from(&memory.epoch);
            return (Some(Event::default().event("reload").data("new")), IDLE);
        };
        let speaker = self.speaker.as_deref();
        let look = Look::new(platform, memory, current, speaker, self.words);
        let since = self.revision;
        let until = current.loading(look.now);
        let loading_changed = self.loading != Some(until.is_some());
        self.loading = Some(until.is_some());
        self.revision = memory.revision();

        let entries: Vec<_> =
            memory.log.iter().rev().filter(|entry| entry.revision > since).collect();
        let changed = current.revision > since;
        let html = html! {
            @for message in current.messages.iter().filter(|message| message.revision > since) {
                (chat::message(message, &look))
            }
            @if changed || loading_changed { (chat::loading(&look)) }
            @if changed {
                (chat::quick_replies(&look))
                (people::title(&look))
                (people::friendship(&look))
                (people::members(&look))
                (people::speaker(&look))
                (people::mentions(&look))
            }
            @for one in memory.chats.iter().filter(|one| one.revision > since) {
                (people::entry(one, &look))
            }
            @for entry in entries.iter().take(MOST_ENTRIES).rev() { (log::entry(memory, entry, &look)) }
            @if self.revision > since {
                (layout::status(memory, &look))
                (rules::left(memory, &look))
                (rules::now(&look))
                (rules::pace(&look))
                (rules::speed(&look))
                (faults::on(memory, &look))
            }
        };
        let now = look.now;
        let html = html.into_string();
        let event = (!html.is_empty()).then(|| {
            // A stream of events cannot carry this character.
            let html = html.replace('\r', "");
            let cursor = format!("{}-{}", self.epoch, self.revision);
            Event::default().event("update").id(cursor).data(html)
        });
        let left = until.and_then(|until| u64::try_from(until - now).ok());
        let left = left.and_then(|left| self.platform.clock.real(Duration::from_millis(left)));
        (event, left.unwrap_or(IDLE).min(IDLE))
    }
}
