//! Opens the file, brings its schema up to date, and says what its errors mean.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig, ffi};

use crate::error::{Error, Result};

/// The schema that this version writes; `migrate` brings an older one up to it.
pub(super) const SCHEMA_VERSION: u32 = 4;
/// What leads from each older version to the next, in order.
const MIGRATIONS: [(u32, &str); 3] = [
    (1, include_str!("from_1.sql")),
    (2, include_str!("from_2.sql")),
    (3, include_str!("from_3.sql")),
];
/// Asks for the version of the file's schema.
pub(super) const VERSION: &str = "PRAGMA user_version";
/// How long a locked file is tried again.
const PATIENCE: Duration = Duration::from_millis(700);
/// The cache of prepared statements, more than there are.
const STATEMENTS: usize = 128;

/// Opens a connection to the file, which is created if it does not exist.
pub(super) fn open(path: &str) -> Result<Connection> {
    create_private(path);
    let opened = connect(path, OpenFlags::SQLITE_OPEN_CREATE);
    let set_up = opened.and_then(|mut db| set_up(&mut db).map(|()| db));
    set_up.map_err(|error| at_open(path, error))
}

/// Creates the schema in a new file, or brings an older one up to date; refuses one that a newer version or another program wrote.
pub(super) fn migrate(path: &str, db: &mut Connection) -> Result<()> {
    let found = create(db).map_err(|error| at_open(path, error))?;
    match found {
        Found::Ours(SCHEMA_VERSION) => Ok(()),
        Found::Ours(found) => Err(Error::NewerSchema { found, known: SCHEMA_VERSION }),
        Found::Foreign => Err(foreign(path)),
    }
}

/// Opens a connection to a file that is there, and leaves its settings alone.
pub(super) fn open_as_it_is(path: &str) -> Result<Connection> {
    connect(path, OpenFlags::empty()).map_err(|error| at_open(path, error))
}

/// Checks that the schema is one that this version knows, and returns its version.
pub(super) fn check(path: &str, db: &Connection) -> Result<u32> {
    let found = version(db).map_err(|error| at_open(path, error))?;
    match found {
        0 => Err(foreign(path)),
        found if found > SCHEMA_VERSION => Err(Error::NewerSchema { found, known: SCHEMA_VERSION }),
        found => Ok(found),
    }
}

/// Checks in a transaction that the file still has the schema that it was opened with (Q3).
///
/// A newer version may take the file over while this process has it open.
pub(super) fn check_again(found: u32) -> Result<()> {
    match found {
        SCHEMA_VERSION => Ok(()),
        0..SCHEMA_VERSION => Err(Error::Unavailable(
            format!("the file went back to schema version {found}: start the bot again, which brings it to version {SCHEMA_VERSION}").into(),
        )),
        _ => Err(Error::NewerSchema { found, known: SCHEMA_VERSION }),
    }
}

fn foreign(path: &str) -> Error {
    Error::Foreign(format!("{path} is the database of another program").into())
}

fn version(db: &Connection) -> rusqlite::Result<u32> {
    db.query_row(VERSION, (), |row| row.get(0))
}

fn connect(path: &str, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let mut db = Connection::open_with_flags(path, flags)?;
    let mut since = Instant::now();
    db.busy_handler(Some(move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        wait_a_little(since)
    }))?;
    Ok(db)
}

/// Makes a new file its owner's alone, for it will hold what users write.
///
/// SQLite gives the files beside it the same mode. Whatever fails here fails again when SQLite opens the file.
fn create_private(path: &str) {
    drop(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
}

fn set_up(db: &mut Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    use_wal(db)?;
    // Else SQLite plans anew whenever other values than before might call for it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A commit that has split pages looks through the whole cache, so that a large one costs more than it saves.
    // Pages that many commits change are written back once in 16 MB.
    // On macOS, fsync alone leaves data in the drive's own cache; elsewhere fullfsync changes nothing.
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA cache_size = -4000;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 67108864;",
    )
}

/// Waits before the next try, and says whether to try; SQLite's own handler waits longer and longer, and starves (Q1).
fn wait_a_little(since: Instant) -> bool {
    thread::sleep(Duration::from_micros(fastrand::u64(150..=400)));
    since.elapsed() < PATIENCE
}

/// Sets the journal mode; while another process does the same, SQLite does not ask the busy handler.
fn use_wal(db: &Connection) -> rusqlite::Result<()> {
    let since = Instant::now();
    loop {
        match db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                if !wait_a_little(since) {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
}

enum Found {
    Ours(u32),
    Foreign,
}

fn create(db: &mut Connection) -> rusqlite::Result<Found> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&step)? {
        0 if has_tables(&step)? => return Ok(Found::Foreign),
        0 => step.execute_batch(include_str!("schema.sql"))?,
        found @ 1..SCHEMA_VERSION => {
            for (_, migration) in MIGRATIONS.iter().filter(|(from, _)| *from >= found) {
                step.execute_batch(migration)?;
            }
        }
        version => return Ok(Found::Ours(version)),
    }
    step.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    step.commit()?;
    Ok(Found::Ours(SCHEMA_VERSION))
}

fn has_tables(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT count(*) > 0 FROM sqlite_schema", (), |row| row.get(0))
}

/// Says what an error means for the caller.
pub(super) fn meaning(error: rusqlite::Error) -> Error {
    if is_damage(&error) {
        return Error::Damaged(error.into());
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::Full(error.into()),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::Denied(error.into()),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::SchemaChanged
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationAborted
            | ErrorCode::OperationInterrupted,
        ) => Error::Unavailable(error.into()),
        _ => Error::Refused(error.into()),
    }
}

/// Says whether an error comes from what the file holds, and so comes again whenever the same place is read.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let Some(error) = error.sqlite_error() else { return false };
    // File systems and checksums that notice damage report it as a failure to read.
    matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        || matches!(error.extended_code, ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS)
}

/// Says the same with the file's name; what cannot be opened at all will not be there later.
fn at_open(path: &str, error: rusqlite::Error) -> Error {
    let source = format!("{path}: {error}").into();
    match (error.sqlite_error_code(), meaning(error)) {
        (Some(ErrorCode::CannotOpen), _) | (_, Error::Denied(_)) => Error::Denied(source),
        (Some(ErrorCode::NotADatabase), _) => Error::Foreign(source),
        (_, Error::Full(_)) => Error::Full(source),
        (_, Error::Unavailable(_)) => Error::Unavailable(source),
        (_, Error::Damaged(_)) => Error::Damaged(source),
        _ => Error::Refused(source),
    }
}
