//! The bot's own affairs: who it is, the loading animation, marks of reading, its webhook's address.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};
use yamabiko_line::signature;

use super::answer::{Refused, json_body, time};
use crate::chats::Message;
use crate::config::{MarkAsRead, WebhookUse};
use crate::id;
use crate::platform::{Memory, Platform};
use crate::validate::Problem;

/// Tells who the bot is.
pub(crate) async fn info(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let mode = platform.read(|memory| memory.settings.mark_as_read_mode);
    Json(json!({
        "userId": platform.bot_id,
        "basicId": "@simulator",
        "displayName": platform.config.bot_name,
        "chatMode": if mode == MarkAsRead::Manual { "chat" } else { "bot" },
        "markAsReadMode": mode,
    }))
}

/// Marks a message and all before it in its chat as read.
pub(crate) async fn mark_as_read(
    State(platform): State<Arc<Platform>>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let request = json_body(&body)?;
    let token = request["markAsReadToken"].as_str().unwrap_or_default();
    if token.is_empty() {
        return Err(Refused::invalid(&[Problem::new("markAsReadToken", "May not be empty")]));
    }
    platform.update(|memory| {
        let revision = memory.touch();
        let is_it = |message: &Message| message.mark_as_read_token.as_deref() == Some(token);
        let chat = memory.chats.iter().find(|chat| chat.messages.iter().any(is_it));
        let chat = chat.map(|chat| chat.id.clone());
        let chat = chat.and_then(|id| memory.chats.get_mut(&id));
        let chat = chat.ok_or_else(|| Refused::bad("Invalid markAsReadToken"))?;
        let marked = chat.messages.iter().position(is_it).unwrap_or_default();
        for message in chat.messages.iter_mut().take(marked + 1) {
            if !message.is_from_bot() && !message.read {
                message.read = true;
                message.revision = revision;
            }
        }
        chat.revision = revision;
        Ok(Json(json!({})))
    })
}

/// Shows the loading animation in a chat with one user.
pub(crate) async fn loading(
    State(platform): State<Arc<Platform>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let request = json_body(&body)?;
    let chat_id = request["chatId"].as_str().unwrap_or_default();
    let seconds = match &request["loadingSeconds"] {
        Value::Null => Some(20),
        given => given.as_i64().filter(|given| (5..=60).contains(given) && given % 5 == 0),
    };
    let Some(seconds) = seconds else {
        let text = "Must be one of 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60";
        return Err(Refused::invalid(&[Problem::new("loadingSeconds", text)]));
    };
    if !id::is_user(chat_id) {
        return Err(Refused::bad("Only user id is acceptable for chatId"));
    }
    let until = platform.now() + seconds * 1_000;
    platform.update(|memory| {
        let revision = memory.touch();
        let chat = memory.chats.get_mut(chat_id);
        let chat = chat.ok_or_else(|| Refused::bad("Invalid chatId"))?;
        chat.loading_until = Some(until);
        chat.revision = revision;
        Ok((StatusCode::ACCEPTED, Json(json!({}))))
    })
}

/// Tells where webhooks go, and whether they do.
pub(crate) async fn endpoint(
    State(platform): State<Arc<Platform>>,
) -> Result<Json<Value>, Refused> {
    let (url, active) = platform.read(|memory| {
        let active = memory.settings.webhook == WebhookUse::On;
        set_url(memory).map(|url| (url, active))
    })?;
    Ok(Json(json!({ "endpoint": url, "active": active })))
}

fn set_url(memory: &Memory) -> Result<String, Refused> {
    match memory.settings.webhook {
        WebhookUse::On | WebhookUse::Off => Ok(memory.bot_url.clone()),
        WebhookUse::Unset => Err(Refused::new(StatusCode::NOT_FOUND, "Not found")),
    }
}

/// Changes where webhooks go; unlike LINE, it takes `http` too. Where none went, *Use webhook* stays off.
pub(crate) async fn set_endpoint(
    State(platform): State<Arc<Platform>>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let request = json_body(&body)?;
    let url = webhook_url(&request["endpoint"])?;
    platform.update(|memory| {
        memory.touch();
        memory.bot_url = url;
        if memory.settings.webhook == WebhookUse::Unset {
            memory.settings.webhook = WebhookUse::Off;
        }
    });
    Ok(Json(json!({})))
}

/// Sends a signed webhook without events and tells how the bot answered.
pub(crate) async fn test_endpoint(
    State(platform): State<Arc<Platform>>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let request = if body.is_empty() { Value::Null } else { json_body(&body)? };
    let url = match &request["endpoint"] {
        Value::Null => platform.read(set_url)?,
        given => webhook_url(given)?,
    };
    let timeout = platform.read(|memory| memory.settings.webhook_timeout_ms);
    let body = json!({ "destination": platform.bot_id, "events": [] }).to_string();
    let sign = signature::sign(&platform.config.channel_secret, body.as_bytes());
    let at = platform.now();
    let answer = platform.post(&url, body, Some(&sign), Duration::from_millis(timeout)).await;
    let status = answer.status.unwrap_or(0);
    Ok(Json(json!({
        "success": answer.reason.is_none(),
        "timestamp": time(at),
        "statusCode": status,
        "reason": answer.reason.map_or("OK".into(), str::to_uppercase),
        "detail": answer.status.map_or("no answer".into(), |status| status.to_string()),
    })))
}

fn webhook_url(given: &Value) -> Result<String, Refused> {
    let url = given.as_str().unwrap_or_default();
    let scheme = url.starts_with("http://") || url.starts_with("https://");
    if scheme && url.len() <= 500 {
        Ok(url.into())
    } else {
        Err(Refused::bad("Invalid webhook endpoint URL"))
    }
}
