//! What a process does in each role.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinSet};
use yamabiko_line::secret::ChannelSecret;
use yamabiko_queue::{
    Queue, Store, Worker, WorkerOptions,
    store::{self, Process},
};

use crate::{
    App, Result,
    cli::Role,
    config::Settings,
    delivery::Courier,
    health::Health,
    log,
    platform::Platform,
    server::{self, Status},
    shutdown::{self, Stop},
    state::ChatState,
    webhook::Webhook,
};

mod dev;

/// Runs the role until the process is told to stop.
pub(crate) async fn run<S: ChatState>(app: App<S>, role: Role, settings: Settings) -> Result {
    let (stopper, stop) = shutdown::channel();
    shutdown::listen(stopper)?;
    let metrics = log::start_metrics()?;
    if role == Role::Dev {
        return dev::run(app, settings, metrics, stop).await;
    }
    let default_file = (role == Role::All).then(|| format!("sqlite:{}.db", app.name));
    let url = settings.store_url(default_file)?;
    let secret = if role.is_web() { Some(settings.channel_secret()?) } else { None };
    let platform: Arc<dyn Platform> = Arc::new(settings.client()?);
    let listener =
        if role.is_web() { Some(bind(settings.listen().into(), "PORT").await?) } else { None };
    let store = open(&url, &settings, &app.name).await?;
    let web = secret.zip(listener).map(|(secret, listener)| Web { secret, listener });
    Bot { role, settings, store, platform, web, metrics, stop }.run(app).await
}

/// Opens the store; the error names it without its password.
async fn open(url: &str, settings: &Settings, name: &str) -> Result<Arc<dyn Store>> {
    let store = store::open(url, settings.store_options(name)).await;
    store.with_context(|| format!("the store at {}", without_password(url)))
}

async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!("cannot listen on {address}: is another process there? {setting} sets another port")
    })
}

/// Where webhooks come in.
struct Web {
    secret: ChannelSecret,
    listener: TcpListener,
}

/// A process of a bot, ready to go.
struct Bot {
    role: Role,
    settings: Settings,
    store: Arc<dyn Store>,
    platform: Arc<dyn Platform>,
    web: Option<Web>,
    metrics: PrometheusHandle,
    stop: Stop,
}

impl Bot {
    async fn run<S: ChatState>(self, app: App<S>) -> Result {
        let health = Arc::new(Health::default());
        let mut tasks: JoinSet<Result> = JoinSet::new();
        let status = Status {
            store: Arc::clone(&self.store),
            health: Arc::clone(&health),
            metrics: self.metrics.clone(),
        };
        let routes = server::status_routes(status);
        let name = app.name.clone();
        if let Some(Web { secret, listener }) = self.web {
            let webhook =
                Webhook { secret: Arc::new(secret), queue: Queue::new(Arc::clone(&self.store)) };
            tracing::info!(address = %listener.local_addr()?, "web: takes webhooks at /callback");
            tasks.spawn(server::serve(
                listener,
                routes.merge(server::webhook_routes(webhook)),
                self.stop.clone(),
            ));
        } else if let Some(port) = self.settings.metrics_port {
            let listener = bind((self.settings.listen().0, port).into(), "METRICS_PORT").await?;
            tasks.spawn(server::serve(listener, routes, self.stop.clone()));
        }
        if self.role.is_worker() {
            for queue in app.unserved(&self.settings.worker_queues.0) {
                tracing::warn!(
                    queue,
                    "this worker does not serve a queue of the bot; WORKER_QUEUES names those it serves"
                );
            }
            let courier = Courier::new(
                Arc::clone(&self.platform),
                Arc::clone(&health),
                self.settings.uncertain_reply,
            );
            let registry = app.into_registry(
                self.platform,
                Arc::new(courier),
                self.settings.time_zone.clone(),
            )?;
            let worker = Worker::new(
                Arc::clone(&self.store),
                Arc::new(registry),
                worker_options(&self.settings, self.role),
            );
            let stop = self.stop.requested();
            tracing::info!(
                concurrency = self.settings.concurrency(),
                "worker: runs handlers, jobs and deliveries"
            );
            tasks.spawn(async move {
                worker.run(stop).await;
                Ok(())
            });
        }
        if self.role.is_timer() {
            let (store, stop) = (self.store, self.stop.requested());
            tracing::info!("timer: keeps time");
            tasks.spawn(async move {
                yamabiko_queue::timer::run(store, stop).await;
                Ok(())
            });
        }
        let stopping = self.stop.requested();
        tokio::spawn(async move {
            stopping.await;
            health.stops();
        });
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        tracing::info!(bot = name, "stopped");
        Ok(())
    }
}

fn worker_options(settings: &Settings, role: Role) -> WorkerOptions {
    let pid = std::process::id();
    let host = host_name();
    WorkerOptions {
        concurrency: settings.concurrency(),
        queues: settings.worker_queues.0.clone(),
        shutdown: std::time::Duration::from_secs(settings.shutdown_seconds.into()),
        process: Process {
            name: format!("{host}/{pid}/{}", role.name()),
            role: role.name().to_owned(),
            host,
            pid,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// Returns a store's address as it may be shown.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_store_is_named_without_its_password() {
        assert_eq!(without_password("redis://user:geheim@host:6379/0"), "redis://…@host:6379/0");
        assert_eq!(without_password("sqlite:bot.db"), "sqlite:bot.db");
    }
}
