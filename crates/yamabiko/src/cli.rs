//! The command line of every bot.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use yamabiko_queue::{finding::size, store};

use crate::{
    App, Result,
    caught::caught,
    config::{Settings, blank_flag, without_blank_variables},
    doctor, log, roles,
    state::ChatState,
};

/// What every bot's binary understands.
#[derive(Debug, Parser)]
#[command(version, about = "A LINE bot that answers later", arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    settings: Settings,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Run(Role),
    /// Looks at LINE's account, the store, the clock and the queues, and says what to do; fails if there is a problem.
    Doctor(doctor::Call),
    /// Copies the SQLite file while the bot runs.
    Backup {
        /// The copy; must not exist yet.
        file: PathBuf,
    },
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
    let last_lines = LastLines;
    let ended = caught(|| obey(app)).map_err(|panic| anyhow!(panic)).flatten();
    let is_well = ended.unwrap_or_else(|error| {
        // What `main` would print is a trace for programmers; whoever set a setting wrongly needs the sentence.
        log::complain(&format!("error: {error:#}"));
        false
    });
    drop(last_lines);
    if !is_well {
        #[expect(clippy::exit, reason = "the process has ended, and not well")]
        std::process::exit(1);
    }
    Ok(())
}

/// Reads the command line and does what it says; returns whether all is well.
fn obey<S: ChatState>(mut app: App<S>) -> Result<bool> {
    let command = Cli::command()
        .name(app.name.clone())
        .args(app.settings.arguments())
        .subcommands(app.commands.subcommands());
    let mut command = without_blank_variables(command)?;
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    let matches = matches.unwrap_or_else(|error| refuse(&error));
    if let Some(flag) = blank_flag(&command, &matches) {
        let text = format!("{flag} is given without a value: give it one, or leave it out");
        refuse(&command.error(ErrorKind::InvalidValue, text));
    }
    app.settings.read(&matches, &mut app.data)?;
    let Settings { log, log_format, .. } = Settings::from_arg_matches(&matches)?;
    log::start(&log, log_format)?;
    match app.commands.take(matches.subcommand_name()) {
        Some(own) => own.obey().map(|()| true),
        None => start(app, Cli::from_arg_matches(&matches)?),
    }
}

/// Flushes the log when it is dropped, at a panic too.
struct LastLines;

impl Drop for LastLines {
    fn drop(&mut self) {
        log::flush();
    }
}

/// Says what is wrong with a command line, or what help it asks for, and ends the process.
fn refuse(error: &clap::Error) -> ! {
    if error.use_stderr() {
        let text = error.render();
        let text =
            if io::stderr().is_terminal() { text.ansi().to_string() } else { text.to_string() };
        log::complain(text.trim_end());
    } else {
        // Whoever asked may have gone.
        drop(error.print());
    }
    #[expect(clippy::exit, reason = "there is nothing to run")]
    std::process::exit(error.exit_code())
}

/// Does what is asked, and returns whether all is well.
fn start<S: ChatState>(app: App<S>, Cli { command, settings }: Cli) -> Result<bool> {
    if command.is_none() && settings.has_credentials() {
        tracing::warn!(
            "no command was given, so this is `dev`: a simulator stands for LINE, and the channel's credentials are not used; `all` serves the channel"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command.unwrap_or(Command::Run(Role::Dev)) {
            Command::Run(role) => roles::run(app, role, settings).await.map(|()| true),
            Command::Doctor(call) => Box::pin(doctor::run(call, &app, &settings)).await,
            Command::Backup { file } => backup(&app.name, &settings, &file).await.map(|()| true),
        }
    })
}

async fn backup(name: &str, settings: &Settings, file: &Path) -> Result {
    let url = settings.store_url_of(name)?;
    let bytes = store::backup(&url, file).await;
    let bytes = bytes.with_context(|| settings.named_store(&url))?;
    tell(&format!("{}: {}", file.display(), size(bytes)));
    Ok(())
}

/// Tells the person at the terminal something that is no log.
pub(crate) fn tell(text: &str) {
    // Nobody may be listening; that is no reason to stop.
    drop(writeln!(io::stdout(), "{text}"));
}

/// The commands that only this bot has.
#[derive(Default)]
pub(crate) struct OwnCommands(Vec<OwnCommand>);

struct OwnCommand {
    name: &'static str,
    about: &'static str,
    run: Run,
}

type Run = Box<dyn FnOnce() -> Result + Send>;

impl OwnCommands {
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        about: &'static str,
        run: impl FnOnce() -> Result + Send + 'static,
    ) {
        self.0.push(OwnCommand { name, about, run: Box::new(run) });
    }

    fn subcommands(&self) -> impl Iterator<Item = clap::Command> {
        self.0.iter().map(|own| clap::Command::new(own.name).about(own.about))
    }

    /// Takes a command, if it is one of these.
    fn take(&mut self, name: Option<&str>) -> Option<OwnCommand> {
        let index = self.0.iter().position(|own| Some(own.name) == name)?;
        Some(self.0.swap_remove(index))
    }
}

