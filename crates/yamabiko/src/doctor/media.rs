//! What a bot publishes: whether it is stored, and fetched as LINE does.

use std::time::Duration;

use reqwest::{StatusCode, redirect};
use yamabiko_queue::{Clock, Finding};

use crate::{
    Result,
    config::Settings,
    media::{Media, Use, Where, choose_tls},
};

/// What is looked at.
const PICTURES: &str = "pictures";
/// How long the probe may take to come back.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is published as a probe, and removed again.
const PROBE: &[u8] = b"a probe of the doctor";

/// Publishes a probe, fetches it as LINE does, and removes it.
pub(super) async fn look(name: &str, store_url: &str, settings: &Settings) -> Finding {
    let media = match open(name, store_url, settings) {
        Ok(Ok(media)) => media,
        Ok(Err(finding)) => return finding,
        Err(error) => return Finding::problem(PICTURES, format!("{error:#}"), "set it right"),
    };
    let now = Clock::Own.roughly_now();
    let url = match media.publish(PROBE.to_vec(), "image/png", Use::Picture, now).await {
        Ok(url) => url,
        Err(error) => {
            let advice = "make room, or correct MEDIA_STORE, the permissions of its folder, or the keys to its bucket";
            return Finding::problem(PICTURES, format!("{error:#}"), advice);
        }
    };
    let fetched = judge(fetch(&url).await);
    match media.remove(&url).await {
        Err(error) if fetched.mark == yamabiko_queue::Mark::Ok => {
            let text = format!("old ones cannot be removed: {error:#}");
            Finding::warning(PICTURES, text, "let the bot remove what it has stored")
        }
        _ => fetched,
    }
}

/// Opens the place without making it.
fn open(name: &str, store_url: &str, settings: &Settings) -> Result<Result<Media, Finding>> {
    let own = &settings.media;
    let url = own.url(settings.line_api_url.is_some())?;
    let place = own.place(&format!("{name}-media"), store_url)?;
    if let Where::Folder(folder) = &place
        && !folder.exists()
    {
        let text = format!("there is no folder {}", folder.display());
        let advice = "nothing before the first start; else correct MEDIA_STORE";
        return Ok(Err(Finding::warning(PICTURES, text, advice)));
    }
    Media::open(&place, Some(url), own.media_retention, Clock::Own).map(Ok)
}

async fn fetch(url: &str) -> reqwest::Result<(StatusCode, Vec<u8>)> {
    choose_tls();
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none());
    let answer = client.build()?.get(url).send().await?;
    Ok((answer.status(), answer.bytes().await?.to_vec()))
}

fn judge(fetched: reqwest::Result<(StatusCode, Vec<u8>)>) -> Finding {
    match fetched {
        Ok((StatusCode::OK, bytes)) if bytes == PROBE => {
            Finding::ok(PICTURES, "one was stored, fetched at MEDIA_URL, and removed")
        }
        Ok((StatusCode::OK, _)) => {
            let advice = "let MEDIA_URL lead to /media of `web`";
            Finding::problem(PICTURES, "something else is at MEDIA_URL", advice)
        }
        Ok((status, _)) => {
            let advice = match status.as_u16() {
                404 => {
                    "let MEDIA_URL lead to /media of `web`, and give `web` and `worker` the same MEDIA_STORE: a folder that both see, or a bucket"
                }
                410 => {
                    "set this machine's clock and that of `web` right, and give both the same MEDIA_RETENTION"
                }
                403 => {
                    "let everybody read what is in the bucket, or let MEDIA_URL lead to /media of `web`"
                }
                _ => "see the log of `web` and of the proxy before it",
            };
            let text = format!("one was stored, but MEDIA_URL answers {}", status.as_u16());
            Finding::problem(PICTURES, text, advice)
        }
        Err(error) => {
            let text = format!("MEDIA_URL is not reached: {}", error.without_url());
            let advice = "start `web`, and let LINE reach it by HTTPS with a certificate of a public authority";
            Finding::problem(PICTURES, text, advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tokio::net::TcpListener;
    use yamabiko_queue::Mark;

    use super::*;
    use crate::media;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    /// Serves a folder as `web` does, and returns the public address.
    async fn serve(folder: &str) -> String {
        let place = Where::Folder(folder.into());
        let media = Media::open(&place, None, Duration::from_secs(3600), Clock::Own).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, media::routes(media)).await });
        format!("http://{address}/media")
    }

    async fn looks(url: &str, folder: &str) -> Finding {
        let store = format!("file:{folder}");
        // With a simulator for LINE, since the test has no certificate.
        let line = "http://127.0.0.1:9";
        let arguments =
            ["bot", "--media-url", url, "--media-store", &store, "--line-api-url", line];
        let settings = Cli::try_parse_from(arguments).unwrap().settings;
        look("bot", "sqlite:bot.db", &settings).await
    }

    #[tokio::test]
    async fn pictures_that_come_back_are_well_and_none_is_left() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("media").display().to_string();
        let url = serve(&folder).await;
        let finding = looks(&url, &folder).await;
        assert_eq!(finding.mark, Mark::Ok, "{finding:?}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        assert!(include_str!("../../../../docs/operations.md").contains("\n| pictures |"));
    }

    #[tokio::test]
    async fn pictures_that_do_not_come_back_are_a_problem() {
        let around = tempfile::tempdir().unwrap();
        let [here, there] =
            ["here", "there"].map(|name| around.path().join(name).display().to_string());
        std::fs::create_dir(&here).unwrap();
        for (url, told, advice) in [
            (serve(&there).await, "answers 404", "the same MEDIA_STORE"),
            ("http://127.0.0.1:1/media".to_owned(), "MEDIA_URL is not reached", "start `web`"),
            ("http://bot.example.com/media".to_owned(), "by HTTPS only", "set it right"),
        ] {
            let finding = looks(&url, &here).await;
            assert_eq!(finding.mark, Mark::Problem, "{finding:?}");
            assert!(finding.text.contains(told), "{finding:?}");
            assert!(finding.advice.as_ref().unwrap().contains(advice), "{finding:?}");
        }
        assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_not_made() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("media");
        let finding = looks("http://127.0.0.1:1/media", &folder.display().to_string()).await;
        assert_eq!(finding.mark, Mark::Warning, "{finding:?}");
        assert!(!folder.exists());
        std::fs::write(&folder, "a file").unwrap();
        let finding = looks("http://127.0.0.1:1/media", &folder.display().to_string()).await;
        assert_eq!(finding.mark, Mark::Problem, "{finding:?}");
    }
}
