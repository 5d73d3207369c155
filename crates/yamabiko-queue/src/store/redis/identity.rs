//! Which server has the data: one that started anew, or was promoted, may lack what was acknowledged last (R3, O3).

use std::sync::atomic::{AtomicU64, Ordering};

use redis::RedisResult;

use super::{link::Link, meaning::error};
use crate::error::Result;

/// The connection on which the server was met last.
#[derive(Debug, Default)]
pub(super) struct Met(AtomicU64);

impl Met {
    /// Says whether the connection has been opened anew since it was last asked.
    pub(super) fn is_other(&self, connection: &Link) -> bool {
        let number = connection.number();
        self.0.swap(number, Ordering::Relaxed) != number
    }

    /// Has the next one who asks meet the server.
    pub(super) fn failed(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Returns the name that the server gave itself when it started; `None` where its user may not ask.
pub(super) async fn run_id(connection: &Link) -> Result<Option<String>> {
    let info: RedisResult<String> =
        redis::cmd("INFO").arg("server").query_async(&mut connection.clone()).await;
    match info {
        Ok(info) => Ok(read(&info)),
        Err(refused) if refused.code() == Some("NOPERM") => Ok(None),
        Err(failed) => Err(error(failed)),
    }
}

fn read(info: &str) -> Option<String> {
    info.lines().find_map(|line| line.strip_prefix("run_id:")).map(|id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_read_from_what_the_server_says_of_itself() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:5f1e0c\r\ntcp_port:6379\r\n";
        assert_eq!(read(info).as_deref(), Some("5f1e0c"));
        assert_eq!(read("# Server\r\nredis_version:7.0.15\r\n"), None);
    }
}
