//! `line-simulator`: LINE's platform on this machine, for a bot in any language.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;
use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_simulator::{Outcome, Script, Simulator, SimulatorConfig, Stage};

/// LINE's platform on this machine: a page with chats, LINE's API, and an API for scripts.
#[derive(Parser)]
#[command(name = "line-simulator", version, after_help = "Without a command, it serves.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until Ctrl-C
    Serve(Serve),
    /// Play conversations with expectations; the exit code is 0 if all was as expected
    Script(Play),
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    bot: Bot,
    /// Channel secret; signs the webhooks
    #[arg(long, env = "LINE_CHANNEL_SECRET", hide_env_values = true)]
    secret: String,
    /// Channel access token that the bot has to show
    #[arg(long, env = "LINE_CHANNEL_ACCESS_TOKEN", hide_env_values = true)]
    token: String,
    /// Channel id, for bots that fetch stateless tokens
    #[arg(long, env = "LINE_CHANNEL_ID", default_value = "1234567890")]
    channel_id: String,
    /// Name of the bot in the chats
    #[arg(long, default_value = "Bot")]
    name: String,
    /// Pushes a month, such as 200 as in LINE's free plan; without it, no limit
    #[arg(long, value_name = "PUSHES")]
    monthly_limit: Option<u64>,
    /// Tell the bot by a follow event of each user
    #[arg(long)]
    greet: bool,
    #[command(flatten)]
    listen: Listen,
}

#[derive(Args)]
struct Bot {
    /// Address of the bot's webhook
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/callback")]
    bot: String,
}

#[derive(Args)]
struct Listen {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "SIMULATOR_PORT", default_value_t = 3001)]
    port: u16,
}

#[derive(Args)]
struct Play {
    /// Scripts, played one after the other
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Play on the simulator at this address instead of an own one
    #[arg(long, value_name = "URL")]
    at: Option<String>,
    /// How long each expectation waits
    #[arg(long, value_name = "TIME", default_value = "10 s")]
    patience: SignedDuration,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    bot: Bot,
    #[command(flatten)]
    listen: Listen,
    /// Channel secret; signs the webhooks
    #[arg(long, env = "LINE_CHANNEL_SECRET", hide_env_values = true)]
    #[arg(required_unless_present = "at")]
    secret: Option<String>,
    /// Channel access token that the bot has to show
    #[arg(long, env = "LINE_CHANNEL_ACCESS_TOKEN", hide_env_values = true)]
    #[arg(required_unless_present = "at")]
    token: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Arguments::parse_from(with_command(std::env::args_os())).command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::Script(arguments) => play(arguments).await,
    };
    ended.unwrap_or_else(|error| {
        // Nobody is left to hear that this cannot be written.
        writeln!(std::io::stderr(), "error: {error:#}").ok();
        ExitCode::FAILURE
    })
}

/// Adds the command that is meant when there is none.
fn with_command(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const KNOWN: [&str; 7] = ["serve", "script", "help", "-h", "--help", "-V", "--version"];
    let mut given: Vec<_> = given.collect();
    if given.get(1).is_none_or(|first| !KNOWN.iter().any(|known| first == known)) {
        given.insert(1.min(given.len()), "serve".into());
    }
    given
}

fn log(level: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(std::io::stderr)
        // Printing such an error to a standard error that is closed would panic.
        .log_internal_errors(false)
        .init();
}

