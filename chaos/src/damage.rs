//! Damages single records of the store, as a disk that fails or another program may.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use rusqlite::Connection;
use yamabiko_queue::JobId;

/// The size of SQLite's pages.
const PAGE: usize = 4096;
/// What a page is overwritten with so that nothing on it can be read.
const GARBAGE: [u8; PAGE] = [0xff; PAGE];
/// How long an SQLite file may be locked by others.
const PATIENCE: Duration = Duration::from_secs(60);
/// For how long to try to bring all of the log into the file while others read.
const READERS_END: Duration = Duration::from_secs(2);
/// How soon it is tried again; a reader tells nobody when it ends.
const AGAIN: Duration = Duration::from_millis(2);

/// A way to damage the record of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// What is stored is garbage.
    Record,
    /// A page of the file that has a part of it is garbage.
    Page,
}

impl Damage {
    /// Returns what the ledger calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Record => "record of a job overwritten with garbage",
            Self::Page => "page of a job overwritten with garbage",
        }
    }
}

/// An SQLite file whose pages are damaged.
#[derive(Debug)]
pub(crate) struct SqliteFile {
    pub(crate) path: PathBuf,
    /// Open until the end: closing any handle of a file ends all locks that SQLite has on it in this process.
    file: OnceLock<File>,
    /// The pages that were overwritten, and what was on them.
    damaged: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl SqliteFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: OnceLock::new(), damaged: Mutex::default() }
    }

    /// Overwrites the record of a scheduled job with what is no text, and returns whether there was one.
    pub(crate) fn damage_row(&self, id: JobId) -> anyhow::Result<bool> {
        let sql = "UPDATE job SET kind = CAST(x'fffe' AS TEXT) WHERE id = ? AND state = 0";
        Ok(self.connect()?.execute(sql, (id.as_bytes(),))? == 1)
    }

    /// Returns the jobs that the store has set aside, the first first.
    pub(crate) fn set_aside(&self) -> anyhow::Result<Vec<JobId>> {
        let file = self.connect()?;
        let mut rows =
            file.prepare("SELECT id FROM damaged WHERE id IS NOT NULL ORDER BY found, seq")?;
        let ids = rows.query_map((), |row| row.get::<_, Vec<u8>>(0))?;
        Ok(ids.filter_map(|id| JobId::from_slice(&id.ok()?)).collect())
    }

    /// Overwrites a page that is filled with this text alone, and returns whether there was one.
    pub(crate) fn damage_page(&self, filling: &str) -> anyhow::Result<bool> {
        let writer = self.connect()?;
        // While nobody writes, what is in the file stays as it is once all of the log is in it.
        writer.execute_batch("BEGIN IMMEDIATE")?;
        let is_damaged = self.is_all_in_it()? && self.overwrite(filling)?;
        writer.execute_batch("ROLLBACK")?;
        Ok(is_damaged)
    }

    fn overwrite(&self, filling: &str) -> anyhow::Result<bool> {
        let file = self.file()?;
        let pages = file.metadata()?.len() / PAGE as u64;
        let mut page = vec![0; PAGE];
        for at in (0..pages).map(|number| number * PAGE as u64) {
            file.read_exact_at(&mut page, at)?;
            if is_filled(&page, filling.as_bytes()) {
                file.write_all_at(&GARBAGE, at)?;
                self.damaged.lock().unwrap_or_else(PoisonError::into_inner).push((at, page));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes back what was on the pages, once no other process has the file open.
    pub(crate) fn restore(&self) -> anyhow::Result<()> {
        ensure!(self.is_all_in_it()?, "another program still reads {}", self.path.display());
        let file = self.file()?;
        let mut page = vec![0; PAGE];
        for (at, whole) in self.damaged.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            file.read_exact_at(&mut page, at)?;
            // Another page is in its place where the job was rewritten before anybody met the damage.
            if page == GARBAGE {
                file.write_all_at(&whole, at)?;
            }
        }
        Ok(())
    }

    fn file(&self) -> anyhow::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        Ok(self.file.get_or_init(|| file))
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let file = Connection::open(&self.path)?;
        file.busy_timeout(PATIENCE)?;
        Ok(file)
    }

    /// Brings all of the log into the file, and returns whether that could be done.
    fn is_all_in_it(&self) -> anyhow::Result<bool> {
        let file = self.connect()?;
        let deadline = Instant::now() + READERS_END;
        while Instant::now() < deadline {
            let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
            let (log, brought): (i64, i64) =
                file.query_row(checkpoint, (), |row| Ok((row.get(1)?, row.get(2)?)))?;
            if log == brought {
                return Ok(true);
            }
            thread::sleep(AGAIN);
        }
        Ok(false)
    }
}

/// Says whether a page is filled with this text alone, but for where the next one is.
fn is_filled(page: &[u8], filling: &[u8]) -> bool {
    let is_followed = page[..4] != [0; 4];
    let from = |first: usize| {
        page[4..].iter().zip(filling.iter().cycle().skip(first)).all(|(one, other)| one == other)
    };
    is_followed && (0..filling.len()).any(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_damaged_where_all_of_it_is_one_text_and_can_be_restored() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteFile::new(folder.path().join("a.db"));
        let file = store.connect().unwrap();
        file.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER PRIMARY KEY, text)",
        )
        .unwrap();
        for (n, text) in [(1, "bulky 1;"), (2, "bulky 12;")] {
            file.execute("INSERT INTO t VALUES (?, ?)", (n, text.repeat(2_000))).unwrap();
        }
        let read = |n: u8| {
            store
                .connect()
                .unwrap()
                .query_row("SELECT text FROM t WHERE n = ?", (n,), |row| row.get::<_, String>(0))
        };
        assert!(!store.damage_page("bulky 3;").unwrap(), "there is none");
        assert!(store.damage_page("bulky 1;").unwrap());
        drop(file);
        assert!(read(1).is_err() && read(2).is_ok());
        store.restore().unwrap();
        assert_eq!(read(1).unwrap(), "bulky 1;".repeat(2_000));
    }
}
