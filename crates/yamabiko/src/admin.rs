//! The admin side: health and metrics, on a port that LINE does not reach.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{Router, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::{
    Result,
    cli::{Role, tell},
    config::AdminSettings,
    health::{self, Status},
    server,
};

/// The port where none is set.
const DEFAULT_PORT: u16 = 3002;

/// Returns `/live`, `/ready` and `/metrics`.
pub(crate) fn routes(status: Status, metrics: PrometheusHandle) -> Router {
    let render = get(async move || metrics.render());
    health::live_route().merge(health::ready_route(status)).route("/metrics", render)
}

/// Listens for operators; `None` where the role has no admin side, or only the default port would do and is taken.
///
/// # Errors
/// If a port that is set is taken, or the address is not one of this machine.
pub(crate) async fn listen(settings: &AdminSettings, role: Role) -> Result<Option<TcpListener>> {
    if settings.admin_port.is_none() && !role.is_web() {
        return Ok(None);
    }
    let host =
        if role == Role::Dev { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { settings.admin_host };
    let address = (host, settings.admin_port.unwrap_or(DEFAULT_PORT)).into();
    let bound = server::bind(address, "ADMIN_PORT").await;
    match bound {
        Err(error) if settings.admin_port.is_none() && is_taken(&error) => {
            tracing::warn!(
                %address,
                "there is no admin side, since another process has its port: ADMIN_PORT sets one"
            );
            Ok(None)
        }
        bound => bound.map(Some),
    }
}

/// Tells where the admin side is.
pub(crate) fn tell_address(settings: &AdminSettings, address: SocketAddr) {
    tracing::info!(%address, "admin: serves /live, /ready and /metrics");
    if settings.admin_port == Some(0) {
        // Nobody could guess it, whatever is logged.
        tell(&format!("Admin side: http://{address}"));
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
