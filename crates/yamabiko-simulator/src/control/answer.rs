//! Input and refusals of the control API, both JSON.

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::acts::Refusal;

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
