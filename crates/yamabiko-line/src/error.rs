//! What can go wrong: a call to LINE, a webhook's body, a message to send.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    json,
    message::{MAX_QUICK_REPLIES, MAX_TEXT, ornaments},
};

/// The source of an error, from a dependency that callers need not know.
type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A webhook's body that is no webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object with an array `events`")]
pub struct EnvelopeError;

/// A message that LINE would refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A text without a visible character.
    #[error("a text message is empty: LINE takes 1 to {MAX_TEXT} UTF-16 units")]
    EmptyText,
    /// A message without a type.
    #[error(
        "a message has no type: use Message::text, sticker, image or flex, or raw JSON with a `type`"
    )]
    NoType,
    /// A message that lacks what its type must have.
    #[error("a message has no `{0}`")]
    Missing(&'static str),
    /// A message with a part that is too long.
    #[error("the `{what}` of a message is {length} long: LINE takes up to {limit}")]
    TooLong {
        /// The part.
        what: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A message that quotes, of a type that cannot.
    #[error("a message of type {0:?} cannot quote: only texts and stickers can")]
    CannotQuote(String),
    /// Too many quick reply buttons, or a quick reply without any.
    #[error("a message has {0} quick reply buttons: LINE takes 1 to {MAX_QUICK_REPLIES}")]
    TooManyQuickReplies(usize),
}

/// An error of a call to LINE; clones are of the same error, for all who waited for one call.
#[derive(Clone, Debug)]
pub struct Error {
    inner: Arc<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    reached: Reached,
    status: Option<u16>,
    request_id: Option<String>,
    message: String,
    details: Vec<Detail>,
    retry_after: Option<Duration>,
    source: Option<Source>,
}

/// What went wrong, by what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 400: the request is wrong, or the reply token is no good.
    BadRequest,
    /// 401: the access token is wrong or has expired.
    Unauthorized,
    /// 403: the channel may not do this.
    Forbidden,
    /// 404.
    NotFound,
    /// 409: done before.
    Conflict,
    /// 410: the content is gone.
    Gone,
    /// 413, or an answer over the caller's limit.
    TooLarge,
    /// 429: too many requests, too many to one user, or the month's messages are used up.
    TooManyRequests,
    /// 5xx.
    Server,
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke.
    Network,
    /// An answer that is not understood.
    Invalid,
    /// An address, token or id that no call can be made with; LINE was not asked.
    Config,
    /// Another refusal.
    Other,
}

/// Whether LINE has acted on the request.
///
/// An error of fetching the access token is `No`: the call itself was never made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It surely never reached LINE.
    No,
    /// LINE refused it, and did nothing.
    Refused,
    /// Nobody can tell.
    Unknown,
}

/// The limit that a 429 names, by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The channel calls too often.
    Rate,
    /// One user is sent too much.
    User,
    /// The month's messages are used up.
    Month,
    /// None that is known: LINE may change its texts without notice.
    Unclear,
}

/// One of LINE's remarks on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// What is wrong.
    pub message: String,
    /// Where, as a path into the request; may be empty.
    pub property: String,
}

