//! The settings of what a bot publishes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{anyhow, bail, ensure};
use axum::http::Uri;
use clap::Args;

use super::parse;
use crate::{
    Result,
    media::{Bucket, Where},
};

/// Where published pictures are kept and fetched from; only bots that publish read it.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct MediaSettings {
    /// The public address of what the bot publishes, like `https://bot.example.com/media`. In `dev`, it defaults to where the bot listens.
    #[arg(long, env = "MEDIA_URL", global = true)]
    pub media_url: Option<String>,

    /// Where it is kept: `file:FOLDER` or `s3://BUCKET/PREFIX`. Defaults to a folder beside the SQLite file.
    #[arg(long, env = "MEDIA_STORE", global = true)]
    pub media_store: Option<String>,

    /// How long it is kept, at least an hour.
    #[arg(long, env = "MEDIA_RETENTION", global = true, default_value = "30d", value_parser = retention)]
    pub media_retention: Duration,

    /// The region of the bucket.
    #[arg(long, env = "AWS_REGION", global = true)]
    pub aws_region: Option<String>,

    /// Where the bucket is, if not at AWS.
    #[arg(long, env = "AWS_ENDPOINT_URL", global = true)]
    pub aws_endpoint_url: Option<String>,

    /// The key to the bucket.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", global = true, hide_env_values = true)]
    pub aws_access_key_id: Option<String>,

    /// The key's secret.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", global = true, hide_env_values = true)]
    pub aws_secret_access_key: Option<String>,

    /// What belongs to a key that holds for a time only.
    #[arg(long, env = "AWS_SESSION_TOKEN", global = true, hide_env_values = true)]
    pub aws_session_token: Option<String>,
}

impl std::fmt::Debug for MediaSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaSettings").finish_non_exhaustive()
    }
}

impl MediaSettings {
    /// Returns where pictures are kept; by default in a folder of this name beside the store's file.
    pub(crate) fn place(&self, default_name: &str, store_url: &str) -> Result<Where> {
        let Some(given) = self.media_store.as_deref().map(str::trim) else {
            let file = store_url.strip_prefix("sqlite:").map(Path::new);
            let beside = file.and_then(Path::parent).unwrap_or(Path::new(""));
            return Ok(Where::Folder(beside.join(default_name)));
        };
        if let Some(folder) = given.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
            return Ok(Where::Folder(PathBuf::from(folder)));
        }
        let bucket =
            given.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        let Some((name, prefix)) = bucket.filter(|(name, _)| !name.is_empty()) else {
            bail!("MEDIA_STORE is {given:?}: use file:FOLDER or s3://BUCKET/PREFIX")
        };
        self.bucket(name, prefix.trim_matches('/')).map(Where::Bucket)
    }

    fn bucket(&self, name: &str, prefix: &str) -> Result<Bucket> {
        let given = |value: &Option<String>| value.as_deref().map(|text| text.trim().to_owned());
        let needed = |value: &Option<String>, setting: &str| {
            let text = || anyhow!("{setting} is not set: MEDIA_STORE names a bucket, s3://{name}");
            given(value).ok_or_else(text)
        };
        let endpoint = given(&self.aws_endpoint_url);
        if let Some(endpoint) = &endpoint {
            let uri = endpoint.parse::<Uri>().ok();
            ensure!(
                uri.is_some_and(|uri| is_https(&uri) || is_http_here(&uri)),
                "AWS_ENDPOINT_URL is {endpoint:?}: use https://HOST, or http://127.0.0.1:PORT for a server on this machine"
            );
        }
        Ok(Bucket {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            region: match given(&self.aws_region) {
                None if endpoint.is_none() => Some(needed(&None, "AWS_REGION")?),
                region => region,
            },
            endpoint,
            key_id: needed(&self.aws_access_key_id, "AWS_ACCESS_KEY_ID")?,
            secret: needed(&self.aws_secret_access_key, "AWS_SECRET_ACCESS_KEY")?,
            session_token: given(&self.aws_session_token),
        })
    }

    /// Returns the public address in `dev`: by default where the bot listens.
    pub(crate) fn dev_url(&self, listens: SocketAddr) -> String {
        self.media_url.as_deref().map_or_else(|| format!("http://{listens}/media"), trimmed)
    }

    /// Returns the public address; with a simulator for LINE, it may be on this machine.
    pub(crate) fn url(&self, is_simulated: bool) -> Result<String> {
        let example = "https://YOUR-HOST/media, which leads to /media of `web`";
        let Some(url) = self.media_url.as_deref().map(str::trim) else {
            bail!(
                "MEDIA_URL is not set: this bot sends pictures, which LINE fetches; give {example}"
            )
        };
        // Names are put behind it, so it must end in a path.
        let uri = url.parse::<Uri>().ok().filter(|_| !url.contains(['?', '#']));
        ensure!(
            uri.is_some_and(|uri| is_https(&uri) || is_simulated && is_http_here(&uri)),
            "MEDIA_URL is {url:?}: LINE fetches pictures by HTTPS only; give {example}"
        );
        Ok(trimmed(url))
    }
}

