//! Refusals in LINE's error format.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::limits::EXCEEDED;
use crate::validate::Problem;

/// Is a refusal of a call: a status, LINE's sentence, and perhaps what is wrong in detail.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    body: Value,
    /// The id of the request that was accepted instead of this one.
    accepted_request_id: Option<String>,
}

impl Refused {
    /// Refuses with a sentence.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self { status, body: json!({ "message": message }), accepted_request_id: None }
    }

    /// Refuses with 400 and a sentence.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Refuses with 400 and all that is wrong.
    pub(crate) fn invalid(problems: &[Problem]) -> Self {
        let mut refused = Self::bad(format!("The request body has {} error(s)", problems.len()));
        refused.body["details"] = problems.iter().map(Problem::to_json).collect();
        refused
    }

    /// Refuses a retry key that was accepted before, with what was sent then if LINE tells it.
    pub(crate) fn accepted_before(request_id: &str, sent_messages: Option<&Value>) -> Self {
        let mut refused = Self::new(StatusCode::CONFLICT, "The retry key is already accepted");
        if let Some(sent_messages) = sent_messages {
            refused.body["sentMessages"] = sent_messages.clone();
        }
        refused.accepted_request_id = Some(request_id.into());
        refused
    }

    /// Refuses since a fault says so, by default with LINE's usual text for the status.
    pub(crate) fn on_purpose(status: u16, message: Option<&str>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let usual = match status {
            StatusCode::TOO_MANY_REQUESTS => EXCEEDED,
            StatusCode::UNAUTHORIZED => {
                "Authentication failed due to the following reason: invalid access token."
            }
            StatusCode::FORBIDDEN => "Access to this API is not available for your account",
            other => other.canonical_reason().unwrap_or("Error"),
        };
        Self::new(status, message.unwrap_or(usual))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let accepted = self.accepted_request_id.and_then(|id| id.parse().ok());
        if let Some(accepted) = accepted {
            response.headers_mut().insert("x-line-accepted-request-id", accepted);
        }
        response
    }
}

/// A time as LINE writes it in answers: in UTC, with three digits of a second.
pub(crate) fn time(ms: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).unwrap_or_default())
}

/// Reads a request's body as LINE does.
pub(crate) fn json_body(bytes: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let place = format!("(line: {line}, column: {column})");
        Refused::bad(format!("The request body could not be parsed as JSON {place}"))
    })
}
