//! Opens a store by its address.

use std::{sync::Arc, time::Duration};

use super::{Store, redis::RedisStore, sqlite::SqliteStore};
use crate::{
    clock::Clock,
    error::{ErrorKind, Result},
    outage::Outage,
    timer::TRY_AGAIN,
};

/// What all stores need to know.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The bot's name; on Redis, all its keys carry it (R1).
    pub name: String,
    /// Where the time comes from. Defaults to the store's own clock.
    pub clock: Clock,
    /// How long a claim holds without a beat, in real time. Defaults to 5 s.
    pub lease: Duration,
    /// How long completed jobs are kept for people. Defaults to not at all.
    pub keep_completed: Duration,
    /// How many completed jobs are kept at most. Defaults to 10,000.
    pub keep_completed_max: u32,
    /// How long dead jobs are kept. Defaults to 30 days.
    pub keep_dead: Duration,
    /// How many dead jobs are kept at most. Defaults to 10,000.
    pub keep_dead_max: u32,
    /// How many ids are remembered on Redis, at most; beyond that the quarter of a time span that is over first is forgotten (K5).
    /// Defaults to 20,000,000.
    pub remember_max: u32,
    /// How many jobs one tick removes at most that a run cancelled all at once. Defaults to 128.
    pub cancel_batch: usize,
    /// Whether `insert` and `turn` wait until the data is on disk, where the store is not set up so already. Defaults to false.
    pub fsync: bool,
    /// Whether a self-signed certificate is accepted. Defaults to false.
    pub insecure_tls: bool,
}

impl StoreOptions {
    /// Returns how long a claim holds, by the clock.
    pub(crate) fn lease(&self) -> Duration {
        self.clock.stretched(self.lease)
    }

    /// Makes options with their defaults for the bot of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            clock: Clock::Own,
            lease: Duration::from_secs(5),
            keep_completed: Duration::ZERO,
            keep_completed_max: 10_000,
            keep_dead: Duration::from_secs(30 * 24 * 60 * 60),
            keep_dead_max: 10_000,
            remember_max: 20_000_000,
            cancel_batch: 128,
            fsync: false,
            insecure_tls: false,
        }
    }
}

/// Opens the store at `url`: `sqlite:PATH`, `redis://…`, `rediss://…`, or `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE`.
///
/// # Errors
/// `Address` if the address is not understood, `Foreign` if it names what is no store, `NewerSchema` if a newer version
/// wrote the store, `Denied` if it refuses this program, `Damaged` if it cannot be read, `Unavailable` if it cannot be reached.
pub async fn open(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        Ok(Arc::new(SqliteStore::open(path, options).await?))
    } else {
        Ok(Arc::new(RedisStore::open(url, options).await?))
    }
}

/// Returns a store's address as it may be shown.
#[must_use]
pub fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}

/// Opens the store at `url`, waiting for as long as it is unavailable or full.
///
/// # Errors
/// Those of `open` that waiting does not mend.
pub async fn open_when_there(url: &str, options: StoreOptions) -> Result<Arc<dyn Store>> {
    let mut outage = Outage::default();
    loop {
        match open(url, options.clone()).await {
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Full) => {
                outage.began("start", &error);
            }
            opened => {
                if opened.is_ok() {
                    outage.over();
                }
                return opened;
            }
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_store_is_named_without_its_password() {
        assert_eq!(without_password("redis://user:geheim@host:6379/0"), "redis://…@host:6379/0");
        assert_eq!(without_password("sqlite:bot.db"), "sqlite:bot.db");
    }
}
