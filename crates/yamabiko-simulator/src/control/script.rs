//! Scripts over the control API: a chat as a script, and a script played.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use super::answer::{Input, Refused};
use crate::platform::Platform;
use crate::script::{Outcome, Script, Stage};

/// Shows a chat as a script that plays it again.
pub(crate) async fn transcript(
    State(platform): State<Arc<Platform>>,
    Path(chat_id): Path<String>,
) -> Result<impl IntoResponse, Refused> {
    let script = platform.read(|memory| crate::transcript::of(memory, &chat_id));
    let unknown = || Refused(StatusCode::NOT_FOUND, "no such user, group or room".into());
    let script = script.ok_or_else(unknown)?;
    let name = format!("attachment; filename=\"{chat_id}.script\"");
    let kind = "text/plain; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], script))
}

/// Is a script to play.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Play {
    script: String,
    patience_seconds: Option<u32>,
}

/// Plays a script and says how it went.
pub(crate) async fn play(
    State(platform): State<Arc<Platform>>,
    Input(play): Input<Play>,
) -> Result<Json<Outcome>, Refused> {
    let script = Script::read(&play.script)
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    let url = format!("http://{}", reachable(platform.config.listen));
    let mut stage = Stage::with(platform.http.clone(), url);
    if let Some(seconds) = play.patience_seconds {
        stage.patience = Duration::from_secs(seconds.into());
    }
    Ok(Json(script.play(&stage).await))
}

/// An address of this machine for a listener on all of its addresses.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
