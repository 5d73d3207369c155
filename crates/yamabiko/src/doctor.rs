//! `doctor`: looks at all that a bot depends on, and says what to do.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use yamabiko_queue::{
    Finding, Mark, Store, StoreOptions, Timestamp,
    store::{self, Depth},
};

use crate::{App, Result, cli::tell, config::Settings, state::ChatState};

mod line;
mod work;

/// How long a worker takes to its first beat, and a little more.
const FIRST_BEAT: Duration = Duration::from_secs(2);

/// How a doctor is called.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Call {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,

    /// Take this machine's clock as right where the store has seen a time far ahead of it.
    #[arg(long)]
    confirm_clock: bool,
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
    let (options, queues) = (settings.store_options(&app.name), app.queues());
    let mut findings = Vec::new();
    if call.confirm_clock {
        findings.push(store::confirm_clock(&url).await?);
    }
    let ((line, lines_clock), (store, stores_clock)) =
        tokio::join!(line::look(settings), look_at_store(&url, &options, &queues));
    findings.extend(line);
    findings.extend(store);
    findings.extend(lines_clock.zip(stores_clock).map(|(line, store)| line::clock(line, store)));
    say(&findings, call.json);
    Ok(findings.iter().all(|finding| finding.mark < Mark::Problem))
}

async fn look_at_store(
    url: &str,
    options: &StoreOptions,
    queues: &[&str],
) -> (Vec<Finding>, Option<Timestamp>) {
    let mut inspection = store::inspect(url, options, Depth::Thorough).await;
    if let Some(now) = inspection.now {
        match work::counts(store::open(url, options.clone())).await {
            Ok(counts) => {
                inspection.findings.extend(work::service(&counts, queues));
                inspection.findings.extend(work::undone(&counts, now));
            }
            Err(finding) => inspection.findings.push(finding),
        }
    }
    (inspection.findings, inspection.now)
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
    if let Ok(counts) = work::counts(async { Ok(Arc::clone(store)) }).await {
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
