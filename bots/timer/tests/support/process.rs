//! Processes of the bot that a test starts, kills and starts again.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use super::{Line, PATIENCE, line};

/// The program of the timer bot.
const BOT: &str = env!("CARGO_BIN_EXE_timer-bot");

/// A running process; killed when dropped.
pub struct Process {
    command: Command,
    child: Child,
    pub kills: u32,
}

impl Process {
    /// Starts a role of the timer bot.
    pub fn bot(role: &str, store: &str, port: u16, line: &Line) -> Self {
        Self::bot_with(role, store, port, line, &[])
    }

    /// Starts a role of the timer bot with more settings.
    pub fn bot_with(
        role: &str,
        store: &str,
        port: u16,
        line: &Line,
        more: &[(&str, &str)],
    ) -> Self {
        Self::start(Self::command(role, store, port, line, more))
    }

    /// Starts a role of the timer bot that may have so many descriptors.
    pub fn bot_with_descriptors(
        role: &str,
        store: &str,
        port: u16,
        line: &Line,
        descriptors: usize,
    ) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -n $0 && exec \"$@\"", &descriptors.to_string(), BOT, role]);
        Self::start(Self::with_settings(command, store, port, line, &[]))
    }

    /// Returns what starts a role of the timer bot.
    pub fn command(
        role: &str,
        store: &str,
        port: u16,
        line: &Line,
        more: &[(&str, &str)],
    ) -> Command {
        let mut command = Command::new(BOT);
        command.arg(role);
        Self::with_settings(command, store, port, line, more)
    }

    fn with_settings(
        mut command: Command,
        store: &str,
        port: u16,
        line: &Line,
        more: &[(&str, &str)],
    ) -> Command {
        command
            .env_clear()
            .envs(settings(store, line))
            .envs(more.iter().copied())
            .env("PORT", port.to_string())
            .env("HOST", "127.0.0.1");
        command
    }

    /// Starts any command.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        let child = command.spawn().unwrap();
        Self { command, child, kills: 0 }
    }

    /// Kills the process with SIGKILL and starts it again.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.kills += 1;
        self.child = self.command.spawn().unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the process to stop, and returns whether it ended well.
    pub fn terminate(mut self) -> bool {
        self.signal("TERM");
        self.child.wait().unwrap().success()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// Returns how the process ended, once it has.
    pub async fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the process does not end");
            // This only sets how often we look.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns the settings of a bot process.
pub fn settings(store: &str, line: &Line) -> Vec<(&'static str, String)> {
    vec![
        ("STORE_URL", store.to_owned()),
        ("LINE_CHANNEL_SECRET", line::SECRET.to_owned()),
        ("LINE_CHANNEL_ACCESS_TOKEN", line::TOKEN.to_owned()),
        ("LINE_API_URL", line.url.clone()),
        ("LINE_DATA_API_URL", line.url.clone()),
        ("LEASE_SECONDS", "2".to_owned()),
        // Roles on one machine cannot share a port, and most tests look at `PORT` only.
        ("ADMIN_PORT", "0".to_owned()),
        ("HEALTH_ON_PORT", "true".to_owned()),
        ("LOG", "warn".to_owned()),
    ]
}

/// Returns a port that was free a moment ago.
pub fn free_port() -> u16 {
    // The kernel gives the ports above these to outgoing connections, and to listeners that ask for port 0.
    let bind = |_| TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..32_000))).ok();
    (0..1_000).find_map(bind).expect("a port is free").local_addr().unwrap().port()
}

/// Returns a program of the tests' Python environment.
pub fn tool(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("target/tests/venv/bin").join(name);
    assert!(path.exists(), "{} is missing: `cargo xtask setup` installs it", path.display());
    path
}
