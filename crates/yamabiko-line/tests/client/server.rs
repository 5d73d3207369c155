//! LINE's part in these tests: a server that remembers what it was asked and answers as told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use serde_json::Value;
use tokio::net::TcpListener;
use yamabiko_line::{
    client::{Client, ClientConfig, Credentials},
    secret::AccessToken,
};

/// The token of the tests' channel.
pub(crate) const TOKEN: &str = "geheim-token";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer: status, headers, body.
pub(crate) struct Answer(pub(crate) u16, pub(crate) Vec<(&'static str, String)>, pub(crate) Body);

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("x-line-request-id", "request-1".to_owned())];
        Self(status, headers, Body::from(body.to_string()))
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.1.push((name, value.to_owned()));
        self
    }
}

struct Memory {
    asked: Vec<Asked>,
    answer: Box<dyn FnMut(&Asked) -> Answer + Send>,
}

/// The server; it lives as long as the test's runtime.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) url: String,
    memory: Arc<Mutex<Memory>>,
}

impl Line {
    /// Starts a server that will answer so, in this order.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::deciding(move |_| answers.pop_front().expect("the test knows how often it asks"))
            .await
    }

    /// Starts a server that decides by the request.
    pub(crate) async fn deciding(answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let memory = Memory { asked: Vec::new(), answer: Box::new(answer) };
        let memory = Arc::new(Mutex::new(memory));
        let router = Router::new().fallback(take).with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, memory }
    }

    /// Starts a server that answers once.
    pub(crate) async fn answers(status: u16, body: Value) -> Self {
        Self::answering([Answer::json(status, &body)]).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.memory.lock().unwrap().asked.clone()
    }

    pub(crate) fn asked_once(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(config(&self.url, Credentials::Token(AccessToken::new(TOKEN)))).unwrap()
    }
}

pub(crate) fn config(url: &str, credentials: Credentials) -> ClientConfig {
    let mut config = ClientConfig::new(credentials);
    config.api_url = url.to_owned();
    config.data_api_url = format!("{url}/data");
    config
}

async fn take(
    State(memory): State<Arc<Mutex<Memory>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut memory = memory.lock().unwrap();
    let asked = Asked { method, path: uri.path().to_owned(), headers, body };
    let Answer(status, headers, body) = (memory.answer)(&asked);
    memory.asked.push(asked);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}
