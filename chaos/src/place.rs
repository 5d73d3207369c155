//! Where the store is, and how it goes away and comes back.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::sync::Mutex;

use crate::{
    check::Loss,
    disk::Disk,
    locks::WriteLock,
    options::{Options, StoreKind},
    redis_server::Redis,
};

/// How long an SQLite file may be locked by others.
const PATIENCE: Duration = Duration::from_secs(60);

/// The store's place on this machine.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) disk: Disk,
    pub(crate) kind: Kind,
    /// Whether a replica of Redis takes its server's place now and then.
    pub(crate) fails_over: bool,
    /// Held by whoever makes the store go away, until it is back.
    away: Mutex<()>,
    /// How often it went away so far.
    outages: AtomicU64,
}

/// What the store is.
#[derive(Debug)]
pub(crate) enum Kind {
    Sqlite(PathBuf),
    Redis(Box<Redis>),
}

impl Place {
    /// Starts a store on this disk; files that must not be full are in the folder.
    pub(crate) async fn start(
        options: &Options,
        disk: Disk,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let kind = match options.store {
            StoreKind::Sqlite => Kind::Sqlite(disk.path().join("chaos.db")),
            StoreKind::Redis => Kind::Redis(Box::new(Redis::start(disk.path(), folder).await?)),
        };
        let fails_over = options.fail_over && matches!(kind, Kind::Redis(_));
        Ok(Self { disk, kind, fails_over, away: Mutex::new(()), outages: AtomicU64::new(0) })
    }

    /// Returns the address for the bot's processes, on Redis through the wire.
    pub(crate) fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite(path) => format!("sqlite:{}", path.display()),
            Kind::Redis(redis) => format!("redis://127.0.0.1:{}", redis.wire.port()),
        }
    }

    /// Returns the address without the wire.
    pub(crate) fn direct_url(&self) -> String {
        match &self.kind {
            Kind::Sqlite(_) => self.url(),
            Kind::Redis(redis) => format!("redis://127.0.0.1:{}", redis.port()),
        }
    }

    pub(crate) fn write_lock(&self) -> Option<WriteLock> {
        match &self.kind {
            Kind::Sqlite(path) => Some(WriteLock::of(path)),
            Kind::Redis(_) => None,
        }
    }

    /// Takes the store away for so long: kills the server, or locks the file.
    pub(crate) async fn take_away(&self, time: Duration) -> anyhow::Result<()> {
        let _alone = self.away.lock().await;
        self.outages.fetch_add(1, Ordering::SeqCst);
        match &self.kind {
            Kind::Sqlite(path) => {
                let path = path.clone();
                tokio::task::spawn_blocking(move || lock_file(&path, time)).await?
            }
            Kind::Redis(redis) => {
                redis.kill().await?;
                tokio::time::sleep(time).await;
                redis.start_again().await
            }
        }
    }

    /// Has a replica of Redis take its server's place, without what was stored for so long; on SQLite, there is none.
    pub(crate) async fn fail_over(&self, tail: Duration) -> anyhow::Result<()> {
        let Kind::Redis(redis) = &self.kind else { return Ok(()) };
        let _alone = self.away.lock().await;
        redis.fail_over(tail, || self.outages.fetch_add(1, Ordering::SeqCst)).await
    }

    /// Returns what the store has lost.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        match &self.kind {
            Kind::Sqlite(_) => Vec::new(),
            Kind::Redis(redis) => redis.losses(),
        }
    }

    /// Returns how often the store went away so far.
    pub(crate) fn outages(&self) -> u64 {
        self.outages.load(Ordering::SeqCst)
    }

    /// Waits until the store is there.
    pub(crate) async fn calm(&self) {
        drop(self.away.lock().await);
    }

    /// Fills the store's disk for so long.
    pub(crate) async fn fill_disk(&self, time: Duration) -> anyhow::Result<()> {
        let _alone = self.away.lock().await;
        self.outages.fetch_add(1, Ordering::SeqCst);
        self.disk.fill()?;
        tokio::time::sleep(time).await;
        self.disk.free()?;
        match &self.kind {
            Kind::Sqlite(_) => Ok(()),
            // With `appendfsync always` a server ends itself when it cannot write.
            Kind::Redis(redis) => redis.start_again().await,
        }
    }
}

/// Locks an SQLite file as another program may do.
fn lock_file(path: &PathBuf, time: Duration) -> anyhow::Result<()> {
    let file = rusqlite::Connection::open(path)?;
    file.busy_timeout(PATIENCE)?;
    file.execute_batch("BEGIN IMMEDIATE")?;
    std::thread::sleep(time);
    file.execute_batch("ROLLBACK")?;
    Ok(())
}
