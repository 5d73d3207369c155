//! The connection that all steps of a handle share, opened again when it breaks or its server is no longer the master.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};

use super::server::Server;

/// A connection to the server that has the data now; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    server: Server,
    /// How long the server may take to answer.
    patience: Duration,
    open: Mutex<Option<Open>>,
    /// Whoever holds it opens the connection, for all who wait.
    opening: tokio::sync::Mutex<Opening>,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    number: u64,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The tries to open it so far, and how the last one failed.
#[derive(Debug, Default)]
struct Opening {
    tries: u64,
    failed: Option<RedisError>,
}

impl Link {
    /// Opens a connection on which the server may take `patience` to answer.
    pub(super) async fn open(server: Server, patience: Duration) -> RedisResult<Self> {
        let (open, opening) = (Mutex::default(), tokio::sync::Mutex::default());
        let shared = Shared { server, patience, open, opening };
        let link = Self(Arc::new(shared));
        link.connection().await?;
        Ok(link)
    }

    /// Returns the server.
    pub(super) fn server(&self) -> &Server {
        &self.0.server
    }

    /// Returns how often the connection has been opened.
    pub(super) fn number(&self) -> u64 {
        self.current().map_or(0, |open| open.number)
    }

    fn current(&self) -> Option<Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn connection(&self) -> RedisResult<Open> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let waited = self.0.opening.try_lock().is_err();
        let mut opening = self.0.opening.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        // Who came while another tried shares its failure; else each would wait for a try of its own in turn.
        if waited && let Some(failed) = &opening.failed {
            return Err(failed.clone());
        }
        opening.tries += 1;
        match self.0.server.connect(self.0.patience).await {
            Ok(connection) => {
                let open = Open { connection, number: opening.tries };
                *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open.clone());
                opening.failed = None;
                Ok(open)
            }
            Err(error) => {
                opening.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Gives a connection up after an answer that says that it is of no more use.
    fn judge<T>(&self, number: u64, answer: &RedisResult<T>) {
        if answer.as_ref().is_err_and(is_of_no_use) {
            let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
            if open.as_ref().is_some_and(|open| open.number == number) {
                *open = None;
            }
        }
    }
}

/// Says whether an error means that the next call needs another connection: it broke, the server does not answer,
/// or the server is a replica now.
fn is_of_no_use(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        async move {
            let mut open = self.connection().await?;
            let answer = open.connection.send_packed_command(cmd).await;
            self.judge(open.number, &answer);
            answer
        }
        .boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        async move {
            let mut open = self.connection().await?;
            let answer = open.connection.send_packed_commands(pipeline, offset, count).await;
            self.judge(open.number, &answer);
            answer
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        self.current().map_or(0, |open| open.connection.get_db())
    }
}
