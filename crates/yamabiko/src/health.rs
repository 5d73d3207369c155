//! Whether this process can do its work, and what operators should know besides.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use yamabiko_queue::{Error, ErrorKind, Store, job::OUTBOX};

use crate::{delivery::PUSHES, shutdown::Stop, webhook};

/// How long a look at the queues may take.
const COUNTS_TIMEOUT: Duration = Duration::from_secs(1);

/// What is known of this process and its surroundings.
#[derive(Debug, Default)]
pub(crate) struct Health {
    refused: AtomicBool,
    /// Why the last webhook was not stored, if it was not.
    turned_away: Mutex<Option<ErrorKind>>,
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

    /// A webhook was not stored; returns whether the one before it was, or failed for another kind of reason.
    pub(crate) fn webhook_turned_away(&self, kind: ErrorKind) -> bool {
        self.turned_away().replace(kind) != Some(kind)
    }

    /// A webhook was stored; returns whether the one before it was not.
    pub(crate) fn webhook_stored(&self) -> bool {
        self.turned_away().take().is_some()
    }

    fn turned_away(&self) -> MutexGuard<'_, Option<ErrorKind>> {
        self.turned_away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notes(&self) -> impl Iterator<Item = &'static str> {
        let refused = self.refused.load(Ordering::SeqCst);
        let turned_away = self.turned_away().is_some();
        [
            refused.then_some("LINE refuses the credentials: `doctor` says more"),
            turned_away
                .then_some("the last webhook was not stored: LINE was asked to send it again"),
        ]
        .into_iter()
        .flatten()
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
    if let Some(problem) = status.problem().await {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n"));
    }
    let mut notes: Vec<_> = status.health.notes().map(str::to_owned).collect();
    if let Some(store) = status.store.get() {
        notes.extend(notes_of_queues(store, &status.queues).await);
    }
    let lines = std::iter::once("ready".to_owned()).chain(notes);
    (StatusCode::OK, lines.map(|line| line + "\n").collect())
}

impl Status {
    /// Returns why a webhook would not be stored now; whatever else is wrong, taking `web` out of service would lose webhooks.
    async fn problem(&self) -> Option<String> {
        if self.stop.is_requested() {
            return Some("stopping".to_owned());
        }
        let Some(store) = self.store.get() else {
            return Some(ErrorKind::Unavailable.words().to_owned());
        };
        // A store that can be read may refuse to write: it is full, locked, or a replica.
        match tokio::time::timeout(webhook::STORE_TIMEOUT, store.insert(&[])).await {
            Ok(Ok(_)) => None,
            // It names both versions.
            Ok(Err(error @ Error::NewerSchema { .. })) => Some(error.to_string()),
            Ok(Err(error)) => Some(error.kind().words().to_owned()),
            Err(_) => Some(ErrorKind::Unavailable.words().to_owned()),
        }
    }
}

/// Returns what operators should know of the bot as a whole, beside whether this process is ready (C6, O5).
async fn notes_of_queues(store: &Arc<dyn Store>, queues: &[&str]) -> Vec<String> {
    let Ok(Ok(counts)) = tokio::time::timeout(COUNTS_TIMEOUT, store.counts()).await else {
        return Vec::new();
    };
    let mut notes: Vec<_> = queues
        .iter()
        .filter(|queue| !counts.is_served(queue))
        .map(|queue| {
            format!(
                "no worker serves the queue {queue}: start a worker, or name it in WORKER_QUEUES"
            )
        })
        .collect();
    match counts.damaged {
        0 => {}
        1 => notes.push(
            "1 record of the store is damaged and set aside: `doctor` says what to do".to_owned(),
        ),
        damaged => notes.push(format!(
            "{damaged} records of the store are damaged and set aside: `doctor` says what to do"
        )),
    }
    let is_paused = |queue| counts.queues.get(queue).is_some_and(|queue| queue.paused.is_some());
    if is_paused(OUTBOX) {
        notes.push("the outbox is paused: LINE refuses the credentials or takes no more for now, see the workers' logs".to_owned());
    }
    if is_paused(PUSHES) {
        notes.push("pushes wait, and replies go on: LINE forbids the account's pushes (403), see the workers' logs".to_owned());
    }
    notes
}
