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

/// What kind of chat an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
