//! The pictures that a bot publishes: where they are kept, and the addresses at which LINE fetches them.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::Context as _;
#[cfg(any(test, feature = "testing"))]
use axum::http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE};
use bytes::Bytes;
use object_store::{Attribute, Attributes};
use yamabiko_queue::{Clock, Timestamp};

use crate::{Permanent, Result};

mod name;
mod place;
mod serve;
mod sweep;
#[cfg(test)]
mod tests;

use name::{Format, Name};
use place::Place;
pub(crate) use place::{Bucket, Where, choose_tls};
pub(crate) use serve::routes;
pub(crate) use sweep::sweep_hourly;

/// The largest picture that LINE takes: 10 MB.
const MAX_PICTURE: usize = 10_000_000;
/// The largest preview that LINE takes: 1 MB.
const MAX_PREVIEW: usize = 1_000_000;
/// How long storing one picture may take.
const STORING: Duration = Duration::from_secs(30);

/// What a picture is for, which says how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Picture,
    Preview,
}

/// The pictures of a bot; clones are the same.
#[derive(Clone)]
pub(crate) struct Media {
    place: Arc<Place>,
    /// The public address of the folder; none where nothing is published, only served.
    url: Option<Arc<str>>,
    retention: Duration,
    clock: Clock,
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Media {
    /// Opens the place; a folder is made where there is none.
    pub(crate) fn open(
        place: &Where,
        url: Option<String>,
        retention: Duration,
        clock: Clock,
    ) -> Result<Self> {
        let place = Place::open(place).with_context(|| format!("MEDIA_STORE is {place}"))?;
        Ok(Self { place: Arc::new(place), url: url.map(Into::into), retention, clock })
    }

    /// Keeps a picture, and returns its address.
    pub(crate) async fn publish(
        &self,
        bytes: Vec<u8>,
        content_type: &str,
        what: Use,
        now: Timestamp,
    ) -> Result<String> {
        let format = Format::of(content_type).ok_or_else(|| {
            Permanent(format!(
                "{content_type:?} cannot be published: LINE takes image/png and image/jpeg"
            ))
        })?;
        check_size(bytes.len(), what)?;
        let url = self.url.as_ref().context("this process knows no MEDIA_URL")?;
        let name = Name::new(now, format)?;
        let kept = self.place.keep(&name, bytes.into(), self.attributes(format));
        let kept = tokio::time::timeout(STORING, kept).await;
        kept.context("no answer in time")
            .and_then(|kept| kept.map_err(|error| self.place.explain(&error)))
            .context("a picture cannot be stored")?;
        Ok(format!("{url}/{name}"))
    }

    /// Removes what was published at this address.
    pub(crate) async fn remove(&self, url: &str) -> Result {
        let name = url.rsplit('/').next().and_then(Name::parse).context("no picture's address")?;
        self.place.remove(&name).await.map_err(|error| self.place.explain(&error))
    }

    /// Returns what is at an address, as the route does: the content type and the bytes.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn fetch(&self, url: &str) -> Option<(String, Vec<u8>)> {
        let name = url.strip_prefix(&**self.url.as_ref()?)?.strip_prefix('/')?;
        let path = format!("/media/{name}").parse().ok()?;
        let response = serve::answer_to(self, &Method::GET, &path, &HeaderMap::new()).await;
        let content_type = response.headers().get(CONTENT_TYPE)?.to_str().ok()?.to_owned();
        let is_there = response.status() == StatusCode::OK;
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.ok()?;
        is_there.then(|| (content_type, bytes.to_vec()))
    }

    /// Returns what a bucket tells those who fetch from it.
    fn attributes(&self, format: Format) -> Attributes {
        Attributes::from_iter([
            (Attribute::ContentType, format.content_type().to_owned()),
            (Attribute::CacheControl, cache_control(self.retention)),
        ])
    }

    /// Returns for how long a picture will still be there, or `None` if that time is over.
    fn time_left(&self, name: &Name, now: Timestamp) -> Option<Duration> {
        let left = (name.published() + self.retention).since(now);
        (!left.is_zero()).then_some(left)
    }
}

fn check_size(bytes: usize, what: Use) -> Result<(), Permanent> {
    let (what, limit) = match what {
        Use::Picture => ("a picture", MAX_PICTURE),
        Use::Preview => ("a preview", MAX_PREVIEW),
    };
    if bytes == 0 {
        return Err(Permanent(format!("{what} is empty")));
    }
    if bytes > limit {
        return Err(Permanent(format!("{what} has {bytes} bytes: LINE takes up to {limit}")));
    }
    Ok(())
}

/// What is under a name never changes.
fn cache_control(left: Duration) -> String {
    format!("public, max-age={}, immutable", left.as_secs())
}
