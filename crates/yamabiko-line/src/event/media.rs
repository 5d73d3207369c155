//! Messages whose content is downloaded: images, videos, sounds, files.

use std::fmt;

use serde_json::Value;

use super::content::message_id;
use crate::{id::MessageId, json};

/// An image message; the picture is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageMessage {
    /// Its id.
    pub id: MessageId,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
    /// Whether LINE holds the content; if not, it stands elsewhere and cannot be downloaded through LINE.
    pub is_held_by_line: bool,
    /// Which of several pictures sent together it is.
    pub image_set: Option<ImageSet>,
}

/// The place of an image among several that were sent together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageSet {
    /// The id of the set.
    pub id: String,
    /// Which one it is, from 1; not known for some versions of the app.
    pub index: Option<i64>,
    /// How many there are; not known for some versions of the app.
    pub total: Option<i64>,
}

/// A video message; the video is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoMessage {
    /// Its id.
    pub id: MessageId,
    /// Its length in milliseconds.
    pub duration_ms: Option<i64>,
    /// What an answer needs to quote it.
    pub quote_token: Option<String>,
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
    /// Whether LINE holds the content; if not, it stands elsewhere and cannot be downloaded through LINE.
    pub is_held_by_line: bool,
}

/// An audio message; the sound is downloaded through the content API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioMessage {
    /// Its id.
    pub id: MessageId,
    /// Its length in milliseconds.
    pub duration_ms: Option<i64>,
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
    /// Whether LINE holds the content; if not, it stands elsewhere and cannot be downloaded through LINE.
    pub is_held_by_line: bool,
}

/// A file message; the file is downloaded through the content API.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMessage {
    /// Its id.
    pub id: MessageId,
    /// Its name.
    pub file_name: String,
    /// Its size in bytes.
    pub file_size: Option<i64>,
    /// What marks it as read.
    pub mark_as_read_token: Option<String>,
}

impl ImageMessage {
    pub(super) fn read(message: &Value) -> Option<Self> {
        Some(Self {
            id: message_id(message)?,
            quote_token: json::text(message, "quoteToken"),
            mark_as_read_token: json::text(message, "markAsReadToken"),
            is_held_by_line: is_held_by_line(message),
            image_set: message.get("imageSet").and_then(|set| {
                let (index, total) = (json::integer(set, "index"), json::integer(set, "total"));
                Some(ImageSet { id: json::id(set, "id")?, index, total })
            }),
        })
    }
}

impl VideoMessage {
    pub(super) fn read(message: &Value) -> Option<Self> {
        Some(Self {
            id: message_id(message)?,
            duration_ms: json::integer(message, "duration"),
            quote_token: json::text(message, "quoteToken"),
            mark_as_read_token: json::text(message, "markAsReadToken"),
            is_held_by_line: is_held_by_line(message),
        })
    }
}

impl AudioMessage {
    pub(super) fn read(message: &Value) -> Option<Self> {
        Some(Self {
            id: message_id(message)?,
            duration_ms: json::integer(message, "duration"),
            mark_as_read_token: json::text(message, "markAsReadToken"),
            is_held_by_line: is_held_by_line(message),
        })
    }
}

impl FileMessage {
    pub(super) fn read(message: &Value) -> Option<Self> {
        Some(Self {
            id: message_id(message)?,
            file_name: json::text(message, "fileName").unwrap_or_default(),
            file_size: json::integer(message, "fileSize"),
            mark_as_read_token: json::text(message, "markAsReadToken"),
        })
    }
}

/// Shows all but what the user chose as a name.
impl fmt::Debug for FileMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileMessage")
            .field("id", &self.id)
            .field("file_size", &self.file_size)
            .finish_non_exhaustive()
    }
}

fn is_held_by_line(message: &Value) -> bool {
    let provider = message.get("contentProvider").and_then(|provider| provider.get("type"));
    provider.and_then(Value::as_str).is_none_or(|provider| provider == "line")
}
