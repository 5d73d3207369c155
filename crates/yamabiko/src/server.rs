//! The HTTP server: bounds what a client may take of it, and drains on shutdown.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{self, Instant},
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{Result, shutdown::Stop};

mod body;
mod connections;
mod descriptors;
mod http1;
mod phase;
mod stream;
#[cfg(test)]
mod tests;

use connections::Connections;
pub(crate) use descriptors::Share;
pub(crate) use phase::Limits;

/// How long a webhook may take to be answered, whatever the settings say.
const LEAST: Duration = Duration::from_secs(2);
/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Listens on an address.
///
/// # Errors
/// If it is taken, or none of this machine: names the setting of its port.
pub(crate) async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!("cannot listen on {address}: is another process there? {setting} sets another port")
    })
}

/// An HTTP server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) routes: Router,
    /// How many connections may be open.
    pub(crate) connections: usize,
    pub(crate) limits: Limits,
    /// How long new connections are still taken after the process was told to stop.
    pub(crate) grace: Duration,
    /// How long open requests may take after the process was told to stop.
    pub(crate) drain: Duration,
}

impl Server {
    /// Serves until told to stop, for `grace` longer, and until open requests have ended.
    pub(crate) async fn serve(self, stop: Stop) -> Result {
        let connections = Arc::new(Connections::new(self.connections, self.limits));
        let clients = Clients {
            connections: Arc::clone(&connections),
            routes: self.routes.layer(CatchPanicLayer::new()),
            stop,
            tasks: JoinSet::new(),
            has_room: true,
        };
        tokio::select! {
            served = clients.serve(self.listener, self.grace, self.drain) => served,
            never = connections.close_overdue() => match never {},
        }
    }
}

/// The clients of a server.
#[derive(Debug)]
struct Clients {
    connections: Arc<Connections>,
    routes: Router,
    stop: Stop,
    tasks: JoinSet<()>,
    /// Whether the system had room for the last connection.
    has_room: bool,
}

impl Clients {
    async fn serve(mut self, listener: TcpListener, grace: Duration, drain: Duration) -> Result {
        self.accept(&listener, grace).await;
        let deadline = Instant::now() + drain.saturating_sub(grace).max(LEAST);
        self.accept_queued(listener, deadline).await?;
        self.connections.drain();
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if time::timeout_at(deadline, all_ended).await.is_err() {
            tracing::warn!(requests = self.tasks.len(), "requests that did not end are cut off");
        }
        Ok(())
    }

    /// Accepts connections until `grace` after the process is told to stop.
    async fn accept(&mut self, listener: &TcpListener, grace: Duration) {
        let stop = self.stop.requested();
        let end = async {
            stop.await;
            time::sleep(grace).await;
        };
        tokio::pin!(end);
        loop {
            tokio::select! {
                biased;
                () = &mut end => return,
                Some(_) = self.tasks.join_next() => {}
                accepted = listener.accept() => self.take(accepted.map(|(stream, _)| stream)).await,
            }
        }
    }

    /// Accepts the connections that wait in the kernel's queue, and closes the listener.
    async fn accept_queued(&mut self, listener: TcpListener, deadline: Instant) -> Result {
        // Tokio accepts only what it was told of, which may not be all.
        let listener = listener.into_std()?;
        while Instant::now() < deadline {
            let accepted = listener.accept().and_then(|(stream, _)| {
                stream.set_nonblocking(true)?;
                TcpStream::from_std(stream)
            });
            if matches!(&accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                break;
            }
            self.take(accepted).await;
        }
        Ok(())
    }

    async fn take(&mut self, accepted: io::Result<TcpStream>) {
        match accepted {
            Ok(stream) => {
                self.has_room = true;
                let place = self.connections.place().await;
                let connections = Arc::clone(&self.connections);
                let (routes, stop) = (self.routes.clone(), self.stop.clone());
                self.tasks.spawn(http1::serve(stream, place, connections, routes, stop));
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                if std::mem::take(&mut self.has_room) {
                    tracing::error!(%error, "the system has no room for another connection");
                }
                self.connections.make_room();
                time::sleep(NO_ROOM).await;
            }
        }
    }
}

/// Says whether a connection failed by itself before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
