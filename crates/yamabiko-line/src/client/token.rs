//! The channel access token: given, or fetched when needed.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Url;

use super::{
    Credentials,
    http::{self, unusable},
};
use crate::{error::Error, json, secret::AccessToken};

/// For how long a stateless token is used; LINE lets it live for 15 minutes.
const USED_FOR: Duration = Duration::from_secs(12 * 60);

/// Where tokens come from.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: Credentials,
    url: Url,
    fetched: Mutex<Option<(AccessToken, Instant)>>,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials, url: Url) -> Result<Self, Error> {
        if let Credentials::Token(token) = &credentials
            && !is_usable(token)
        {
            return Err(unusable(
                "the access token is empty or has characters that no token has".to_owned(),
            ));
        }
        Ok(Self { credentials, url, fetched: Mutex::new(None) })
    }

    /// Returns a token that is good now.
    pub(super) async fn current(
        &self,
        http: &reqwest::Client,
        timeout: Duration,
    ) -> Result<AccessToken, Error> {
        let (channel_id, channel_secret) = match &self.credentials {
            Credentials::Token(token) => return Ok(token.clone()),
            Credentials::Stateless { channel_id, channel_secret } => (channel_id, channel_secret),
        };
        if let Some((token, since)) = &*self.fetched()
            && since.elapsed() < USED_FOR
        {
            return Ok(token.clone());
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", channel_id),
            ("client_secret", channel_secret.expose()),
        ];
        let since = Instant::now();
        let request = http.post(self.url.clone()).timeout(timeout).form(&form);
        let answer = http::send(request, http::MAX_ANSWER).await?.checked()?;
        let token = answer.read(|issued| {
            json::text(issued, "access_token").map(AccessToken::new).filter(is_usable)
        })?;
        *self.fetched() = Some((token.clone(), since));
        Ok(token)
    }

    /// Forgets a token that LINE has refused, so that the next call fetches another.
    pub(super) fn forget(&self, refused: &AccessToken) {
        let mut fetched = self.fetched();
        if fetched.as_ref().is_some_and(|(token, _)| token == refused) {
            *fetched = None;
        }
    }

    fn fetched(&self) -> MutexGuard<'_, Option<(AccessToken, Instant)>> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says whether a token can stand in a header.
fn is_usable(token: &AccessToken) -> bool {
    let token = token.expose();
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}
