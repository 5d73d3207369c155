//! Keeps statements prepared, found by where their text lies: reading the text each time takes a tenth of a write.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
};

use rusqlite::{Connection, PrepFlags, Statement};

/// The statements of one connection, each prepared when it is first used.
#[derive(Debug)]
pub(super) struct Statements<'db> {
    pub(super) db: &'db Connection,
    prepared: RefCell<BTreeMap<*const str, Statement<'db>>>,
}

impl<'db> Statements<'db> {
    pub(super) fn new(db: &'db Connection) -> Self {
        Self { db, prepared: RefCell::default() }
    }

    /// Does some work with one statement, within which there is no other.
    pub(super) fn with<T>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut Statement<'db>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut prepared = self.prepared.borrow_mut();
        work(match prepared.entry(sql) {
            Entry::Occupied(known) => known.into_mut(),
            // SQLite keeps its fast memory for statements that come and go.
            Entry::Vacant(new) => {
                new.insert(self.db.prepare_with_flags(sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?)
            }
        })
    }
}