async fn serve(arguments: Serve) -> anyhow::Result<ExitCode> {
    log("info");
    let bot = arguments.bot.bot.clone();
    let mut config = SimulatorConfig::new(
        arguments.bot.bot,
        ChannelSecret::new(arguments.secret),
        AccessToken::new(arguments.token),
    );
    config.listen = SocketAddr::from((arguments.listen.host, arguments.listen.port));
    config.channel_id = arguments.channel_id;
    config.bot_name = arguments.name;
    config.greet = arguments.greet;
    config.settings.monthly_limit = arguments.monthly_limit;

    let simulator = Simulator::start(config).await.context("the simulator did not start")?;
    tracing::info!("open {} to talk to the bot at {bot}", simulator.url());
    tokio::signal::ctrl_c().await.context("no signal handler")?;
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn play(arguments: Play) -> anyhow::Result<ExitCode> {
    log("warn");
    let scripts: Vec<_> = arguments
        .files
        .iter()
        .map(|file| Ok((file, read(file)?)))
        .collect::<anyhow::Result<_>>()?;
    let (simulator, url) = match arguments.at {
        Some(url) => (None, url),
        None => {
            let secret = ChannelSecret::new(arguments.secret.unwrap_or_default());
            let token = AccessToken::new(arguments.token.unwrap_or_default());
            let mut config = SimulatorConfig::new(arguments.bot.bot, secret, token);
            config.listen = SocketAddr::from((arguments.listen.host, arguments.listen.port));
            // A script makes those whom it needs.
            config.users.clear();
            config.groups.clear();
            let simulator = Simulator::start(config).await;
            let simulator = simulator.context("the simulator did not start")?;
            let url = simulator.url();
            (Some(simulator), url)
        }
    };
    let mut stage = Stage::at(url)?;
    stage.reset = simulator.is_some();
    stage.patience = Duration::try_from(arguments.patience).context("--patience")?;
    stage.meet_bot().await.map_err(anyhow::Error::msg)?;
    let mut played = Vec::new();
    for (file, script) in scripts {
        stage.folder = Some(file.parent().unwrap_or(Path::new("")).to_owned());
        let start = Instant::now();
        let outcome = script.play(&stage).await;
        let one = Played { file, outcome, took: start.elapsed() };
        // Whoever reads this may have gone; the exit code still says how it went.
        writeln!(std::io::stdout(), "{one}").ok();
        played.push(one);
    }
    if let Some(simulator) = simulator {
        simulator.stop().await;
    }
    if let Some(path) = arguments.junit {
        std::fs::write(&path, junit(&played)).with_context(|| path.display().to_string())?;
    }
    let all_passed = played.iter().all(|played| played.outcome.passed);
    Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> anyhow::Result<Script> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Script::read(&text)
        .map_err(|error| anyhow::anyhow!("{}:{}: {}", file.display(), error.line, error.problem))
}

/// Is how one script went.
struct Played<'a> {
    file: &'a Path,
    outcome: Outcome,
    took: Duration,
}

impl std::fmt::Display for Played<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (file, seconds) = (self.file.display(), self.took.as_secs_f64());
        match &self.outcome.failure {
            None => write!(f, "{file}: {} steps passed in {seconds:.1} s", self.outcome.steps),
            Some(failure) => write!(f, "{file}:{}: not as expected\n{failure}", failure.line),
        }
    }
}

/// Writes the results in the form that most CI systems read.
fn junit(played: &[Played<'_>]) -> String {
    let failures = played.iter().filter(|played| !played.outcome.passed).count();
    let cases = maud::html! {
        testsuite name="line-simulator" tests=(played.len()) failures=(failures) {
            @for one in played {
                testcase name=(one.file.display()) time=(format!("{:.3}", one.took.as_secs_f64())) {
                    @if let Some(failure) = &one.outcome.failure {
                        failure message=(format!("line {}", failure.line)) { (failure.to_string()) }
                    }
                }
            }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", cases.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(given: &[&str]) -> Command {
        let given = ["line-simulator"].iter().chain(given).map(OsString::from);
        Arguments::parse_from(with_command(given)).command
    }

    #[test]
    fn without_a_command_it_serves() {
        let credentials = ["--secret", "s", "--token", "t"];
        assert!(matches!(command(&credentials), Command::Serve(_)));
        assert!(matches!(command(&[&["serve"], &credentials[..]].concat()), Command::Serve(_)));
        assert_eq!(with_command(["line-simulator".into()].into_iter()).len(), 2);
    }

    #[test]
    fn a_script_on_another_simulator_needs_no_credentials() {
        let play =
            command(&["script", "a.script", "--at", "http://127.0.0.1:1", "--patience", "2 min"]);
        assert!(matches!(play, Command::Script(play) if play.patience.as_secs() == 120));
    }
}
