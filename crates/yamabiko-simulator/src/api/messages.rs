//! What a bot says: replies, pushes, and messages to many.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::RequestId;
use super::answer::{Refused, json_body, time};
use crate::chats::{Chat, Draft, Kind, Via};
use crate::config::UsedRetryKey;
use crate::id;
use crate::platform::{Memory, Platform};
use crate::quota::Narrowcast;
use crate::tokens::Accepted;
use crate::validate::{self, Call, Problem};

/// The header with a retry key.
pub(crate) const RETRY_KEY: &str = "x-line-retry-key";

/// Says something with a reply token; free, and once.
pub(crate) async fn reply(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let request = checked(&body, |request| validate::request(Call::Reply, request))?;
    let token = request["replyToken"].as_str().unwrap_or_default();
    let now = platform.now();
    platform.update(|memory| {
        let chat = memory.reply_tokens.chat(token, now).map(str::to_owned);
        let chat = chat.ok_or_else(|| Refused::bad("Invalid reply token"))?;
        check_quotes(memory, &chat, &request)?;
        memory.reply_tokens.spend(token);
        memory.quota.note(now, Via::Reply, 1);
        let event_id = memory.reply_tokens.event(token).map(str::to_owned);
        let say = Say { via: Via::Reply, request_id, retry_key: None, event_id, at: now };
        Ok(Json(json!({ "sentMessages": say.all(memory, &chat, &request) })))
    })
}

/// Says something to a user, a group or a room at any time; counted, and repeatable with a retry key.
pub(crate) async fn push(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let retry_key = use_retry_key(&platform, &headers, &body)?;
    let request = checked(&body, |request| validate::request(Call::Push, request))?;
    let to = request["to"].as_str().unwrap_or_default();
    let now = platform.now();
    platform.update(|memory| {
        check_retry_key(memory, retry_key, now, true)?;
        let failed = || Refused::bad("Failed to send messages");
        let chat = memory.chats.get(to).ok_or_else(failed)?;
        if chat.kind != Kind::User && !chat.open {
            return Err(failed());
        }
        check_quotes(memory, to, &request)?;
        let recipients = chat.recipients();
        count(memory, now, Via::Push, recipients)?;
        let sent = if recipients > 0 {
            let retry_key = retry_key.map(|key| key.to_string());
            let say = Say {
                via: Via::Push,
                request_id: request_id.clone(),
                retry_key,
                event_id: None,
                at: now,
            };
            say.all(memory, to, &request)
        } else {
            unseen(&request)
        };
        let accepted = Accepted { request_id, sent_messages: sent.clone() };
        accept(memory, retry_key, accepted);
        Ok(Json(json!({ "sentMessages": sent })))
    })
}

/// Says something to several users.
pub(crate) async fn multicast(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let retry_key = use_retry_key(&platform, &headers, &body)?;
    let request = checked(&body, |request| validate::request(Call::Multicast, request))?;
    let to: Vec<&str> =
        request["to"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let chosen = |chat: &Chat| to.contains(&chat.id.as_str());
    to_many(&platform, retry_key, request_id, &request, Via::Multicast, chosen)
}

/// Says something to all friends.
pub(crate) async fn broadcast(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let retry_key = use_retry_key(&platform, &headers, &body)?;
    let request = checked(&body, |request| validate::request(Call::Broadcast, request))?;
    to_many(&platform, retry_key, request_id, &request, Via::Broadcast, |_| true)
}

/// Says something to all friends; whom a filter would choose, the simulator cannot know.
pub(crate) async fn narrowcast(
    State(platform): State<Arc<Platform>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let retry_key = use_retry_key(&platform, &headers, &body)?;
    let request = checked(&body, |request| validate::request(Call::Narrowcast, request))?;
    to_many(&platform, retry_key, request_id, &request, Via::Narrowcast, |_| true)
        .map(|sent| (StatusCode::ACCEPTED, sent))
}

/// Names a narrowcast.
#[derive(Debug, Deserialize)]
pub(crate) struct OfRequest {
    #[serde(default, rename = "requestId")]
    request_id: String,
}

/// Tells how a narrowcast went: it is over at once.
pub(crate) async fn progress(
    State(platform): State<Arc<Platform>>,
    Query(OfRequest { request_id }): Query<OfRequest>,
) -> Result<Json<Value>, Refused> {
    let sent = platform.read(|memory| memory.quota.narrowcast(&request_id, platform.now()));
    let Narrowcast { at, recipients: count } =
        sent.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "Not found"))?;
    let at = time(at);
    Ok(Json(json!({
        "phase": "succeeded", "successCount": count, "failureCount": 0, "targetCount": count,
        "acceptedTime": at, "completedTime": at,
    })))
}

