//! What users sent beside text, for the bot to download.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::Refused;
use crate::media::Media;
use crate::platform::Platform;

/// The preview of what has none of its own: one grey dot, a PNG.
const NO_PREVIEW: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xe8, 0x00, 0x00, 0x00,
    0x8a, 0x00, 0x89, 0xff, 0x13, 0x41, 0xce, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

/// Sends the content; 202 while it is being prepared, 410 if the message was taken back.
pub(crate) async fn content(
    State(platform): State<Arc<Platform>>,
    Path(message_id): Path<String>,
) -> Result<Response, Refused> {
    let media = find(&platform, &message_id)?;
    if !media.is_ready(platform.now()) {
        return Ok((StatusCode::ACCEPTED, Json(json!({}))).into_response());
    }
    Ok(([(header::CONTENT_TYPE, media.content_type)], media.bytes).into_response())
}

/// Sends a preview: an image as it is, a dot for everything else that has pictures.
pub(crate) async fn preview(
    State(platform): State<Arc<Platform>>,
    Path(message_id): Path<String>,
) -> Result<Response, Refused> {
    let media = find(&platform, &message_id)?;
    match media.content_type.split('/').next() {
        Some("image") => {
            Ok(([(header::CONTENT_TYPE, media.content_type)], media.bytes).into_response())
        }
        Some("video") => Ok(([(header::CONTENT_TYPE, "image/png")], NO_PREVIEW).into_response()),
        _ => Err(Refused::new(StatusCode::NOT_FOUND, "Not found")),
    }
}

/// Tells whether a video or an audio can be downloaded.
pub(crate) async fn transcoding(
    State(platform): State<Arc<Platform>>,
    Path(message_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let media = find(&platform, &message_id)?;
    let status = if media.is_ready(platform.now()) { "succeeded" } else { "processing" };
    Ok(Json(json!({ "status": status })))
}

fn find(platform: &Platform, message_id: &str) -> Result<Media, Refused> {
    platform.read(|memory| match (memory.media.get(message_id), memory.chats.find(message_id)) {
        (Some(media), _) => Ok(media.clone()),
        (None, Some((_, message))) if message.unsent => {
            Err(Refused::new(StatusCode::GONE, "The content is gone"))
        }
        _ => Err(Refused::new(StatusCode::NOT_FOUND, "Not found")),
    })
}
