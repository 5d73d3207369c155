//! What can go wrong with a store, by what the caller can do about it.

use std::time::Duration;

/// The source of an error, from a dependency that callers need not know.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of the queue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store cannot be reached, did not answer, or refuses calls for reasons that pass; the same call may be sent again.
    #[error("the store is unavailable")]
    Unavailable(#[source] Source),
    /// The store refuses this program: a wrong password, or no permission to open or write it.
    #[error("the store refuses access")]
    Denied(#[source] Source),
    /// The store has no room (disk or memory full); the same call may be sent again later.
    #[error("the store is full")]
    Full(#[source] Source),
    /// A value is over a limit; sending it again does not help.
    #[error("{what} is {size}, at most {limit} is allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// A due time is too far away.
    #[error("the due time is {0:?} away, at most 10 years are allowed")]
    TooFar(Duration),
    /// The store was written by a newer version.
    #[error(
        "the store has schema version {found}, this program knows up to {known}: use a newer version of it"
    )]
    NewerSchema {
        /// The version that was found.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// A store address that is not understood.
    #[error(
        "{given:?} is no store address: use sqlite:PATH, redis://HOST:PORT or rediss://HOST:PORT"
    )]
    Address {
        /// What was given.
        given: String,
    },
    /// A backup could not be made.
    #[error("no backup was made")]
    Backup(#[source] Source),
    /// A kind of job was registered twice.
    #[error("the job kind {0:?} is registered twice")]
    RegisteredTwice(String),
    /// The store's data is damaged; what is not affected can still be used.
    #[error("the store's data is damaged")]
    Damaged(#[source] Source),
    /// The address names what is no store of a bot: another program's database, or no database at all.
    #[error("this is no store of a bot")]
    Foreign(#[source] Source),
    /// The store refuses this very call, and has changed nothing; sending it again does not help.
    #[error("the store refuses the call")]
    Refused(#[source] Source),
    /// The store failed in the middle of this very call, or its answer was not understood: it is unknown what was done.
    #[error("the store failed in the middle of the call")]
    OutcomeUnknown(#[source] Source),
}

/// What is wrong with a store, by which words, metrics and reactions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// An outage: it cannot be reached, or answers nothing that concerns this call.
    Unavailable,
    /// It has no room.
    Full,
    /// It refuses this program.
    Denied,
    /// A newer version of the bot has taken it over.
    NewerSchema,
    /// Its data is damaged.
    Damaged,
    /// It refuses this very call, and always will.
    Refused,
}

impl ErrorKind {
    /// Returns a word for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Full => "full",
            Self::Denied => "denied",
            Self::NewerSchema => "newer_schema",
            Self::Damaged => "damaged",
            Self::Refused => "refused",
        }
    }

    /// Returns what is wrong, and what to do about it unless it passes by itself.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unavailable => "the store is unavailable",
            Self::Full => "the store is full: make room",
            Self::Denied => {
                "the store refuses access: correct STORE_URL, or what this program may do there"
            }
            Self::NewerSchema => {
                "a newer version of the bot has taken over the store: replace this process by that version"
            }
            Self::Damaged => "the store's data is damaged: restore a backup",
            Self::Refused => "the store refuses a call",
        }
    }
}

impl Error {
    /// Returns what is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Full(_) => ErrorKind::Full,
            Self::Denied(_) => ErrorKind::Denied,
            Self::NewerSchema { .. } => ErrorKind::NewerSchema,
            Self::Damaged(_) => ErrorKind::Damaged,
            Self::Refused(_)
            | Self::OutcomeUnknown(_)
            | Self::Foreign(_)
            | Self::TooLarge { .. }
            | Self::TooFar(_)
            | Self::Address { .. }
            | Self::Backup(_)
            | Self::RegisteredTwice(_) => ErrorKind::Refused,
        }
    }

    /// Says whether the same call may succeed later, of this process or of another.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind() != ErrorKind::Refused
    }

    /// Says whether what was asked may have been done all the same.
    #[must_use]
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OutcomeUnknown(_))
    }

    /// Returns an error of the same kind for another caller that waited for the same step.
    pub(crate) fn shared(&self) -> Self {
        match self {
            Self::Unavailable(source) => Self::Unavailable(source.to_string().into()),
            Self::Full(source) => Self::Full(source.to_string().into()),
            Self::Denied(source) => Self::Denied(source.to_string().into()),
            Self::Damaged(source) => Self::Damaged(source.to_string().into()),
            Self::Foreign(source) => Self::Foreign(source.to_string().into()),
            Self::Refused(source) => Self::Refused(source.to_string().into()),
            Self::OutcomeUnknown(source) => Self::OutcomeUnknown(source.to_string().into()),
            Self::Backup(source) => Self::Backup(source.to_string().into()),
            Self::TooLarge { what, size, limit } => {
                Self::TooLarge { what, size: *size, limit: *limit }
            }
            Self::TooFar(delay) => Self::TooFar(*delay),
            Self::NewerSchema { found, known } => {
                Self::NewerSchema { found: *found, known: *known }
            }
            Self::Address { given } => Self::Address { given: given.clone() },
            Self::RegisteredTwice(kind) => Self::RegisteredTwice(kind.clone()),
        }
    }
}

/// A result of the queue.
pub type Result<T, E = Error> = std::result::Result<T, E>;
