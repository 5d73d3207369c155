//! Scripts: conversations with expectations, played against a bot over the control API.
//!
//! `docs/scripts.md` describes how they are written.

mod cast;
mod client;
mod deed;
mod expect;
mod lines;
mod outcome;
mod parse;
mod pattern;
mod play;
mod step;
mod words;
pub(crate) mod write;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use self::client::Client;
use self::play::Player;
use self::step::Step;

pub use self::outcome::{Failure, Malformed, Outcome};

/// Is a conversation with expectations.
#[derive(Clone, Debug)]
pub struct Script {
    steps: Vec<Step>,
}

/// Says where a script is played, and how patiently.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The address of the simulator, such as `http://127.0.0.1:3001`.
    pub url: String,
    /// How long each expectation waits. Defaults to 10 s.
    pub patience: Duration,
    /// Where the files are that users send. Defaults to nowhere: files are refused.
    pub folder: Option<PathBuf>,
    /// Whether the simulator forgets everything first. Defaults to false.
    pub reset: bool,
    http: reqwest::Client,
}

impl Stage {
    /// Plays on the simulator at an address, with the defaults for everything else.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn at(url: impl Into<String>) -> Result<Self, crate::Error> {
        Ok(Self::with(crate::server::http_client()?, url))
    }

    pub(crate) fn with(http: reqwest::Client, url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            patience: Duration::from_secs(10),
            folder: None,
            reset: false,
            http,
        }
    }

    /// Waits until something listens at the bot's address, as long as one expectation may take.
    ///
    /// # Errors
    /// Nobody does, or there is no simulator; the text says which.
    pub async fn meet_bot(&self) -> Result<(), String> {
        let client = Client::new(self.http.clone(), &self.url);
        let deadline = tokio::time::Instant::now() + self.patience;
        let status = client.get("/control/status", &[]).await?;
        // LINE's own verification sends no events as well.
        let body = json!({ "destination": status["botUserId"], "events": [] }).to_string();
        let hello = json!({ "body": body });
        loop {
            let answer = client.post("/control/webhooks/raw", &[], &hello).await?;
            if answer["reason"] != "could_not_connect" {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(format!(
                    "no bot listens at {}",
                    status["botUrl"].as_str().unwrap_or("?")
                ));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// A line is not understood.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        Ok(Self { steps: parse::parse(text)? })
    }

    /// Plays the script until its end or its first failure.
    pub async fn play(&self, stage: &Stage) -> Outcome {
        let mut player = match enter(stage).await {
            Ok(player) => player,
            Err(came) => {
                let expected = format!("a simulator at {}", stage.url);
                let failure = Failure { line: 1, expected, came, chat: Vec::new() };
                return Outcome { passed: false, steps: 0, failure: Some(failure) };
            }
        };
        let failure = match player.play(&self.steps).await {
            Ok(()) => None,
            Err((step, problem)) => {
                let chat = match &problem.chat_id {
                    Some(chat_id) => player.so_far(chat_id).await,
                    None => Vec::new(),
                };
                let (line, expected) = (step.line, step.source.clone());
                Some(Failure { line, expected, came: problem.came, chat })
            }
        };
        Outcome { passed: failure.is_none(), steps: player.done, failure }
    }
}

async fn enter(stage: &Stage) -> Result<Player, String> {
    let client = Client::new(stage.http.clone(), &stage.url);
    if stage.reset {
        client.post("/control/reset", &[], &json!({})).await?;
    }
    Player::new(client, stage.patience, stage.folder.clone()).await
}
