//! The task in which one job runs.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::ending;
use crate::{
    clock::in_run,
    registry::{Ending, Finish, Registry, panic_message},
    run::{Report, Run},
    store::Commit,
};

/// Runs one job and reports its end.
pub(super) async fn run_one(
    run: Run,
    registry: Arc<Registry>,
    reports: mpsc::UnboundedSender<Report>,
) {
    let claim = Arc::clone(&run.claim);
    // Whatever panics, the job's lane and slot are given back.
    let committed = AssertUnwindSafe(commit(run, &registry)).catch_unwind().await;
    let commit = committed.unwrap_or_else(|panic| ending::panicked(&claim, panic_message(&*panic)));
    // The worker has gone only when the process ends; the claim comes back then.
    drop(reports.send(Report::Finished(commit)));
}

async fn commit(run: Run, registry: &Registry) -> Commit {
    let claim = Arc::clone(&run.claim);
    if let Some(commit) = ending::before_run(&claim, registry) {
        return commit;
    }
    let (clock, started) = (run.clock().clone(), run.clock().stopwatch());
    let finish = finish(run.clone(), registry).await;
    let commit = ending::commit(&claim, registry, finish, started.elapsed(), clock.chance());
    Commit { checkpoints: run.checkpoints(), ..commit }
}

async fn finish(run: Run, registry: &Registry) -> Finish {
    let failed = |error: String| Finish {
        ending: Ending::Failed { error, lends: false, after: None, unsure: true },
        effects: Vec::new(),
    };
    let claim = Arc::clone(&run.claim);
    let Some(registration) = registry.get(&claim.job.kind) else {
        return failed(format!("no handler for {}", claim.job.kind));
    };
    let spent =
        claim.job.first_claimed.map_or(Duration::ZERO, |first| claim.claimed_at.since(first));
    let limit = registration.policy.time_left(spent);
    let handler = Arc::clone(&registration.handler);
    let (clock, claimed) = (run.clock().clone(), run.claimed());
    let work = in_run(claimed, async move { handler(run).await });
    // Around the limit, too: a run whose time is up is dropped, and what it drops may panic.
    match AssertUnwindSafe(clock.timeout(limit, work)).catch_unwind().await {
        Ok(Some(finish)) => finish,
        Ok(None) => failed(format!("took longer than {limit:?}")),
        Err(panic) => failed(format!("panicked: {}", panic_message(&*panic))),
    }
}
