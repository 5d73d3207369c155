//! The control API for scripts and tests; `docs/simulator.md` describes it.

mod answer;
mod chats;
mod openapi;
mod people;
mod rules;
mod script;
mod webhooks;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::{delete, get, post, put};
use serde_json::{Value, json};

use self::answer::Seen;
pub(crate) use self::people::greet_all;
use crate::chats::Kind;
use crate::platform::Platform;

/// Serves the control API.
pub(crate) fn router() -> Router<Arc<Platform>> {
    Router::new()
        .route("/control/status", get(status))
        .route("/control/users", get(people::users).post(people::add_user))
        .route("/control/groups", get(people::groups).post(people::add_group))
        .route("/control/chats/{chatId}", get(chats::chat))
        .route("/control/chats/{chatId}/messages", post(chats::say))
        .route("/control/chats/{chatId}/messages/{messageId}", put(chats::edit))
        .route(
            "/control/chats/{chatId}/media",
            post(chats::send_media).layer(DefaultBodyLimit::max(chats::MAX_MEDIA)),
        )
        .route("/control/chats/{chatId}/events", post(chats::happen))
        .route("/control/chats/{chatId}/mode", put(chats::set_mode))
        .route("/control/chats/{chatId}/transcript", get(script::transcript))
        .route("/control/script", post(script::play))
        .route("/control/openapi.json", get(openapi::document))
        .route("/control/ledger", get(ledger))
        .route("/control/log", get(log))
        .route("/control/webhooks/raw", post(webhooks::raw))
        .route("/control/webhooks/{webhookEventId}/redeliver", post(webhooks::redeliver))
        .route(
            "/control/faults",
            get(rules::faults).post(rules::add_fault).delete(rules::clear_faults),
        )
        .route("/control/access-tokens", delete(rules::end_access_tokens))
        .route("/control/settings", get(rules::settings).post(rules::set_settings))
        .route("/control/clock", get(rules::clock).post(rules::set_clock))
        .route("/control/reset", post(reset))
}

async fn status(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let now = platform.now();
    platform.read(|memory| {
        Json(json!({
            "now": now,
            "botUrl": memory.bot_url,
            "botUserId": platform.bot_id,
            "users": memory.chats.iter().filter(|chat| chat.kind == Kind::User).count(),
            "groups": memory.chats.iter().filter(|chat| chat.kind != Kind::User).count(),
            "log": memory.log.count(),
            "pushesThisMonth": memory.quota.used(now),
            "settings": memory.settings,
            "faults": memory.faults.list(),
        }))
    })
}

async fn ledger(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.read(|memory| Json(json!({ "messages": memory.chats.ledger() })))
}

async fn log(
    State(platform): State<Arc<Platform>>,
    Query(Seen { after, wait_ms }): Query<Seen>,
) -> Json<Value> {
    answer::wait(&platform, wait_ms, |memory| memory.log.count() > after).await;
    platform.read(|memory| {
        let newer = memory.log.iter().filter(|entry| entry.n > after);
        let entries: Vec<Value> = newer.map(crate::log::Entry::to_json).collect();
        Json(json!({ "entries": entries, "count": memory.log.count() }))
    })
}

async fn reset(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.reset();
    Json(json!({}))
}
