//! `line-simulator`: LINE's platform on this machine, for a bot in any language.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use clap::Parser;
use tracing_subscriber::EnvFilter;
use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_simulator::{Simulator, SimulatorConfig};

/// LINE's platform on this machine: a page with chats, LINE's API, and an API for scripts.
#[derive(Parser)]
#[command(name = "line-simulator", version)]
struct Arguments {
    /// Address of the bot's webhook
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000/callback")]
    bot: String,
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
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "SIMULATOR_PORT", default_value_t = 3001)]
    port: u16,
    /// Pushes a month, such as 200 as in LINE's free plan; without it, no limit
    #[arg(long, value_name = "PUSHES")]
    monthly_limit: Option<u64>,
    /// Tell the bot by a follow event of each user
    #[arg(long)]
    greet: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info"))
        .with_writer(std::io::stderr)
        .init();
    let bot = arguments.bot.clone();
    let mut config = SimulatorConfig::new(
        arguments.bot,
        ChannelSecret::new(arguments.secret),
        AccessToken::new(arguments.token),
    );
    config.listen = SocketAddr::from((arguments.host, arguments.port));
    config.channel_id = arguments.channel_id;
    config.bot_name = arguments.name;
    config.greet = arguments.greet;
    config.settings.monthly_limit = arguments.monthly_limit;

    let simulator = Simulator::start(config).await.context("the simulator did not start")?;
    tracing::info!("open {} to talk to the bot at {bot}", simulator.url());
    tokio::signal::ctrl_c().await.context("no signal handler")?;
    simulator.stop().await;
    Ok(())
}
