//! Waiting until a write is on the server's disk (R3).

use std::time::Duration;

use redis::{RedisError, RedisResult, aio::ConnectionLike};

use super::meaning::{error, is_unknown_command};
use crate::error::{Error, Result};

/// How long a write may take to reach the disk: with `appendfsync everysec` about a second, and more on a busy disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Checks that the server can tell when a write is on disk, or never answers before.
///
/// # Errors
/// `Denied` if it does neither, saying what would help.
pub(super) async fn check(connection: &mut impl ConnectionLike) -> Result<()> {
    match ask(connection, Duration::from_millis(1)).await {
        Ok(_) => return Ok(()),
        Err(refused) if is_unknown_command(&refused) || is_without_log(&refused) => {}
        Err(failed) => return Err(error(failed)),
    }
    if setting(connection, "appendonly").await.as_deref() == Some("yes")
        && setting(connection, "appendfsync").await.as_deref() == Some("always")
    {
        return Ok(());
    }
    Err(Error::Denied(
        "STORE_DURABILITY=fsync needs `appendonly yes`, and Redis 7.2 or newer or `appendfsync always`".into(),
    ))
}

/// Waits until what this connection wrote is on disk.
pub(super) async fn wait(connection: &mut impl ConnectionLike) -> Result<()> {
    match ask(connection, PATIENCE).await {
        Ok(on_disk) if on_disk > 0 => Ok(()),
        Ok(_) => Err(Error::Unavailable("the server's disk is too slow".into())),
        // A server that does not know the command was found at the start to answer nothing before it is on disk.
        Err(refused) if is_unknown_command(&refused) => Ok(()),
        Err(refused) => Err(error(refused)),
    }
}

/// Says whether the server refuses to wait because it logs no writes to its disk.
fn is_without_log(error: &RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.contains("appendonly is disabled"))
}

/// Asks on how many disks of the server's own it is, waiting for `patience` at most.
async fn ask(connection: &mut impl ConnectionLike, patience: Duration) -> RedisResult<u32> {
    let mut wait = redis::cmd("WAITAOF");
    wait.arg(1).arg(0).arg(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX));
    let (here, _replicas): (u32, u32) = wait.query_async(connection).await?;
    Ok(here)
}

/// Returns a setting of the server, if it tells.
pub(super) async fn setting(connection: &mut impl ConnectionLike, name: &str) -> Option<String> {
    let mut get = redis::cmd("CONFIG");
    get.arg("GET").arg(name);
    let (_, value): (String, String) = get.query_async(connection).await.ok()?;
    Some(value)
}
