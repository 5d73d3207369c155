//! The one listener, from start to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::SimulatorConfig;
use crate::error::Error;
use crate::listener::{Reset, ResettableListener};
use crate::platform::Platform;
use crate::{api, control, page};

/// How long a stop waits for calls that run.
const STOP: Duration = Duration::from_secs(1);

/// Is a running simulator; it ends when stopped or dropped.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    platform: Arc<Platform>,
    serving: JoinHandle<()>,
    /// Ends the serving when dropped.
    stop: oneshot::Sender<()>,
}

impl Simulator {
    /// Starts a simulator on the address of its configuration.
    ///
    /// # Errors
    /// The address is taken, or the bot's is no `http` or `https` URL.
    pub async fn start(config: SimulatorConfig) -> Result<Self, Error> {
        let addr = config.listen;
        let listener = TcpListener::bind(addr).await;
        Self::start_on(listener.map_err(|source| Error::Listen { addr, source })?, config)
    }

    /// Starts a simulator on a listener that is bound already; `listen` of `config` is not used.
    ///
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The bot's address is no `http` or `https` URL.
    pub fn start_on(listener: TcpListener, mut config: SimulatorConfig) -> Result<Self, Error> {
        let addr = config.listen;
        let addr = listener.local_addr().map_err(|source| Error::Listen { addr, source })?;
        let parsed = reqwest::Url::parse(&config.bot_url);
        if !parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(Error::BotUrl { given: config.bot_url });
        }
        let http = http_client()?;
        config.listen = addr;
        let greet = config.greet;
        let platform = Arc::new(Platform::new(config, http));
        if greet {
            control::greet_all(&platform);
        }
        let router: Router = page::router()
            .merge(api::router(&platform))
            .merge(control::router())
            .with_state(Arc::clone(&platform));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                // Nothing is ever sent: the error says that the simulator was dropped.
                stopped.await.ok();
            };
            // `serve` has no errors of its own.
            let service = router.into_make_service_with_connect_info::<Reset>();
            let listener = ResettableListener(listener);
            axum::serve(listener, service).with_graceful_shutdown(stopped).await.ok();
        });
        Ok(Self { addr, platform, serving, stop })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of the page; LINE's API is under the same one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The simulator's clock, to move it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.platform.clock
    }

    /// Stops listening; calls that run get a second, then nobody waits for them.
    pub async fn stop(self) {
        drop(self.stop);
        // An open page holds its stream of updates as long as it likes.
        tokio::time::timeout(STOP, self.serving).await.ok();
    }
}

/// Builds the client that sends webhooks and plays scripts.
pub(crate) fn http_client() -> Result<reqwest::Client, Error> {
    // An error means that another part of the process has chosen a provider: as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|source| Error::HttpClient { source: source.into() })
}
