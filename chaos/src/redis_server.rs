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
use redis::{AsyncCommands as _, AsyncConnectionConfig};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
    time::Instant,
};
use yamabiko_queue::JobId;

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
/// How often to look whether the bot has set a key aside.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A key that is written to see a replica acknowledge it, and then removed.
const MARK: &str = "chaos:mark";

/// What a record is overwritten with so that nothing in it can be read.
const GARBAGE: [u8; 100] = [0xff; 100];

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

    /// Overwrites the record of a scheduled job with garbage, and returns whether there was one.
    pub(crate) async fn damage_record(&self, bot: &str, id: JobId) -> anyhow::Result<bool> {
        let script = redis::Script::new(
            "return redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])",
        );
        let mut call = script.key(key(bot, "timers"));
        call.key(key(bot, "job")).arg(id.as_bytes()).arg(GARBAGE.as_slice());
        let mut connection = connect(self.port()).await?;
        let changed: Option<u64> = call.invoke_async(&mut connection).await?;
        Ok(changed.is_some())
    }

    /// Gives a key of the bot another type, and returns whether it was set aside.
    ///
    /// What the bot has set aside before is removed first, as an operator does who has looked at it: by then the bot has found
    /// new places for what had its place in it.
    pub(crate) async fn overwrite_key(&self, bot: &str, name: &str) -> anyhow::Result<bool> {
        // The next time is as good.
        self.remove_set_aside(bot).await.ok();
        let losses = self.losses().len();
        while self.set(&key(bot, name), "overwritten").await.is_err() {
            tokio::time::sleep(AGAIN).await;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A server that is away for a moment says nothing, and one that takes its place may have lost the key.
            let names = self.set_aside(bot).await.unwrap_or_default();
            if names.iter().any(|aside| aside.splitn(3, ':').nth(2) == Some(name)) {
                return Ok(true);
            }
            if self.losses().len() > losses || Instant::now() > deadline {
                return Ok(self.losses().len() > losses);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn set(&self, key: &str, value: &str) -> redis::RedisResult<()> {
        connect(self.port()).await?.set(key, value).await
    }

    /// Returns the keys that the bot has set aside, by the names that they have now.
    async fn set_aside(&self, bot: &str) -> redis::RedisResult<Vec<String>> {
        connect(self.port()).await?.zrange(key(bot, "damaged"), 0, -1).await
    }

    /// Removes what the bot has set aside.
    pub(crate) async fn remove_set_aside(&self, bot: &str) -> redis::RedisResult<()> {
        let mut connection = connect(self.port()).await?;
        for name in self.set_aside(bot).await? {
            let _: () = connection.del(key(bot, &name)).await?;
            let _: () = connection.zrem(key(bot, "damaged"), name).await?;
        }
        Ok(())
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
    ///
    /// Nothing can tell the bot that a server had been promoted which is killed again before a process has met it, so this
    /// waits for that.
    pub(crate) async fn fail_over(
        &self,
        bot: &str,
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
        server.wait_until_met(bot).await
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

    /// Waits until a process of the bot has noted that this server has the data.
    async fn wait_until_met(&self, bot: &str) -> anyhow::Result<()> {
        let mut connection = connect(self.port).await?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut get = redis::cmd("HGET");
            get.arg(key(bot, "server")).arg("run_id");
            let met: Option<String> = get.query_async(&mut connection).await?;
            if met.is_some_and(|id| info.contains(&format!("run_id:{id}"))) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the bot does not note that a replica of Redis was promoted");
            }
            tokio::time::sleep(AGAIN).await;
        }
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

/// Returns a key of the bot.
fn key(bot: &str, name: &str) -> String {
    format!("yamabiko:{{{bot}}}:{name}")
}

async fn connect(port: u16) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
    // On a busy machine a server is slow, which is no reason to give the whole run up.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    client.get_multiplexed_async_connection_with_config(&config).await
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
        .envs(clock.own_environment())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server is missing: `cargo xtask setup` installs it")
}
