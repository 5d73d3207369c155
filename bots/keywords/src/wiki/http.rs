//! One request at a time to the wiki, in no hurry, and never more of an answer than asked for.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, Once},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::{
    Response, StatusCode, Url,
    header::{DATE, HeaderMap, RETRY_AFTER},
    redirect,
};
use tokio::{sync::Semaphore, time::Instant};

use super::{error::WikiError, network::Network, settings::WikiSettings};

/// How long to pause where the wiki wants a pause but says not how long.
pub(super) const DEFAULT_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause that is kept, whatever the wiki says.
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);
/// How long a request waits for its turn, in times of what a request may take.
const PATIENCE: u32 = 2;
/// How many redirects a request follows.
const MAX_REDIRECTS: usize = 3;
/// How long a connection is kept for the next request.
const KEPT_IDLE: Duration = Duration::from_secs(30);

pub(super) struct Http {
    client: reqwest::Client,
    network: Network,
    timeout: Duration,
    limiter: DefaultDirectRateLimiter,
    /// Wikimedia asks for requests in series.
    turn: Semaphore,
    quiet_until: Mutex<HashMap<Place, Instant>>,
}

/// What is asked for; a pause that the wiki wants for one is none for the other, since other servers have the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Api,
    Pictures,
}

/// An answer with status 200.
pub(super) struct Fetched {
    pub(super) content_type: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

impl Http {
    pub(super) fn new(settings: &WikiSettings, network: Network) -> Result<Self, WikiError> {
        install_crypto();
        let mut builder = reqwest::Client::builder()
            .user_agent(settings.user_agent.header())
            .connect_timeout(settings.timeout / 2)
            .pool_idle_timeout(KEPT_IDLE)
            .dns_resolver(Arc::new(network.clone()))
            .redirect(redirect::Policy::custom({
                let network = network.clone();
                move |attempt| follow(&network, attempt)
            }));
        let url = settings.url.of(crate::language::Language::English);
        if matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")) {
            builder = builder.no_proxy();
        }
        let rate = NonZeroU32::new(settings.requests_per_second).unwrap_or(NonZeroU32::MIN);
        Ok(Self {
            client: builder.build().map_err(WikiError::of)?,
            network,
            timeout: settings.timeout,
            limiter: RateLimiter::direct(Quota::per_second(rate)),
            turn: Semaphore::new(1),
            quiet_until: Mutex::default(),
        })
    }

    /// Fetches an address when its turn comes, and reads the answer of at most `max_bytes`.
    pub(super) async fn get<T>(
        &self,
        place: Place,
        url: Url,
        max_bytes: usize,
        read: impl FnOnce(&Fetched) -> Result<T, WikiError>,
    ) -> Result<T, WikiError> {
        let turn = tokio::time::timeout(self.timeout * PATIENCE, self.turn.acquire()).await;
        let _turn = turn.map_err(|_elapsed| WikiError::Busy { retry_after: DEFAULT_PAUSE })?;
        self.is_quiet_over(place)?;
        self.limiter.until_ready().await;
        let fetched = tokio::time::timeout(self.timeout, self.fetch(url, max_bytes)).await;
        let fetched = fetched.unwrap_or_else(|_elapsed| {
            Err(WikiError::Unavailable(format!("no answer in {} s", self.timeout.as_secs_f32())))
        });
        let result = fetched.and_then(|fetched| read(&fetched));
        if let Err(WikiError::Busy { retry_after }) = result {
            self.quiet().insert(place, Instant::now() + retry_after);
        }
        result
    }

    fn is_quiet_over(&self, place: Place) -> Result<(), WikiError> {
        let until = self.quiet().get(&place).copied();
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(retry_after) if !retry_after.is_zero() => Err(WikiError::Busy { retry_after }),
            _ => Ok(()),
        }
    }

    fn quiet(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Instant>> {
        self.quiet_until.lock().expect("nothing panics while it is held")
    }

    async fn fetch(&self, url: Url, max_bytes: usize) -> Result<Fetched, WikiError> {
        self.network.check(&url).await.map_err(|error| WikiError::Refused(error.to_string()))?;
        let response = self.client.get(url).send().await.map_err(WikiError::of)?;
        let retry_after = retry_after(response.headers());
        check(response.status(), retry_after)?;
        let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.to_ascii_lowercase();
        let body = body(response, max_bytes).await?;
        Ok(Fetched { content_type, retry_after, body })
    }
}

fn follow(network: &Network, attempt: redirect::Attempt<'_>) -> redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("too many redirects")
    } else if !matches!(attempt.url().scheme(), "http" | "https") {
        attempt.error("a redirect to what is no web address")
    } else if let Err(private) = network.check_redirect(attempt.url()) {
        attempt.error(private)
    } else {
        attempt.follow()
    }
}

fn check(status: StatusCode, retry_after: Option<Duration>) -> Result<(), WikiError> {
    match (status.as_u16(), retry_after) {
        (200, _) => Ok(()),
        (429, pause) => Err(WikiError::Busy { retry_after: pause.unwrap_or(DEFAULT_PAUSE) }),
        (503, Some(retry_after)) => Err(WikiError::Busy { retry_after }),
        (408 | 500..=599, _) => Err(WikiError::Unavailable(format!("status {status}"))),
        _ => Err(WikiError::Refused(format!("status {status}"))),
    }
}

/// Reads how long to wait; a date is held against the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let until = |then: SystemTime| {
        let now = date(headers.get(DATE)?.to_str().ok()?)?;
        Some(then.duration_since(now).unwrap_or_default())
    };
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(date(text)?)?,
    };
    Some(pause.clamp(Duration::from_secs(1), MAX_PAUSE))
}

/// Reads a body that may be endless.
async fn body(mut response: Response, max_bytes: usize) -> Result<Bytes, WikiError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(WikiError::of)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(WikiError::Unexpected(format!("it is longer than {max_bytes} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// Chooses the TLS provider once for the process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another library may have chosen already; that one serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
