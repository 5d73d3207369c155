//! Where an event comes from.

use serde_json::Value;

use crate::{
    id::{ChatId, UserId},
    json,
};

/// Where an event comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A chat with one user.
    User(UserId),
    /// A group, and who of it if LINE says so.
    Group(ChatId, Option<UserId>),
    /// A room, and who of it if LINE says so.
    Room(ChatId, Option<UserId>),
    /// A type that this program does not know, or one without its id.
    Unknown {
        /// The type, empty if there is none.
        source_type: String,
    },
}

impl Source {
    /// Returns the chat to which answers go, if it is known.
    #[must_use]
    pub fn chat(&self) -> Option<ChatId> {
        match self {
            Self::User(user) => Some(ChatId::from(user)),
            Self::Group(chat, _) | Self::Room(chat, _) => Some(chat.clone()),
            Self::Unknown { .. } => None,
        }
    }

    /// Returns the user who caused the event, if LINE says so.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user.clone()),
            Self::Group(_, user) | Self::Room(_, user) => user.clone(),
            Self::Unknown { .. } => None,
        }
    }

    pub(super) fn read(source: &Value) -> Self {
        let source_type = json::text(source, "type").unwrap_or_default();
        let user = json::id(source, "userId").map(UserId::new);
        let chat = |key| json::id(source, key).map(ChatId::new);
        let known = match source_type.as_str() {
            "user" => user.map(Self::User),
            "group" => chat("groupId").map(|group| Self::Group(group, user)),
            "room" => chat("roomId").map(|room| Self::Room(room, user)),
            _ => None,
        };
        known.unwrap_or(Self::Unknown { source_type })
    }
}