/// Checks messages without sending them.
pub(crate) async fn validate(
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let call =
        Call::named(&kind).ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "Not found"))?;
    checked(&body, |request| validate::messages_of(call, request))?;
    Ok(Json(json!({})))
}

/// Says something in each chosen chat with one user who has not blocked the bot.
fn to_many(
    platform: &Platform,
    retry_key: Option<Uuid>,
    request_id: String,
    request: &Value,
    via: Via,
    chosen: impl Fn(&Chat) -> bool,
) -> Result<Json<Value>, Refused> {
    let now = platform.now();
    platform.update(|memory| {
        check_retry_key(memory, retry_key, now, false)?;
        let friends = memory.chats.iter().filter(|chat| chat.kind == Kind::User && chat.open);
        let ids: Vec<_> = friends.filter(|chat| chosen(chat)).map(|chat| chat.id.clone()).collect();
        let recipients = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        count(memory, now, via, recipients)?;
        if via == Via::Narrowcast {
            memory.quota.note_narrowcast(&request_id, Narrowcast { at: now, recipients });
        }
        let say = Say {
            via,
            request_id: request_id.clone(),
            retry_key: retry_key.map(|key| key.to_string()),
            event_id: None,
            at: now,
        };
        for id in ids {
            say.all(memory, &id, request);
        }
        accept(memory, retry_key, Accepted { request_id, sent_messages: Value::Null });
        Ok(Json(json!({})))
    })
}

/// Reads a request, and refuses one that LINE could not read or would not take.
fn checked(body: &[u8], check: impl Fn(&Value) -> Vec<Problem>) -> Result<Value, Refused> {
    let request = json_body(body)?;
    let problems = check(&request);
    if let Some(problem) = problems.iter().find(|problem| problem.unreadable) {
        return Err(Refused::bad(problem.message.as_str()));
    }
    if problems.is_empty() { Ok(request) } else { Err(Refused::invalid(&problems)) }
}

/// Notes the retry key of a request, and refuses it as the settings say if it came with another body before.
pub(crate) fn use_retry_key(
    platform: &Platform,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Uuid>, Refused> {
    let Some(given) = headers.get(RETRY_KEY) else { return Ok(None) };
    let key = given.to_str().ok().and_then(|key| Uuid::try_parse(key).ok());
    let key = key.ok_or_else(|| Refused::bad("Invalid retry key"))?;
    let now = platform.now();
    platform.update(|memory| {
        let is_same = memory.retry_keys.use_with(key, body, now);
        if is_same || memory.settings.used_retry_key == UsedRetryKey::Accepted {
            return Ok(Some(key));
        }
        Err(Refused::bad("The retry key was used with another request body"))
    })
}

/// Refuses a retry key that was accepted before; of a push, LINE tells what was sent then.
fn check_retry_key(
    memory: &Memory,
    key: Option<Uuid>,
    now: i64,
    with_messages: bool,
) -> Result<(), Refused> {
    let accepted = key.and_then(|key| memory.retry_keys.accepted(key, now));
    let Some(accepted) = accepted else { return Ok(()) };
    let sent = with_messages.then_some(&accepted.sent_messages);
    Err(Refused::accepted_before(&accepted.request_id, sent))
}

fn accept(memory: &mut Memory, key: Option<Uuid>, accepted: Accepted) {
    if let Some(key) = key {
        memory.retry_keys.accept(key, accepted);
    }
}

/// Counts a call against the month's limit, one for each recipient, and refuses it where it is too much.
fn count(memory: &mut Memory, now: i64, via: Via, recipients: u64) -> Result<(), Refused> {
    let limit = memory.settings.monthly_limit;
    if recipients > 0 && limit.is_some_and(|limit| memory.quota.used(now) + recipients > limit) {
        let message = "You have reached your monthly limit.";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, message));
    }
    memory.quota.count(now, recipients);
    memory.quota.note(now, via, recipients);
    Ok(())
}

/// What is answered for a user who has blocked the bot: nobody sees it, and the bot does not learn of it.
fn unseen(request: &Value) -> Value {
    let messages = request["messages"].as_array().map_or(0, Vec::len);
    (0..messages).map(|_| json!({ "id": id::unseen(), "quoteToken": id::token() })).collect()
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
            sender: None,
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
