//! Finds the process that is in the middle of a commit to an SQLite file.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The byte of the shared-memory file that a writer locks (SQLite's documentation of the WAL-index, "Locks").
const WRITE_LOCK_BYTE: &str = "120";
/// For how long to look for a writer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The write lock of an SQLite file in WAL mode.
#[derive(Clone, Debug)]
pub(crate) struct WriteLock {
    shared_memory: PathBuf,
}

impl WriteLock {
    pub(crate) fn of(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        Self { shared_memory: name.into() }
    }

    /// Freezes a process while it holds the lock, and returns it.
    pub(crate) fn freeze_holder(&self) -> Option<Pid> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            // This process may hold it too, to keep all others out.
            let Some(pid) = self.holder().filter(|pid| *pid != rustix::process::getpid()) else {
                continue;
            };
            kill_process(pid, Signal::STOP).ok()?;
            // It may have let go before it was frozen.
            if is_frozen(pid) && self.holder() == Some(pid) {
                return Some(pid);
            }
            kill_process(pid, Signal::CONT).ok();
        }
        None
    }

    /// Returns who holds the lock, as the kernel tells in `/proc/locks`.
    fn holder(&self) -> Option<Pid> {
        let inode = fs::metadata(&self.shared_memory).ok()?.ino().to_string();
        let locks = fs::read_to_string("/proc/locks").ok()?;
        locks.lines().find_map(|line| holder(line, &inode)).and_then(Pid::from_raw)
    }
}

/// Reads a line such as `12: POSIX  ADVISORY  WRITE 4711 00:2a:17 120 120`.
fn holder(line: &str, inode: &str) -> Option<i32> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [_, "POSIX", _, "WRITE", pid, file, first, _] = words[..] else { return None };
    let is_it = file.rsplit(':').next() == Some(inode) && first == WRITE_LOCK_BYTE;
    pid.parse().ok().filter(|_| is_it)
}

/// Waits a moment for a process to be frozen.
fn is_frozen(pid: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    (0..1000).any(|_| {
        let stat = fs::read_to_string(&path).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_the_write_lock_is_found_among_all_locks() {
        let line = "12: POSIX  ADVISORY  WRITE 4711 00:2a:17 120 120";
        assert_eq!(holder(line, "17"), Some(4711));
        assert_eq!(holder(line, "18"), None, "another file");
        assert_eq!(holder("12: POSIX  ADVISORY  READ  4711 00:2a:17 124 124", "17"), None);
        assert_eq!(holder("12: -> POSIX  ADVISORY  WRITE 4712 00:2a:17 120 120", "17"), None);
    }
}
