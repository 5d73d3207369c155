//! What operators look at: `/live`, `/ready` and `/metrics`.

use std::sync::{Arc, OnceLock};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use yamabiko_queue::Store;

use crate::{
    health::{self, Health},
    shutdown::Stop,
};

/// What the pages for operators need.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// The store, once it is open.
    pub(crate) store: Arc<OnceLock<Arc<dyn Store>>>,
    /// The queues that the bot's jobs are in.
    pub(crate) queues: Vec<&'static str>,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) stop: Stop,
}

/// Returns `/live`, `/ready` and `/metrics`.
pub(crate) fn routes(status: Status) -> Router {
    Router::new()
        .route("/live", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route(
            "/metrics",
            get(|State(status): State<Status>| async move { status.metrics.render() }),
        )
        .with_state(status)
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
        for note in health::notes(store, &status.queues).await {
            text.push_str(&note);
            text.push('\n');
        }
    }
    (StatusCode::OK, text)
}
