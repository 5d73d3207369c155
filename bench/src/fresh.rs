//! An empty store for one measurement, on a disk and not in memory.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use tempfile::TempDir;
use yamabiko_queue::{Store, StoreOptions, store};

use crate::{
    options::{Options, StoreKind},
    redis_server::RedisServer,
};

/// A store of its own, gone when dropped.
#[derive(Debug)]
pub(crate) struct Fresh {
    // Fields are dropped in this order: the server before its folder.
    server: Option<RedisServer>,
    folder: TempDir,
    options: Options,
}

impl Fresh {
    /// Makes an empty store.
    pub(crate) fn new(kind: StoreKind, options: &Options) -> anyhow::Result<Self> {
        let folder = folder()?;
        let server =
            (kind == StoreKind::Redis).then(|| RedisServer::start(folder.path())).transpose()?;
        Ok(Self { server, folder, options: options.clone() })
    }

    /// Returns the store's address.
    pub(crate) fn url(&self) -> String {
        let file = || format!("sqlite:{}", self.file().display());
        self.server.as_ref().map_or_else(file, RedisServer::url)
    }

    /// Returns the path of the SQLite file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Returns the path of a folder for pictures that are published.
    pub(crate) fn media(&self) -> PathBuf {
        self.folder.path().join("media")
    }

    /// Returns the Redis server, if the store is one.
    pub(crate) const fn redis(&self) -> Option<&RedisServer> {
        self.server.as_ref()
    }

    /// Opens the store; each opening is to the store what another process is.
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        store::open(&self.url(), self.options.store_options()).await.context("the store")
    }

    /// Opens the store of the bot of this name.
    pub(crate) async fn open_as(&self, name: &str) -> anyhow::Result<Arc<dyn Store>> {
        let options = StoreOptions { name: name.to_owned(), ..self.options.store_options() };
        store::open(&self.url(), options).await.context("the store")
    }
}

/// Makes a temporary folder in the build folder: unlike the system's, it is never in memory.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    let parent = beside_us("bench-data")?;
    std::fs::create_dir_all(&parent)?;
    tempfile::tempdir_in(&parent).with_context(|| parent.display().to_string())
}

/// Returns the path of what lies in the folder of this program.
pub(crate) fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
