//! The command line of every bot.

use std::io::Write as _;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{App, Result, config::Settings, log, roles, state::ChatState};

/// What every bot's binary understands.
#[derive(Debug, Parser)]
#[command(version, about = "A LINE bot that answers later", arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,

    #[command(flatten)]
    settings: Settings,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Role {
    /// Takes LINE's webhooks and stores their events.
    Web,
    /// Runs handlers, jobs and deliveries.
    Worker,
    /// Starts timers on time.
    Timer,
    /// All three in one process.
    All,
    /// All three with a simulator of LINE, for trying the bot without an account. The default.
    Dev,
}

impl Role {
    /// Returns the role's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Worker => "worker",
            Self::Timer => "timer",
            Self::All => "all",
            Self::Dev => "dev",
        }
    }

    pub(crate) const fn is_web(self) -> bool {
        matches!(self, Self::Web | Self::All | Self::Dev)
    }

    pub(crate) const fn is_worker(self) -> bool {
        matches!(self, Self::Worker | Self::All | Self::Dev)
    }

    pub(crate) const fn is_timer(self) -> bool {
        matches!(self, Self::Timer | Self::All | Self::Dev)
    }
}

/// Runs an app as its command line says.
pub(crate) fn run<S: ChatState>(app: App<S>) -> Result {
    let matches = Cli::command().name(app.name.clone()).get_matches();
    let cli = Cli::from_arg_matches(&matches)?;
    let ended = start(app, cli);
    if let Err(error) = &ended {
        // What `main` would print is a trace for programmers; whoever set a setting wrongly needs the sentence.
        complain(&format!("error: {error:#}"));
        #[expect(clippy::exit, reason = "the process has ended, with an error")]
        std::process::exit(1);
    }
    ended
}

fn start<S: ChatState>(app: App<S>, cli: Cli) -> Result {
    log::start(&cli.settings.log, cli.settings.log_format)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(roles::run(app, cli.role.unwrap_or(Role::Dev), cli.settings))
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Tells the person at the terminal something that is no log.
pub(crate) fn tell(text: &str) {
    // Nobody may be listening; that is no reason to stop.
    drop(writeln!(std::io::stdout(), "{text}"));
}
