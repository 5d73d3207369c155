//! `dev`: the whole bot and a simulator of LINE in one process, bound to this machine only.

use std::{net::Ipv4Addr, sync::Arc, thread, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use uuid::Uuid;
use yamabiko_line::{
    client::{Client, ClientConfig, Credentials},
    secret::{AccessToken, ChannelSecret},
};
use yamabiko_queue::{Clock, Pace, Timestamp};
use yamabiko_simulator::{Simulator, SimulatorConfig};

use super::{Bot, Web};
use crate::{
    App, Result, admin,
    cli::{Role, tell},
    config::Settings,
    server::bind,
    shutdown::Stop,
    state::ChatState,
};

/// Messages a month on LINE's free plan.
const FREE_PLAN: u64 = 200;

pub(super) async fn run<S: ChatState>(
    app: App<S>,
    settings: Settings,
    metrics: PrometheusHandle,
    stop: Stop,
) -> Result {
    let url = settings.dev_store_url(format!("sqlite:{}-dev.db", app.name))?;
    let listener =
        bind((Ipv4Addr::LOCALHOST, settings.port.unwrap_or(3000)).into(), "PORT").await?;
    let page =
        bind((Ipv4Addr::LOCALHOST, settings.simulator_port).into(), "SIMULATOR_PORT").await?;
    let admin = admin::listen(&settings.admin, Role::Dev).await?;
    // Nobody else knows them, and the simulator is the only one that asks.
    let secret = Uuid::new_v4().simple().to_string();
    let token = Uuid::new_v4().simple().to_string();
    let bot_url = format!("http://{}/callback", listener.local_addr()?);
    let mut config =
        SimulatorConfig::new(bot_url, ChannelSecret::new(&secret), AccessToken::new(&token));
    config.bot_name.clone_from(&app.name);
    config.settings.monthly_limit = Some(FREE_PLAN);
    let clock = Clock::Paced(Arc::new(SimulatorPace(config.clock.clone())));
    let simulator = Simulator::start_on(page, config)?;
    let mut client = ClientConfig::new(Credentials::Token(AccessToken::new(&token)));
    client.api_url = simulator.url();
    client.data_api_url = simulator.url();
    let bot = Bot {
        role: Role::Dev,
        settings,
        url,
        clock,
        platform: Some(Arc::new(Client::new(client)?)),
        web: Some(Web { secret: ChannelSecret::new(&secret), listener }),
        admin,
        metrics,
        stop,
    };
    let text = format!("\n  Chat with the bot here: {}\n", simulator.url());
    // The bot does not wait for whoever reads this.
    thread::spawn(move || tell(&text));
    let ended = bot.run(app).await;
    simulator.stop().await;
    ended
}

/// The simulator's time, so that the bot's timers follow it when it is sped up.
#[derive(Debug)]
struct SimulatorPace(yamabiko_simulator::Clock);

impl Pace for SimulatorPace {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.now_us())
    }

    fn real(&self, span: Duration) -> Option<Duration> {
        self.0.real(span)
    }
}
