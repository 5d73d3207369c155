//! Everything of LINE's API that is not a message: profiles, quota, loading, webhook, tokens.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use yamabiko_line::signature;

use super::answer::{Refused, json_body};
use crate::id;
use crate::platform::Platform;
use crate::tokens::AccessTokens;
use crate::validate::Problem;

/// Tells who a user is; 404 for strangers and for those who have blocked the bot.
pub(crate) async fn profile(
    State(platform): State<Arc<Platform>>,
    Path(user_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    platform.read(|memory| {
        let chat = memory.chats.get(&user_id).filter(|chat| chat.friend);
        let chat = chat.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "Not found"))?;
        Ok(Json(json!({
            "userId": chat.id,
            "displayName": chat.name,
            "language": chat.language.code(),
        })))
    })
}

/// Tells who the bot is.
pub(crate) async fn info(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(json!({
        "userId": platform.bot_id,
        "basicId": "@simulator",
        "displayName": platform.config.bot_name,
        "chatMode": "bot",
        "markAsReadMode": "auto",
    }))
}

/// Tells how many pushes a month has.
pub(crate) async fn quota(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(match platform.read(|memory| memory.settings.monthly_limit) {
        Some(limit) => json!({ "type": "limited", "value": limit }),
        None => json!({ "type": "none" }),
    })
}

/// Tells how many pushes this month has seen.
pub(crate) async fn consumption(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let now = platform.now();
    Json(json!({ "totalUsage": platform.read(|memory| memory.quota.used(now)) }))
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

/// Tells where webhooks go.
pub(crate) async fn endpoint(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let url = platform.read(|memory| memory.bot_url.clone());
    Json(json!({ "endpoint": url, "active": true }))
}

/// Changes where webhooks go; unlike LINE, it takes `http` too.
pub(crate) async fn set_endpoint(
    State(platform): State<Arc<Platform>>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let request = json_body(&body)?;
    let url = webhook_url(&request["endpoint"])?;
    platform.update(|memory| {
        memory.touch();
        memory.bot_url = url;
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
        Value::Null => platform.read(|memory| memory.bot_url.clone()),
        given => webhook_url(given)?,
    };
    let timeout = platform.read(|memory| memory.settings.webhook_timeout_ms);
    let body = json!({ "destination": platform.bot_id, "events": [] }).to_string();
    let sign = signature::sign(&platform.config.channel_secret, body.as_bytes());
    let at = platform.now();
    let answer = platform.post(&url, body, Some(&sign), Duration::from_millis(timeout)).await;
    let zoned = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    let status = answer.status.unwrap_or(0);
    Ok(Json(json!({
        "success": answer.reason.is_none(),
        "timestamp": zoned.to_string(),
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

/// Is a request for a stateless token.
#[derive(Deserialize)]
pub(crate) struct TokenRequest {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
}

/// Issues a stateless access token.
pub(crate) async fn token(
    State(platform): State<Arc<Platform>>,
    Form(request): Form<TokenRequest>,
) -> (StatusCode, Json<Value>) {
    if request.grant_type != "client_credentials" {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "unsupported_grant_type" })));
    }
    let secret = platform.config.channel_secret.expose();
    if request.client_id != platform.config.channel_id || request.client_secret != secret {
        let body = json!({
            "error": "invalid_client",
            "error_description": "invalid client_id or client_secret",
        });
        return (StatusCode::BAD_REQUEST, Json(body));
    }
    let token = id::token();
    let now = platform.now();
    platform.update(|memory| memory.access_tokens.issue(&token, now));
    let body = json!({
        "token_type": "Bearer",
        "access_token": token,
        "expires_in": AccessTokens::LIFE_SECONDS,
    });
    (StatusCode::OK, Json(body))
}
