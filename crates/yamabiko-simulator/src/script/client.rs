//! The control API as the player calls it.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;

/// Nothing that is asked takes longer, long polls included.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Calls the control API of one simulator.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, base: &str) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned() }
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        answer(self.http.get(self.url(path, query)?)).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, String> {
        answer(self.http.post(self.url(path, query)?).json(body)).await
    }

    pub(crate) async fn put(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, String> {
        answer(self.http.put(self.url(path, query)?).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, String> {
        answer(self.http.delete(self.url(path, &[])?)).await
    }

    /// Posts bytes that are no JSON.
    pub(crate) async fn upload(
        &self,
        path: &str,
        query: &[(&str, &str)],
        bytes: Vec<u8>,
    ) -> Result<Value, String> {
        let request = self.http.post(self.url(path, query)?).body(bytes);
        answer(request.header("content-type", "application/octet-stream")).await
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<reqwest::Url, String> {
        let url = format!("{}{path}", self.base);
        let mut url = reqwest::Url::parse(&url).map_err(|error| format!("{url}: {error}"))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

async fn answer(request: RequestBuilder) -> Result<Value, String> {
    let unreachable = |error: reqwest::Error| format!("the simulator does not answer: {error}");
    let response = request.timeout(TIMEOUT).send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| format!("no simulator answers here: {status}, and no JSON"))?;
    if status.is_success() {
        return Ok(body);
    }
    Err(format!("the simulator refuses: {}", body["error"].as_str().unwrap_or(status.as_str())))
}
