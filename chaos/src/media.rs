//! Looks whether the pictures that the bot has sent are where it said.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use crate::check::{Finding, Wrong};

/// How many are fetched at the same time.
const AT_ONCE: usize = 16;

/// Fetches the pictures of all messages; returns how many there are, and which are missing.
pub(crate) async fn look(
    http: &reqwest::Client,
    messages: &[Value],
) -> anyhow::Result<(usize, Vec<Finding>)> {
    let mut pictures = BTreeMap::new();
    for message in messages.iter().filter(|message| message["from"] == "bot") {
        let user = message["chatId"].as_str().unwrap_or_default();
        for name in ["originalContentUrl", "previewImageUrl"] {
            pictures.extend(message["message"][name].as_str().map(|url| (url, user)));
        }
    }
    let looks = pictures.iter().map(async |(url, user)| {
        let wrong = fetch(http, url).await?;
        anyhow::Ok(wrong.map(|text| Finding {
            wrong: Wrong::HalfDone,
            user: (*user).to_owned(),
            text,
        }))
    });
    let missing: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok((pictures.len(), missing.into_iter().flatten().collect()))
}

/// Fetches a picture, and says what is wrong with it, if anything.
async fn fetch(http: &reqwest::Client, url: &str) -> anyhow::Result<Option<String>> {
    let answer = http.get(url).send().await?;
    let (status, kind) = (answer.status(), answer.headers().get("content-type").cloned());
    let bytes = answer.bytes().await?;
    let is_picture = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"image/"));
    let is_right = status == 200 && is_picture && !bytes.is_empty();
    Ok((!is_right).then(|| format!("{url} is no picture: {status}")))
}
