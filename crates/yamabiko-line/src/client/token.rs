//! The channel access token: given, or fetched when needed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{Answer, Credentials, MAX_ANSWER, network};
use crate::{error::Error, secret::AccessToken};

/// For how long a stateless token is used; LINE lets it live for 15 minutes.
const USED_FOR: Duration = Duration::from_secs(12 * 60);

/// Where tokens come from.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: Credentials,
    url: String,
    fetched: Mutex<Option<(AccessToken, Instant)>>,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials, url: String) -> Self {
        Self { credentials, url, fetched: Mutex::new(None) }
    }

    /// Returns a token that is good now.
    pub(super) async fn current(&self, http: &reqwest::Client) -> Result<AccessToken, Error> {
        let (channel_id, channel_secret) = match &self.credentials {
            Credentials::Token(token) => return Ok(token.clone()),
            Credentials::Stateless { channel_id, channel_secret } => (channel_id, channel_secret),
        };
        if let Some((token, since)) = &*self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
            && since.elapsed() < USED_FOR
        {
            return Ok(token.clone());
        }
        #[derive(Deserialize)]
        struct Issued {
            access_token: AccessToken,
        }
        let form = [("grant_type", "client_credentials"), ("client_id", channel_id), ("client_secret", channel_secret.expose())];
        let response = http.post(&self.url).form(&form).send().await.map_err(network)?;
        let issued: Issued = Answer::read(response, MAX_ANSWER).await?.checked()?.json()?;
        let token = issued.access_token;
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) = Some((token.clone(), Instant::now()));
        Ok(token)
    }

    /// Forgets a token that LINE has refused, so that the next call fetches another.
    pub(super) fn forget(&self, refused: &AccessToken) {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if fetched.as_ref().is_some_and(|(token, _)| token == refused) {
            *fetched = None;
        }
    }
}
