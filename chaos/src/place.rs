//! Where the store is, and how it goes away and comes back.

use std::{
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
    time::Instant,
};

use crate::{
    clocks::WallClock, disk::Disk, locks::WriteLock, options::StoreKind, ports, wire::Wire,
};

/// How long a Redis server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The store's place on this machine.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) disk: Disk,
    pub(crate) kind: Kind,
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

/// A Redis server behind a wire.
#[derive(Debug)]
pub(crate) struct Redis {
    port: u16,
    folder: PathBuf,
    pub(crate) wire: Wire,
    /// The server's.
    pub(crate) clock: WallClock,
    process: Mutex<Child>,
}

impl Place {
    /// Starts a store on this disk; files that must not be full are in the folder.
    pub(crate) async fn start(kind: StoreKind, disk: Disk, folder: &Path) -> anyhow::Result<Self> {
        let kind = match kind {
            StoreKind::Sqlite => Kind::Sqlite(disk.path().join("chaos.db")),
            StoreKind::Redis => Kind::Redis(Box::new(Redis::start(disk.path(), folder).await?)),
        };
        Ok(Self { disk, kind, away: Mutex::new(()), outages: AtomicU64::new(0) })
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
            Kind::Redis(redis) => format!("redis://127.0.0.1:{}", redis.port),
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

impl Redis {
    async fn start(folder: &Path, clocks: &Path) -> anyhow::Result<Self> {
        let (port, folder) = (ports::free(1)?[0], folder.to_owned());
        let clock = WallClock::start(clocks, "clock-of-redis")?;
        let process = Mutex::new(spawn(port, &folder, &clock)?);
        let redis = Self { port, folder, wire: Wire::start(vec![port]).await?, clock, process };
        redis.start_again().await?;
        Ok(redis)
    }

    async fn kill(&self) -> io::Result<()> {
        self.process.lock().await.kill().await
    }

    /// Starts the server if it has ended, and waits until it answers.
    async fn start_again(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.answers().await {
            let mut process = self.process.lock().await;
            if process.try_wait()?.is_some() {
                *process = spawn(self.port, &self.folder, &self.clock)?;
            }
            if Instant::now() > deadline {
                bail!("redis-server does not answer");
            }
            // The server tells nobody when it is ready; this only sets how often we look.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await else {
            return false;
        };
        let mut answer = [0; 5];
        stream.write_all(b"PING\r\n").await.is_ok()
            && stream.read_exact(&mut answer).await.is_ok()
            && &answer == b"+PONG"
    }
}

fn spawn(port: u16, folder: &Path, clock: &WallClock) -> anyhow::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always"])
        // Small files, so that a server that was killed is soon back.
        .args(["--auto-aof-rewrite-min-size", "16mb"])
        .envs(clock.environment())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server is missing: `cargo xtask setup` installs it")
}
