//! A simulator, a bot that writes down what it hears, and someone who calls both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_line::signature;
use yamabiko_simulator::{Clock, Simulator, SimulatorConfig};

/// The first and the second of the default users.
pub(crate) const SAKURA: &str = "U11111111111111111111111111111111";
pub(crate) const ALICE: &str = "U22222222222222222222222222222222";

/// This answer means that the bot never answers.
pub(crate) const SILENCE: u16 = 0;

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) secret: ChannelSecret,
    /// What the bot answers from now on.
    answer: Arc<AtomicU16>,
    /// How many milliseconds it takes to answer.
    pause: Arc<AtomicU64>,
    heard: Mutex<mpsc::UnboundedReceiver<Heard>>,
    http: reqwest::Client,
}

/// A webhook as the bot got it.
pub(crate) struct Heard {
    pub(crate) signature: Option<String>,
    pub(crate) body: Bytes,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("webhooks are JSON")
    }
}

/// An answer of the simulator.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Clone)]
struct Bot {
    answer: Arc<AtomicU16>,
    pause: Arc<AtomicU64>,
    tell: mpsc::UnboundedSender<Heard>,
    secret: ChannelSecret,
}

async fn callback(State(bot): State<Bot>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers.get("x-line-signature").and_then(|value| value.to_str().ok());
    let genuine = header.is_some_and(|header| signature::verify(&bot.secret, &body, header));
    let heard = Heard { signature: header.map(str::to_owned), body };
    let answer = bot.answer.load(Ordering::SeqCst);
    bot.tell.send(heard).ok();
    tokio::time::sleep(Duration::from_millis(bot.pause.load(Ordering::SeqCst))).await;
    if !genuine {
        return StatusCode::UNAUTHORIZED;
    }
    if answer == SILENCE {
        std::future::pending::<()>().await;
    }
    StatusCode::from_u16(answer).expect("tests choose real ones")
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts with a changed configuration; the clock stands, and nothing is redelivered.
    pub(crate) async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let secret = ChannelSecret::new("the channel's secret".to_owned());
        let answer = Arc::new(AtomicU16::new(200));
        let pause = Arc::<AtomicU64>::default();
        let (tell, heard) = mpsc::unbounded_channel();
        let bot = Bot {
            answer: Arc::clone(&answer),
            pause: Arc::clone(&pause),
            tell,
            secret: secret.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let bot_url = format!("http://{}/callback", listener.local_addr().expect("is bound"));
        let router = Router::new().route("/callback", post(callback)).with_state(bot);
        tokio::spawn(async move { axum::serve(listener, router).await });

        let token = AccessToken::new("the access token".to_owned());
        let mut config = SimulatorConfig::new(bot_url, secret.clone(), token);
        config.clock = Clock::manual(1_790_000_000_000);
        config.settings.redelivery_attempts = 0;
        change(&mut config);
        let simulator = Simulator::start(config).await.expect("the simulator starts");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client is built");
        Self { simulator, secret, answer, pause, heard: Mutex::new(heard), http }
    }

    /// Sets what the bot answers to webhooks from now on.
    pub(crate) fn bot_answers(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    /// Sets how many milliseconds the bot takes for its answers from now on.
    pub(crate) fn bot_answers_slowly(&self, ms: u64) {
        self.pause.store(ms, Ordering::SeqCst);
    }

    /// Waits for the next webhook.
    pub(crate) async fn hears(&self) -> Heard {
        let mut heard = self.heard.lock().await;
        let next = tokio::time::timeout(PATIENCE, heard.recv()).await;
        next.expect("a webhook comes in time").expect("the bot lives")
    }

    /// Waits for the next webhook and takes its one event.
    pub(crate) async fn hears_event(&self) -> Value {
        self.hears().await.json()["events"][0].take()
    }

    /// Lets a user write, and waits until the bot has it.
    pub(crate) async fn says(&self, user: &str, text: &str) -> Value {
        let message = json!({ "type": "text", "text": text });
        let answer = self.post(&format!("/control/chats/{user}/messages"), message).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.hears_event().await
    }

    pub(crate) async fn happens(&self, user: &str, event: Value) -> Value {
        let answer = self.post(&format!("/control/chats/{user}/events"), event).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.hears_event().await
    }

    /// Asks the control API.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// Tells the control API.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// The messages of a chat.
    pub(crate) async fn transcript(&self, user: &str) -> Vec<Value> {
        let chat = self.get(&format!("/control/chats/{user}")).await.body;
        chat["messages"].as_array().expect("a chat has messages").clone()
    }

    /// Calls LINE's API as the bot.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    /// Calls LINE's API with more headers; `authorization` replaces the bot's.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method, path);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", "Bearer the access token");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// Replies with a text.
    pub(crate) async fn reply(&self, event: &Value, text: &str) -> Answer {
        let messages = json!([{ "type": "text", "text": text }]);
        let body = json!({ "replyToken": event["replyToken"], "messages": messages });
        self.call("POST", "/v2/bot/message/reply", Some(body)).await
    }

    /// Pushes a text.
    pub(crate) async fn push(&self, to: &str, text: &str, headers: &[(&str, &str)]) -> Answer {
        let body = json!({ "to": to, "messages": [{ "type": "text", "text": text }] });
        self.call_with("POST", "/v2/bot/message/push", Some(body), headers).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("tests choose real ones");
        self.http.request(method, format!("{}{path}", self.simulator.url())).timeout(PATIENCE)
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the simulator answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("the answer is whole");
        let text = || String::from_utf8_lossy(&bytes).into_owned().into();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Answer { status, headers, body }
    }
}
