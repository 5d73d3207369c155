//! A bot's own HTTP endpoints: JSON in, JSON out, computed on a bounded pool of threads.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio::{sync::Semaphore, time};

use crate::{Result, blocking::Pool};

#[cfg(test)]
mod tests;

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

/// What bounds the endpoints of a process.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// How many requests are computed at once.
    pub(crate) threads: usize,
    /// How many requests may wait for a thread.
    pub(crate) waiting: usize,
    /// How long a request may take, its wait included.
    pub(crate) deadline: Duration,
    /// What clients must show, if anything.
    pub(crate) token: Option<Arc<str>>,
}

impl Bounds {
    /// Returns the bounds of a bot: 64 requests wait, each has 30 s.
    pub(crate) fn new(threads: usize, token: Option<&str>) -> Self {
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        let deadline = Duration::from_secs(30);
        Self { threads, waiting: 64, deadline, token: token.map(Into::into) }
    }
}

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

    /// Returns the routes that answer.
    ///
    /// # Errors
    /// If the system has no room for the threads.
    pub(crate) fn routes(&self, bounds: &Bounds) -> Result<Router> {
        let desk = Arc::new(Desk::open(bounds)?);
        let add = |routes: Router, Endpoint { path, answer }: &Endpoint| {
            let (desk, answer) = (Arc::clone(&desk), Arc::clone(answer));
            routes.route(path, post(async move |body| desk.respond(answer, body).await))
        };
        let mut routes =
            self.0.iter().fold(Router::new(), add).layer(DefaultBodyLimit::max(MAX_BODY));
        if let Some(token) = bounds.token.clone() {
            routes = routes.route_layer(middleware::from_fn_with_state(token, only_with_token));
        }
        Ok(routes)
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

/// Where requests wait for a thread, and for how long.
struct Desk {
    pool: Pool,
    places: Arc<Semaphore>,
    deadline: Duration,
}

impl Desk {
    fn open(bounds: &Bounds) -> Result<Self> {
        Ok(Self {
            pool: Pool::for_requests(bounds.threads)?,
            places: Arc::new(Semaphore::new(bounds.threads + bounds.waiting)),
            deadline: bounds.deadline,
        })
    }

    /// Answers a request; what the bot does not like is told to the caller.
    async fn respond(&self, answer: Arc<Answer>, body: Bytes) -> Response {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let again = [(header::RETRY_AFTER, "1")];
            return (again, error(StatusCode::SERVICE_UNAVAILABLE, "too many requests wait"))
                .into_response();
        };
        let work = self.pool.run(move || {
            // Taken for as long as a thread works, even if the caller has gone.
            let _place = place;
            answer(&body)
        });
        match time::timeout(self.deadline, work).await {
            Ok(Ok(Ok(body))) => {
                ([(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Ok(Ok(Err(wrong))) => error(StatusCode::BAD_REQUEST, &format!("{wrong:#}")),
            Ok(Err(_)) => error(StatusCode::SERVICE_UNAVAILABLE, "the bot stops"),
            Err(_) => {
                let text = format!("no answer within {:?}", self.deadline);
                error(StatusCode::SERVICE_UNAVAILABLE, &text)
            }
        }
    }
}

fn error(status: StatusCode, text: &str) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, json!({ "error": text }).to_string()).into_response()
}

/// Refuses requests that do not show the token, before their body is read.
async fn only_with_token(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
    if shows(request.headers(), &token) {
        return next.run(request).await;
    }
    let text = "send the header `Authorization: Bearer …` with the value of ENDPOINT_TOKEN";
    ([(header::WWW_AUTHENTICATE, "Bearer")], error(StatusCode::UNAUTHORIZED, text)).into_response()
}

/// Says whether the headers show the token; takes the same time for every wrong one of its length.
fn shows(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, shown)) = shown.and_then(|shown| shown.split_once(' ')) else { return false };
    scheme.eq_ignore_ascii_case("bearer")
        && bool::from(shown.trim().as_bytes().ct_eq(token.as_bytes()))
}