impl OwnCommand {
    /// Does what the command does; a panic is its failure.
    fn obey(self) -> Result {
        let panicked = |panic| anyhow!("the command {} {panic}", self.name);
        caught(self.run).map_err(panicked).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, str::FromStr};

    use super::*;
    use crate::Setting;

    /// A setting that only one bot has.
    #[derive(Clone)]
    struct Tea;

    impl Setting for Tea {
        const NAME: &'static str = "TEA_MINUTES";
        const DEFAULT: &'static str = "3";
        const ABOUT: &'static str = "How long tea is left in the water.";
    }

    impl FromStr for Tea {
        type Err = std::num::ParseIntError;

        fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
            text.parse::<u32>().map(|_| Self)
        }
    }

    /// A setting that panics wherever it can.
    struct Mood(&'static str);

    impl Clone for Mood {
        fn clone(&self) -> Self {
            assert_ne!(self.0, "clone", "an author's mistake");
            Self(self.0)
        }
    }

    struct Moody;

    impl std::fmt::Display for Moody {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("an author's mistake")
        }
    }

    impl FromStr for Mood {
        type Err = Moody;

        fn from_str(text: &str) -> std::result::Result<Self, Moody> {
            match text {
                "parse" => panic!("an author's mistake"),
                "display" => Err(Moody),
                "clone" => Ok(Self("clone")),
                _ => Ok(Self("calm")),
            }
        }
    }

    impl Setting for Mood {
        const NAME: &'static str = "MOOD";
        const DEFAULT: &'static str = "calm";
        const ABOUT: &'static str = "How the bot is.";
    }

    #[test]
    fn a_panic_in_reading_a_setting_is_an_error_that_names_it() {
        for place in ["parse", "display", "clone"] {
            let mut app = App::<()>::new("moody").setting::<Mood>();
            let command = Cli::command().args(app.settings.arguments());
            let read = command.try_get_matches_from(["moody", "--mood", place]).map(|matches| {
                let read = app.settings.read(&matches, &mut app.data);
                read.unwrap_err().to_string()
            });
            let error = read.unwrap_or_else(|error| error.to_string());
            assert!(error.contains("MOOD") && error.contains("panicked: "), "{place}: {error}");
        }
    }

    #[test]
    fn a_panic_of_a_command_is_its_failure() {
        let app = App::<()>::new("clumsy")
            .command("explode", "Explodes", || panic!("an author's mistake"))
            .command("fail", "Fails", || Err(anyhow!("no luck")));
        let mut commands = app.commands;
        let mut error = |name| commands.take(Some(name)).unwrap().obey().unwrap_err().to_string();
        assert_eq!(error("explode"), "the command explode panicked: an author's mistake");
        assert_eq!(error("fail"), "no luck");
    }

    fn command() -> clap::Command {
        Cli::command().args(App::<()>::new("tea").setting::<Tea>().settings.arguments())
    }

    /// Prints what each setting is in the environment of this process, for the test below.
    #[test]
    fn each_setting_in_this_environment() {
        let command = without_blank_variables(command()).unwrap();
        let settings: Vec<_> = command.get_arguments().map(|one| one.get_id().clone()).collect();
        let matches = command.try_get_matches_from(["tea"]).unwrap();
        for setting in settings.iter().map(clap::Id::as_str).filter(|id| matches.contains_id(id)) {
            let values: Vec<_> = matches.get_raw(setting).unwrap().collect();
            println!("setting {setting}: {values:?} by {:?}", matches.value_source(setting));
        }
    }

    #[test]
    fn an_empty_variable_is_an_unset_one_whatever_the_setting() {
        let command = command();
        let names: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
        assert!(names.len() > 30 && names.iter().any(|name| *name == Tea::NAME));
        let settings = |value: Option<&str>| {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "cli::tests::each_setting_in_this_environment", "--nocapture"]);
            child
                .env_clear()
                .envs(value.iter().flat_map(|value| names.iter().map(|name| (*name, *value))));
            let output = child.output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            let lines = printed.lines().filter(|line| line.starts_with("setting "));
            let lines: Vec<_> = lines.map(str::to_owned).collect();
            assert!(output.status.success() && lines.len() > 10, "{printed}");
            lines
        };
        let unset = settings(None);
        assert!(unset.contains(&"setting TEA_MINUTES: [\"3\"] by Some(DefaultValue)".to_owned()));
        for blank in ["", " ", "\t\n"] {
            assert_eq!(settings(Some(blank)), unset);
        }
    }

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
