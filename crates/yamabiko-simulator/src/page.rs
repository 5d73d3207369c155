//! The page: chats as on a phone, and beside them all that is sent both ways.

mod assets;
mod chat;
mod composer;
mod content;
mod dialogs;
mod faults;
mod flex;
mod imagemap;
mod layout;
mod live;
mod log;
mod look;
mod media;
mod parts;
mod people;
mod rules;
mod stickers;
mod template;
mod text;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use serde::Deserialize;

use self::look::Look;
use self::words::Words;
use crate::platform::Platform;

/// Scripts and styles come from here only; what a bot shows may come from anywhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: http: https:; \
     media-src 'self' blob: http: https:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the page, what belongs to it, and its stream of updates.
pub(crate) fn router() -> Router<Arc<Platform>> {
    assets::router()
        .route("/", get(page))
        .route("/events/{chatId}", get(live::events))
        .route("/media/{messageId}", get(media::media))
}

/// Says whose chat is shown, and in which language the page speaks.
#[derive(Debug, Deserialize)]
pub(crate) struct View {
    /// The chat: a user's, a group's or a room's.
    user: Option<String>,
    /// The member of a group who speaks.
    #[serde(rename = "as")]
    speaker: Option<String>,
    lang: Option<String>,
    /// How many messages are shown at first.
    shown: Option<usize>,
}

impl View {
    /// The language that was asked for by the address, else by the browser.
    fn words(&self, headers: &HeaderMap) -> &'static Words {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        words::choose(self.lang.as_deref(), accepted)
    }
}

async fn page(
    State(platform): State<Arc<Platform>>,
    Query(view): Query<View>,
    headers: HeaderMap,
) -> Response {
    let words = view.words(&headers);
    let shown = view.shown.unwrap_or(layout::SHOWN);
    let markup: Option<Markup> = platform.read(|memory| {
        let asked = view.user.as_deref().and_then(|user| memory.chats.get(user));
        let chat = asked.or_else(|| memory.chats.iter().next())?;
        let look = Look::new(&platform, memory, chat, view.speaker.as_deref(), words);
        Some(layout::page(memory, shown, &look))
    });
    match markup {
        Some(markup) => {
            let policy = (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
            ([policy, (header::CACHE_CONTROL, "no-store")], markup).into_response()
        }
        None => (StatusCode::NOT_FOUND, words.nobody).into_response(),
    }
}
