//! A client of LINE's Messaging API.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    error::Error,
    id::{ChatId, MessageId, UserId},
    message::Message,
    secret::{AccessToken, ChannelSecret, ReplyToken},
};

mod answers;
mod http;
mod token;

pub use answers::{
    BotInfo, Content, Profile, Quota, Sent, SentMessage, WebhookEndpoint, WebhookTest,
};
use http::Answer;
use token::Tokens;

/// LINE's own base address.
pub const API_URL: &str = "https://api.line.me";
/// LINE's own base address for content.
pub const DATA_API_URL: &str = "https://api-data.line.me";
/// How long a call may take by default.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// The header of a push's retry key.
const RETRY_KEY: &str = "x-line-retry-key";

/// How a channel identifies itself.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A channel access token that was issued beforehand.
    Token(AccessToken),
    /// Short-lived tokens, fetched when needed and refreshed after 12 of their 15 minutes; where LINE refuses one before, the
    /// call is made again at once with another.
    Stateless {
        /// The channel's id.
        channel_id: String,
        /// The channel's secret.
        channel_secret: ChannelSecret,
    },
}

/// How to reach LINE.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The base address. Defaults to LINE's own.
    pub api_url: String,
    /// The base address for content. Defaults to LINE's own.
    pub data_api_url: String,
    /// The channel's credentials.
    pub credentials: Credentials,
    /// How long a call may take, half of it to connect. Defaults to 5 s.
    ///
    /// A download of content may take longer, as long as bytes keep coming.
    pub timeout: Duration,
}

impl ClientConfig {
    /// Makes a configuration with the defaults.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            api_url: API_URL.to_owned(),
            data_api_url: DATA_API_URL.to_owned(),
            credentials,
            timeout: TIMEOUT,
        }
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
    timeout: Duration,
    api_url: Url,
    data_api_url: Url,
    tokens: Tokens,
}

