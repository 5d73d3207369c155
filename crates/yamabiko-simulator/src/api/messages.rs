//! Replies and pushes: what a bot says, and its validation without saying it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::RequestId;
use super::answer::{Refused, json_body};
use crate::chats::{Draft, Via};
use crate::id;
use crate::platform::{Memory, Platform};
use crate::tokens::Accepted;
use crate::validate::{self, Problem};

const RETRY_KEY: &str = "x-line-retry-key";

/// Says something with a reply token.
pub(crate) async fn reply(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    if headers.contains_key(RETRY_KEY) {
        return Err(Refused::bad("The retry key is not supported by this endpoint"));
    }
    let request = checked(&body)?;
    let Some(token) = request["replyToken"].as_str().filter(|token| !token.is_empty()) else {
        return Err(Refused::invalid(&[Problem::new("replyToken", "May not be empty")]));
    };
    let now = platform.now();
    platform.update(|memory| {
        let chat = memory.reply_tokens.chat(token, now).map(str::to_owned);
        let chat = chat.ok_or_else(|| Refused::bad("Invalid reply token"))?;
        check_quotes(memory, &chat, &request)?;
        memory.reply_tokens.spend(token);
        let event_id = memory.reply_tokens.event(token).map(str::to_owned);
        let say = Say { via: Via::Reply, request_id, retry_key: None, event_id, at: now };
        Ok(Json(json!({ "sentMessages": say.all(memory, &chat, &request) })))
    })
}

/// Says something to a user at any time; counted, and repeatable with a retry key.
pub(crate) async fn push(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let retry_key = match headers.get(RETRY_KEY) {
        None => None,
        Some(given) => {
            let key = given.to_str().ok().and_then(|key| Uuid::try_parse(key).ok());
            Some(key.ok_or_else(|| Refused::bad("Invalid retry key"))?)
        }
    };
    let request = checked(&body)?;
    let Some(to) = request["to"].as_str().filter(|to| id::is_chat(to)) else {
        let message = "The property, 'to', in the request body is invalid (line: -, column: -)";
        return Err(Refused::bad(message));
    };
    let now = platform.now();
    platform.update(|memory| {
        let accepted = retry_key.and_then(|key| memory.retry_keys.accepted(key, now));
        if let Some(accepted) = accepted {
            let (id, sent) = (&accepted.request_id, &accepted.sent_messages);
            return Err(Refused::accepted_before(id, sent));
        }
        let chat = memory.chats.get(to);
        let friend = chat.ok_or_else(|| Refused::bad("Failed to send messages"))?.friend;
        check_quotes(memory, to, &request)?;
        let limit = memory.settings.monthly_limit;
        if friend && limit.is_some_and(|limit| memory.quota.used(now) >= limit) {
            let message = "You have reached your monthly limit.";
            return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, message));
        }
        let sent = if friend {
            memory.quota.count(now);
            let say = Say {
                via: Via::Push,
                request_id: request_id.clone(),
                retry_key: retry_key.map(|key| key.to_string()),
                event_id: None,
                at: now,
            };
            say.all(memory, to, &request)
        } else {
            // Who has blocked the bot sees nothing, and the bot does not learn of it.
            let messages = request["messages"].as_array().map_or(0, Vec::len);
            (0..messages)
                .map(|_| json!({ "id": id::unseen(), "quoteToken": id::token() }))
                .collect()
        };
        if let Some(key) = retry_key {
            let accepted = Accepted { at: now, request_id, sent_messages: sent.clone() };
            memory.retry_keys.accept(key, accepted);
        }
        Ok(Json(json!({ "sentMessages": sent })))
    })
}

/// Checks messages without sending them.
pub(crate) async fn validate(
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    if !["reply", "push", "multicast", "narrowcast", "broadcast"].contains(&kind.as_str()) {
        return Err(Refused::new(StatusCode::NOT_FOUND, "Not found"));
    }
    checked(&body)?;
    Ok(Json(json!({})))
}

fn checked(body: &[u8]) -> Result<Value, Refused> {
    let request = json_body(body)?;
    let problems = validate::messages(&request);
    if problems.is_empty() { Ok(request) } else { Err(Refused::invalid(&problems)) }
}

/// Refuses quote tokens that stand for no message of the chat.
fn check_quotes(memory: &Memory, chat: &str, request: &Value) -> Result<(), Refused> {
    let chat = memory.chats.get(chat);
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let problems: Vec<Problem> = messages
        .iter()
        .enumerate()
        .filter(|(_, message)| {
            let token = message["quoteToken"].as_str();
            token.is_some_and(|token| chat.and_then(|chat| chat.quoted(token)).is_none())
        })
        .map(|(at, _)| Problem::new(format!("messages[{at}].quoteToken"), "Invalid quote token"))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Refused::invalid(&problems)) }
}

/// Is how one call's messages come into a chat.
struct Say {
    via: Via,
    request_id: String,
    retry_key: Option<String>,
    /// The event whose token it is said with.
    event_id: Option<String>,
    at: i64,
}

impl Say {
    /// Puts a checked request's messages into a chat; gives LINE's `sentMessages`.
    fn all(&self, memory: &mut Memory, chat: &str, request: &Value) -> Value {
        let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages
            .iter()
            .filter_map(Value::as_object)
            .filter_map(|message| self.one(memory, chat, message))
            .collect()
    }

    fn one(&self, memory: &mut Memory, chat: &str, message: &Map<String, Value>) -> Option<Value> {
        let token = message.get("quoteToken").and_then(Value::as_str);
        let quoted = token.and_then(|token| memory.chats.get(chat)?.quoted(token));
        let draft = Draft {
            via: self.via,
            content: message.clone(),
            quoted_message_id: quoted.map(|message| message.id.clone()),
            request_id: Some(self.request_id.clone()),
            retry_key: self.retry_key.clone(),
            webhook_event_id: self.event_id.clone(),
        };
        let revision = memory.touch();
        let message = memory.chats.append(chat, draft, self.at, revision)?;
        let mut sent = json!({ "id": message.id });
        if let Some(token) = &message.quote_token {
            sent["quoteToken"] = token.as_str().into();
        }
        Some(sent)
    }
}
