//! Users, groups and rooms: who there is, and who is added.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Input, Refused};
use crate::chats::{Chat, Kind};
use crate::config::{NewGroup, NewUser};
use crate::id;
use crate::platform::Platform;

fn bad(message: &str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, message.into())
}

fn list(platform: &Platform, wanted: impl Fn(&Chat) -> bool) -> Vec<Value> {
    platform
        .read(|memory| memory.chats.iter().filter(|chat| wanted(chat)).map(Chat::about).collect())
}

/// Lists the users.
pub(crate) async fn users(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(json!({ "users": list(&platform, |chat| chat.kind == Kind::User) }))
}

/// Lists the groups and rooms.
pub(crate) async fn groups(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(json!({ "groups": list(&platform, |chat| chat.kind != Kind::User) }))
}

/// Adds a user, who is a friend of the bot.
pub(crate) async fn add_user(
    State(platform): State<Arc<Platform>>,
    Input(user): Input<NewUser>,
) -> Result<Json<Value>, Refused> {
    if user.user_id.as_deref().is_some_and(|given| !id::is_user(given)) {
        return Err(bad("userId must be U and 32 lower case hexadecimal digits"));
    }
    if user.display_name.is_empty() {
        return Err(bad("displayName may not be empty"));
    }
    let user = platform.update(|memory| memory.add_user(user).map(Chat::about));
    let user = user.ok_or_else(|| Refused(StatusCode::CONFLICT, "userId is taken".into()))?;
    if platform.config.greet {
        greet(&platform, user["userId"].as_str().unwrap_or_default());
    }
    Ok(Json(user))
}

/// Is a group to add, and whether the bot joins it at once.
#[derive(Debug, Deserialize)]
pub(crate) struct AddGroup {
    #[serde(flatten)]
    group: Map<String, Value>,
    #[serde(default = "yes")]
    join: bool,
    /// The bot is in it without having heard of it.
    #[serde(default)]
    quiet: bool,
}

fn yes() -> bool {
    true
}

/// Adds a group or a room; the bot joins it and hears so, unless `join` is false.
pub(crate) async fn add_group(
    State(platform): State<Arc<Platform>>,
    Input(AddGroup { group, join, quiet }): Input<AddGroup>,
) -> Result<Json<Value>, Refused> {
    let group: NewGroup = serde_json::from_value(group.into())
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    let letter = if group.room { 'R' } else { 'C' };
    if group.group_id.as_deref().is_some_and(|id| !id::is_chat(id) || !id.starts_with(letter)) {
        return Err(bad("groupId must be C (a room: R) and 32 lower case hexadecimal digits"));
    }
    let unknown = platform.read(|memory| {
        group.members.iter().find(|member| memory.chats.user(member).is_none()).cloned()
    });
    if let Some(unknown) = unknown {
        return Err(Refused(StatusCode::NOT_FOUND, format!("no such user: {unknown}")));
    }
    let id = platform.update(|memory| memory.add_group(group).map(|group| group.id.clone()));
    let id = id.ok_or_else(|| Refused(StatusCode::CONFLICT, "groupId is taken".into()))?;
    if quiet {
        platform.update(|memory| {
            if let Some(chat) = memory.chats.get_mut(&id) {
                chat.open = true;
            }
        });
    } else if join {
        let mut event = Map::new();
        event.insert("type".into(), "join".into());
        platform.happen(&id, None, event, &[])?;
    }
    let about = platform.read(|memory| memory.chats.get(&id).map(Chat::about));
    Ok(Json(about.unwrap_or_default()))
}

/// Tells the bot of all users that they follow it.
pub(crate) fn greet_all(platform: &Arc<Platform>) {
    let users = list(platform, |chat| chat.kind == Kind::User);
    for user in users {
        greet(platform, user["userId"].as_str().unwrap_or_default());
    }
}

fn greet(platform: &Arc<Platform>, user_id: &str) {
    let mut event = Map::new();
    event.insert("type".into(), "follow".into());
    // The user was made a moment ago; if a reset was faster, there is nobody to greet.
    platform.happen(user_id, None, event, &[]).ok();
}