impl Error {
    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns whether LINE has acted on the request.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.inner.reached
    }

    /// Returns the HTTP status, if LINE answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// Returns `x-line-request-id`, which LINE's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// Returns LINE's own text; it may change without notice.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Returns the limit that LINE's text names; `None` for all errors but a 429.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        let text = self.inner.message.to_lowercase();
        let names = |words| text.contains(words);
        match self.inner.kind {
            ErrorKind::TooManyRequests if names("monthly") => Some(Limit::Month),
            ErrorKind::TooManyRequests if names("rate limit") => Some(Limit::Rate),
            ErrorKind::TooManyRequests if names("same user") => Some(Limit::User),
            ErrorKind::TooManyRequests => Some(Limit::Unclear),
            _ => None,
        }
    }

    /// Returns LINE's remarks on single properties.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.inner.details
    }

    /// Returns whether LINE refuses what a message holds, and not the reply token or the recipient; of a 400 only.
    ///
    /// Its remarks name a property of a message, from the request down or from the message down; in the second case, as for a
    /// Flex Message, its sentence names the message.
    #[must_use]
    pub fn refuses_message(&self) -> bool {
        let is_of_message =
            |detail: &Detail| !matches!(&*detail.property, "" | "replyToken" | "to");
        self.inner.kind == ErrorKind::BadRequest
            && (self.inner.details.iter().any(is_of_message)
                || self.inner.message.contains("messages[")
                || ornaments::names_ornament(&self.inner.message))
    }

    /// Returns whether LINE refuses a message's quote, quick replies or sender, without which it could be sent.
    #[must_use]
    pub fn refuses_ornament(&self) -> bool {
        self.refuses_message()
            && (self.inner.details.iter().any(|detail| ornaments::is_ornament(&detail.property))
                || ornaments::names_ornament(&self.inner.message))
    }

    /// Returns how long LINE asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// Makes the error of an answer that is no success; public for those who stand in for LINE.
    #[must_use]
    pub fn refused(
        status: u16,
        request_id: Option<String>,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let kind = match status {
            400 => ErrorKind::BadRequest,
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            // Not LINE's own answer, but that of a machine before it which waited in vain.
            408 => ErrorKind::Timeout,
            409 => ErrorKind::Conflict,
            410 => ErrorKind::Gone,
            413 => ErrorKind::TooLarge,
            429 => ErrorKind::TooManyRequests,
            500.. => ErrorKind::Server,
            _ => ErrorKind::Other,
        };
        let reached = match status {
            408 => Reached::Unknown,
            400..500 => Reached::Refused,
            _ => Reached::Unknown,
        };
        let inner = Inner {
            kind,
            reached,
            status: Some(status),
            request_id,
            // LINE's token endpoint follows OAuth and has another name for it.
            message: json::text(&body, "message")
                .or_else(|| json::text(&body, "error_description"))
                .unwrap_or_default(),
            details: json::elements(&body, "details").map(Detail::read).collect(),
            retry_after,
            source: None,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes the error of a call that got no answer, or none that can be read; public for those who stand in for LINE.
    #[must_use]
    pub fn without_answer(
        kind: ErrorKind,
        reached: Reached,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let inner = Inner {
            kind,
            reached,
            status: None,
            request_id: None,
            message: String::new(),
            details: Vec::new(),
            retry_after: None,
            source: Some(Arc::from(source.into())),
        };
        Self { inner: Arc::new(inner) }
    }

    fn without_answer_text(&self) -> &'static str {
        match (self.inner.kind, self.inner.reached) {
            (ErrorKind::Config, _) => "LINE cannot be called with these settings",
            (ErrorKind::Timeout, _) => "LINE did not answer in time",
            (ErrorKind::Invalid, _) => "LINE's answer was not understood",
            (ErrorKind::TooLarge, _) => "LINE's answer is too large",
            (_, Reached::Unknown) => "the connection to LINE broke",
            _ => "LINE was not reached",
        }
    }

    /// Turns the error of fetching an access token into that of the call which needed it: that call was never made.
    pub(crate) fn of_the_token(mut self) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.reached = Reached::No;
        if matches!(inner.kind, ErrorKind::BadRequest | ErrorKind::Forbidden) {
            inner.kind = ErrorKind::Unauthorized;
        }
        self
    }
}

impl Detail {
    fn read(detail: &Value) -> Self {
        let text = |key| json::text(detail, key).unwrap_or_default();
        Self { message: text("message"), property: text("property") }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        match (inner.status, inner.message.as_str()) {
            (Some(status), "") => write!(f, "LINE answered {status}")?,
            (Some(status), message) => write!(f, "LINE answered {status}: {message}")?,
            (None, _) => f.write_str(self.without_answer_text())?,
        }
        for Detail { message, property } in &self.inner.details {
            match property.as_str() {
                "" => write!(f, "; {message}")?,
                property => write!(f, "; {property}: {message}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}
