//! A `redis-server` of our own, with an append-only file that is synced each second.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::port;

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct RedisServer {
    port: u16,
    process: Child,
}

impl RedisServer {
    /// Starts a server that keeps its data in `folder`.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = port::free()?;
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "everysec"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is missing: `cargo xtask setup` installs it")?;
        let server = Self { port, process };
        let deadline = Instant::now() + PATIENCE;
        while !server.answers() {
            ensure!(Instant::now() < deadline, "redis-server does not answer");
            // The server tells nobody when it is ready; this only sets how often we look.
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(server)
    }

    /// Returns the server's address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Returns the server's port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut answer = [0; 7];
        stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && &answer == b"+PONG\r\n"
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
