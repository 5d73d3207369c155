//! Pictures and other content, in both directions.

use std::{fmt, time::Duration};

use anyhow::Context as _;
use yamabiko_line::{
    client,
    error::ErrorKind,
    event::{Event, EventKind, MessageContent},
    id::MessageId,
};

use super::Context;
use crate::{
    Permanent, Result,
    media::{Media, Use},
    state::ChatState,
};

/// How long a download may take in all.
const DOWNLOAD: Duration = Duration::from_secs(60);

/// What became of the question for what a user sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Here it is.
    Ready {
        /// Its media type, as LINE says.
        content_type: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// LINE is still preparing it, as it does with large videos: ask again later, by `Snooze`.
    Preparing,
    /// The user took it back, or LINE has deleted it, as it does after a while.
    Gone,
    /// It is larger than was asked for.
    TooLarge,
    /// LINE does not hold it: its message's `is_held_by_line` is false.
    ///
    /// Only the handler of the message hears of it in this way; LINE itself says that there is no such content.
    Elsewhere,
}

/// Shows no content.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { content_type, bytes } => {
                write!(f, "Ready({content_type}, {} bytes)", bytes.len())
            }
            Self::Preparing => f.write_str("Preparing"),
            Self::Gone => f.write_str("Gone"),
            Self::TooLarge => f.write_str("TooLarge"),
            Self::Elsewhere => f.write_str("Elsewhere"),
        }
    }
}

impl<S: ChatState> Context<S> {
    /// Publishes a picture, `image/png` or `image/jpeg` of at most 10 MB, and returns the address at which LINE fetches it.
    ///
    /// It happens at once, not with the end of the run: one that is published by a run that fails is never shown to anybody.
    /// Nobody can guess the address; whoever has it can fetch the picture, until `MEDIA_RETENTION` is over.
    ///
    /// # Errors
    /// For good if the picture is too large or of another type, or the app does not say [`with_media`](crate::App::with_media);
    /// to be tried again if it cannot be stored.
    pub async fn publish(&self, bytes: Vec<u8>, content_type: &str) -> Result<String> {
        self.publish_as(bytes, content_type, Use::Picture).await
    }

    /// Publishes the preview of a picture, of at most 1 MB, as [`publish`](Self::publish) does.
    ///
    /// # Errors
    /// Those of [`publish`](Self::publish).
    pub async fn publish_preview(&self, bytes: Vec<u8>, content_type: &str) -> Result<String> {
        self.publish_as(bytes, content_type, Use::Preview).await
    }

    async fn publish_as(&self, bytes: Vec<u8>, content_type: &str, what: Use) -> Result<String> {
        let media = self.inner.shared.data.get::<Media>();
        let media = media.ok_or_else(|| {
            Permanent("this bot publishes nothing: add .with_media() to the App".to_owned())
        })?;
        media.publish(bytes, content_type, what, self.now()).await
    }

    /// Downloads what a user sent, at most `max_bytes` and for a minute at most.
    ///
    /// # Errors
    /// If LINE fails or is not reached.
    pub async fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content> {
        if self.inner.envelope.event.as_ref().is_some_and(|event| is_elsewhere(event, message)) {
            return Ok(Content::Elsewhere);
        }
        let run = &self.inner.run;
        let download = self.inner.shared.platform.content(message, max_bytes);
        let downloaded = run.part(run.clock().timeout(DOWNLOAD, download)).await;
        let downloaded = downloaded.context("the content did not come within a minute")?;
        Ok(match downloaded {
            Ok(client::Content::Ready { content_type, bytes }) => {
                Content::Ready { content_type, bytes }
            }
            Ok(_) => Content::Preparing,
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::Gone => Content::Gone,
                ErrorKind::TooLarge => Content::TooLarge,
                _ => return Err(error.into()),
            },
        })
    }
}

/// Says whether the event is this message, and tells that LINE does not hold its content.
fn is_elsewhere(event: &Event, message: &MessageId) -> bool {
    let EventKind::Message(content) = &event.kind else { return false };
    let (id, is_held_by_line) = match content {
        MessageContent::Image(image) => (&image.id, image.is_held_by_line),
        MessageContent::Video(video) => (&video.id, video.is_held_by_line),
        MessageContent::Audio(audio) => (&audio.id, audio.is_held_by_line),
        _ => return false,
    };
    id == message && !is_held_by_line
}
