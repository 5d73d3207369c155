//! What people do with a store that no bot does: looking after it, and copying it.

use std::{path::Path, time::Duration};

use super::{Counts, StoreOptions, redis, sqlite};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    finding::{Finding, because},
};

/// How long an inspection may take.
const PATIENCE: Duration = Duration::from_secs(6);
/// What is looked at to learn whether there is a store at all.
pub(super) const STORE: &str = "store";

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// In milliseconds, and without disturbing anybody.
    Glance,
    /// In seconds: also whether it can be written, whether its data is whole, and what there is.
    Thorough,
}

/// What was found out about a store.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// The findings, the most general first.
    pub findings: Vec<Finding>,
    /// The time by the store's clock; `None` if there is no store that could be opened.
    pub now: Option<Timestamp>,
    /// What there is in the store, if it was looked at thoroughly.
    pub counts: Option<Counts>,
}

/// Looks at the store at `url`, and changes nothing; that it is away or not what it should be is a finding.
pub async fn inspect(url: &str, options: &StoreOptions, depth: Depth) -> Inspection {
    let looking = async {
        match url.strip_prefix("sqlite:") {
            Some(path) => sqlite::inspect(path, depth).await,
            None => redis::inspect(url, options, depth).await,
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| {
        let silent = Error::Unavailable(format!("no answer in {} s", PATIENCE.as_secs()).into());
        unusable(&silent)
    })
}

/// Copies the SQLite file of the store at `url` to `file` while bots write to it, and returns the size of the copy.
///
/// The copy shows one moment, and is on disk when this returns. Nothing stands at `file` before that.
///
/// # Errors
/// `Backup` if `file` is there already or cannot be written, or if the store is no file; those of `open` for the store.
pub async fn backup(url: &str, file: &Path) -> Result<u64> {
    match url.strip_prefix("sqlite:") {
        Some(path) => sqlite::backup(path, file).await,
        None => Err(Error::Backup(
            "a Redis server makes its own: run `redis-cli --rdb FILE`, or BGSAVE and copy the server's dump.rdb".into(),
        )),
    }
}

/// What is looked at to learn whether time goes on as it should.
pub(super) const CLOCK: &str = "clock";

impl Inspection {
    /// Adds what there is, or why it could not be counted.
    pub(super) fn count(&mut self, counts: Result<Counts>) {
        match counts {
            Ok(counts) => self.counts = Some(counts),
            Err(error) => {
                let advice = "see what else is said of the store, and try again";
                self.findings.push(Finding::problem("jobs", because(&error), advice));
            }
        }
    }
}

/// Damaged records that are named at most.
const NAMED: usize = 10;

/// Returns the finding that steps have set these records aside; none if there are none.
pub(super) fn damaged_records(all: &[String], what: &str, advice: &str) -> Option<Finding> {
    if all.is_empty() {
        return None;
    }
    let more = if all.len() > NAMED { ", and others" } else { "" };
    let named = all[..all.len().min(NAMED)].join(", ");
    let text = format!("{} {what}: {named}{more}", all.len());
    Some(Finding::problem("damaged records", text, advice))
}

/// Returns the inspection of a store that cannot be opened.
pub(super) fn unusable(error: &Error) -> Inspection {
    let advice = match error {
        Error::Unavailable(_) => "start it, or correct STORE_URL",
        Error::Denied(_) => {
            "correct STORE_URL, what its user may do there, or the file's permissions; a server must be Redis 7.0 or newer"
        }
        Error::Full(_) => "make room",
        Error::NewerSchema { .. } => "start the newer version of the bot that wrote it",
        Error::Address { .. } => "correct STORE_URL",
        Error::Damaged(_) => "stop the bot, keep a copy of the store, and restore a backup",
        _ => "STORE_URL names what is no store of a bot: correct it, or restore a backup",
    };
    Inspection {
        findings: vec![Finding::problem(STORE, because(error), advice)],
        ..Inspection::default()
    }
}
