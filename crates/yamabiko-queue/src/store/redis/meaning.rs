//! What an error of the server means for the caller.

use redis::{ErrorKind, RedisError};

use super::SCHEMA;
use crate::error::Error;

/// Parts of answers of a server that cannot serve this program as it is: waiting does not change that.
const UNFIT: [&str; 10] = [
    // It is older than 7.0, no Redis, or does not allow what is asked for.
    "unknown command",
    "unknown subcommand",
    "syntax error",
    "error compiling",
    "error registering",
    "the user executing the script can't run",
    // STORE_URL has a password where there is none, or names a database that does not exist.
    "without any password configured",
    "invalid password",
    "db index is out of range",
    "select is not allowed",
];

/// Returns what an error means; whatever is not about this call is an outage.
///
/// A server, or what stands before it, refuses calls for many reasons that pass: it loads its data, cannot write to its
/// disk, has too many clients, no replicas or no master, or the hosting plan's requests are used up.
pub(super) fn error(error: RedisError) -> Error {
    let detail = error.detail().unwrap_or_default();
    match error.code() {
        Some("SCHEMA") => other_schema(detail),
        Some("OOM") => Error::Full(error.into()),
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => Error::Denied(error.into()),
        Some("WRONGTYPE") => Error::Damaged(error.into()),
        // See `work` in common.lua.
        Some("REFUSED") if is_unfit(detail) => Error::Denied(error.into()),
        Some("REFUSED") => Error::Refused(error.into()),
        Some("BROKEN") => Error::OutcomeUnknown(error.into()),
        Some("ERR") if is_of_a_step(detail) => Error::OutcomeUnknown(error.into()),
        Some("ERR") if is_unfit(detail) => Error::Denied(error.into()),
        Some(_) => Error::Unavailable(error.into()),
        None => match error.kind() {
            ErrorKind::AuthenticationFailed
            | ErrorKind::InvalidClientConfig
            | ErrorKind::EmptySentinelList => Error::Denied(error.into()),
            // The answer came whole, but says something else than the step that was called.
            ErrorKind::UnexpectedReturnType => Error::OutcomeUnknown(error.into()),
            _ => Error::Unavailable(error.into()),
        },
    }
}

/// Says whether the server does not know a command at all.
pub(super) fn is_unknown_command(error: &RedisError) -> bool {
    error.code() == Some("ERR")
        && error
            .detail()
            .is_some_and(|detail| detail.to_ascii_lowercase().contains("unknown command"))
}

/// Says whether a general error was raised in one of our steps: the server adds where.
fn is_of_a_step(detail: &str) -> bool {
    detail.contains("@user_function") || detail.contains("@user_script")
}

fn is_unfit(detail: &str) -> bool {
    let detail = detail.to_ascii_lowercase();
    UNFIT.iter().any(|part| detail.contains(part))
}

/// Returns what it means that the keys have this version, which is not ours (Q3).
fn other_schema(version: &str) -> Error {
    match version.parse() {
        Ok(found) if found > SCHEMA => Error::NewerSchema { found, known: SCHEMA },
        Ok(found) => Error::Unavailable(
            format!("its keys went back to schema version {found}: start the bot again, which brings them to version {SCHEMA}").into(),
        ),
        Err(_) => Error::Damaged(format!("{version:?} is no version of a schema").into()),
    }
}
