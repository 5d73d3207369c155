//! What a Redis server says of itself.

use std::time::Duration;

use anyhow::Context as _;
use redis::{Client, Connection, FromRedisValue, InfoDict};

use crate::spent::Cpu;

/// A server's answer to `INFO`.
#[derive(Debug)]
pub(crate) struct RedisInfo(InfoDict);

impl RedisInfo {
    /// Asks the server at this address.
    pub(crate) fn ask(url: &str) -> anyhow::Result<Self> {
        Self::of(&mut Client::open(url)?.get_connection()?)
    }

    /// Asks the server behind this connection.
    pub(crate) fn of(connection: &mut Connection) -> anyhow::Result<Self> {
        Ok(Self(redis::cmd("INFO").query(connection)?))
    }

    fn get<T: FromRedisValue>(&self, name: &str) -> anyhow::Result<T> {
        self.0.get(name).with_context(|| format!("INFO has no {name}"))
    }

    /// Returns the processor time that the server has spent.
    pub(crate) fn cpu(&self) -> anyhow::Result<Cpu> {
        let time = |name| anyhow::Ok(Duration::try_from_secs_f64(self.get(name)?)?);
        Ok(Cpu { user: time("used_cpu_user")?, kernel: time("used_cpu_sys")? })
    }

    /// Returns the processor time of the one thread that runs commands.
    pub(crate) fn main_thread(&self) -> anyhow::Result<Duration> {
        let parts = ["used_cpu_user_main_thread", "used_cpu_sys_main_thread"];
        let [user, kernel] = parts.map(|name| self.get::<f64>(name));
        Ok(Duration::try_from_secs_f64(user? + kernel?)?)
    }

    /// Returns how many bytes the data takes, without what connections and the append-only file need for a while.
    pub(crate) fn data(&self) -> anyhow::Result<u64> {
        let [all, clients, file] = ["used_memory", "mem_clients_normal", "mem_aof_buffer"]
            .map(|name| self.get::<u64>(name));
        Ok(all?.saturating_sub(clients?).saturating_sub(file?))
    }
}
