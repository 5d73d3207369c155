//! HTTP/1 on one connection.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Request, Response, StatusCode,
        header::{CONNECTION, HeaderMap},
    },
    response::IntoResponse as _,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpStream;

use super::{
    body::{RequestBody, ResponseBody},
    connections::{Connection, Connections, Place},
    stream::Stream,
};
use crate::shutdown::Stop;

/// The largest request head: 32 KiB, since each connection may hold as much.
const MAX_HEAD: usize = 32 * 1024;

/// The server closes the connection while a request comes.
#[derive(Debug, thiserror::Error)]
#[error("the connection is being closed")]
struct Closed;

/// Serves one connection until it ends, or is closed to make room or for taking too long.
pub(super) async fn serve(
    tcp: TcpStream,
    place: Place,
    connections: Arc<Connections>,
    routes: Router,
    stop: Stop,
) {
    let connection = &place.connection;
    connection.starts();
    let routes = TowerToHyperService::new(routes);
    let answer = |request: Request<Incoming>| {
        let (connections, connection) = (Arc::clone(&connections), Arc::clone(connection));
        let (routes, stop) = (routes.clone(), stop.clone());
        async move {
            if !connection.begins() {
                return Err(Closed);
            }
            let request = request.map(|body| {
                Body::new(RequestBody::new(body, connections, Arc::clone(&connection)))
            });
            let response = routes.call(request).await.unwrap_or_else(|never| match never {});
            Ok(finish(response, connection, &stop))
        }
    };
    let stream = Stream { tcp, connection: Arc::clone(connection) };
    // Hyper's own limit for heads would close idle connections as soon: see `Limits`.
    let serving = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    tokio::select! {
        biased;
        () = connection.closed() => {}
        served = serving => if let Err(error) = served {
            tracing::trace!(%error, "a connection ended");
        },
    }
}

fn finish(
    mut response: Response<Body>,
    connection: Arc<Connection>,
    stop: &Stop,
) -> Response<ResponseBody> {
    if connection.was_too_slow() {
        response = StatusCode::REQUEST_TIMEOUT.into_response();
        close(response.headers_mut());
    }
    if stop.is_requested() {
        close(response.headers_mut());
    }
    response.map(|body| ResponseBody::new(body, connection))
}

/// Tells the client not to send another request on this connection.
fn close(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}
