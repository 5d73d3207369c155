//! One call over HTTP: how it is sent, and what its failure says about whether LINE has acted.

use std::{
    sync::Once,
    time::{Duration, SystemTime},
};

use reqwest::{RequestBuilder, Response, Url, redirect};
use serde_json::Value;

use super::Sent;
use crate::error::{Error, ErrorKind, Reached};

/// The largest answer other than content, in bytes.
pub(super) const MAX_ANSWER: usize = 1024 * 1024;
/// How long a connection is kept for the next call.
const KEPT_IDLE: Duration = Duration::from_secs(30);

/// Reads a base address.
pub(super) fn base(address: &str) -> Result<Url, Error> {
    let url = Url::parse(address).map_err(|error| unusable(format!("{address:?}: {error}")))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(unusable(format!("{address:?}: an address begins with https:// or http://")))
    }
}

/// Appends segments to a base address; whatever an id holds, it stays one segment.
pub(super) fn join(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.path_segments_mut().expect("an http address has a path").pop_if_empty().extend(segments);
    url
}

/// Makes the error of a setting that no call can be made with.
pub(super) fn unusable(why: String) -> Error {
    Error::without_answer(ErrorKind::Config, Reached::No, why)
}

/// Makes a pool of connections.
pub(super) fn client(api_url: &Url, timeout: Duration) -> Result<reqwest::Client, Error> {
    install_crypto();
    let mut builder = reqwest::Client::builder()
        // Less than a call may take in all, so that a call that never left is told from one without an answer.
        .connect_timeout(timeout / 2)
        .read_timeout(timeout)
        .pool_idle_timeout(KEPT_IDLE)
        // A redirect would carry the token elsewhere; LINE has none.
        .redirect(redirect::Policy::none());
    if matches!(api_url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::without_answer(ErrorKind::Config, Reached::No, error))
}

/// Chooses the TLS provider once for the process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another library may have chosen already; that one serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

/// Sends a request and reads the answer, at most `max_bytes` of it.
pub(super) async fn send(request: RequestBuilder, max_bytes: usize) -> Result<Answer, Error> {
    let response = request.send().await.map_err(failure)?;
    Ok(Answer::of(response, max_bytes).await)
}

/// An answer of LINE, of any status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) accepted_request_id: Option<String>,
    pub(super) content_type: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    /// When it was given, by LINE's clock.
    pub(super) date: Option<SystemTime>,
    /// The body may break off after the status has told what LINE did.
    pub(super) body: Result<Vec<u8>, Error>,
}

impl Answer {
    async fn of(response: Response, max_bytes: usize) -> Self {
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
        Self {
            status: response.status().as_u16(),
            request_id: header("x-line-request-id"),
            accepted_request_id: header("x-line-accepted-request-id"),
            content_type: header("content-type"),
            date: header("date").and_then(|date| httpdate::parse_http_date(&date).ok()),
            retry_after: retry_after.map(Duration::from_secs),
            body: read(response, max_bytes).await,
        }
    }

    /// Turns every status but success into an error.
    pub(super) fn checked(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let body = self.body.unwrap_or_default();
        Err(Error::refused(self.status, self.request_id, self.retry_after, &body))
    }

    /// Reads the body as JSON.
    pub(super) fn read<T>(self, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, Error> {
        let not_understood =
            |source| Error::without_answer(ErrorKind::Invalid, Reached::Unknown, source);
        let body: Value = serde_json::from_slice(&self.body?)
            .map_err(|error| not_understood(error.to_string()))?;
        read(&body).ok_or_else(|| not_understood("a part is missing".to_owned()))
    }

    /// Reads what was sent; LINE has taken the messages, so a body that is not understood is no failure.
    pub(super) fn into_sent(self, already_accepted: bool) -> Sent {
        let body = self.body.ok().and_then(|body| serde_json::from_slice(&body).ok());
        let mut sent = Sent::read(&body.unwrap_or_default());
        sent.request_id = self.request_id;
        sent.accepted_request_id = self.accepted_request_id;
        sent.already_accepted = already_accepted;
        sent
    }
}

async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > max_bytes {
            let error = format!("more than {max_bytes} bytes");
            return Err(Error::without_answer(ErrorKind::TooLarge, Reached::Unknown, error));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Says what a call that broke means: only one that found no connection surely never reached LINE.
fn failure(error: reqwest::Error) -> Error {
    // The caller knows the address; logs need not know whose profile was asked for.
    let error = error.without_url();
    let (kind, reached) = if error.is_builder() {
        (ErrorKind::Config, Reached::No)
    } else if error.is_connect() && error.is_timeout() {
        (ErrorKind::Timeout, Reached::No)
    } else if error.is_connect() {
        (ErrorKind::Network, Reached::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, Reached::Unknown)
    } else {
        (ErrorKind::Network, Reached::Unknown)
    };
    Error::without_answer(kind, reached, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_of_the_address() {
        let base = base("http://127.0.0.1:3001/line/").unwrap();
        let url = join(&base, &["profile", "a/../b?c"]);
        assert_eq!(url.as_str(), "http://127.0.0.1:3001/line/profile/a%2F..%2Fb%3Fc");
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for address in ["", "api.line.me", "ftp://api.line.me", "localhost:3001"] {
            let error = base(address).unwrap_err();
            assert_eq!((error.kind(), error.reached()), (ErrorKind::Config, Reached::No));
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.starts_with(&format!("{address:?}")), "{source}");
        }
    }
}
