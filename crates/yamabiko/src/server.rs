//! The HTTP server: LINE's webhooks, and what operators look at.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use yamabiko_queue::Store;

use crate::{
    Result,
    health::{self, Health},
    shutdown::Stop,
    webhook::{self, MAX_BODY, Webhook},
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
}

/// Returns `/live`, `/ready` and `/metrics`.
pub(crate) fn status_routes(status: Status) -> Router {
    Router::new()
        .route("/live", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .route(
            "/metrics",
            get(|State(status): State<Status>| async move { status.metrics.render() }),
        )
        .with_state(status)
}

/// Returns `/callback`.
pub(crate) fn webhook_routes(webhook: Webhook) -> Router {
    Router::new()
        .route("/callback", post(webhook::callback))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(webhook)
}

/// Serves until told to stop, then lets open requests end.
pub(crate) async fn serve(listener: TcpListener, routes: Router, stop: Stop) -> Result {
    let routes = routes.layer(CatchPanicLayer::new());
    Ok(axum::serve(listener, routes).with_graceful_shutdown(stop.requested()).await?)
}

async fn ready(State(status): State<Status>) -> (StatusCode, String) {
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
