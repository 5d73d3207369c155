//! `doctor`: looks at all that a bot depends on, and says what to do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use yamabiko_queue::{
    Finding, Mark, Store, StoreOptions, Timestamp,
    store::{self, Depth},
};

use crate::{App, Result, cli::tell, config::Settings, state::ChatState};

mod line;
mod media;
mod work;

/// How long a worker takes to its first beat, and a little more.
const FIRST_BEAT: Duration = Duration::from_secs(2);

/// What a clock showed, and when.
#[derive(Clone, Copy, Debug)]
struct Reading {
    time: Timestamp,
    at: Instant,
}

impl Reading {
    /// Reads a clock that showed this a moment ago.
    fn now(time: Timestamp) -> Self {
        Self { time, at: Instant::now() }
    }

    /// Returns what this clock showed when the other was read.
    fn when_read(self, other: Self) -> Timestamp {
        self.time + other.at.saturating_duration_since(self.at)
            - self.at.saturating_duration_since(other.at)
    }
}

/// How a doctor is called.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Call {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

/// Looks at everything, says what it found, and returns whether there is no problem.
///
/// # Errors
/// If the clock cannot be confirmed.
pub(crate) async fn run<S: ChatState>(
    call: Call,
    app: &App<S>,
    settings: &Settings,
) -> Result<bool> {
    let url = settings.store_url_of(&app.name)?;
    let (options, queues) = (settings.store_options(&app.name), app.queues.names());
    let ((line, lines_clock), (store, stores_clock)) =
        tokio::join!(line::look(settings), look_at_store(&url, &options, &queues));
    let mut findings = line;
    findings.extend(store);
    if app.has_media {
        findings.push(media::look(&app.name, &url, settings).await);
    }
    if let (Some(line), Some(store)) = (lines_clock, stores_clock) {
        findings.push(line::clock(line.when_read(store), store.time));
    }
    say(&findings, call.json);
    Ok(findings.iter().all(|finding| finding.mark < Mark::Problem))
}

async fn look_at_store(
    url: &str,
    options: &StoreOptions,
    queues: &[&str],
) -> (Vec<Finding>, Option<Reading>) {
    let mut inspection = store::inspect(url, options, Depth::Thorough).await;
    let clock = inspection.now.map(Reading::now);
    if let (Some(counts), Some(now)) = (&inspection.counts, inspection.now) {
        inspection.findings.extend(work::service(counts, queues));
        inspection.findings.extend(work::undone(counts, now));
    }
    (inspection.findings, clock)
}

fn say(findings: &[Finding], as_json: bool) {
    let count = |mark| findings.iter().filter(|finding| finding.mark == mark).count();
    let (problems, warnings) = (count(Mark::Problem), count(Mark::Warning));
    if as_json {
        let all = json!({"problems": problems, "warnings": warnings, "findings": findings});
        return tell(&format!("{all:#}"));
    }
    for Finding { mark, topic, text, advice } in findings {
        let advice = advice.as_ref().map_or_else(String::new, |advice| format!(" → {advice}"));
        tell(&format!("{mark:<8}{topic}: {text}{advice}"));
    }
    tell(&format!("problems: {problems}, warnings: {warnings}"));
}

/// Logs what is not as it should be with the store and with who serves its queues, once.
///
/// The queues are looked at when workers that start at the same time have beaten.
pub(crate) async fn warn_at_start(
    url: &str,
    options: &StoreOptions,
    store: &Arc<dyn Store>,
    queues: &[&str],
) {
    let inspection = store::inspect(url, options, Depth::Glance).await;
    inspection.findings.iter().for_each(warn);
    tokio::time::sleep(options.lease + FIRST_BEAT).await;
    // A store that is away by now is told of by those who need it.
    if let Ok(counts) = store.counts().await {
        work::service(&counts, queues).iter().for_each(warn);
    }
}

fn warn(finding: &Finding) {
    if finding.mark >= Mark::Warning {
        let Finding { topic, text, advice, .. } = finding;
        let advice = advice.as_deref().unwrap_or_default();
        tracing::warn!(topic, "{text}: {advice}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_as_of_one_moment() {
        let (time, at) = (Timestamp::from_millis(1_800_000_000_000), Instant::now());
        let three = Duration::from_secs(3);
        let (earlier, later) = (Reading { time, at }, Reading { time, at: at + three });
        assert_eq!(earlier.when_read(later), time + three);
        assert_eq!(later.when_read(earlier), time - three);
    }
}
