//! A client of LINE's Messaging API.

use std::{sync::{Arc, Once}, time::Duration};

use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    error::{Error, ErrorKind, Reached},
    id::{ChatId, MessageId, UserId},
    message::Message,
    secret::{AccessToken, ChannelSecret, ReplyToken},
};

mod answers;
mod token;

pub use answers::{BotInfo, Content, Profile, Quota, Sent, SentMessage, WebhookEndpoint, WebhookTest};
use answers::{Consumption, RawQuota, RawSent};
use token::Tokens;

/// LINE's own base address.
pub const API_URL: &str = "https://api.line.me";
/// LINE's own base address for content.
pub const DATA_API_URL: &str = "https://api-data.line.me";
/// How long a call may take by default.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer other than content, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// How a channel identifies itself.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A channel access token that was issued beforehand.
    Token(AccessToken),
    /// Short-lived tokens, fetched when needed and refreshed after 12 of their 15 minutes.
    Stateless {
        /// The channel's id.
        channel_id: String,
        /// The channel's secret.
        channel_secret: ChannelSecret,
    },
}

/// How to reach LINE.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The base address. Defaults to LINE's own.
    pub api_url: String,
    /// The base address for content. Defaults to LINE's own.
    pub data_api_url: String,
    /// The channel's credentials.
    pub credentials: Credentials,
    /// How long a call may take. Defaults to 5 s.
    pub timeout: Duration,
}

impl ClientConfig {
    /// Makes a configuration with the defaults.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self { api_url: API_URL.to_owned(), data_api_url: DATA_API_URL.to_owned(), credentials, timeout: TIMEOUT }
    }
}

/// A client of LINE's Messaging API for one channel; clones share connections and tokens.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    api_url: String,
    data_api_url: String,
    tokens: Tokens,
}

impl Client {
    /// Makes a client; connects at the first call.
    ///
    /// # Errors
    /// If the system's certificates cannot be used.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        install_crypto();
        let http = reqwest::Client::builder().timeout(config.timeout).build().map_err(network)?;
        let trim = |url: String| url.trim_end_matches('/').to_owned();
        let api_url = trim(config.api_url);
        let tokens = Tokens::new(config.credentials, format!("{api_url}/oauth2/v3/token"));
        Ok(Self { inner: Arc::new(Inner { http, api_url, data_api_url: trim(config.data_api_url), tokens }) })
    }

    /// Answers an event by its reply token, once; free. At most 5 messages.
    ///
    /// # Errors
    /// `BadRequest` if the token is used up or too old. There is no retry key: after an `Unknown` outcome the same call
    /// can be made again, since a token is good once.
    pub async fn reply(&self, token: &ReplyToken, messages: &[Message]) -> Result<Sent, Error> {
        let body = json!({"replyToken": token.expose(), "messages": messages});
        let answer = self.post("/v2/bot/message/reply", &body, None).await?;
        answer.sent(false)
    }

    /// Sends up to 5 messages to a chat; counts against the month's messages.
    ///
    /// The retry key makes it safe to repeat for 24 h: what was accepted before is answered as such.
    ///
    /// # Errors
    /// Those of LINE but 409.
    pub async fn push(&self, to: &ChatId, messages: &[Message], retry_key: Uuid) -> Result<Sent, Error> {
        let body = json!({"to": to, "messages": messages});
        let answer = self.send(Method::POST, "/v2/bot/message/push", Some(&body), Some(retry_key)).await?;
        if answer.status == 409 && answer.accepted_request_id.is_some() {
            return answer.sent(true);
        }
        answer.checked()?.sent(false)
    }

    /// Shows the loading animation in a chat with one user for 5 to 60 s, a multiple of 5, or until a message comes.
    ///
    /// # Errors
    /// Those of LINE; `BadRequest` for a group.
    pub async fn loading_start(&self, chat: &ChatId, seconds: u8) -> Result<(), Error> {
        let body = json!({"chatId": chat, "loadingSeconds": seconds});
        self.post("/v2/bot/chat/loading/start", &body, None).await.map(drop)
    }

    /// Returns how many messages may be sent in this month.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn quota(&self) -> Result<Quota, Error> {
        let raw: RawQuota = self.get("/v2/bot/message/quota").await?.json()?;
        Ok(Quota { limit: raw.value.filter(|_| raw.kind == "limited") })
    }

    /// Returns how many messages have been sent in this month, roughly.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn quota_used(&self) -> Result<u64, Error> {
        let used: Consumption = self.get("/v2/bot/message/quota/consumption").await?.json()?;
        Ok(used.total_usage)
    }

    /// Returns a friend's profile.
    ///
    /// # Errors
    /// `NotFound` for a user who is no friend of the bot.
    pub async fn profile(&self, user: &UserId) -> Result<Profile, Error> {
        self.get(&format!("/v2/bot/profile/{user}")).await?.json()
    }

    /// Returns the profile of a member of a group that the bot is in.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn group_member_profile(&self, group: &ChatId, user: &UserId) -> Result<Profile, Error> {
        self.get(&format!("/v2/bot/group/{group}/member/{user}")).await?.json()
    }

    /// Returns the profile of a member of a room that the bot is in.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn room_member_profile(&self, room: &ChatId, user: &UserId) -> Result<Profile, Error> {
        self.get(&format!("/v2/bot/room/{room}/member/{user}")).await?.json()
    }

    /// Downloads what a user sent, at most `max_bytes`.
    ///
    /// # Errors
    /// `NotFound`, `Gone` if it was taken back, `TooLarge` if it is larger.
    pub async fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content, Error> {
        let url = format!("{}/v2/bot/message/{message}/content", self.inner.data_api_url);
        let answer = self.call(self.inner.http.get(url), max_bytes).await?.checked()?;
        if answer.status == 202 {
            return Ok(Content::Preparing);
        }
        Ok(Content::Ready { content_type: answer.content_type.unwrap_or_default(), bytes: answer.body })
    }

    /// Returns who the bot is.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn bot_info(&self) -> Result<BotInfo, Error> {
        self.get("/v2/bot/info").await?.json()
    }

    /// Returns where LINE sends webhooks.
    ///
    /// # Errors
    /// Those of LINE; `NotFound` if none is set.
    pub async fn webhook_endpoint(&self) -> Result<WebhookEndpoint, Error> {
        self.get("/v2/bot/channel/webhook/endpoint").await?.json()
    }

    /// Sets where LINE sends webhooks; an HTTPS address of at most 500 characters.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn set_webhook_endpoint(&self, endpoint: &str) -> Result<(), Error> {
        let body = json!({"endpoint": endpoint});
        self.send(Method::PUT, "/v2/bot/channel/webhook/endpoint", Some(&body), None).await?.checked().map(drop)
    }

    /// Has LINE send a test webhook, to the endpoint that is set or to another.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn test_webhook_endpoint(&self, endpoint: Option<&str>) -> Result<WebhookTest, Error> {
        let body = endpoint.map_or_else(|| json!({}), |endpoint| json!({"endpoint": endpoint}));
        self.post("/v2/bot/channel/webhook/test", &body, None).await?.json()
    }

    /// Marks a message and all before it as read, by its token.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn mark_as_read(&self, token: &str) -> Result<(), Error> {
        self.post("/v2/bot/chat/markAsRead", &json!({"markAsReadToken": token}), None).await.map(drop)
    }

    async fn get(&self, path: &str) -> Result<Answer, Error> {
        self.send(Method::GET, path, None, None).await?.checked()
    }

    async fn post(&self, path: &str, body: &Value, retry_key: Option<Uuid>) -> Result<Answer, Error> {
        self.send(Method::POST, path, Some(body), retry_key).await?.checked()
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>, retry_key: Option<Uuid>) -> Result<Answer, Error> {
        let mut request = self.inner.http.request(method, format!("{}{path}", self.inner.api_url));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = retry_key {
            request = request.header("X-Line-Retry-Key", key.to_string());
        }
        self.call(request, MAX_ANSWER).await
    }

    async fn call(&self, request: RequestBuilder, max_bytes: usize) -> Result<Answer, Error> {
        let token = self.inner.tokens.current(&self.inner.http).await?;
        let response = request.bearer_auth(token.expose()).send().await.map_err(network)?;
        if response.status().as_u16() == 401 {
            self.inner.tokens.forget(&token);
        }
        Answer::read(response, max_bytes).await
    }
}

