//! The HTTP server: LINE's webhooks, and what operators look at.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

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

/// How long a stop waits for open requests at least: a webhook is answered by then.
const LEAST: Duration = Duration::from_secs(2);

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

/// Serves until told to stop, then lets open requests end, but waits for none without end: `at_most` so long.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: Stop,
    at_most: Duration,
) -> Result {
    let routes = routes.layer(CatchPanicLayer::new());
    let late = {
        let stopping = stop.requested();
        async move {
            stopping.await;
            tokio::time::sleep(at_most.max(LEAST)).await;
        }
    };
    tokio::select! {
        served = axum::serve(listener, routes).with_graceful_shutdown(stop.requested()) => Ok(served?),
        () = late => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        task::JoinHandle,
        time::timeout,
    };

    use super::*;
    use crate::shutdown;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Tells a server to stop that is reading a request, and returns both ends.
    async fn stopped_while_it_reads(at_most: Duration) -> (TcpStream, JoinHandle<Result>) {
        let (stopper, stop) = shutdown::channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let routes = Router::new().route("/", post(async |body: Bytes| body));
        let server = tokio::spawn(serve(listener, routes, stop, at_most));
        let head =
            b"POST / HTTP/1.1\r\nhost: bot\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
        client.write_all(head).await.unwrap();
        let mut going_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        client.read_exact(&mut going_on).await.unwrap();
        stopper.stop();
        (client, server)
    }

    #[tokio::test]
    async fn a_request_that_is_open_at_a_stop_is_answered() {
        let (mut client, server) = stopped_while_it_reads(MINUTE).await;
        client.write_all(b"echo").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("echo"), "{answer}");
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_without_an_end_keeps_nobody_from_stopping() {
        let (_client, server) = stopped_while_it_reads(Duration::ZERO).await;
        timeout(MINUTE / 4, server).await.expect("the server goes on").unwrap().unwrap();
    }
}
