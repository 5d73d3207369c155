//! Where the store is, and which setting says so.

use anyhow::{anyhow, ensure};
use yamabiko_queue::store::without_password;

use super::Settings;
use crate::Result;

/// Returns the store that `all` makes itself.
pub(crate) fn default_file(name: &str) -> String {
    format!("sqlite:{name}.db")
}

impl Settings {
    /// Returns the store's address; `default_file` stands in where a role may have one of its own.
    pub(crate) fn store_url(&self, default_file: Option<String>) -> Result<String> {
        if let Some((setting, url)) = self.store_settings().next() {
            ensure_readable(setting, url)?;
            return Ok(url.to_owned());
        }
        default_file.ok_or_else(|| {
            anyhow!("STORE_URL is not set: web, worker and timer share one store, so give all of them the same address (sqlite:PATH, redis://HOST:PORT or rediss://HOST:PORT)")
        })
    }

    /// Returns the store's address for those who look after it: by default the file of `all`.
    pub(crate) fn store_url_of(&self, name: &str) -> Result<String> {
        self.store_url(Some(default_file(name)))
    }

    /// Returns the store's address in `dev`, where a Redis of the environment is left alone.
    pub(crate) fn dev_store_url(&self, default_file: String) -> Result<String> {
        let Some(url) = &self.store_url else { return Ok(default_file) };
        ensure_readable("STORE_URL", url)?;
        Ok(url.clone())
    }

    /// Names the store at this address for an error: without its password, but with the setting that gave it.
    pub(crate) fn named_store(&self, url: &str) -> String {
        let shown = without_password(url);
        match self.store_settings().find(|(_, given)| *given == url) {
            Some((setting, _)) => format!("the store at {shown}, as {setting} says"),
            None => format!("the store at {shown}"),
        }
    }

    /// Returns the settings that give the store's address, the first one first.
    fn store_settings(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("STORE_URL", &self.store_url),
            ("REDIS_URL", &self.redis_url),
            ("REDIS_TLS_URL", &self.redis_tls_url),
            ("REDISTOGO_URL", &self.redistogo_url),
        ]
        .into_iter()
        .filter_map(|(setting, url)| Some((setting, url.as_deref()?)))
    }
}

/// Refuses a user or password with characters that end them too early: the address would name another server, or none.
fn ensure_readable(setting: &str, url: &str) -> Result {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(()) };
    let Some((user, _)) = rest.rsplit_once('@').filter(|_| !scheme.contains("unix")) else {
        return Ok(());
    };
    ensure!(
        !user.contains(['/', '?', '#']) && is_text_when_decoded(user),
        "{setting} has a password with special characters: percent-encode it (/ is %2F, ? is %3F, # is %23, % is %25, @ is %40)"
    );
    Ok(())
}

fn is_text_when_decoded(encoded: &str) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = encoded.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        let number = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        let byte = number.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        rest = if byte.is_some() { &tail[2..] } else { tail };
        decoded.push(byte.unwrap_or(*first));
    }
    std::str::from_utf8(&decoded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_readable_when_it_is_percent_encoded() {
        for good in [
            "sqlite:a/b?c#d@e%ff.db",
            "redis://host:6379/0",
            "redis://:p%2Fa%3Fss%23@host:6379/0",
            "rediss://user:p:a@s%s@host",
            "redis+sentinel://:%E3%81%82@a:1,b:2/bots",
            "redis+unix:///run/a@b/redis.sock",
        ] {
            ensure_readable("STORE_URL", good).unwrap();
        }
        for wrong in ["redis://:pa/ss@host", "redis://u:1?2@host", "redis://:%ff@host"] {
            let error = ensure_readable("REDIS_URL", wrong).unwrap_err().to_string();
            assert!(error.starts_with("REDIS_URL") && error.contains("percent-encode"), "{error}");
        }
    }
}
