//! LINE's ids.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as LINE wrote it.
            #[must_use]
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// Returns the id as LINE wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self::new(id)
            }
        }
    };
}

id! {
    /// A chat that can be pushed to: a user's, group's or room's id.
    ChatId
}
id! {
    /// A user, `U` and 32 hexadecimal digits.
    UserId
}
id! {
    /// A message, a number written as text.
    MessageId
}

/// A user's id is the id of the chat with that user.
impl From<&UserId> for ChatId {
    fn from(user: &UserId) -> Self {
        Self::new(user.as_str())
    }
}

/// What kind of chat an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatKind {
    /// A chat with one user.
    User,
    /// A group.
    Group,
    /// A room.
    Room,
    /// Something that this program does not know.
    Unknown,
}

impl ChatId {
    /// Returns the kind of chat, by the id's first letter.
    #[must_use]
    pub fn kind(&self) -> ChatKind {
        match self.as_str().chars().next() {
            Some('U') => ChatKind::User,
            Some('C') => ChatKind::Group,
            Some('R') => ChatKind::Room,
            _ => ChatKind::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_tells_the_kind_of_chat() {
        let kinds = ["U1", "C1", "R1", "", "あ"].map(|id| ChatId::new(id).kind());
        let unknown = ChatKind::Unknown;
        assert_eq!(kinds, [ChatKind::User, ChatKind::Group, ChatKind::Room, unknown, unknown]);
    }

    #[test]
    fn an_id_is_stored_as_plain_text() {
        let id = ChatId::new("U1");
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""U1""#);
        assert_eq!(serde_json::from_str::<ChatId>(r#""U1""#).unwrap(), id);
    }
}
