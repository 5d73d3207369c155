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

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The name that it gave itself when it started.
    pub(super) run_id: String,
    /// Whether it was a replica of another, since it knows the name of that one's data.
    pub(super) was_promoted: bool,
}

/// Asks the server who it is; `None` where its user may not ask.
pub(super) async fn identity(connection: &Link) -> Result<Option<Identity>> {
    let mut ask = redis::cmd("INFO");
    ask.arg("server").arg("replication");
    let info: RedisResult<String> = ask.query_async(&mut connection.clone()).await;
    match info {
        Ok(info) => Ok(read(&info)),
        Err(refused) if refused.code() == Some("NOPERM") => Ok(None),
        Err(failed) => Err(error(failed)),
    }
}

fn read(info: &str) -> Option<Identity> {
    let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some(Identity {
        run_id: value("run_id:")?.to_owned(),
        was_promoted: value("master_replid2:")
            .is_some_and(|id| id.bytes().any(|byte| byte != b'0')),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_from_what_it_says_of_itself() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:5f1e0c\r\ntcp_port:6379\r\n";
        let server = |was_promoted| Some(Identity { run_id: "5f1e0c".to_owned(), was_promoted });
        assert_eq!(read(info), server(false));
        for (id, was_promoted) in [("0000", false), ("90ab", true)] {
            let info = format!("{info}# Replication\r\nrole:master\r\nmaster_replid2:{id}\r\n");
            assert_eq!(read(&info), server(was_promoted), "{id}");
        }
        assert_eq!(read("# Server\r\nredis_version:7.0.15\r\n"), None);
    }
}
