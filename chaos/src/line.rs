//! LINE's side: the simulator, spoken to over its control API.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_simulator::{Simulator, SimulatorConfig};

/// The channel's secret.
pub(crate) const SECRET: &str = "a-secret-of-the-breaker";
/// The channel's access token.
pub(crate) const TOKEN: &str = "a-token-of-the-breaker";
/// How often an event is sent again; the last time 51 s after the one before.
pub(crate) const REDELIVERIES: u32 = 9;
/// The wait before the first redelivery, in milliseconds.
const FIRST_REDELIVERY_MS: u64 = 200;

/// A simulator and a client of its control API.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    url: String,
    http: reqwest::Client,
}

/// What a user did, as LINE sees it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) event: String,
    pub(crate) message: Option<String>,
}

impl Line {
    /// Starts a simulator whose webhooks go to this port.
    pub(crate) async fn start(bot_port: u16) -> anyhow::Result<(Simulator, Self)> {
        let bot = format!("http://127.0.0.1:{bot_port}/callback");
        let mut config =
            SimulatorConfig::new(bot, ChannelSecret::new(SECRET), AccessToken::new(TOKEN));
        config.users = Vec::new();
        config.groups = Vec::new();
        config.settings.redelivery_attempts = REDELIVERIES;
        config.settings.redelivery_first_ms = FIRST_REDELIVERY_MS;
        let simulator = Simulator::start(config).await?;
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(180)).build()?;
        let line = Self { url: simulator.url(), http };
        Ok((simulator, line))
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{}/control/{path}", self.url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/control/{path}", self.url);
        let answer = self.http.post(url).json(body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Adds a user and returns the id.
    pub(crate) async fn user(&self, name: &str) -> anyhow::Result<String> {
        let user = json!({ "displayName": name, "language": "en" });
        let user = self.post("users", &user).await?;
        Ok(user["userId"].as_str().context("a user has an id")?.to_owned())
    }

    /// Lets a user write a text.
    pub(crate) async fn says(&self, user: &str, text: &str) -> anyhow::Result<Sent> {
        let message = json!({ "type": "text", "text": text });
        sent(&self.post(&format!("chats/{user}/messages"), &message).await?)
    }

    /// Lets a user send a picture, a PNG file.
    pub(crate) async fn shows(&self, user: &str, bytes: Vec<u8>) -> anyhow::Result<Sent> {
        let url =
            format!("{}/control/chats/{user}/media?type=image&contentType=image/png", self.url);
        let octets = "application/octet-stream";
        let call = self.http.post(url).header("content-type", octets).body(bytes);
        sent(&call.send().await?.error_for_status()?.json().await?)
    }

    /// Lets something else happen in a user's chat.
    pub(crate) async fn happens(&self, user: &str, event: &Value) -> anyhow::Result<Sent> {
        sent(&self.post(&format!("chats/{user}/events"), event).await?)
    }

    /// Hands a chat over to another channel, or back: the bot's channel is in standby meanwhile.
    pub(crate) async fn stand_by(&self, user: &str, is_standby: bool) -> anyhow::Result<()> {
        let mode = json!({ "mode": if is_standby { "standby" } else { "active" } });
        let call = self.http.put(format!("{}/control/chats/{user}/mode", self.url)).json(&mode);
        call.send().await?.error_for_status()?;
        Ok(())
    }

    /// Uses the month's messages up, or frees them: then there is no limit.
    pub(crate) async fn use_up_month(&self, is_used_up: bool) -> anyhow::Result<()> {
        let limit = if is_used_up { json!(0) } else { Value::Null };
        self.post("settings", &json!({ "monthlyLimit": limit })).await.map(drop)
    }

    /// Loses the next webhook of a chat on its way, unless another fault hits it; it is delivered again soon.
    pub(crate) async fn lose_next_webhook(&self, user: &str) -> anyhow::Result<()> {
        self.fault(&json!({ "endpoint": "callback", "chat": user, "lose": true, "count": 1 })).await
    }

    /// Switches a fault on.
    pub(crate) async fn fault(&self, fault: &Value) -> anyhow::Result<()> {
        self.post("faults", fault).await.map(drop)
    }

    /// Switches all faults off and returns them as they were.
    pub(crate) async fn no_more_faults(&self) -> anyhow::Result<Vec<Value>> {
        let faults = self.get("faults").await?;
        let answer = self.http.delete(format!("{}/control/faults", self.url)).send().await?;
        answer.error_for_status()?;
        let faults = faults["faults"].as_array().context("faults are a list")?;
        Ok(faults.clone())
    }
}

fn sent(answer: &Value) -> anyhow::Result<Sent> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Ok(Sent {
        event: text("webhookEventId").with_context(|| format!("no event: {answer}"))?,
        message: text("messageId"),
    })
}
