//! Whether this process can do its work, and what operators should know besides.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use yamabiko_queue::{Store, job::OUTBOX};

use crate::{delivery::PUSHES, shutdown::Stop};

/// How long a look at the store may take.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// What is known of this process and its surroundings.
#[derive(Debug, Default)]
pub(crate) struct Health {
    refused: AtomicBool,
}

impl Health {
    /// LINE refused the channel's credentials.
    pub(crate) fn credentials_refused(&self) {
        self.refused.store(true, Ordering::SeqCst);
    }

    /// LINE took a call.
    pub(crate) fn credentials_work(&self) {
        self.refused.store(false, Ordering::SeqCst);
    }

    /// Returns why the process is not ready, if it is not; it has no store before that is open.
    async fn problem(&self, store: Option<&Arc<dyn Store>>) -> Option<&'static str> {
        if self.refused.load(Ordering::SeqCst) {
            return Some("LINE refuses the credentials");
        }
        let Some(store) = store else { return Some("the store is away") };
        let reached = tokio::time::timeout(STORE_TIMEOUT, store.state("")).await;
        (!matches!(reached, Ok(Ok(_)))).then_some("the store is away")
    }
}

/// What `/ready` looks at.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// The store, once it is open.
    pub(crate) store: Arc<OnceLock<Arc<dyn Store>>>,
    /// The queues that the bot's jobs are in.
    pub(crate) queues: Vec<&'static str>,
    pub(crate) health: Arc<Health>,
    pub(crate) stop: Stop,
}

/// Returns `/live`.
pub(crate) fn live_route() -> Router {
    Router::new().route("/live", get(|| async { "ok\n" }))
}

/// Returns `/ready`.
pub(crate) fn ready_route(status: Status) -> Router {
    Router::new().route("/ready", get(ready)).with_state(status)
}

async fn ready(State(status): State<Status>) -> (StatusCode, String) {
    if status.stop.is_requested() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    let store = status.store.get();
    if let Some(problem) = status.health.problem(store).await {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n"));
    }
    let mut text = "ready\n".to_owned();
    if let Some(store) = store {
        for note in notes(store, &status.queues).await {
            text.push_str(&note);
            text.push('\n');
        }
    }
    (StatusCode::OK, text)
}

/// Returns what operators should know of the bot as a whole, beside whether this process is ready (C6, O5).
async fn notes(store: &Arc<dyn Store>, queues: &[&str]) -> Vec<String> {
    let Ok(Ok(counts)) = tokio::time::timeout(STORE_TIMEOUT, store.counts()).await else {
        return Vec::new();
    };
    let mut notes: Vec<_> = queues
        .iter()
        .filter(|queue| !counts.is_served(queue))
        .map(|queue| {
            format!("nobody serves the queue {queue}: start a worker, or name it in WORKER_QUEUES")
        })
        .collect();
    let is_paused = |queue| counts.queues.get(queue).is_some_and(|queue| queue.paused.is_some());
    if is_paused(OUTBOX) {
        notes.push("the outbox is paused: LINE refuses the credentials or takes no more for now, see the workers' logs".to_owned());
    }
    if is_paused(PUSHES) {
        notes.push("pushes wait, and replies go on: LINE forbids the account's pushes (403), see the workers' logs".to_owned());
    }
    notes
}