/// An answer, read whole.
struct Answer {
    status: u16,
    request_id: Option<String>,
    accepted_request_id: Option<String>,
    retry_after: Option<Duration>,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    async fn read(mut response: Response, max_bytes: usize) -> Result<Self, Error> {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut answer = Self {
            status: response.status().as_u16(),
            request_id: header("x-line-request-id"),
            accepted_request_id: header("x-line-accepted-request-id"),
            retry_after: header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs),
            content_type: header("content-type"),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            if answer.body.len() + chunk.len() > max_bytes {
                let error = format!("more than {max_bytes} bytes");
                return Err(Error::without_answer(ErrorKind::TooLarge, Reached::Unknown, error));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    fn checked(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(Error::from_status(self.status, self.request_id, self.retry_after, &self.body))
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::without_answer(ErrorKind::Invalid, Reached::Unknown, error))
    }

    /// Reads what was sent; LINE took the messages, so an answer that is not understood is no failure.
    #[expect(clippy::unnecessary_wraps, reason = "ends chains of results")]
    fn sent(self, already_accepted: bool) -> Result<Sent, Error> {
        let raw: RawSent = self.json().unwrap_or_default();
        Ok(Sent {
            request_id: self.request_id,
            accepted_request_id: self.accepted_request_id,
            already_accepted,
            messages: raw.sent_messages,
        })
    }
}

fn network(error: reqwest::Error) -> Error {
    // The address may carry an id; it says nothing that the caller does not know.
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        Error::without_answer(ErrorKind::Network, Reached::No, error)
    } else if error.is_timeout() {
        Error::without_answer(ErrorKind::Timeout, Reached::Unknown, error)
    } else {
        Error::without_answer(ErrorKind::Network, Reached::Unknown, error)
    }
}

/// Chooses the TLS provider once for the process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another library may have chosen already; that one serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
