//! What a store of a test stands on: nothing, a file, or a Redis server of its own.

use std::sync::Arc;

use tempfile::TempDir;

use crate::{leftovers::leftovers, redis_server::RedisServer};

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Model,
    Sqlite,
    Redis,
    /// The newest version of Redis that the tests have.
    RedisNewest,
}

/// Where a store is; it is gone when this is dropped.
pub(crate) enum Ground {
    Memory,
    Folder(TempDir),
    Server(RedisServer),
    /// The ground of another process.
    Elsewhere(String),
}

impl Ground {
    pub(crate) fn new(kind: Kind) -> Arc<Self> {
        Arc::new(match kind {
            Kind::Model => Self::Memory,
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Redis => Self::Server(RedisServer::start()),
            Kind::RedisNewest => Self::Server(RedisServer::start_newest(&[])),
        })
    }

    /// Makes a ground that keeps every step that was answered, even if it is killed.
    pub(crate) fn durable(kind: Kind) -> Self {
        match kind {
            Kind::Model => Self::Memory,
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Redis | Kind::RedisNewest => Self::Server(RedisServer::start_durable()),
        }
    }

    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Self::Memory => None,
            Self::Folder(folder) => {
                Some(format!("sqlite:{}", folder.path().join("test.db").display()))
            }
            Self::Server(server) => Some(server.url()),
            Self::Elsewhere(url) => Some(url.clone()),
        }
    }

    /// Kills the server, if there is one.
    pub(crate) fn kill(&mut self) {
        if let Self::Server(server) = self {
            server.kill();
        }
    }

    /// Starts the server again, if there is one.
    pub(crate) fn restart(&mut self) {
        if let Self::Server(server) = self {
            server.restart();
        }
    }

    /// Opens the file beside the store.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        let url = self.url().expect("a file");
        rusqlite::Connection::open(url.strip_prefix("sqlite:").expect("a file")).unwrap()
    }

    /// Connects to the server beside the store.
    pub(crate) fn redis(&self) -> redis::Connection {
        let client = redis::Client::open(self.url().expect("a server")).unwrap();
        client.get_connection().unwrap()
    }

    /// Returns the names of tables or keys that hold anything, but for those that may.
    pub(crate) fn leftovers(&self, name: &str) -> Vec<String> {
        self.url().map_or_else(Vec::new, |url| leftovers(&url, name))
    }
}
