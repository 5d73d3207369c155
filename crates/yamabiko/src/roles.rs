//! What a process does in each role.

use std::sync::Arc;

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, sync::SetOnce, task::JoinSet};
use yamabiko_line::secret::ChannelSecret;
use yamabiko_queue::{
    Clock, Queue, Store, Worker, WorkerOptions,
    store::{self, Process},
};

use crate::{
    App, Result, admin,
    blocking::Pool,
    cli::Role,
    config::{Settings, default_file},
    context,
    delivery::{Courier, ReplyPolicy},
    doctor,
    health::{Health, Status},
    log,
    media::{self, Media},
    platform::Platform,
    queues::OwnQueues,
    registry::Surroundings,
    server,
    shutdown::{self, Stop},
    state::ChatState,
    webhook::Webhook,
};

mod dev;
mod http;
#[cfg(test)]
mod tests;

/// Runs the role until the process is told to stop.
pub(crate) async fn run<S: ChatState>(app: App<S>, role: Role, settings: Settings) -> Result {
    let (stopper, stop) = shutdown::channel();
    shutdown::listen(stopper)?;
    let metrics = log::start_metrics()?;
    tokio::spawn(log::sum_up(metrics.clone(), Clock::Own));
    if role == Role::Dev {
        return dev::run(app, settings, metrics, stop).await;
    }
    let default_file = (role == Role::All).then(|| default_file(&app.name));
    let url = settings.store_url(default_file)?;
    let secret = if role.is_web() { Some(settings.channel_secret()?) } else { None };
    let platform = if role.is_worker() { Some(settings.client()?) } else { None };
    let platform = platform.map(|client| Arc::new(client) as Arc<dyn Platform>);
    let listener = if role.is_web() {
        Some(server::bind(settings.listen().into(), "PORT").await?)
    } else {
        None
    };
    let web = secret.zip(listener).map(|(secret, listener)| Web { secret, listener });
    let admin = admin::listen(&settings.admin, role).await?;
    let bot = Bot { role, settings, url, clock: Clock::Own, platform, web, admin, metrics, stop };
    bot.run(app).await
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
    /// Where the store is.
    url: String,
    clock: Clock,
    /// LINE, for a worker.
    platform: Option<Arc<dyn Platform>>,
    web: Option<Web>,
    /// Where operators look.
    admin: Option<TcpListener>,
    metrics: PrometheusHandle,
    stop: Stop,
}