impl Client {
    /// Makes a client; connects at the first call.
    ///
    /// # Errors
    /// `Config` if an address or the token cannot be used, or the system's certificates cannot be read.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        let ClientConfig { api_url, data_api_url, credentials, timeout } = config;
        let (api_url, data_api_url) = (http::base(&api_url)?, http::base(&data_api_url)?);
        let http = http::client(&api_url, timeout)?;
        let token_url = http::join(&api_url, &["oauth2", "v3", "token"]);
        let tokens = Tokens::new(credentials, token_url, http.clone(), timeout)?;
        Ok(Self { inner: Arc::new(Inner { http, timeout, api_url, data_api_url, tokens }) })
    }

    /// Answers an event by its reply token, once; free. At most 5 messages.
    ///
    /// # Errors
    /// `BadRequest` if the token is used up or too old. There is no retry key: after an `Unknown` outcome the same call
    /// can be made again, since a token is good once.
    pub async fn reply(&self, token: &ReplyToken, messages: &[Message]) -> Result<Sent, Error> {
        let body = json!({"replyToken": token.expose(), "messages": messages});
        Ok(self.post(&["message", "reply"], &body).await?.into_sent(false))
    }

    /// Sends up to 5 messages to a chat; counts against the month's messages.
    ///
    /// The retry key makes it safe to repeat for 24 h: what was accepted before is answered as such.
    ///
    /// # Errors
    /// Those of LINE but 409.
    pub async fn push(
        &self,
        to: &ChatId,
        messages: &[Message],
        retry_key: Uuid,
    ) -> Result<Sent, Error> {
        let body = json!({"to": to, "messages": messages});
        let request = self.request(Method::POST, &["message", "push"]);
        let request = request.header(RETRY_KEY, retry_key.to_string()).json(&body);
        let answer = self.call(request).await?;
        if answer.status == 409 && answer.accepted_request_id.is_some() {
            return Ok(answer.into_sent(true));
        }
        Ok(answer.checked()?.into_sent(false))
    }

    /// Shows the loading animation in a chat with one user for 5 to 60 s, a multiple of 5, or until a message comes.
    ///
    /// # Errors
    /// Those of LINE; `BadRequest` for a group.
    pub async fn loading_start(&self, chat: &ChatId, seconds: u8) -> Result<(), Error> {
        let body = json!({"chatId": chat, "loadingSeconds": seconds});
        self.post(&["chat", "loading", "start"], &body).await.map(drop)
    }

    /// Returns how many messages may be sent in this month.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn quota(&self) -> Result<Quota, Error> {
        self.get(&["message", "quota"]).await?.read(Quota::read)
    }

    /// Returns how many messages have been sent in this month, roughly.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn quota_used(&self) -> Result<u64, Error> {
        let answer = self.get(&["message", "quota", "consumption"]).await?;
        answer.read(|used| used.get("totalUsage")?.as_u64())
    }

    /// Returns a friend's profile.
    ///
    /// # Errors
    /// `NotFound` for a user who is no friend of the bot.
    pub async fn profile(&self, user: &UserId) -> Result<Profile, Error> {
        self.get(&["profile", user.as_str()]).await?.read(Profile::read)
    }

    /// Returns the profile of a member of a group that the bot is in.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn group_member_profile(
        &self,
        group: &ChatId,
        user: &UserId,
    ) -> Result<Profile, Error> {
        let path = ["group", group.as_str(), "member", user.as_str()];
        self.get(&path).await?.read(Profile::read)
    }

    /// Returns the profile of a member of a room that the bot is in.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn room_member_profile(
        &self,
        room: &ChatId,
        user: &UserId,
    ) -> Result<Profile, Error> {
        let path = ["room", room.as_str(), "member", user.as_str()];
        self.get(&path).await?.read(Profile::read)
    }

    /// Downloads what a user sent, at most `max_bytes`.
    ///
    /// # Errors
    /// `NotFound`, `Gone` if it was taken back, `TooLarge` if it is larger.
    pub async fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content, Error> {
        let path = ["v2", "bot", "message", message.as_str(), "content"];
        let request = self.inner.http.get(http::join(&self.inner.data_api_url, &path));
        let answer = self.send(request, max_bytes).await?.checked()?;
        if answer.status == 202 {
            return Ok(Content::Preparing);
        }
        let content_type = answer.content_type.unwrap_or_default();
        Ok(Content::Ready { content_type, bytes: answer.body? })
    }

    /// Returns who the bot is.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn bot_info(&self) -> Result<BotInfo, Error> {
        let answer = self.get(&["info"]).await?;
        let answered_at = answer.date;
        Ok(BotInfo { answered_at, ..answer.read(BotInfo::read)? })
    }

    /// Returns where LINE sends webhooks.
    ///
    /// # Errors
    /// Those of LINE; `NotFound` if none is set.
    pub async fn webhook_endpoint(&self) -> Result<WebhookEndpoint, Error> {
        self.get(&["channel", "webhook", "endpoint"]).await?.read(WebhookEndpoint::read)
    }

    /// Sets where LINE sends webhooks; an HTTPS address of at most 500 characters.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn set_webhook_endpoint(&self, endpoint: &str) -> Result<(), Error> {
        let request = self.request(Method::PUT, &["channel", "webhook", "endpoint"]);
        self.call(request.json(&json!({"endpoint": endpoint}))).await?.checked().map(drop)
    }

    /// Has LINE send a test webhook, to the endpoint that is set or to another.
    ///
    /// # Errors
    /// Those of LINE; how the bot answered is no error but in what is returned.
    pub async fn test_webhook_endpoint(
        &self,
        endpoint: Option<&str>,
    ) -> Result<WebhookTest, Error> {
        let body = endpoint.map_or_else(|| json!({}), |endpoint| json!({"endpoint": endpoint}));
        self.post(&["channel", "webhook", "test"], &body).await?.read(WebhookTest::read)
    }

    /// Marks a message and all before it as read, by its token.
    ///
    /// # Errors
    /// Those of LINE.
    pub async fn mark_as_read(&self, token: &str) -> Result<(), Error> {
        self.post(&["chat", "markAsRead"], &json!({"markAsReadToken": token})).await.map(drop)
    }

    async fn get(&self, path: &[&str]) -> Result<Answer, Error> {
        self.call(self.request(Method::GET, path)).await?.checked()
    }

    async fn post(&self, path: &[&str], body: &Value) -> Result<Answer, Error> {
        self.call(self.request(Method::POST, path).json(body)).await?.checked()
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let path = [&["v2", "bot"], path].concat();
        self.inner.http.request(method, http::join(&self.inner.api_url, &path))
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer, Error> {
        self.send(request.timeout(self.inner.timeout), http::MAX_ANSWER).await
    }

    /// Makes a call; one whose token is refused is made again at once with another, where tokens are fetched.
    async fn send(&self, request: RequestBuilder, max_bytes: usize) -> Result<Answer, Error> {
        let tokens = &self.inner.tokens;
        let again = request.try_clone();
        let lent = tokens.current().await?;
        let answer = http::send(request.bearer_auth(lent.token.expose()), max_bytes).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let Some((again, lent)) = again.zip(tokens.after_refusal(&lent).await?) else {
            return Ok(answer);
        };
        let answer = http::send(again.bearer_auth(lent.token.expose()), max_bytes).await?;
        if answer.status == 401 {
            tokens.refuse(&lent);
        }
        Ok(answer)
    }
}
