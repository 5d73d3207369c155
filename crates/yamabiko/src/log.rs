//! What a process tells about itself: logs and metrics.

mod flood;
mod writer;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal as _, Write as _},
    panic::{self, PanicHookInfo},
    sync::OnceLock,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::{flood::Flood, writer::Writer};
use yamabiko_queue::Clock;

use crate::{Result, config::LogFormat};

/// How long a process that ends waits for the reader of its last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How often what was measured is summed up.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// The log of this process, once something was written to it.
static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    writer: Writer,
    flood: Flood,
}

impl Log {
    /// Returns the log of this process, whose end is standard error.
    fn of_process() -> io::Result<&'static Self> {
        if let Some(log) = LOG.get() {
            return Ok(log);
        }
        let flood = Flood::default();
        let report = {
            let flood = flood.clone();
            move |dropped| {
                flood.report();
                if dropped > 0 {
                    tracing::warn!(
                        dropped,
                        "lines of the log were dropped: its reader is too slow"
                    );
                }
            }
        };
        let writer = Writer::start(io::stderr(), report)?;
        Ok(LOG.get_or_init(|| Self { writer, flood }))
    }
}

/// Starts logging to standard error; panics are logged as well.
///
/// Nothing waits for the log's reader, and nothing fails when there is none: lines are dropped then, and counted.
///
/// # Errors
/// If the filter is not understood.
pub(crate) fn start(filter: &str, format: LogFormat) -> Result {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("LOG is {filter:?}: use a level (error, warn, info, debug, trace) or a filter like info,yamabiko=debug")
    })?;
    let log = Log::of_process().context("no thread for the log")?;
    // An error of the writer's would be printed to standard error, which may be what has failed.
    let lines = fmt::layer()
        .with_writer(log.writer.clone())
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .log_internal_errors(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    subscriber.with(log.flood.clone()).try_init().map_err(|error| anyhow!(error))?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic, as the standard library would print it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(place, %backtrace, "panicked: {message}");
    } else {
        tracing::error!(place, "panicked: {message}");
    }
}

/// Writes a sentence that is no line of the log to standard error, and waits a moment for its reader.
pub(crate) fn complain(text: &str) {
    match Log::of_process() {
        Ok(log) => {
            drop(log.writer.clone().write_all(format!("{text}\n").as_bytes()));
            flush();
        }
        Err(_) => drop(writeln!(io::stderr(), "{text}")),
    }
}

/// Waits until the last lines are written, but no more than a moment for a reader that takes none.
pub(crate) fn flush() {
    if let Some(log) = LOG.get() {
        log.flood.report();
        log.writer.flush(LAST_LINES);
    }
}

/// Counts lines that are not in the log.
fn count_dropped(reason: &'static str, lines: u64) {
    metrics::counter!("yamabiko_log_lines_dropped_total", "reason" => reason).increment(lines);
}

/// Starts counting; the handle renders what `/metrics` shows.
///
/// # Errors
/// If another recorder is installed.
pub(crate) fn start_metrics() -> Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}

/// Sums up what was measured, over and over: each sample of a histogram keeps its room until then, or until a scrape.
pub(crate) async fn sum_up(metrics: PrometheusHandle, clock: Clock) {
    loop {
        clock.sleep(SUM_UP_EVERY).await;
        metrics.run_upkeep();
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use yamabiko_queue::{ManualClock, Timestamp};

    use super::*;

    /// Returns how much memory this process has, in bytes.
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        kilobytes.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    #[tokio::test]
    async fn samples_that_nobody_scrapes_do_not_pile_up() {
        const ROUNDS: usize = 8;
        const SAMPLES: usize = 250_000;
        let recorder = PrometheusBuilder::new().build_recorder();
        let clock = ManualClock::new(Timestamp::from_millis(0));
        let summing = tokio::spawn(sum_up(recorder.handle(), Clock::Manual(clock.clone())));
        let before = resident();
        for _ in 0..ROUNDS {
            metrics::with_local_recorder(&recorder, || {
                let histogram = metrics::histogram!("lateness");
                (0..SAMPLES).for_each(|_| histogram.record(0.1));
            });
            clock.advance(SUM_UP_EVERY);
            // Its turn, and that of the clock which wakes it.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        summing.abort();
        let grown = resident().saturating_sub(before);
        let all = ROUNDS * SAMPLES * size_of::<(f64, std::time::Instant)>();
        assert!(grown < all / 2, "{grown} bytes more for samples of {all} bytes");
        let rendered = recorder.handle().render();
        assert!(rendered.contains(&format!("lateness_count {}", ROUNDS * SAMPLES)), "{rendered}");
    }
}
