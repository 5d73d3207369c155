//! What a process tells about itself: logs and metrics.

use std::io::IsTerminal as _;

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{Result, config::LogFormat};

/// Starts logging to standard error.
///
/// # Errors
/// If the filter is not understood.
pub(crate) fn start(filter: &str, format: LogFormat) -> Result {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("LOG is {filter:?}: use a level (error, warn, info, debug, trace) or a filter like info,yamabiko=debug")
    })?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!(error))
}

/// Starts counting; the handle renders what `/metrics` shows.
///
/// # Errors
/// If another recorder is installed.
pub(crate) fn start_metrics() -> Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}
