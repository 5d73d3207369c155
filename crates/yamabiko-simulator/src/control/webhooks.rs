//! Webhooks by hand: sent again, or with any bytes and any signature.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use yamabiko_line::signature;

use super::answer::{Input, Refused};
use crate::log::{Direction, Entry};
use crate::platform::Platform;

/// Most redeliveries of one call.
const MAX_TIMES: usize = 1_000;

/// Says how often to send an event again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    concurrent: bool,
}

fn once() -> usize {
    1
}

/// Sends an event again and shows the bot's answers.
pub(crate) async fn redeliver(
    State(platform): State<Arc<Platform>>,
    Path(event_id): Path<String>,
    Input(Again { times, concurrent }): Input<Again>,
) -> Result<Json<Value>, Refused> {
    let all = (0..times.min(MAX_TIMES)).map(|_| platform.redeliver(&event_id));
    let mut answers = Vec::new();
    if concurrent {
        answers = join_all(all).await;
    } else {
        for one in all {
            answers.push(one.await);
        }
    }
    let answers: Option<Vec<Value>> =
        answers.into_iter().map(|answer| Some(answer?.to_json())).collect();
    let unknown = || Refused(StatusCode::NOT_FOUND, "no such webhook in the log".into());
    Ok(Json(json!({ "webhooks": answers.ok_or_else(unknown)? })))
}

/// Is a webhook as it shall be sent, byte for byte.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    body: String,
    /// Without one, the right one is made; empty, none is sent.
    signature: Option<String>,
}

/// Sends any body with any signature and shows the bot's answer.
pub(crate) async fn raw(
    State(platform): State<Arc<Platform>>,
    Input(Raw { body, signature }): Input<Raw>,
) -> Json<Value> {
    let right = || signature::sign(&platform.config.channel_secret, body.as_bytes());
    let signature = signature.unwrap_or_else(right);
    let signature = Some(signature).filter(|signature| !signature.is_empty());
    let entry = Entry::new(Direction::Webhook, "raw".into(), body, platform.now());
    Json(platform.send(entry, signature.as_deref()).await.to_json())
}
