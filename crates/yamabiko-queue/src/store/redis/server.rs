//! Where the server is: at an address, or wherever the sentinels say that the master is now.

use std::{fmt, sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, RedisResult, TlsMode,
    aio::MultiplexedConnection,
    sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
};
use tokio::{sync::Mutex, time::timeout};

use crate::error::{Error, Result};

/// How long the server may take to be connected to.
const CONNECT: Duration = Duration::from_secs(1);
/// How long finding the master may take, sentinels that are away included.
const FIND: Duration = Duration::from_secs(3);
/// What the address of a master behind sentinels begins with, and what it means for each server.
const SENTINELS: [(&str, &str); 2] =
    [("redis+sentinel://", "redis://"), ("rediss+sentinel://", "rediss://")];

/// The server, as the address names it.
#[derive(Clone)]
pub(super) enum Server {
    /// One server.
    At(Arc<At>),
    /// The master of a service that sentinels watch.
    Found(Arc<Found>),
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses hold passwords.
        f.write_str(match self {
            Self::At(_) => "At(..)",
            Self::Found(_) => "Found(..)",
        })
    }
}

impl Server {
    /// Reads `redis://…`, `rediss://…`, `redis+unix://…`, or
    /// `redis+sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/SERVICE[/DB]` (`rediss+…` for TLS).
    pub(super) fn read(url: &str, insecure_tls: bool) -> Result<Self> {
        // What stands before the first colon cannot be a password.
        let wrong =
            || Error::Address { given: url.split(':').next().unwrap_or_default().to_owned() };
        for (prefix, scheme) in SENTINELS {
            if let Some(rest) = url.strip_prefix(prefix) {
                let found = Found::read(rest, scheme, insecure_tls).ok_or_else(wrong)?;
                return Ok(Self::Found(Arc::new(found)));
            }
        }
        let info = url.into_connection_info().map_err(|_| wrong())?;
        let at = At::new(trusting(info, insecure_tls)).map_err(|_| wrong())?;
        Ok(Self::At(Arc::new(at)))
    }

    /// Opens a connection on which the server may take `patience` to answer.
    pub(super) async fn connect(&self, patience: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(patience));
        match self {
            Self::At(at) => within(CONNECT, at.connect(&config)).await,
            Self::Found(found) => within(FIND, found.connect(&config)).await,
        }
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let too_long = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    timeout(time, work).await.map_err(too_long)?
}

/// A server at an address, and who to log in as.
///
/// Logging in is done here: the client library takes every error of it for a wrong password, also that the server has
/// too many clients.
pub(super) struct At {
    client: Client,
    login: RedisConnectionInfo,
}

impl At {
    fn new(info: ConnectionInfo) -> RedisResult<Self> {
        let login = info.redis_settings().clone();
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        Ok(Self { client: Client::open(info.set_redis_settings(nobody))?, login })
    }

    async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(config).await?;
        if let Some(password) = self.login.password() {
            let mut auth = redis::cmd("AUTH");
            auth.arg(self.login.username()).arg(password).exec_async(&mut connection).await?;
        }
        if self.login.db() != 0 {
            let select = redis::cmd("SELECT").arg(self.login.db()).to_owned();
            select.exec_async(&mut connection).await?;
        }
        Ok(connection)
    }
}

/// A service that sentinels watch.
pub(super) struct Found {
    client: Mutex<SentinelClient>,
    sentinels: Vec<ConnectionInfo>,
    service: String,
    /// The master's address but for host and port.
    master: ConnectionInfo,
}

impl Found {
    async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let found = self.client.lock().await.get_async_connection_with_config(config).await;
        match found {
            Err(refused) if refused.kind() == ErrorKind::AuthenticationFailed => {
                self.log_in(config).await.unwrap_or(Err(refused))
            }
            found => found,
        }
    }

    /// Logs in once more at the master that a sentinel names, to learn what the master says; `None` if none names it.
    async fn log_in(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Option<RedisResult<MultiplexedConnection>> {
        let ask =
            redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&self.service).to_owned();
        for sentinel in &self.sentinels {
            let Ok(sentinel) = At::new(sentinel.clone()) else { continue };
            let Ok(mut sentinel) = sentinel.connect(config).await else { continue };
            let Ok((host, port)) = ask.query_async::<(String, u16)>(&mut sentinel).await else {
                continue;
            };
            let address = match self.master.addr() {
                ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                    host,
                    port,
                    insecure: *insecure,
                    tls_params: tls_params.clone(),
                },
                _ => ConnectionAddr::Tcp(host, port),
            };
            let Ok(master) = At::new(self.master.clone().set_addr(address)) else { continue };
            return Some(master.connect(config).await);
        }
        None
    }

    /// Reads what follows the scheme; `None` if it is not understood.
    fn read(rest: &str, scheme: &str, insecure_tls: bool) -> Option<Self> {
        let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(user, rest)| (user, rest));
        let (hosts, path) = rest.split_once('/')?;
        let (service, db) = path.split_once('/').unwrap_or((path, "0"));
        let hosts: Vec<_> = hosts.split(',').collect();
        if service.is_empty() || hosts.iter().any(|host| !host.contains(':')) {
            return None;
        }
        // The password and the database are the servers'; sentinels are asked without.
        let server =
            format!("{scheme}{user}{}{}/{db}", if user.is_empty() { "" } else { "@" }, hosts[0]);
        let server = trusting(server.into_connection_info().ok()?, insecure_tls);
        let mut node = SentinelNodeConnectionInfo::default()
            .set_redis_connection_info(server.redis_settings().clone());
        if let ConnectionAddr::TcpTls { insecure, .. } = server.addr() {
            node = node.set_tls_mode(if *insecure { TlsMode::Insecure } else { TlsMode::Secure });
        }
        let addresses = hosts
            .iter()
            .map(|host| {
                let info = format!("{scheme}{host}").into_connection_info().ok()?;
                Some(trusting(info, insecure_tls))
            })
            .collect::<Option<Vec<_>>>()?;
        let client = SentinelClient::build(
            addresses.clone(),
            service,
            Some(node),
            SentinelServerType::Master,
        );
        Some(Self {
            client: Mutex::new(client.ok()?),
            sentinels: addresses,
            service: service.to_owned(),
            master: server,
        })
    }
}

fn trusting(info: ConnectionInfo, insecure_tls: bool) -> ConnectionInfo {
    match info.addr().clone() {
        ConnectionAddr::TcpTls { host, port, tls_params, .. } if insecure_tls => {
            info.set_addr(ConnectionAddr::TcpTls { host, port, insecure: true, tls_params })
        }
        _ => info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_an_address_names_a_server_or_sentinels() {
        let is_found = |url: &str| matches!(Server::read(url, false), Ok(Server::Found(_)));
        assert!(is_found("redis+sentinel://127.0.0.1:26379,127.0.0.1:26380/bots"));
        assert!(is_found("rediss+sentinel://user:pass@sentinel.example:26379/bots/3"));
        assert!(matches!(Server::read("redis://:pass@host:6379/1", false), Ok(Server::At(_))));
    }

    #[test]
    fn an_address_that_is_not_understood_does_not_show_its_password() {
        for url in [
            "redis+sentinel://user:geheim@host/bots",
            "redis+sentinel://user:geheim@host:26379",
            "redis+sentinel://user:geheim@host:26379/",
            "redis://user:geheim@host:port",
        ] {
            let error = Server::read(url, false).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
        }
    }
}
