//! A bot's own HTTP endpoints: JSON in, JSON out, computed on a bounded pool of threads.

use std::{fmt, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{Result, blocking::Pool};

/// What a request may have: 64 KiB.
const MAX_BODY: usize = 64 * 1024;

/// The endpoints that only this bot has.
#[derive(Clone, Default)]
pub(crate) struct Endpoints(Vec<Endpoint>);

#[derive(Clone)]
struct Endpoint {
    path: &'static str,
    answer: Arc<Answer>,
}

/// Turns a request's body into an answer's.
type Answer = dyn Fn(&[u8]) -> Result<Vec<u8>> + Send + Sync;

impl Endpoints {
    pub(crate) fn add<Q: DeserializeOwned, A: Serialize>(
        &mut self,
        path: &'static str,
        answer: impl Fn(Q) -> Result<A> + Send + Sync + 'static,
    ) {
        let answer =
            move |body: &[u8]| Ok(serde_json::to_vec(&answer(serde_json::from_slice(body)?)?)?);
        self.0.push(Endpoint { path, answer: Arc::new(answer) });
    }

    /// Returns the routes that answer, with as many requests at once as the pool has threads.
    pub(crate) fn routes(self, pool: Pool) -> Router {
        let pool = Arc::new(pool);
        let add = |routes: Router, Endpoint { path, answer }| {
            let pool = Arc::clone(&pool);
            routes.route(path, post(async move |body| respond(&pool, answer, body).await))
        };
        self.0.into_iter().fold(Router::new(), add).layer(DefaultBodyLimit::max(MAX_BODY))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|endpoint| endpoint.path)).finish()
    }
}

/// Answers a request; what the bot does not like is told to the caller.
async fn respond(pool: &Pool, answer: Arc<Answer>, body: Bytes) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match pool.run(move || answer(&body)).await {
        Ok(Ok(body)) => (json, body).into_response(),
        Ok(Err(error)) => {
            let body = json!({"error": format!("{error:#}")}).to_string();
            (StatusCode::BAD_REQUEST, json, body).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_request_is_answered_and_a_wrong_one_hears_what_is_wrong() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut endpoints = Endpoints::default();
        endpoints.add("/half", |number: u32| match number % 2 {
            0 => Ok([number / 2]),
            _ => bail!("{number} is odd: send an even number"),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/half", listener.local_addr().unwrap());
        let routes = endpoints.routes(Pool::for_requests(1).unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let ask = async |body: String| {
            let answer = reqwest::Client::new().post(&url).body(body).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(ask("8".to_owned()).await, (200, "[4]".to_owned()));
        let odd = r#"{"error":"7 is odd: send an even number"}"#;
        assert_eq!(ask("7".to_owned()).await, (400, odd.to_owned()));
        let (status, error) = ask("eight".to_owned()).await;
        assert!(status == 400 && error.contains("expected value at line 1"), "{error}");
        assert_eq!(ask(" ".repeat(MAX_BODY + 1)).await.0, 413);
    }

    /// A number whose reading and writing panics for some values, as does the text of an error about it.
    #[derive(Debug)]
    struct Brittle(u32);

    impl<'de> serde::Deserialize<'de> for Brittle {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let number = u32::deserialize(from)?;
            assert_ne!(number, 1, "an author's mistake");
            Ok(Self(number))
        }
    }

    impl Serialize for Brittle {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            assert_ne!(self.0, 2, "an author's mistake");
            self.0.serialize(to)
        }
    }

    impl fmt::Display for Brittle {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("an author's mistake")
        }
    }

    impl std::error::Error for Brittle {}

    #[tokio::test]
    async fn a_panic_is_a_failure_of_its_request_and_of_no_other() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut endpoints = Endpoints::default();
        endpoints.add("/echo", |brittle: Brittle| match brittle.0 {
            3 => panic!("an author's mistake"),
            4 => Err(brittle.into()),
            _ => Ok(brittle),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/echo", listener.local_addr().unwrap());
        let routes = endpoints.routes(Pool::for_requests(1).unwrap());
        // As the server has it.
        let routes = routes.layer(tower_http::catch_panic::CatchPanicLayer::new());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let ask = async |number: u32| {
            let ask = reqwest::Client::new().post(&url).body(number.to_string());
            ask.send().await.unwrap().status().as_u16()
        };
        for number in 1..=4 {
            assert_eq!((ask(number).await, ask(5).await), (500, 200), "{number}");
        }
    }
}
