//! LINE: the simulator as a process, spoken to over its control API.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    SECRET,
    process::{Killed, TOKEN, serves},
};
use crate::{
    http::{Answer, Connection},
    port,
};

/// How long one call waits for a message.
const ONE_WAIT: Duration = Duration::from_secs(30);

/// A running simulator.
#[derive(Debug)]
pub(crate) struct Line {
    /// Where it expects the bot.
    pub(crate) bot_port: u16,
    port: u16,
    _process: Killed,
}

impl Line {
    /// Starts a simulator for a bot that does not run yet.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let (bot_port, port) = (port::free()?, port::free()?);
        let bot = format!("http://127.0.0.1:{bot_port}/callback");
        let process = Killed::start("line-simulator", |command| {
            command
                .args(["--bot", &bot, "--secret", SECRET, "--token", TOKEN])
                .args(["--port", &port.to_string()])
                .stderr(Stdio::null())
        })?;
        serves(port, "/control/status").await.context("the simulator")?;
        // What is measured is the bot; LINE's limits of calls a second are LINE's.
        let mut connection = Connection::open(port).await?;
        post(&mut connection, "settings", &json!({"rateLimits": false})).await?;
        Ok(Self { bot_port, port, _process: process })
    }

    /// Returns the address of the API.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Adds a user who has written nothing yet.
    pub(crate) async fn user(&self) -> anyhow::Result<User> {
        let mut connection = Connection::open(self.port).await?;
        let new = json!({"displayName": "user", "language": "en"});
        let user = post(&mut connection, "users", &new).await?;
        let id = user["userId"].as_str().context("a user has an id")?.to_owned();
        Ok(User { connection, id, count: 0 })
    }
}

/// A user with a connection of their own.
#[derive(Debug)]
pub(crate) struct User {
    connection: Connection,
    id: String,
    /// How many messages the user has seen in the chat.
    count: u64,
}

impl User {
    /// Writes a text to the bot.
    pub(crate) async fn says(&mut self, text: &str) -> anyhow::Result<()> {
        let path = format!("chats/{}/messages", self.id);
        post(&mut self.connection, &path, &json!({"type": "text", "text": text})).await?;
        self.count += 1;
        Ok(())
    }

    /// Waits for the next message of the bot.
    pub(crate) async fn hears(&mut self) -> anyhow::Result<Value> {
        self.hears_within(ONE_WAIT).await
    }

    /// Waits longer for the next message of the bot.
    pub(crate) async fn hears_within(&mut self, patience: Duration) -> anyhow::Result<Value> {
        let began = Instant::now();
        loop {
            let message = self.message(self.count, ONE_WAIT.as_millis()).await?;
            if !message.is_null() {
                ensure!(message["from"] == "bot", "the bot does not answer: {message}");
                self.count += 1;
                return Ok(message);
            }
            ensure!(began.elapsed() < patience, "the bot does not answer");
        }
    }

    /// Returns when the simulator got a message of the chat, in milliseconds since 1970; the first has the number 1.
    pub(crate) async fn time_of(&mut self, number: u64) -> anyhow::Result<i64> {
        let message = self.message(number - 1, 0).await?;
        message["at"].as_i64().context("a message has a time")
    }

    /// Returns the first message after so many, once it is there; `null` if that takes longer.
    async fn message(&mut self, after: u64, wait_ms: u128) -> anyhow::Result<Value> {
        let path = format!("/control/chats/{}?after={after}&wait_ms={wait_ms}", self.id);
        let mut chat = read(&self.connection.get(&path).await?)?;
        Ok(chat["messages"].get_mut(0).map(Value::take).unwrap_or_default())
    }
}

async fn post(connection: &mut Connection, path: &str, body: &Value) -> anyhow::Result<Value> {
    read(&connection.post(&format!("/control/{path}"), &body.to_string()).await?)
}

fn read(answer: &Answer) -> anyhow::Result<Value> {
    ensure!(answer.status == 200, "{}: {}", answer.status, answer.body);
    Ok(serde_json::from_str(&answer.body)?)
}
