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
pub(crate) fn run<S: ChatState>(mut app: App<S>) -> Result {
    let command = Cli::command().name(app.name.clone()).args(app.settings.arguments());
    let matches = command.get_matches();
    app.settings.read(&matches, &mut app.data);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_page_of_settings_names_each_setting_with_its_default() {
        let page = include_str!("../../../docs/settings.md");
        // What follows are the settings that only one bot has; its own tests look at them.
        let page = page.split("\n## ").next().unwrap();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let cell =
            |row: &str, index: usize| row.split(" | ").nth(index).unwrap_or_default().to_owned();
        let names = |row: &&str| {
            cell(row, 0).split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        };
        let named: BTreeSet<String> = rows.iter().flat_map(names).collect();
        let command = Cli::command();
        let settings: Vec<_> = command
            .get_arguments()
            .filter_map(|argument| Some((argument, argument.get_env()?.to_str()?)))
            .collect();
        let known: BTreeSet<_> = settings.iter().map(|(_, name)| (*name).to_owned()).collect();
        assert_eq!(named, known);
        for (argument, name) in settings {
            let Some(default) =
                argument.get_default_values().first().and_then(|value| value.to_str())
            else {
                continue;
            };
            let row = rows.iter().find(|row| row.contains(&format!("`{name}`"))).unwrap();
            assert_eq!(cell(row, 1), format!("`{default}`"), "{name}");
        }
    }
}
