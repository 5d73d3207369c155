//! What a store of a test stands on: nothing, a file, or a Redis server of its own.

use std::sync::Arc;

use tempfile::TempDir;

use crate::redis_server::RedisServer;

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
        match self.url() {
            None => Vec::new(),
            Some(url) if url.starts_with("sqlite:") => rows_left(&self.sqlite()),
            Some(_) => keys_left(&mut self.redis(), name),
        }
    }
}

/// Tables that need not become empty: what all jobs share, and the chats' state.
const CONSTANT_TABLES: [&str; 2] = ["store", "state"];
/// Keys that stay: the schema's version, the counter of tokens, the chats' state, and hints that nobody has taken.
const CONSTANT_KEYS: [&str; 5] = ["schema", "token", "state", "alarm", "wake:"];

fn rows_left(file: &rusqlite::Connection) -> Vec<String> {
    let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
    let rows = |name: &String| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).unwrap()
    };
    names
        .into_iter()
        .filter(|name| !CONSTANT_TABLES.contains(&name.as_str()) && rows(name) > 0)
        .collect()
}

fn keys_left(redis: &mut redis::Connection, name: &str) -> Vec<String> {
    let prefix = format!("yamabiko:{{{name}}}:");
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query(redis).unwrap();
    let rests = keys.into_iter().map(|key| key[prefix.len()..].to_owned());
    rests.filter(|rest| !CONSTANT_KEYS.iter().any(|constant| rest.starts_with(constant))).collect()
}