impl Bot {
    async fn run<S: ChatState>(mut self, mut app: App<S>) -> Result {
        app.queues.limit(self.settings.queue_concurrency.as_ref())?;
        let media = if app.has_media { self.media(&app.name)? } else { None };
        if let Some(media) = media.clone() {
            app.data.insert(media);
        }
        let (health, opened, queue) =
            (Arc::default(), Arc::default(), Arc::<SetOnce<_>>::default());
        let status = Status {
            store: Arc::clone(&opened),
            queues: app.queues.names(),
            health: Arc::clone(&health),
            stop: self.stop.clone(),
        };
        let admin = self.serve_admin(status.clone())?;
        let mut tasks: JoinSet<Result> = JoinSet::new();
        if let Some(web) = self.web.take() {
            let webhook = Webhook::new(web.secret, Arc::clone(&queue), Arc::clone(&health));
            let routes = self.public_routes(webhook, status, &app, media.clone())?;
            tasks.spawn(self.serve_public(web.listener, routes)?);
        }
        let name = app.name.clone();
        // What comes in before the store is open waits for it a little, then is answered 503.
        tokio::select! {
            store = self.open(&name) => {
                let store = store?;
                opened.get_or_init(|| Arc::clone(&store));
                queue.set(Queue::new(Arc::clone(&store))).context("the store was opened twice")?;
                self.work(app, &store, &health, media, &mut tasks)?;
            }
            () = self.stop.requested() => {}
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        admin.end().await?;
        tracing::info!(bot = name, "stopped");
        Ok(())
    }

    /// Starts what works on the store.
    fn work<S: ChatState>(
        &self,
        app: App<S>,
        store: &Arc<dyn Store>,
        health: &Arc<Health>,
        media: Option<Media>,
        tasks: &mut JoinSet<Result>,
    ) -> Result {
        if self.role != Role::Dev {
            self.warn(store, &app);
        }
        if let Some(platform) = self.platform.clone() {
            let worker = self.worker(app, Arc::clone(store), platform, Arc::clone(health))?;
            let stop = self.stop.requested();
            tasks.spawn(async move {
                worker.run(stop).await;
                Ok(())
            });
        }
        if let Some(media) = media.filter(|_| self.role.is_worker()) {
            let (store, stop) = (Arc::clone(store), self.stop.requested());
            tasks.spawn(async move {
                media::sweep_hourly(media, store, stop).await;
                Ok(())
            });
        }
        if self.role.is_timer() {
            let (store, stop) = (Arc::clone(store), self.stop.requested());
            tracing::info!("timer: keeps time");
            tasks.spawn(async move {
                yamabiko_queue::timer::run(store, stop).await;
                Ok(())
            });
        }
        Ok(())
    }

    /// Opens the place of the bot's pictures, where this process has to do with them.
    fn media(&self, name: &str) -> Result<Option<Media>> {
        let settings = &self.settings.media;
        let (folder, url) = match (self.role, &self.web) {
            (Role::Timer, _) => return Ok(None),
            (Role::Dev, Some(web)) => {
                let url = settings.dev_url(web.listener.local_addr()?);
                (format!("{name}-dev-media"), Some(url))
            }
            (Role::Web, _) => (format!("{name}-media"), None),
            _ => {
                let url = settings.url(self.settings.line_api_url.is_some())?;
                (format!("{name}-media"), Some(url))
            }
        };
        let place = settings.place(&folder, &self.url)?;
        Media::open(&place, url, settings.media_retention, self.clock.clone()).map(Some)
    }

    /// Warns of what is wrong with the store and its queues, while the process goes to work.
    fn warn<S: ChatState>(&self, store: &Arc<dyn Store>, app: &App<S>) {
        let (url, store, queues) = (self.url.clone(), Arc::clone(store), app.queues.names());
        let options = self.settings.store_options(&app.name);
        tokio::spawn(async move { doctor::warn_at_start(&url, &options, &store, &queues).await });
    }

    fn worker<S: ChatState>(
        &self,
        app: App<S>,
        store: Arc<dyn Store>,
        platform: Arc<dyn Platform>,
        health: Arc<Health>,
    ) -> Result<Worker> {
        let own = app.queues.clone();
        let policy = ReplyPolicy {
            uncertain: self.settings.uncertain_reply,
            late: self.settings.late_replies,
        };
        let courier = Courier::new(Arc::clone(&platform), health, policy);
        let registry = app.into_registry(Surroundings {
            platform,
            courier: Arc::new(courier),
            time_zone: self.settings.time_zone.clone(),
            late_call: context::log_late_call(),
            pool: Arc::new(Pool::for_runs(self.settings.blocking_threads())?),
        })?;
        let options = worker_options(&self.settings, &own, self.role, self.clock.clone());
        tracing::info!(
            concurrency = options.concurrency,
            "worker: runs handlers, jobs and deliveries"
        );
        let worker = Worker::new(store, Arc::new(registry), options);
        for queue in own.names() {
            if !worker.queues().iter().any(|served| served == queue) {
                tracing::warn!(
                    queue,
                    "this worker does not serve a queue of the bot; WORKER_QUEUES names those it serves"
                );
            }
        }
        Ok(worker)
    }

    /// Opens the store, waiting for as long as it is away; an error names it without its password.
    async fn open(&self, name: &str) -> Result<Arc<dyn Store>> {
        let mut options = self.settings.store_options(name);
        options.clock = self.clock.clone();
        let store = store::open_when_there(&self.url, options).await;
        store.with_context(|| self.settings.named_store(&self.url))
    }
}

fn worker_options(settings: &Settings, own: &OwnQueues, role: Role, clock: Clock) -> WorkerOptions {
    let pid = std::process::id();
    let host = host_name();
    WorkerOptions {
        concurrency: settings.concurrency(),
        queues: own.served(settings.worker_queues.as_ref()),
        limits: own.limits.clone(),
        shutdown: settings.shutdown(),
        process: Process {
            name: format!("{host}/{pid}/{}", role.name()),
            role: role.name().to_owned(),
            host,
            pid,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            queues: Vec::new(),
        },
        clock,
    }
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
