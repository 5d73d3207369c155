//! A Redis server behind a wire, whose place a replica may take.

use std::{
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex as StdMutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
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
    check::Loss,
    clocks::{WallClock, now_ms},
    ports,
    wire::Wire,
};

/// How long a server may take to start, and a replica to have all data.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon it is asked again whether it has; a server tells nobody when it is ready.
const AGAIN: Duration = Duration::from_millis(2);
/// How long a replica may take to acknowledge a write, in milliseconds.
const ACKNOWLEDGED_WITHIN: u64 = 5_000;
/// A key that is written to see a replica acknowledge it, and then removed.
const MARK: &str = "chaos:mark";

/// A Redis server behind a wire.
#[derive(Debug)]
pub(crate) struct Redis {
    /// Where each server has a folder of its own.
    disk: PathBuf,
    pub(crate) wire: Wire,
    /// The servers'.
    pub(crate) clock: WallClock,
    port: AtomicU16,
    server: Mutex<Server>,
    losses: StdMutex<Vec<Loss>>,
}

#[derive(Debug)]
struct Server {
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl Redis {
    pub(crate) async fn start(disk: &Path, clocks: &Path) -> anyhow::Result<Self> {
        let clock = WallClock::start(clocks, "clock-of-redis")?;
        let server = Server::start(disk, &clock, None)?;
        let redis = Self {
            disk: disk.to_owned(),
            wire: Wire::start(vec![server.port]).await?,
            clock,
            port: AtomicU16::new(server.port),
            server: Mutex::new(server),
            losses: StdMutex::default(),
        };
        redis.start_again().await?;
        Ok(redis)
    }

    /// Returns the port of the server that has the data.
    pub(crate) fn port(&self) -> u16 {
        self.port.load(Ordering::SeqCst)
    }

    /// Returns what was lost with servers that were killed.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn kill(&self) -> io::Result<()> {
        self.server.lock().await.process.kill().await
    }

    /// Starts the server if it has ended, and waits until it answers.
    pub(crate) async fn start_again(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut server = self.server.lock().await;
        while !answers(server.port).await {
            if server.process.try_wait()?.is_some() {
                server.process = spawn(server.port, &server.folder, &self.clock, None)?;
            }
            if Instant::now() > deadline {
                bail!("redis-server does not answer");
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// Kills the server, and has a replica take its place that has not heard of what was stored in the `tail` before.
    pub(crate) async fn fail_over(
        &self,
        tail: Duration,
        goes_away: impl FnOnce() -> u64,
    ) -> anyhow::Result<()> {
        let mut server = self.server.lock().await;
        let replica = Server::start(&self.disk, &self.clock, Some(server.port))?;
        replica.wait_for_all(server.port).await?;
        // Up to here, the replica has all.
        let from = now_ms();
        let mut master = connect(server.port).await?;
        let acknowledged: u64 = redis::pipe()
            .cmd("SET")
            .arg(MARK)
            .arg(from)
            .ignore()
            .cmd("DEL")
            .arg(MARK)
            .ignore()
            .cmd("WAIT")
            .arg(1)
            .arg(ACKNOWLEDGED_WITHIN)
            .query_async::<(u64,)>(&mut master)
            .await?
            .0;
        if acknowledged == 0 {
            bail!("a replica of Redis does not keep up");
        }
        redis::cmd("REPLICAOF")
            .arg("NO")
            .arg("ONE")
            .exec_async(&mut connect(replica.port).await?)
            .await?;
        tokio::time::sleep(tail).await;
        goes_away();
        server.process.kill().await?;
        let loss = Loss { from, until: now_ms() };
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).push(loss);
        self.port.store(replica.port, Ordering::SeqCst);
        self.wire.lead_to(vec![replica.port]);
        self.wire.cut();
        let gone = std::mem::replace(&mut *server, replica);
        fs::remove_dir_all(gone.folder)?;
        Ok(())
    }
}

impl Server {
    /// Starts a server in a folder of its own, as a replica of the one on this port if there is one.
    fn start(disk: &Path, clock: &WallClock, master: Option<u16>) -> anyhow::Result<Self> {
        let port = ports::free(1)?[0];
        let folder = disk.join(format!("redis-{port}"));
        fs::create_dir_all(&folder)?;
        let process = spawn(port, &folder, clock, master)?;
        Ok(Self { port, folder, process })
    }

    /// Waits until it has the data of its master.
    async fn wait_for_all(&self, master: u16) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if Instant::now() > deadline {
                bail!("a replica of the Redis server on port {master} does not get its data");
            }
            tokio::time::sleep(AGAIN).await;
            let Ok(mut connection) = connect(self.port).await else { continue };
            let info = redis::cmd("INFO").arg("replication").query_async(&mut connection).await;
            let info: String = info.unwrap_or_default();
            if info.contains("master_link_status:up") {
                return Ok(());
            }
        }
    }
}

async fn connect(port: u16) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    client.get_multiplexed_async_connection().await
}

async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return false;
    };
    let mut answer = [0; 5];
    stream.write_all(b"PING\r\n").await.is_ok()
        && stream.read_exact(&mut answer).await.is_ok()
        && &answer == b"+PONG"
}

fn spawn(
    port: u16,
    folder: &Path,
    clock: &WallClock,
    master: Option<u16>,
) -> anyhow::Result<Child> {
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always"])
        // Small files, so that a server that was killed is soon back.
        .args(["--auto-aof-rewrite-min-size", "16mb"])
        .args(["--repl-diskless-sync-delay", "0"]);
    if let Some(master) = master {
        command.args(["--replicaof", &format!("127.0.0.1 {master}")]);
    }
    command
        .envs(clock.environment())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server is missing: `cargo xtask setup` installs it")
}