fn trimmed(url: &str) -> String {
    url.trim().trim_end_matches('/').to_owned()
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty())
}

fn is_http_here(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
        && matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// Parses how long pictures are kept.
fn retention(text: &str) -> Result<Duration, String> {
    let time = parse::duration(text)?;
    if time < Duration::from_secs(60 * 60) {
        return Err(format!(
            "{text:?} is too short: a picture is fetched when its user looks at it; use at least 1h"
        ));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        media: MediaSettings,
    }

    fn settings(arguments: &[&str]) -> MediaSettings {
        Cli::try_parse_from([&["bot"], arguments].concat()).unwrap().media
    }

    fn folder(path: &str) -> Where {
        Where::Folder(path.into())
    }

    #[test]
    fn pictures_are_kept_beside_the_sqlite_file_by_default() {
        let none = settings(&[]);
        let place = |url| none.place("bot-media", url).unwrap();
        assert_eq!(place("sqlite:bot.db"), folder("bot-media"));
        assert_eq!(place("sqlite:/data/bot.db"), folder("/data/bot-media"));
        assert_eq!(place("redis://127.0.0.1:6379"), folder("bot-media"));
        let given = settings(&["--media-store", "file:/pictures"]);
        assert_eq!(given.place("bot-media", "sqlite:bot.db").unwrap(), folder("/pictures"));
    }

    #[test]
    fn a_bucket_needs_its_keys() {
        let keys = ["--aws-access-key-id", "id", "--aws-secret-access-key", "hush"];
        let store = ["--media-store", "s3://pictures/of/bot/"];
        let place =
            |more: &[&str]| settings(&[&store, more].concat()).place("bot-media", "sqlite:bot.db");
        let error = place(&["--aws-region", "ap-northeast-1"]).unwrap_err().to_string();
        assert!(error.starts_with("AWS_ACCESS_KEY_ID is not set"), "{error}");
        assert!(place(&keys).unwrap_err().to_string().starts_with("AWS_REGION is not set"));
        let place = place(&[&keys[..], &["--aws-region", "ap-northeast-1"]].concat()).unwrap();
        let Where::Bucket(bucket) = &place else { panic!("{place}") };
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("pictures", "of/bot"));
        assert_eq!(format!("{place} {place:?}"), "s3://pictures/of/bot s3://pictures/of/bot");
    }

    #[test]
    fn a_bucket_is_reached_without_tls_on_this_machine_only() {
        let place = |endpoint| {
            let keys = ["--aws-access-key-id", "id", "--aws-secret-access-key", "hush"];
            let place = ["--media-store", "s3://pictures", "--aws-endpoint-url", endpoint];
            settings(&[&keys[..], &place].concat()).place("bot-media", "sqlite:bot.db")
        };
        for good in ["https://s3.example.com", "http://127.0.0.1:9000", "http://localhost:9000"] {
            assert!(place(good).is_ok(), "{good}");
        }
        for wrong in ["http://s3.example.com", "s3.example.com", "http://127.0.0.1.example.com"] {
            let error = place(wrong).unwrap_err().to_string();
            assert!(error.starts_with(&format!("AWS_ENDPOINT_URL is {wrong:?}")), "{error}");
        }
    }

    #[test]
    fn a_place_of_another_kind_is_named() {
        for wrong in ["/pictures", "file:", "s3://", "gs://pictures", "s3:pictures"] {
            let given = settings(&["--media-store", wrong]);
            let error = given.place("bot-media", "sqlite:bot.db").unwrap_err().to_string();
            assert!(
                error.contains(&format!("{wrong:?}")) && error.contains("s3://BUCKET"),
                "{error}"
            );
        }
    }

    #[test]
    fn line_fetches_by_https_only_and_a_simulator_from_this_machine_too() {
        let url = |url, is_simulated| settings(&["--media-url", url]).url(is_simulated);
        assert_eq!(
            url("https://bot.example.com/media/", false).unwrap(),
            "https://bot.example.com/media"
        );
        assert_eq!(
            url("http://127.0.0.1:3000/media", true).unwrap(),
            "http://127.0.0.1:3000/media"
        );
        for (wrong, is_simulated) in [
            ("http://127.0.0.1:3000/media", false),
            ("http://bot.example.com/media", true),
            ("bot.example.com/media", false),
            ("https://bot.example.com/media?a=b", false),
            ("https://bot.example.com/media#a", false),
            ("https:///media", false),
        ] {
            let error = url(wrong, is_simulated).unwrap_err().to_string();
            assert!(error.starts_with(&format!("MEDIA_URL is {wrong:?}")), "{error}");
        }
        assert!(
            settings(&[]).url(false).unwrap_err().to_string().starts_with("MEDIA_URL is not set")
        );
    }

    #[test]
    fn pictures_are_kept_for_an_hour_at_least() {
        assert_eq!(retention("1h"), Ok(Duration::from_secs(3600)));
        assert!(retention("0").unwrap_err().contains("at least 1h"));
    }
}
