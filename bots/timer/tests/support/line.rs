//! LINE's side of a test: a simulator, spoken to over its control API.

use std::time::Duration;

use serde_json::{Value, json};
use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_simulator::{Simulator, SimulatorConfig};

use super::PATIENCE;

/// The channel's secret in tests.
pub const SECRET: &str = "a-secret-of-the-tests";
/// The channel's access token in tests.
pub const TOKEN: &str = "a-token-of-the-tests";

/// A simulator of LINE and a client of its control API.
pub struct Line {
    pub url: String,
    http: reqwest::Client,
    _simulator: Option<Simulator>,
}

/// A message of a chat.
#[derive(Clone, Debug)]
pub struct Said {
    pub by_bot: bool,
    pub id: String,
    pub text: String,
    pub quotes: Option<String>,
    pub at_ms: i64,
}

impl Line {
    /// Starts a simulator whose webhooks go to this port; it redelivers what is not taken.
    pub async fn start(bot_port: u16) -> Self {
        let bot = format!("http://127.0.0.1:{bot_port}/callback");
        let mut config =
            SimulatorConfig::new(bot, ChannelSecret::new(SECRET), AccessToken::new(TOKEN));
        config.settings.redelivery_attempts = 12;
        config.settings.redelivery_first_ms = 200;
        let simulator = Simulator::start(config).await.unwrap();
        Self { url: simulator.url(), http: client(), _simulator: Some(simulator) }
    }

    /// Speaks to a simulator that another process runs.
    pub fn at(url: String) -> Self {
        Self { url, http: client(), _simulator: None }
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn delete(&self, path: &str) {
        self.http.delete(format!("{}{path}", self.url)).send().await.unwrap();
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.http
            .post(format!("{}{path}", self.url))
            .json(body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// Posts bytes to the bot as LINE would, and returns the status.
    pub async fn callback(&self, bot: &str, body: Vec<u8>, signature: Option<&str>) -> u16 {
        let mut request = self
            .http
            .post(format!("{bot}/callback"))
            .header("content-type", "application/json")
            .body(body);
        if let Some(signature) = signature {
            request = request.header("x-line-signature", signature);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// Returns a page of the bot.
    pub async fn text(&self, url: &str) -> String {
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// Returns the status of a page of the bot.
    pub async fn status(&self, url: &str) -> u16 {
        self.http.get(url).send().await.unwrap().status().as_u16()
    }

    /// Waits until a page of the bot answers 200.
    pub async fn reaches(&self, url: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.http.get(url).send().await.is_ok_and(|answer| answer.status() == 200) {
            assert!(tokio::time::Instant::now() < deadline, "{url} does not answer 200");
            // The bot tells nobody when it is ready; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Adds a user and returns the id.
    pub async fn user(&self, name: &str, language: &str) -> String {
        let user =
            self.post("/control/users", &json!({"displayName": name, "language": language})).await;
        user["userId"].as_str().unwrap().to_owned()
    }

    /// Lets a user write a text and returns the message's id.
    pub async fn says(&self, user: &str, text: &str) -> String {
        self.sends(user, &json!({"type": "text", "text": text})).await
    }

    /// Lets a user send a message and returns its id.
    pub async fn sends(&self, user: &str, message: &Value) -> String {
        let sent = self.post(&format!("/control/chats/{user}/messages"), message).await;
        sent["messageId"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
    }

    /// Returns a chat's messages once there are `count` of the bot's.
    ///
    /// # Panics
    /// When patience ends; with what there was, and LINE's log.
    pub async fn hears(&self, user: &str, count: usize) -> Vec<Said> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut seen = 0;
        loop {
            let all = said(&self.get(&format!("/control/chats/{user}")).await["messages"]);
            let by_bot: Vec<_> = all.iter().filter(|said| said.by_bot).cloned().collect();
            if by_bot.len() >= count {
                return by_bot;
            }
            if tokio::time::Instant::now() > deadline {
                let log = self.get("/control/log").await;
                panic!("{count} messages were awaited, these came: {by_bot:?}; LINE's log: {log}");
            }
            seen = seen.max(all.len());
            self.get(&format!("/control/chats/{user}?after={seen}&wait_ms=5000")).await;
        }
    }

    /// Returns all messages of all chats once `count` of them are the bot's, or as they are when patience ends.
    pub async fn ledger_with(&self, count: usize) -> Vec<Said> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let all = self.ledger().await;
            if all.iter().filter(|said| said.by_bot).count() >= count
                || tokio::time::Instant::now() > deadline
            {
                return all;
            }
            // Asking for the next change of any chat is not offered; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Returns all messages of all chats.
    pub async fn ledger(&self) -> Vec<Said> {
        said(&self.get("/control/ledger").await["messages"])
    }

    /// The conversation that every way of running the bot must be able to have.
    pub async fn conversation(&self) {
        let alice = self.user("Alice", "en").await;
        let three = self.says(&alice, "3").await;
        let confirmed = self.hears(&alice, 1).await;
        assert!(
            confirmed[0].text.starts_with("⏰ I will call you back in 3 s, at "),
            "{confirmed:?}"
        );
        assert_eq!(confirmed[0].quotes.as_ref(), Some(&three));
        self.says(&alice, "hello").await;
        assert!(self.hears(&alice, 2).await[1].text.contains("Example: 180"));
        self.sends(&alice, &json!({"type": "sticker", "packageId": "446", "stickerId": "1988"}))
            .await;
        assert_eq!(self.hears(&alice, 3).await[2].text, "😄");
        let heard = self.hears(&alice, 4).await;
        assert!(heard[3].text.starts_with("🔔 Time is up: 3 s"), "{heard:?}");
        assert_eq!(heard[3].quotes.as_ref(), Some(&three));
        let asked = self.ledger().await.into_iter().find(|said| said.id == three).unwrap();
        let waited = heard[3].at_ms - asked.at_ms;
        assert!(waited >= 3_000, "called back after {waited} ms");
        self.says(&alice, "600").await;
        self.says(&alice, "list").await;
        assert!(self.hears(&alice, 6).await[5].text.starts_with("⏳ 1 pending"));
        self.says(&alice, "cancel").await;
        self.says(&alice, "list").await;
        assert_eq!(self.hears(&alice, 8).await[7].text, "No timers are pending.");
    }
}

fn client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn said(messages: &Value) -> Vec<Said> {
    let text = |message: &Value, key: &str| message[key].as_str().map(str::to_owned);
    let one = |message: &Value| Said {
        by_bot: message["from"] == "bot",
        id: text(message, "id").unwrap_or_default(),
        text: text(message, "text").unwrap_or_default(),
        quotes: text(message, "quotedMessageId"),
        at_ms: message["at"].as_i64().unwrap_or_default(),
    };
    messages.as_array().unwrap_or_else(|| panic!("{messages}")).iter().map(one).collect()
}
