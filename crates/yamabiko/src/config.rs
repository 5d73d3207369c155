//! Settings: flags and environment variables of the same names; the only place that reads the environment.

use std::{fmt, net::IpAddr, num::NonZeroUsize, time::Duration};

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use yamabiko_line::{
    client::{Client, ClientConfig, Credentials},
    secret::{AccessToken, ChannelSecret},
};
use yamabiko_queue::StoreOptions;

use crate::Result;

mod admin;
mod environment;
mod media;
mod own;
mod parse;
mod store;

pub use admin::AdminSettings;
pub(crate) use environment::{blank_flag, without_blank_variables};
pub use media::MediaSettings;
pub(crate) use own::OwnSettings;
pub use own::Setting;
pub(crate) use store::default_file;

/// All settings, as given; flags win over environment variables, and a variable that is empty counts as not set.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// LINE's channel secret, with which webhooks are signed. Required by `web` and `all`.
    #[arg(long, env = "LINE_CHANNEL_SECRET", global = true, hide_env_values = true)]
    pub line_channel_secret: Option<String>,

    /// LINE's channel access token. Required by `worker` and `all`, unless `LINE_CHANNEL_ID` is set.
    #[arg(long, env = "LINE_CHANNEL_ACCESS_TOKEN", global = true, hide_env_values = true)]
    pub line_channel_access_token: Option<String>,

    /// LINE's channel id: with it and without a token, short-lived tokens are fetched and refreshed.
    #[arg(long, env = "LINE_CHANNEL_ID", global = true)]
    pub line_channel_id: Option<String>,

    /// Where the store is: sqlite:PATH, redis://…, rediss://… or redis+sentinel://…; a file of the bot's name in `all` and `dev`.
    #[arg(long, env = "STORE_URL", global = true, hide_env_values = true)]
    pub store_url: Option<String>,

    /// Read if `STORE_URL` is not set, but not in `dev`.
    #[arg(long, env = "REDIS_URL", global = true, hide = true, hide_env_values = true)]
    pub redis_url: Option<String>,

    /// Read if neither `STORE_URL` nor `REDIS_URL` is set, but not in `dev`.
    #[arg(long, env = "REDIS_TLS_URL", global = true, hide = true, hide_env_values = true)]
    pub redis_tls_url: Option<String>,

    /// Read if none of the others is set, but not in `dev`.
    #[arg(long, env = "REDISTOGO_URL", global = true, hide = true, hide_env_values = true)]
    pub redistogo_url: Option<String>,

    /// Accept a self-signed certificate of Redis.
    #[arg(long, env = "REDIS_INSECURE_TLS", global = true, default_value_t = false, action = clap::ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub redis_insecure_tls: bool,

    /// How durable a stored event is: as the store is set up, or on disk before it is answered.
    #[arg(long, env = "STORE_DURABILITY", global = true, default_value = "store")]
    pub store_durability: Durability,

    /// The address to listen on. Defaults to 127.0.0.1; to 0.0.0.0 where `PORT` is set, but never in `dev`.
    #[arg(long, env = "HOST", global = true)]
    pub host: Option<IpAddr>,

    /// The port to listen on. Defaults to 3000.
    #[arg(long, env = "PORT", global = true)]
    pub port: Option<u16>,

    /// `dev`: the port of the simulator's page, its LINE API and its control API.
    #[arg(long, env = "SIMULATOR_PORT", global = true, default_value_t = 3001)]
    pub simulator_port: u16,

    /// The base address of LINE's API. Defaults to LINE's own; the simulator's in `dev`.
    #[arg(long, env = "LINE_API_URL", global = true, value_parser = parse::address)]
    pub line_api_url: Option<String>,

    /// The base address of LINE's API for content. Defaults to LINE's own; the simulator's in `dev`.
    #[arg(long, env = "LINE_DATA_API_URL", global = true, value_parser = parse::address)]
    pub line_data_api_url: Option<String>,

    /// How many jobs run at once. Defaults to 16 for each core.
    #[arg(long, env = "WORKER_CONCURRENCY", global = true)]
    pub worker_concurrency: Option<NonZeroUsize>,

    /// The queues to serve with their weights; `events` and `outbox` are served unless given weight 0. Defaults to high=4,default=2,low=1 and 1 for each other queue of the bot.
    #[arg(long, env = "WORKER_QUEUES", global = true, value_parser = parse::queues)]
    pub worker_queues: Option<Queues>,

    /// How many jobs of these queues run at once in a process, like heavy=2; they have slots of their own. Defaults to what the bot says.
    #[arg(long, env = "QUEUE_CONCURRENCY", global = true, value_parser = parse::limits)]
    pub queue_concurrency: Option<Limits>,

    /// How many threads do work that keeps a core busy. Defaults to the number of cores.
    #[arg(long, env = "BLOCKING_THREADS", global = true)]
    pub blocking_threads: Option<NonZeroUsize>,

    /// What clients of the bot's own endpoints must show, as `Authorization: Bearer …`. Anybody may ask by default.
    #[arg(long, env = "ENDPOINT_TOKEN", global = true, hide_env_values = true)]
    pub endpoint_token: Option<String>,

    /// How long a process's claims hold without its beat, in seconds, at least 2.
    #[arg(long, env = "LEASE_SECONDS", global = true, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=3600))]
    pub lease_seconds: u32,

    /// How long a stop waits for running jobs and open requests, in seconds.
    #[arg(long, env = "SHUTDOWN_SECONDS", global = true, default_value_t = 25)]
    pub shutdown_seconds: u32,

    /// How long webhooks are still taken after SIGTERM, in seconds, within `SHUTDOWN_SECONDS`; not in `dev`.
    #[arg(long, env = "STOP_GRACE_SECONDS", global = true, default_value_t = 2)]
    pub stop_grace_seconds: u32,

    /// How long completed jobs are kept for people.
    #[arg(long, env = "RETENTION_COMPLETED", global = true, default_value = "1d", value_parser = parse::duration)]
    pub retention_completed: Duration,

    /// How many completed jobs are kept at most.
    #[arg(long, env = "RETENTION_COMPLETED_MAX", global = true, default_value_t = 10_000)]
    pub retention_completed_max: u32,

    /// How long dead jobs are kept.
    #[arg(long, env = "RETENTION_DEAD", global = true, default_value = "30d", value_parser = parse::duration)]
    pub retention_dead: Duration,

    /// How many dead jobs are kept at most.
    #[arg(long, env = "RETENTION_DEAD_MAX", global = true, default_value_t = 10_000)]
    pub retention_dead_max: u32,

    /// How many ids of events and jobs that are over are remembered at most, on Redis.
    #[arg(long, env = "REMEMBERED_IDS_MAX", global = true, default_value_t = 20_000_000)]
    pub remembered_ids_max: u32,

    /// What becomes of a reply of which nobody can tell whether it was said.
    #[arg(long, env = "UNCERTAIN_REPLY", global = true, default_value = "drop")]
    pub uncertain_reply: UncertainReply,

    /// What becomes of a reply that comes too late for its reply token.
    #[arg(long, env = "LATE_REPLIES", global = true, default_value = "push")]
    pub late_replies: LateReplies,

    /// The time zone of clock times said to users.
    #[arg(long, env = "TIME_ZONE", global = true, default_value = "Asia/Tokyo", value_parser = parse::time_zone)]
    pub time_zone: jiff::tz::TimeZone,

    /// Where operators look.
    #[command(flatten)]
    pub admin: AdminSettings,

    /// What the bot publishes.
    #[command(flatten)]
    pub media: MediaSettings,

    /// What is logged: a level, or a filter.
    #[arg(long, env = "LOG", global = true, default_value = "info")]
    pub log: String,

    /// How it is logged.
    #[arg(long, env = "LOG_FORMAT", global = true, default_value = "text")]
    pub log_format: LogFormat,
}

