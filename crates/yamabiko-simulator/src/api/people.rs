//! Who there is: profiles, followers, groups, rooms and their members.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::Refused;
use crate::chats::{Chat, Kind};
use crate::platform::{Memory, Platform};

/// So many ids come with one answer at most.
const PAGE: usize = 100;

fn unknown() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "Not found")
}

/// Tells who a user is; 404 for strangers and for those who have blocked the bot.
pub(crate) async fn profile(
    State(platform): State<Arc<Platform>>,
    Path(user_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    platform.read(|memory| {
        let user = memory.chats.user(&user_id).filter(|user| user.open);
        Ok(Json(user.ok_or_else(unknown)?.profile(false)))
    })
}

/// Says where a list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    start: String,
    limit: Option<usize>,
}

/// Lists the friends.
pub(crate) async fn followers(
    State(platform): State<Arc<Platform>>,
    Query(from): Query<From>,
) -> Result<Json<Value>, Refused> {
    let most = from.limit.unwrap_or(300);
    if !(1..=1_000).contains(&most) {
        return Err(Refused::bad("Invalid limit"));
    }
    platform.read(|memory| {
        let users = memory.chats.iter().filter(|chat| chat.kind == Kind::User && chat.open);
        let ids: Vec<&str> = users.map(|user| user.id.as_str()).collect();
        page("userIds", &ids, &from.start, most)
    })
}

/// Tells a group's name.
pub(crate) async fn summary(
    State(platform): State<Arc<Platform>>,
    Path(group_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    platform.read(|memory| {
        let group = joined(memory, "group", &group_id)?;
        let mut summary = json!({ "groupId": group.id, "groupName": group.name });
        if let Some(url) = &group.picture_url {
            summary["pictureUrl"] = url.as_str().into();
        }
        Ok(Json(summary))
    })
}

/// Tells how many members a group or a room has, the bot not counted.
pub(crate) async fn count(
    State(platform): State<Arc<Platform>>,
    Path((kind, chat_id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    platform
        .read(|memory| Ok(Json(json!({ "count": joined(memory, &kind, &chat_id)?.members.len() }))))
}

/// Lists the members of a group or a room.
pub(crate) async fn members(
    State(platform): State<Arc<Platform>>,
    Path((kind, chat_id)): Path<(String, String)>,
    Query(from): Query<From>,
) -> Result<Json<Value>, Refused> {
    platform.read(|memory| {
        let chat = joined(memory, &kind, &chat_id)?;
        let ids: Vec<&str> = chat.members.iter().map(String::as_str).collect();
        page("memberIds", &ids, &from.start, PAGE)
    })
}

/// Tells who a member of a group or a room is.
pub(crate) async fn member(
    State(platform): State<Arc<Platform>>,
    Path((kind, chat_id, user_id)): Path<(String, String, String)>,
) -> Result<Json<Value>, Refused> {
    platform.read(|memory| {
        let is_member = joined(memory, &kind, &chat_id)?.has_member(&user_id);
        let user = memory.chats.user(&user_id).filter(|_| is_member);
        Ok(Json(user.ok_or_else(unknown)?.profile(true)))
    })
}

/// Lets the bot leave a group or a room, which it hears of by an event.
pub(crate) async fn leave(
    State(platform): State<Arc<Platform>>,
    Path((kind, chat_id)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    platform.read(|memory| joined(memory, &kind, &chat_id).map(|_| ()))?;
    let mut event = Map::new();
    event.insert("type".into(), "leave".into());
    platform.happen(&chat_id, None, event, &[]).map_err(|_| unknown())?;
    Ok(Json(json!({})))
}

/// Finds a group or a room that the bot is in.
fn joined<'a>(memory: &'a Memory, kind: &str, chat_id: &str) -> Result<&'a Chat, Refused> {
    let chat = memory.chats.get(chat_id);
    let chat = chat.filter(|chat| chat.kind != Kind::User && chat.kind.word() == kind && chat.open);
    chat.ok_or_else(unknown)
}

/// One page of ids; `next` names the first of the next page.
fn page(name: &str, ids: &[&str], start: &str, most: usize) -> Result<Json<Value>, Refused> {
    let first = if start.is_empty() { Some(0) } else { ids.iter().position(|id| *id == start) };
    let first = first.ok_or_else(|| Refused::bad("Invalid start"))?;
    let mut answer = json!({ name: ids.iter().skip(first).take(most).collect::<Vec<_>>() });
    if let Some(next) = ids.get(first + most) {
        answer["next"] = (*next).into();
    }
    Ok(Json(answer))
}
