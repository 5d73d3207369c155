//! Input and refusals of the control API, both JSON, and long polls.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::acts::Refusal;
use crate::platform::{Memory, Platform};

/// A long poll lasts at most so long.
const MAX_WAIT_MS: u64 = 60_000;

/// Asks for what is newer than `after`, as it is or as soon as there is something.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    #[serde(default)]
    pub(crate) after: u64,
    #[serde(default)]
    pub(crate) wait_ms: u64,
}

/// Waits until something has happened, or until the time is over.
pub(crate) async fn wait(platform: &Platform, ms: u64, happened: impl Fn(&Memory) -> bool) {
    let mut changes = platform.changes();
    let change = async { while !platform.read(&happened) && changes.changed().await.is_ok() {} };
    if ms > 0 {
        // When the time is over, things are shown as they are.
        tokio::time::timeout(Duration::from_millis(ms.min(MAX_WAIT_MS)), change).await.ok();
    }
}

/// Is a refusal with a sentence for people.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownChat => {
                Self(StatusCode::NOT_FOUND, "no such user, group or room".into())
            }
            Refusal::NotAMember => {
                let text = "in a group or a room, userId must name one of its members";
                Self(StatusCode::BAD_REQUEST, text.into())
            }
            Refusal::UnknownMessage => {
                Self(StatusCode::NOT_FOUND, "no such message in this chat".into())
            }
        }
    }
}

/// Is a JSON body; the type must be declared, so that no other site's page can send one.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(Refused(StatusCode::BAD_REQUEST, rejection.body_text())),
        }
    }
}
