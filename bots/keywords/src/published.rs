//! A picture and its preview, at addresses that LINE can fetch.

use serde::{Deserialize, Serialize};
use yamabiko::{Context, Message, Result};

use crate::picture::{CONTENT_TYPE, Collage};

/// The addresses of a picture and its preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    picture: String,
    preview: String,
}

impl Published {
    /// Publishes a picture and its preview.
    ///
    /// # Errors
    /// If they cannot be stored now.
    pub(crate) async fn publish(cx: &Context, collage: Collage) -> Result<Self> {
        let picture = cx.publish(collage.image, CONTENT_TYPE).await?;
        let preview = cx.publish_preview(collage.preview, CONTENT_TYPE).await?;
        Ok(Self { picture, preview })
    }

    /// Returns the message that shows it.
    pub(crate) fn message(&self) -> Message {
        Message::image(&self.picture, &self.preview)
    }
}
