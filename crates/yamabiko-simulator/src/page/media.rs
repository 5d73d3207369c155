//! What users sent beside text, for the page to show.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::platform::Platform;

/// Types that a browser shows without running anything in them.
const SAFE: [&str; 14] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mp4",
    "audio/m4a",
    "audio/x-m4a",
    "audio/mpeg",
    "audio/webm",
    "audio/wav",
];

/// Answers with the content of a message; what is not safe to show can only be saved.
pub(crate) async fn media(
    State(platform): State<Arc<Platform>>,
    Path(message_id): Path<String>,
) -> Response {
    let media = platform.read(|memory| memory.media.get(&message_id).cloned());
    let Some(media) = media else { return StatusCode::NOT_FOUND.into_response() };
    let given = media.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let safe = SAFE.into_iter().find(|safe| *safe == given);
    let disposition = if safe.is_some() { "inline" } else { "attachment" };
    let headers = [
        (header::CONTENT_TYPE, safe.unwrap_or("application/octet-stream")),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, media.bytes).into_response()
}
