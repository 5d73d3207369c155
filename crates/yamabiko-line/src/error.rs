//! What can go wrong in a call to LINE.

use std::{fmt, time::Duration};

/// An error of a call to LINE.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    reached: Reached,
    status: Option<u16>,
    request_id: Option<String>,
    message: String,
    details: Vec<Detail>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
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
    /// Another refusal.
    Other,
}

/// Whether LINE has acted on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It surely never reached LINE.
    No,
    /// LINE refused it, and did nothing.
    Refused,
    /// Nobody can tell.
    Unknown,
}

/// One of LINE's remarks on a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Detail {
    /// What is wrong.
    #[serde(default)]
    pub message: String,
    /// Where.
    #[serde(default)]
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

    /// Returns LINE's remarks on single properties.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.inner.details
    }

    /// Returns how long LINE asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    pub(crate) fn from_status(status: u16, request_id: Option<String>, retry_after: Option<Duration>, body: &[u8]) -> Self {
        #[derive(serde::Deserialize, Default)]
        struct Body {
            #[serde(default)]
            message: String,
            #[serde(default)]
            details: Vec<Detail>,
        }
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let kind = match status {
            400 => ErrorKind::BadRequest,
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            410 => ErrorKind::Gone,
            413 => ErrorKind::TooLarge,
            429 => ErrorKind::TooManyRequests,
            500.. => ErrorKind::Server,
            _ => ErrorKind::Other,
        };
        let reached = if (400..500).contains(&status) { Reached::Refused } else { Reached::Unknown };
        let inner = Inner {
            kind,
            reached,
            status: Some(status),
            request_id,
            message: body.message,
            details: body.details,
            retry_after,
            source: None,
        };
        Self { inner: Box::new(inner) }
    }

    pub(crate) fn without_answer(kind: ErrorKind, reached: Reached, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let inner = Inner {
            kind,
            reached,
            status: None,
            request_id: None,
            message: String::new(),
            details: Vec::new(),
            retry_after: None,
            source: Some(source.into()),
        };
        Self { inner: Box::new(inner) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.inner.status, self.inner.kind) {
            (Some(status), _) if self.inner.message.is_empty() => write!(f, "LINE answered {status}")?,
            (Some(status), _) => write!(f, "LINE answered {status}: {}", self.inner.message)?,
            (None, ErrorKind::Timeout) => f.write_str("LINE did not answer in time")?,
            (None, ErrorKind::Invalid) => f.write_str("LINE's answer was not understood")?,
            (None, ErrorKind::TooLarge) => f.write_str("LINE's answer is too large")?,
            (None, _) => f.write_str("LINE was not reached")?,
        }
        for detail in &self.inner.details {
            write!(f, "; {}: {}", detail.property, detail.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}
