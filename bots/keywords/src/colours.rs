//! The job for a picture from a user: a thumbnail of it with its colours.

use std::{iter, time::Duration};

use serde::{Deserialize, Serialize};
use yamabiko::{
    Content, Context, ImageMessage, Job, JobId, Lane, Message, MessageId, Result, Snooze, Timestamp,
};

use crate::{
    HEAVY,
    picture::{self, Collage, Colour, Limits, PictureError},
    published::Published,
    waiting::KeepWaiting,
    words::to_a_picture,
};

/// How large a picture may be, in MB.
const MAX_MEGABYTES: usize = 20;
const MAX_BYTES: usize = MAX_MEGABYTES * 1_000_000;
/// How often a picture that LINE still prepares is asked for.
const ASK_AGAIN: Duration = Duration::from_secs(3);
/// How long it is asked for.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many colours are told.
const COLOURS: usize = 5;

/// A picture that a user has sent.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Colours {
    message: MessageId,
    quote_token: Option<String>,
    asked: Timestamp,
    /// What keeps the loading animation going.
    waiting: Option<JobId>,
}

impl Colours {
    /// Starts to look at a picture; the chat sees that it has to wait.
    pub(crate) fn start(cx: &Context, image: ImageMessage) {
        let waiting = KeepWaiting::start(cx);
        let (message, quote_token) = (image.id, image.quote_token);
        cx.enqueue(Self { message, quote_token, asked: cx.now(), waiting });
    }
}

impl Job for Colours {
    const KIND: &'static str = "colours";
    const LANE: Lane = Lane::None;
    const QUEUE: &'static str = HEAVY;

    async fn run(self, cx: Context) -> Result {
        let (text, card) = match cx.content(&self.message, MAX_BYTES).await? {
            Content::Ready { bytes, .. } => match cx.blocking(move || card(&bytes)).await? {
                Ok((text, card)) => (text, Some(Published::publish(&cx, card).await?)),
                Err(error) => (to_a_picture::unreadable(&error), None),
            },
            Content::Preparing if cx.now().since(self.asked) < PATIENCE => {
                return Err(Snooze(ASK_AGAIN).into());
            }
            Content::Preparing => (to_a_picture::NOT_READY.to_owned(), None),
            Content::TooLarge => (to_a_picture::too_large(MAX_MEGABYTES), None),
            _ => (to_a_picture::GONE.to_owned(), None),
        };
        let text = Message::text(text);
        cx.push(match self.quote_token {
            Some(token) => text.quote(token),
            None => text,
        });
        if let Some(card) = card {
            cx.push(card.message());
        }
        if let Some(waiting) = self.waiting {
            cx.cancel(waiting);
        }
        Ok(())
    }
}

/// Returns the colours of a picture in words, and as a card.
fn card(bytes: &[u8]) -> Result<(String, Collage), PictureError> {
    let limits = Limits { file_bytes: MAX_BYTES, ..Limits::default() };
    let picture = picture::decode(bytes, &limits)?;
    let palette = picture::palette(&picture, COLOURS);
    let line = |colour: &Colour| format!("{} {:.0} %", colour.hex(), colour.share * 100.0);
    let lines = palette.iter().map(line);
    let text = iter::once(to_a_picture::COLOURS.to_owned()).chain(lines).collect::<Vec<_>>();
    Ok((text.join("\n"), picture::palette_card(&picture, &palette)))
}
