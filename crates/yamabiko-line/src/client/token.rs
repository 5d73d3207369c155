//! The channel access token: given, or fetched when needed.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::Url;
use rustix::time::{ClockId, clock_gettime};

use super::{
    Credentials,
    http::{self, unusable},
};
use crate::{error::Error, json, secret::AccessToken};

/// For how long a stateless token is used; LINE lets it live for 15 minutes.
const USED_FOR: Duration = Duration::from_secs(12 * 60);

/// A clock that does not stop while the machine is suspended, since tokens grow older meanwhile.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// Where tokens come from.
#[derive(Debug)]
pub(super) struct Tokens {
    credentials: Credentials,
    url: Url,
    http: reqwest::Client,
    timeout: Duration,
    /// Held while a token is fetched, so that whoever needs one meanwhile waits for it.
    fetching: tokio::sync::Mutex<()>,
    fetched: Mutex<Fetched>,
}

/// The last fetch.
#[derive(Debug, Default)]
struct Fetched {
    /// How many fetches have ended; the number of a token's fetch is its generation.
    fetches: u64,
    /// What the last one brought.
    last: Option<Result<Fresh, Error>>,
}

/// A token that was fetched.
#[derive(Clone, Debug)]
struct Fresh {
    token: AccessToken,
    /// When it was asked for, since the machine was started.
    since: Duration,
    refused: bool,
}

impl Fresh {
    fn is_good(&self, now: Duration) -> bool {
        !self.refused && now.saturating_sub(self.since) < USED_FOR
    }
}

/// A token for one call.
#[derive(Clone, Debug)]
pub(super) struct Lent {
    pub(super) token: AccessToken,
    /// None for a token that was given beforehand.
    generation: Option<u64>,
}

impl Tokens {
    pub(super) fn new(
        credentials: Credentials,
        url: Url,
        http: reqwest::Client,
        timeout: Duration,
    ) -> Result<Self, Error> {
        if let Credentials::Token(token) = &credentials
            && !is_usable(token)
        {
            return Err(unusable(
                "the access token is empty or has characters that no token has".to_owned(),
            ));
        }
        let (fetching, fetched) = Default::default();
        Ok(Self { credentials, url, http, timeout, fetching, fetched })
    }

    /// Returns a token that is good now.
    ///
    /// # Errors
    /// Those of fetching it, as errors of a call that was never made.
    pub(super) async fn current(&self) -> Result<Lent, Error> {
        if let Credentials::Token(token) = &self.credentials {
            return Ok(Lent { token: token.clone(), generation: None });
        }
        let fetches = {
            let fetched = self.fetched();
            match &fetched.last {
                Some(Ok(fresh)) if fresh.is_good(since_boot()) => return Ok(fetched.lend(fresh)),
                _ => fetched.fetches,
            }
        };
        self.fetch_after(fetches).await
    }

    /// Returns the token to try after one was refused: each generation is followed by one fetch, whoever asks for it.
    ///
    /// Returns `None` where there is no other: the token was given, or the one that followed is refused as well.
    ///
    /// # Errors
    /// Those of fetching it.
    pub(super) async fn after_refusal(&self, refused: &Lent) -> Result<Option<Lent>, Error> {
        let Some(generation) = refused.generation else { return Ok(None) };
        {
            let mut fetched = self.fetched();
            if fetched.fetches > generation {
                return fetched.follower();
            }
            fetched.refuse(generation);
        }
        self.fetch_after(generation).await.map(Some)
    }

    /// Notes that a token was refused, so that the next call fetches another.
    pub(super) fn refuse(&self, refused: &Lent) {
        if let Some(generation) = refused.generation {
            self.fetched().refuse(generation);
        }
    }

    /// Fetches a token, or waits for whoever does; `fetches` had ended when it was found that one is needed.
    async fn fetch_after(&self, fetches: u64) -> Result<Lent, Error> {
        let _one_at_a_time = self.fetching.lock().await;
        {
            let fetched = self.fetched();
            if fetched.fetches > fetches
                && let Some(last) = &fetched.last
            {
                // What was fetched meanwhile is for all who waited, a failure too.
                return last.as_ref().map(|fresh| fetched.lend(fresh)).map_err(Clone::clone);
            }
        }
        let last = self.fetch().await.map_err(Error::of_the_token);
        let mut fetched = self.fetched();
        fetched.fetches += 1;
        let lent = last.as_ref().map(|fresh| fetched.lend(fresh)).map_err(Clone::clone);
        fetched.last = Some(last);
        lent
    }

    async fn fetch(&self) -> Result<Fresh, Error> {
        let Credentials::Stateless { channel_id, channel_secret } = &self.credentials else {
            return Err(unusable("a token that was given is not fetched".to_owned()));
        };
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", channel_id),
            ("client_secret", channel_secret.expose()),
        ];
        let since = since_boot();
        let request = self.http.post(self.url.clone()).timeout(self.timeout).form(&form);
        let answer = http::send(request, http::MAX_ANSWER).await?.checked()?;
        let token = answer.read(|issued| {
            json::text(issued, "access_token").map(AccessToken::new).filter(is_usable)
        })?;
        Ok(Fresh { token, since, refused: false })
    }

    fn fetched(&self) -> MutexGuard<'_, Fetched> {
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    fn lend(&self, fresh: &Fresh) -> Lent {
        Lent { token: fresh.token.clone(), generation: Some(self.fetches) }
    }

    fn refuse(&mut self, generation: u64) {
        if self.fetches == generation
            && let Some(Ok(fresh)) = &mut self.last
        {
            fresh.refused = true;
        }
    }

    /// Returns what followed a token that was refused; `None` if that is refused as well.
    fn follower(&self) -> Result<Option<Lent>, Error> {
        match &self.last {
            Some(Ok(fresh)) => Ok((!fresh.refused).then(|| self.lend(fresh))),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }
}

/// Returns how long the machine has been on, suspends included.
fn since_boot() -> Duration {
    clock_gettime(SINCE_BOOT).try_into().unwrap_or_default()
}

/// Says whether a token can stand in a header.
fn is_usable(token: &AccessToken) -> bool {
    let token = token.expose();
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_for_twelve_minutes_of_a_clock_that_never_stops() {
        let fetched_at = Duration::from_secs(1_000);
        let fresh = Fresh { token: AccessToken::new("t"), since: fetched_at, refused: false };
        let just_before = fetched_at + USED_FOR - Duration::from_millis(1);
        assert!(fresh.is_good(just_before) && !fresh.is_good(fetched_at + USED_FOR));
        assert!(!Fresh { refused: true, ..fresh }.is_good(fetched_at));
        let awake: Duration = clock_gettime(ClockId::Monotonic).try_into().unwrap();
        assert!(since_boot() >= awake, "suspends are counted");
    }
}