/// What becomes of a reply of which nobody can tell whether it was said (O3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UncertainReply {
    /// It counts as said.
    Drop,
    /// It is pushed, and may be said twice.
    Push,
}

/// What becomes of a reply that comes too late for its reply token, which LINE takes for a minute (O9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LateReplies {
    /// It is pushed, which counts against the month's messages.
    Push,
    /// It is dropped.
    Drop,
}

/// How durable stored data is before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// As the store is set up.
    Store,
    /// On disk.
    Fsync,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Queues with their weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues(pub Vec<(String, u32)>);

/// How many jobs of which queues run at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits(pub Vec<(String, usize)>);

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl Settings {
    pub(crate) fn store_options(&self, name: &str) -> StoreOptions {
        let mut options = StoreOptions::new(name);
        options.lease = Duration::from_secs(self.lease_seconds.into());
        options.keep_completed = self.retention_completed;
        options.keep_completed_max = self.retention_completed_max;
        options.keep_dead = self.retention_dead;
        options.keep_dead_max = self.retention_dead_max;
        options.remember_max = self.remembered_ids_max;
        options.fsync = self.store_durability == Durability::Fsync;
        options.insecure_tls = self.redis_insecure_tls;
        options
    }

    /// Returns where `web` listens.
    pub(crate) fn listen(&self) -> (IpAddr, u16) {
        let everywhere = IpAddr::from([0, 0, 0, 0]);
        let here = IpAddr::from([127, 0, 0, 1]);
        let host = self.host.unwrap_or(if self.port.is_some() { everywhere } else { here });
        (host, self.port.unwrap_or(3000))
    }

    pub(crate) fn channel_secret(&self) -> Result<ChannelSecret> {
        let Some(secret) = &self.line_channel_secret else {
            bail!(
                "LINE_CHANNEL_SECRET is not set: copy it from the channel's basic settings in the LINE Developers Console, or try the bot without an account by `dev`"
            )
        };
        Ok(ChannelSecret::new(secret.trim()))
    }

    pub(crate) fn client(&self) -> Result<Client> {
        if let Some(token) = &self.line_channel_access_token {
            return self.client_with(Credentials::Token(AccessToken::new(token.trim())));
        }
        self.client_by_secret()?.ok_or_else(|| {
            anyhow!(
                "LINE_CHANNEL_ACCESS_TOKEN is not set: issue one in the LINE Developers Console, or set LINE_CHANNEL_ID to have short-lived tokens fetched"
            )
        })
    }

    /// Returns a client that gets its tokens by the channel's secret; `None` where the channel's id is not set.
    pub(crate) fn client_by_secret(&self) -> Result<Option<Client>> {
        let Some(id) = &self.line_channel_id else { return Ok(None) };
        let (channel_id, channel_secret) = (id.trim().to_owned(), self.channel_secret()?);
        self.client_with(Credentials::Stateless { channel_id, channel_secret }).map(Some)
    }

    /// Returns whether something of a channel at LINE was given.
    pub(crate) fn has_credentials(&self) -> bool {
        let credentials =
            [&self.line_channel_secret, &self.line_channel_access_token, &self.line_channel_id];
        credentials.into_iter().any(Option::is_some)
    }

    fn client_with(&self, credentials: Credentials) -> Result<Client> {
        let mut config = ClientConfig::new(credentials);
        if let Some(url) = &self.line_api_url {
            config.api_url.clone_from(url);
        }
        if let Some(url) = &self.line_data_api_url {
            config.data_api_url.clone_from(url);
        }
        Ok(Client::new(config)?)
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.worker_concurrency.map_or(cores() * 16, NonZeroUsize::get)
    }

    pub(crate) fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds.into())
    }

    pub(crate) fn stop_grace(&self) -> Duration {
        Duration::from_secs(self.stop_grace_seconds.min(self.shutdown_seconds).into())
    }

    pub(crate) fn blocking_threads(&self) -> usize {
        self.blocking_threads.map_or(cores(), NonZeroUsize::get)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
