//! Looks for what other processes wrote to the file (W1).

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::store::bell::Bell;

/// How often the file is looked at for what other processes wrote.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks for what other processes wrote.
#[derive(Debug)]
pub(super) struct Lookout {
    version: i64,
    looked: Instant,
}

impl Lookout {
    pub(super) fn new(db: &Connection) -> Self {
        Self { version: version(db).unwrap_or(0), looked: Instant::now() }
    }

    /// Rings for everybody if another connection has written to the file; `db` does not see its own commits.
    pub(super) fn look(&mut self, db: &Connection, bell: &Bell) {
        if self.looked.elapsed() < LOOK_EVERY || !bell.has_listeners() {
            return;
        }
        self.looked = Instant::now();
        // A file that cannot be read has nothing new; whoever uses it hears of the error.
        if let Ok(version) = version(db)
            && version != self.version
        {
            self.version = version;
            bell.ring_all();
        }
    }
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA data_version")?.query_one((), |row| row.get(0))
}
