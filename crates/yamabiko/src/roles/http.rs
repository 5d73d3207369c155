//! The HTTP servers of a process: the public port, and the admin side.

use std::time::Duration;

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

use super::Bot;
use crate::{
    App, Result, admin,
    cli::Role,
    endpoint::Bounds,
    health::{self, Status},
    media::{self, Media},
    server::{Limits, Server, Share},
    shutdown::{self, Stopper},
    state::ChatState,
    webhook::{self, Webhook},
};

/// The admin side, which outlives all other parts of a process, so that a stop can be looked at.
pub(super) struct AdminSide(Option<(Stopper, JoinHandle<Result>)>);

impl AdminSide {
    /// Ends the admin side.
    pub(super) async fn end(self) -> Result {
        let Some((stopper, serving)) = self.0 else { return Ok(()) };
        stopper.stop();
        serving.await?
    }
}

impl Bot {
    /// Serves the admin side, where this process has one.
    pub(super) fn serve_admin(&mut self, status: Status) -> Result<AdminSide> {
        let Some(listener) = self.admin.take() else { return Ok(AdminSide(None)) };
        admin::tell_address(&self.settings.admin, listener.local_addr()?);
        let (stopper, stop) = shutdown::channel();
        let server = Server {
            listener,
            routes: admin::routes(status, self.metrics.clone()),
            connections: Share::of_this_process().admin,
            limits: Limits::STANDARD,
            grace: Duration::ZERO,
            drain: Duration::ZERO,
        };
        Ok(AdminSide(Some((stopper, tokio::spawn(server.serve(stop))))))
    }

    /// Returns what everybody may ask: LINE, balancers, and who uses the bot's own endpoints.
    pub(super) fn public_routes<S: ChatState>(
        &self,
        webhook: Webhook,
        status: Status,
        app: &App<S>,
        media: Option<Media>,
    ) -> Result<Router> {
        let mut routes = health::live_route().merge(webhook::routes(webhook));
        if self.settings.admin.health_on_port {
            routes = routes.merge(health::ready_route(status));
        }
        if !app.endpoints.is_empty() {
            let token = self.settings.endpoint_token.as_deref();
            let bounds = Bounds::new(self.settings.blocking_threads(), token);
            routes = routes.merge(app.endpoints.routes(&bounds)?);
        }
        if let Some(media) = media {
            routes = routes.merge(media::routes(media));
        }
        Ok(routes)
    }

    /// Returns what serves the public port until the process has stopped.
    pub(super) fn serve_public(
        &self,
        listener: TcpListener,
        routes: Router,
    ) -> Result<impl Future<Output = Result> + Send + use<>> {
        tracing::info!(address = %listener.local_addr()?, "web: takes webhooks at /callback");
        let is_dev = self.role == Role::Dev;
        let server = Server {
            listener,
            routes,
            connections: Share::of_this_process().public,
            limits: Limits::STANDARD,
            grace: if is_dev { Duration::ZERO } else { self.settings.stop_grace() },
            drain: self.settings.shutdown(),
        };
        Ok(server.serve(self.stop.clone()))
    }
}
