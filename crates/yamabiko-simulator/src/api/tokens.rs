//! Channel access tokens of all kinds: issued, verified, revoked.
//!
//! The signature of a JSON web token is not checked, since the simulator has no keys of the channel; its claims are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::id;
use crate::platform::Platform;
use crate::tokens::{Issued, TokenKind};

const BY_JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A JSON web token may be good for half an hour at most.
const JWT_LIFE: i64 = 30 * 60;
/// A token of version 2.1 may live for 30 days at most.
const LONGEST: i64 = 30 * 24 * 60 * 60;
/// A long-lived token does not end; LINE tells so many seconds all the same, a century.
const LONG_LIVED: i64 = 100 * 365 * 24 * 60 * 60;

/// Is a request with LINE's form fields; which of them count depends on the address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    grant_type: String,
    client_id: String,
    client_secret: String,
    client_assertion_type: String,
    client_assertion: String,
    access_token: String,
}

/// Is a refusal in the form of OAuth.
pub(crate) struct Denied(&'static str, &'static str);

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.0, "error_description": self.1 });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

const UNKNOWN_TOKEN: Denied = Denied("invalid_request", "access token expired");

/// Issues a stateless token, which lives for 15 minutes.
pub(crate) async fn stateless(
    State(platform): State<Arc<Platform>>,
    Form(fields): Form<Fields>,
) -> Result<Json<Value>, Denied> {
    fields.check_grant()?;
    if fields.client_assertion.is_empty() {
        fields.check_client(&platform)?;
    } else {
        fields.check_assertion(&platform)?;
    }
    Ok(issue(&platform, TokenKind::Stateless, None))
}

/// Issues a short-lived token, which lives for 30 days; the oldest of more than 30 ends.
pub(crate) async fn short_lived(
    State(platform): State<Arc<Platform>>,
    Form(fields): Form<Fields>,
) -> Result<Json<Value>, Denied> {
    fields.check_grant()?;
    fields.check_client(&platform)?;
    Ok(issue(&platform, TokenKind::ShortLived, None))
}

/// Issues a token of version 2.1, which lives as long as the JSON web token says; no more than 30 of them.
pub(crate) async fn by_jwt(
    State(platform): State<Arc<Platform>>,
    Form(fields): Form<Fields>,
) -> Result<Json<Value>, Denied> {
    fields.check_grant()?;
    let claims = fields.check_assertion(&platform)?;
    let life = match &claims["token_exp"] {
        Value::Null => Some(LONGEST),
        given => given.as_i64().filter(|life| (1..=LONGEST).contains(life)),
    };
    let life = life.ok_or(Denied("invalid_request", "invalid token_exp"))?;
    if platform.read(|memory| memory.access_tokens.is_full(platform.now())) {
        return Err(Denied("invalid_request", "too many access tokens"));
    }
    Ok(issue(&platform, TokenKind::ByJwt, Some(life)))
}

/// Lists the key ids of the tokens of version 2.1.
pub(crate) async fn key_ids(
    State(platform): State<Arc<Platform>>,
    Query(fields): Query<Fields>,
) -> Result<Json<Value>, Denied> {
    fields.check_assertion(&platform)?;
    let now = platform.now();
    Ok(platform.read(|memory| Json(json!({ "kids": memory.access_tokens.key_ids(now) }))))
}

/// Tells how long a token lives; which one stands in the address or in a form.
///
/// The token of the configuration is the channel's long-lived one.
pub(crate) async fn verify(
    State(platform): State<Arc<Platform>>,
    Form(Fields { access_token: given, .. }): Form<Fields>,
) -> Result<Json<Value>, Denied> {
    let now = platform.now();
    let seconds = if given == platform.config.access_token.expose() {
        LONG_LIVED
    } else {
        let until = platform.read(|memory| memory.access_tokens.until(&given, now));
        (until.ok_or(UNKNOWN_TOKEN)? - now) / 1_000
    };
    Ok(Json(json!({
        "client_id": platform.config.channel_id,
        "expires_in": seconds,
        "scope": "chat_message.write",
    })))
}

/// Ends a token; a stateless one cannot be ended.
pub(crate) async fn revoke(
    State(platform): State<Arc<Platform>>,
    Form(fields): Form<Fields>,
) -> StatusCode {
    platform.update(|memory| memory.access_tokens.revoke(&fields.access_token));
    StatusCode::OK
}

/// Ends a token of version 2.1, which takes the channel's secret.
pub(crate) async fn revoke_by_client(
    State(platform): State<Arc<Platform>>,
    Form(fields): Form<Fields>,
) -> Result<StatusCode, Denied> {
    fields.check_client(&platform)?;
    platform.update(|memory| memory.access_tokens.revoke(&fields.access_token));
    Ok(StatusCode::OK)
}

impl Fields {
    fn check_grant(&self) -> Result<(), Denied> {
        if self.grant_type == "client_credentials" {
            return Ok(());
        }
        Err(Denied("unsupported_grant_type", "grant_type must be client_credentials"))
    }

    fn check_client(&self, platform: &Platform) -> Result<(), Denied> {
        let secret = platform.config.channel_secret.expose();
        if self.client_id == platform.config.channel_id && self.client_secret == secret {
            return Ok(());
        }
        Err(Denied("invalid_client", "invalid client_id or client_secret"))
    }

    /// Reads the claims of the JSON web token and checks them and its header.
    fn check_assertion(&self, platform: &Platform) -> Result<Value, Denied> {
        let wrong = Denied("invalid_client", "Invalid client assertion");
        if self.client_assertion_type != BY_JWT {
            return Err(Denied("invalid_request", "invalid client_assertion_type"));
        }
        let mut parts = self.client_assertion.split('.').map(|part| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        });
        let (Some(Some(header)), Some(Some(claims))) = (parts.next(), parts.next()) else {
            return Err(wrong);
        };
        let has_key = header["kid"].as_str().is_some_and(|key| !key.is_empty());
        if header["alg"] != "RS256" || header["typ"] != "JWT" || !has_key {
            return Err(wrong);
        }
        let channel = platform.config.channel_id.as_str();
        let now = platform.now() / 1_000;
        let is_for_line = match &claims["aud"] {
            Value::Array(all) => all.iter().any(|aud| aud == "https://api.line.me/"),
            aud => aud == "https://api.line.me/",
        };
        let lives = claims["exp"].as_i64().is_some_and(|exp| now < exp && exp <= now + JWT_LIFE);
        let is_right = claims["iss"] == channel && claims["sub"] == channel && is_for_line && lives;
        if is_right { Ok(claims) } else { Err(wrong) }
    }
}

fn issue(platform: &Platform, kind: TokenKind, life: Option<i64>) -> Json<Value> {
    let token = id::token();
    let now = platform.now();
    let Issued { seconds, key_id } =
        platform.update(|memory| memory.access_tokens.issue(&token, kind, now, life));
    let mut body = json!({ "token_type": "Bearer", "access_token": token, "expires_in": seconds });
    if let Some(key_id) = key_id {
        body["key_id"] = key_id.into();
    }
    Json(body)
}
