//! The page: chats as on a phone, and beside them all that is sent both ways.

mod chat;
mod layout;
mod live;
mod log;
mod stickers;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use serde::Deserialize;

use self::words::Words;
use crate::platform::Platform;

/// Scripts and styles come from here only; a bot's pictures may come from anywhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: http: https:; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the page, what belongs to it, and its stream of updates.
pub(crate) fn router() -> Router<Arc<Platform>> {
    let asset = |kind: &'static str, body: &'static str| {
        get(async move || {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], body)
        })
    };
    Router::new()
        .route("/", get(page))
        .route("/events/{userId}", get(live::events))
        .route("/page.css", asset("text/css; charset=utf-8", include_str!("page/page.css")))
        .route("/page.js", asset("text/javascript; charset=utf-8", include_str!("page/page.js")))
        .route("/icon.svg", get(icon))
}

/// Says whose chat is shown, and in which language the page speaks.
#[derive(Debug, Deserialize)]
pub(crate) struct View {
    user: Option<String>,
    lang: Option<String>,
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
    let now = platform.now();
    let name = &platform.config.bot_name;
    let markup: Option<Markup> = platform.read(|memory| {
        let asked = view.user.as_deref().and_then(|user| memory.chats.get(user));
        let chat = asked.or_else(|| memory.chats.iter().next());
        chat.map(|chat| layout::page(memory, chat, &layout::Look { words, bot: name, now }))
    });
    match markup {
        Some(markup) => {
            let policy = (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
            ([policy, (header::CACHE_CONTROL, "no-store")], markup).into_response()
        }
        None => (StatusCode::NOT_FOUND, words.nobody).into_response(),
    }
}

async fn icon() -> Response {
    let svg = maud::html! { (stickers::mascot()) }.into_string();
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response()
}
