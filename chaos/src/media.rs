//! Looks whether the pictures that the bot has sent are where it said.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::{Finding, Wrong};

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
    let mut missing = Vec::new();
    for (url, user) in &pictures {
        let answer = http.get(*url).send().await?;
        let (status, kind) = (answer.status(), answer.headers().get("content-type").cloned());
        let bytes = answer.bytes().await?;
        let is_picture = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"image/"));
        if status != 200 || !is_picture || bytes.is_empty() {
            let text = format!("{url} is no picture: {status}");
            missing.push(Finding { wrong: Wrong::HalfDone, user: (*user).to_owned(), text });
        }
    }
    Ok((pictures.len(), missing))
}
