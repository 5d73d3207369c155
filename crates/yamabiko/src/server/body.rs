//! Bodies that report where their connection stands: a request's, which is bounded in time, and a response's.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connections::{Connection, Connections};

/// A request's body, which ends with [`TooSlow`] when its client takes too long.
#[derive(Debug)]
pub(super) struct RequestBody {
    body: Incoming,
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    began: Instant,
    received: usize,
    /// Only a body that has been waited for has one.
    timer: Option<Pin<Box<Sleep>>>,
}

/// A client takes too long to send a request's body.
#[derive(Debug, thiserror::Error)]
#[error("the request's body comes too slowly")]
pub(super) struct TooSlow;

impl RequestBody {
    pub(super) fn new(
        body: Incoming,
        connections: Arc<Connections>,
        connection: Arc<Connection>,
    ) -> Self {
        if body.is_end_stream() {
            connection.is_whole();
        }
        Self { body, connections, connection, began: Instant::now(), received: 0, timer: None }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.connections.limits.body_deadline(self.began, self.received);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.connections.release(&self.connection);
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            ready!(self.poll_deadline(cx));
            self.connection.is_too_slow();
            return Poll::Ready(Some(Err(TooSlow.into())));
        };
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.received += bytes;
            self.connections.hold(&self.connection, bytes);
        }
        if frame.is_none() || self.body.is_end_stream() {
            self.connection.is_whole();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body; when it is dropped, all of it is on its way.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: axum::body::Body,
    connection: Arc<Connection>,
}

impl ResponseBody {
    pub(super) fn new(body: axum::body::Body, connection: Arc<Connection>) -> Self {
        connection.responds();
        Self { body, connection }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.connection.has_responded();
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
