//! What the breaker is told on its command line.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// Breaks everything around a bot, again and again, and counts what was lost or said twice.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// The store of the bot.
    #[arg(long)]
    pub(crate) store: StoreKind,
    /// For how long things break. Afterwards the bot gets the time to finish.
    #[arg(long, default_value_t = 10.0, value_parser = minutes)]
    pub(crate) minutes: f64,
    /// Says what breaks when; the same seed throws the same dice.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The bot that is broken.
    #[arg(long, default_value = "chaos-bot")]
    pub(crate) bot: Bot,
    /// The bot's program. Defaults to the one of its name beside this one.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// For how many seconds the bot may go on working once nothing breaks any more.
    #[arg(long, default_value_t = 180)]
    pub(crate) patience: u64,
    /// Whether the disk gets full: it takes a small file system of its own, which not everybody may mount.
    #[arg(long, default_value = "required")]
    pub(crate) disk_full: DiskFull,
    /// Promotes a replica of Redis without the last second, too: it finds what the bot does not stand yet.
    #[arg(long)]
    pub(crate) fail_over: bool,
    /// Counts only what went wrong, not whether enough was broken.
    #[arg(long)]
    pub(crate) any_load: bool,
}

/// Which bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bot {
    /// The breaker's own, whose every message names its request.
    ChaosBot,
    /// The keyword bot, on the sample of MediaWiki that comes with it.
    KeywordBot,
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// An SQLite file that all processes share.
    Sqlite,
    /// A Redis server with `appendfsync always`.
    Redis,
}

/// Whether the disk gets full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiskFull {
    /// It does; if it cannot, the run fails.
    Required,
    /// It does where a file system can be mounted.
    IfPossible,
}

impl Options {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }

    /// Returns the bot's program.
    pub(crate) fn program(&self) -> anyhow::Result<PathBuf> {
        let name = match self.bot {
            Bot::ChaosBot => "chaos-bot",
            Bot::KeywordBot => "keyword-bot",
        };
        match &self.program {
            Some(program) => Ok(std::path::absolute(program)?),
            None => Ok(std::env::current_exe()?.with_file_name(name)),
        }
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "not a number of minutes, such as 10 or 0.5")?;
    if (0.1..=600.0).contains(&minutes) { Ok(minutes) } else { Err("0.1 to 600 minutes".into()) }
}
