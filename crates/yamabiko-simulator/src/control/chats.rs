//! The chats: what is done in them, what is seen in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{self, Input, Refused, Seen};
use crate::acts::member_list;
use crate::chats::{Message, kind};
use crate::media::Media;
use crate::platform::{Memory, Platform};
use crate::webhook::Sent;

/// The largest picture, video, audio or file that a user can send, in bytes.
pub(crate) const MAX_MEDIA: usize = 64 * 1024 * 1024;

/// Shows a chat; with `wait_ms`, as soon as it has more than `after` messages.
pub(crate) async fn chat(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
    Query(Seen { after, wait_ms }): Query<Seen>,
) -> Result<Json<Value>, Refused> {
    let has_more = |memory: &Memory| memory.chats.get(&chat_id).is_none_or(|c| c.count > after);
    answer::wait(&platform, wait_ms, has_more).await;
    let now = platform.now();
    platform.read(|memory| {
        let chat = memory.chats.get(&chat_id);
        let unknown = || Refused(StatusCode::NOT_FOUND, "no such user, group or room".into());
        let chat = chat.ok_or_else(unknown)?;
        let newer = chat.messages.iter().filter(|message| message.n > after);
        let messages: Vec<Value> = newer.map(Message::to_json).collect();
        Ok(Json(json!({
            chat.kind.word(): chat.about(),
            "messages": messages,
            "count": chat.count,
            "mode": chat.mode(),
            "loading": chat.loading(now).map(|until| json!({ "until": until })),
        })))
    })
}

/// Says who acts, and whether to wait for the bot's answer to the webhook.
#[derive(Debug, Deserialize)]
pub(crate) struct By {
    #[serde(rename = "userId")]
    user_id: Option<String>,
    wait: Option<String>,
}

impl By {
    /// Takes who acts from the body, where it may stand as well.
    fn or_in(mut self, body: &mut Map<String, Value>) -> Self {
        if let Some(Value::String(user_id)) = body.remove("userId") {
            self.user_id = Some(user_id);
        }
        self
    }

    fn user(&self) -> Option<&str> {
        self.user_id.as_deref()
    }
}

/// Lets a user say something.
pub(crate) async fn say(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
    Query(by): Query<By>,
    Input(mut message): Input<Map<String, Value>>,
) -> Result<Json<Value>, Refused> {
    let by = by.or_in(&mut message);
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
    let sent = platform.say(&chat_id, by.user(), message, None)?;
    Ok(Json(told(sent, &by).await))
}

/// Is the new text of a message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewText {
    text: String,
}

/// Lets a user edit what they have said.
pub(crate) async fn edit(
    State(platform): State<Arc<Platform>>,
    Path((chat_id, message_id)): Path<(String, String)>,
    Query(by): Query<By>,
    Input(NewText { text }): Input<NewText>,
) -> Result<Json<Value>, Refused> {
    let sent = platform.edit(&chat_id, &message_id, &text)?;
    Ok(Json(told(sent, &by).await))
}

/// Describes the content that a body holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    #[serde(rename = "type")]
    kind: String,
    content_type: Option<String>,
    file_name: Option<String>,
    duration_ms: Option<u64>,
    quoted_message_id: Option<String>,
}

/// Lets a user send a picture, a video, an audio or a file; the body is its bytes.
pub(crate) async fn send_media(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
    Query(by): Query<By>,
    Query(about): Query<About>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, Refused> {
    let bad = |message: &str| Refused(StatusCode::BAD_REQUEST, message.into());
    // No other site's page can send this type without asking first.
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/octet-stream") {
        return Err(bad(
            "content-type must be application/octet-stream; contentType names the real one",
        ));
    }
    let usual = match about.kind.as_str() {
        "image" => "image/jpeg",
        "video" => "video/mp4",
        "audio" => "audio/m4a",
        "file" => "application/octet-stream",
        _ => return Err(bad("type must be image, video, audio or file")),
    };
    let mut message = Map::new();
    if about.kind == "file" {
        message.insert("fileName".into(), about.file_name.as_deref().unwrap_or("file").into());
        message.insert("fileSize".into(), bytes.len().into());
    } else {
        message.insert("contentProvider".into(), json!({ "type": "line" }));
    }
    if matches!(about.kind.as_str(), "video" | "audio") {
        message.insert("duration".into(), about.duration_ms.unwrap_or(1_000).into());
    }
    if let Some(quoted) = about.quoted_message_id {
        message.insert("quotedMessageId".into(), quoted.into());
    }
    message.insert("type".into(), about.kind.into());
    let content_type = about.content_type.unwrap_or_else(|| usual.into());
    let media = Media { bytes, content_type, ready_at: 0 };
    let sent = platform.say(&chat_id, by.user(), message, Some(media))?;
    Ok(Json(told(sent, &by).await))
}

/// Lets something else happen in a chat.
pub(crate) async fn happen(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
    Query(by): Query<By>,
    Input(mut event): Input<Map<String, Value>>,
) -> Result<Json<Value>, Refused> {
    // The short forms of frequent events; whole ones stay as they are.
    match kind(&event).to_owned().as_str() {
        "unknown" => return Err(Refused(StatusCode::BAD_REQUEST, "type is missing".into())),
        "memberJoined" => name_members(&mut event, "joined"),
        "memberLeft" => name_members(&mut event, "left"),
        "postback" => wrap(&mut event, "postback", &["data", "params"]),
        "unsend" => wrap(&mut event, "unsend", &["messageId"]),
        "videoPlayComplete" => wrap(&mut event, "videoPlayComplete", &["trackingId"]),
        _ => {}
    }
    let by = by.or_in(&mut event);
    let without = event.remove("without").unwrap_or_else(|| json!([]));
    let without: Vec<String> = serde_json::from_value(without).map_err(|_| {
        let text = "without must be a list of names, such as [\"source\"]";
        Refused(StatusCode::BAD_REQUEST, text.into())
    })?;
    if let Some(Value::String(text)) = event.remove("displayText") {
        platform.show(&chat_id, by.user(), &text)?;
    }
    let sent = platform.happen(&chat_id, by.user(), event, &without)?;
    Ok(Json(told(sent, &by).await))
}

/// Is whether the bot may send to a chat, in LINE's words.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Active,
    Standby,
}

/// Is the new mode of a chat.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMode {
    mode: Mode,
}

/// Hands a chat over to another channel, or back.
pub(crate) async fn set_mode(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
    Input(NewMode { mode }): Input<NewMode>,
) -> Result<Json<Value>, Refused> {
    let is_standby = matches!(mode, Mode::Standby);
    platform.set_standby(&chat_id, is_standby)?;
    Ok(Json(json!({ "mode": if is_standby { "standby" } else { "active" } })))
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

/// Makes LINE's list of members of the short form, `userIds`.
fn name_members(event: &mut Map<String, Value>, into: &str) {
    if let Some(Value::Array(ids)) = event.remove("userIds") {
        let ids: Vec<_> = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        event.insert(into.into(), member_list(&ids));
    }
}

async fn told(sent: Sent, by: &By) -> Value {
    let mut told = json!({ "webhookEventId": sent.webhook_event_id });
    if let Some(message_id) = sent.message_id {
        told["messageId"] = message_id.into();
    }
    if by.wait.as_deref() == Some("webhook") {
        let answer = sent.answer.await.ok();
        told["webhook"] = answer.map_or(Value::Null, |answer| answer.to_json());
    }
    told
}
