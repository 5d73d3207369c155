//! Where the store is, and how it goes away and comes back.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, task::spawn_blocking};
use yamabiko_queue::JobId;

use crate::{
    check::Loss,
    damage::{Damage, SqliteFile},
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
    /// The name of the bot that the store is of.
    bot: &'static str,
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
    Sqlite(Arc<SqliteFile>),
    Redis(Box<Redis>),
}

impl Place {
    /// Starts a store on this disk; files that must not be full are in the folder.
    pub(crate) async fn start(
        options: &Options,
        bot: &'static str,
        disk: Disk,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let kind = match options.store {
            StoreKind::Sqlite => {
                Kind::Sqlite(Arc::new(SqliteFile::new(disk.path().join("chaos.db"))))
            }
            StoreKind::Redis => Kind::Redis(Box::new(Redis::start(disk.path(), folder).await?)),
        };
        let fails_over = options.fail_over && matches!(kind, Kind::Redis(_));
        let (away, outages) = (Mutex::new(()), AtomicU64::new(0));
        Ok(Self { disk, kind, bot, fails_over, away, outages })
    }

    /// Returns the address for the bot's processes, on Redis through the wire.
    pub(crate) fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite(file) => format!("sqlite:{}", file.path.display()),
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
            Kind::Sqlite(file) => Some(WriteLock::of(&file.path)),
            Kind::Redis(_) => None,
        }
    }

    /// Takes the store away for so long: kills the server, or locks the file.
    pub(crate) async fn take_away(&self, time: Duration) -> anyhow::Result<()> {
        let _alone = self.away.lock().await;
        self.outages.fetch_add(1, Ordering::SeqCst);
        match &self.kind {
            Kind::Sqlite(file) => {
                let path = file.path.clone();
                spawn_blocking(move || lock_file(&path, time)).await?
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
        redis.fail_over(self.bot, tail, || self.outages.fetch_add(1, Ordering::SeqCst)).await
    }

    /// Damages the record of a scheduled job, which holds this filling, and returns whether there was one.
    pub(crate) async fn damage(
        &self,
        damage: Damage,
        id: JobId,
        filling: String,
    ) -> anyhow::Result<bool> {
        let _alone = self.away.lock().await;
        match &self.kind {
            Kind::Sqlite(file) => {
                let file = Arc::clone(file);
                spawn_blocking(move || match damage {
                    Damage::Record => file.damage_row(id),
                    Damage::Page => file.damage_page(&filling),
                })
                .await?
            }
            Kind::Redis(redis) => redis.damage_record(self.bot, id).await,
        }
    }

    /// Gives a key of the bot another type, if the store has keys, and returns whether the bot has set it aside.
    pub(crate) async fn overwrite_key(&self, name: &str) -> anyhow::Result<bool> {
        match &self.kind {
            Kind::Sqlite(_) => Ok(true),
            Kind::Redis(redis) => redis.overwrite_key(self.bot, name).await,
        }
    }

    /// Returns the ways to damage a job's record.
    pub(crate) const fn damages(&self) -> &'static [Damage] {
        match self.kind {
            Kind::Sqlite(_) => &[Damage::Page, Damage::Record],
            Kind::Redis(_) => &[Damage::Record],
        }
    }

    /// Returns the jobs that the store has set aside.
    pub(crate) async fn set_aside(&self) -> anyhow::Result<Vec<JobId>> {
        match &self.kind {
            Kind::Sqlite(file) => {
                let file = Arc::clone(file);
                spawn_blocking(move || file.set_aside()).await?
            }
            Kind::Redis(_) => Ok(Vec::new()),
        }
    }

    /// Mends what can be mended by hand, once no process of the bot runs.
    pub(crate) async fn repair(&self) -> anyhow::Result<()> {
        match &self.kind {
            Kind::Sqlite(file) => {
                let file = Arc::clone(file);
                spawn_blocking(move || file.restore()).await?
            }
            Kind::Redis(redis) => Ok(redis.remove_set_aside(self.bot).await?),
        }
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
fn lock_file(path: &Path, time: Duration) -> anyhow::Result<()> {
    let file = rusqlite::Connection::open(path)?;
    file.busy_timeout(PATIENCE)?;
    file.execute_batch("BEGIN IMMEDIATE")?;
    std::thread::sleep(time);
    file.execute_batch("ROLLBACK")?;
    Ok(())
}
