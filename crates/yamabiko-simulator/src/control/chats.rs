//! Users and their chats: who there is, what they do, what they see.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Input, Refused};
use crate::chats::{Chat, Message};
use crate::config::NewUser;
use crate::id;
use crate::platform::Platform;
use crate::webhook::Sent;

/// A long poll lasts at most so long.
const MAX_WAIT_MS: u64 = 60_000;

/// Lists the users.
pub(crate) async fn users(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.read(|memory| {
        let users: Vec<Value> = memory.chats.iter().map(Chat::user_json).collect();
        Json(json!({ "users": users }))
    })
}

/// Adds a user, who is a friend of the bot.
pub(crate) async fn add_user(
    State(platform): State<Arc<Platform>>,
    Input(user): Input<NewUser>,
) -> Result<Json<Value>, Refused> {
    if user.user_id.as_deref().is_some_and(|given| !id::is_user(given)) {
        let message = "userId must be U and 32 lower case hexadecimal digits";
        return Err(Refused(StatusCode::BAD_REQUEST, message.into()));
    }
    if user.display_name.is_empty() {
        return Err(Refused(StatusCode::BAD_REQUEST, "displayName may not be empty".into()));
    }
    let user = platform.update(|memory| memory.add_user(user).map(|chat| chat.user_json()));
    let taken = || Refused(StatusCode::CONFLICT, "userId is taken".into());
    let user = user.ok_or_else(taken)?;
    if platform.config.greet {
        greet(&platform, user["userId"].as_str().unwrap_or_default());
    }
    Ok(Json(user))
}

/// Tells the bot of all users that they follow it.
pub(crate) fn greet_all(platform: &Arc<Platform>) {
    let ids: Vec<String> =
        platform.read(|memory| memory.chats.iter().map(|chat| chat.id.clone()).collect());
    for id in ids {
        greet(platform, &id);
    }
}

fn greet(platform: &Arc<Platform>, user_id: &str) {
    let mut event = Map::new();
    event.insert("type".into(), "follow".into());
    event.insert("follow".into(), json!({ "isUnblocked": false }));
    // The user was made a moment ago; if a reset was faster, there is nobody to greet.
    platform.happen(user_id, event).ok();
}

/// Asks for a chat as it is, or as soon as it has more than `after` messages.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

/// Shows a chat; with `wait_ms`, as soon as it has more than `after` messages.
pub(crate) async fn chat(
    State(platform): State<Arc<Platform>>,
    Path(user_id): Path<String>,
    Query(Seen { after, wait_ms }): Query<Seen>,
) -> Result<Json<Value>, Refused> {
    let mut changes = platform.changes();
    let more = async {
        let has_more =
            || platform.read(|memory| memory.chats.get(&user_id).is_none_or(|c| c.count > after));
        while !has_more() && changes.changed().await.is_ok() {}
    };
    if wait_ms > 0 {
        // When the time is over, the chat is shown as it is.
        tokio::time::timeout(Duration::from_millis(wait_ms.min(MAX_WAIT_MS)), more).await.ok();
    }
    let now = platform.now();
    platform.read(|memory| {
        let chat = memory.chats.get(&user_id);
        let chat = chat.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "no such user".into()))?;
        let newer = chat.messages.iter().filter(|message| message.n > after);
        let messages: Vec<Value> = newer.map(Message::to_json).collect();
        Ok(Json(json!({
            "user": chat.user_json(),
            "messages": messages,
            "count": chat.count,
            "loading": chat.loading(now).map(|until| json!({ "until": until })),
        })))
    })
}

/// Says whether to wait for the bot's answer to the webhook.
#[derive(Debug, Deserialize)]
pub(crate) struct Wait {
    wait: Option<String>,
}

/// Lets a user say something.
pub(crate) async fn say(
    State(platform): State<Arc<Platform>>,
    Path(user_id): Path<String>,
    Query(wait): Query<Wait>,
    Input(mut message): Input<Map<String, Value>>,
) -> Result<Json<Value>, Refused> {
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let missing = match text("type") {
        "" => Some("type is missing"),
        "text" if text("text").is_empty() => Some("text is missing"),
        "sticker" if text("packageId").is_empty() => Some("packageId is missing"),
        "sticker" if text("stickerId").is_empty() => Some("stickerId is missing"),
        _ => None,
    };
    if let Some(missing) = missing {
        return Err(Refused(StatusCode::BAD_REQUEST, missing.into()));
    }
    if text("type") == "sticker" {
        message.entry("stickerResourceType").or_insert("STATIC".into());
    }
    let sent = platform.say(&user_id, message)?;
    Ok(Json(told(sent, &wait).await))
}

/// Lets something else happen in a chat.
pub(crate) async fn happen(
    State(platform): State<Arc<Platform>>,
    Path(user_id): Path<String>,
    Query(wait): Query<Wait>,
    Input(mut event): Input<Map<String, Value>>,
) -> Result<Json<Value>, Refused> {
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    // The short forms of frequent events; whole ones stay as they are.
    match kind.as_str() {
        "" => return Err(Refused(StatusCode::BAD_REQUEST, "type is missing".into())),
        "postback" => {
            if let Some(Value::String(text)) = event.remove("displayText") {
                platform.show(&user_id, &text)?;
            }
            wrap(&mut event, "postback", &["data", "params"]);
        }
        "unsend" => wrap(&mut event, "unsend", &["messageId"]),
        "follow" => {
            event.entry("follow").or_insert_with(|| json!({ "isUnblocked": false }));
        }
        _ => {}
    }
    let sent = platform.happen(&user_id, event)?;
    Ok(Json(told(sent, &wait).await))
}

/// Moves fields from an event into an object within it.
fn wrap(event: &mut Map<String, Value>, into: &str, fields: &[&str]) {
    if event.contains_key(into) {
        return;
    }
    let moved = fields.iter().filter_map(|&name| Some((name.to_owned(), event.remove(name)?)));
    let inner: Map<String, Value> = moved.collect();
    event.insert(into.into(), inner.into());
}

async fn told(sent: Sent, wait: &Wait) -> Value {
    let mut told = json!({ "webhookEventId": sent.webhook_event_id });
    if let Some(message_id) = sent.message_id {
        told["messageId"] = message_id.into();
    }
    if wait.wait.as_deref() == Some("webhook") {
        let answer = sent.answer.await.ok();
        told["webhook"] = answer.map_or(Value::Null, |answer| answer.to_json());
    }
    told
}
