//! The worker role: claims jobs in batches, runs them, and commits what they ask for.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::Instant,
};

use crate::{
    clock::{Clock, Stopwatch, in_run},
    error::Result,
    job::{EVENTS, JobId},
    outage::Outage,
    registry::{Ending, Finish, Registry},
    run::{Claimed, Report, Run},
    store::{
        Answer, Claim, Commit, Held, MAX_COMMITS, MAX_STEP_BYTES, Outcome, Process, Query, Store,
        TURN_LATER, Tick,
    },
    timer::{LOOK_EVERY, TRY_AGAIN},
};

mod beat;
mod ending;
mod slots;

use beat::Beat;
pub use ending::UNKNOWN_FOR;
use slots::Slots;

/// A run in a lane that takes longer than this while others wait is worth a warning (L3).
const LONG_IN_LANE: Duration = Duration::from_secs(5);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// How many jobs run at once; `events` and `outbox` have as many slots of their own (C6).
    pub concurrency: usize,
    /// The queues to serve, with their weights; `events` and `outbox` are served unless named with weight 0.
    pub queues: Vec<(String, u32)>,
    /// How long a stop waits for running jobs.
    pub shutdown: Duration,
    /// Who this is, for people; the worker adds the queues that it serves.
    pub process: Process,
    /// By what runs are measured; a test gives its store's.
    pub clock: Clock,
}

/// Claims and runs jobs of one store.
#[derive(Debug)]
pub struct Worker {
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    options: WorkerOptions,
    slots: Slots,
    running: HashMap<Claimed, Running>,
    /// Commits that have not been answered yet, in the order in which the runs reported them.
    unanswered: Vec<Unanswered>,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    beat: Option<Beat>,
    /// Since the last beat by hand.
    beaten: Stopwatch,
}

#[derive(Debug)]
struct Running {
    task: AbortHandle,
    queue: String,
    kind: String,
    lane: Option<String>,
    since: Stopwatch,
    /// Whether its end is on its way to the store, and its slot free for another.
    ended: bool,
}

#[derive(Debug)]
struct Unanswered {
    commit: Commit,
    checkpoint: Option<oneshot::Sender<Answer>>,
}

impl Worker {
    /// Makes a worker; it does nothing until it is run or stepped.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, registry: Arc<Registry>, mut options: WorkerOptions) -> Self {
        let (reporter, reports) = mpsc::unbounded_channel();
        let slots = Slots::new(options.concurrency, &options.queues);
        options.process.queues = slots.queues();
        let beaten = options.clock.stopwatch();
        Self {
            store,
            registry,
            options,
            slots,
            running: HashMap::new(),
            unanswered: Vec::new(),
            reports,
            reporter,
            beat: None,
            beaten,
        }
    }

    /// Returns the queues that this worker serves.
    #[must_use]
    pub fn queues(&self) -> &[String] {
        &self.options.process.queues
    }

    /// Works until `stop` resolves, then lets running jobs end for `shutdown` at most and gives back the rest, uncounted.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        self.beat = Some(Beat::start(
            Arc::clone(&self.store),
            self.options.process.clone(),
            self.reporter.clone(),
            self.options.clock.clone(),
        ));
        let mut outage = Outage::default();
        tokio::pin!(stop);
        // A turn is never cut short: what it claimed would come back only when the leases end.
        while (&mut stop).now_or_never().is_none() {
            // The first run that ends wakes this task; those that end with it shall go with the same turn.
            tokio::task::yield_now().await;
            let rest = match self.turn(true).await {
                Ok(tick) => {
                    outage.over();
                    self.rest(&tick)
                }
                Err(error) => {
                    outage.began("worker", &error);
                    tokio::time::sleep(TRY_AGAIN).await;
                    continue;
                }
            };
            if rest.is_zero() {
                continue;
            }
            let signals = self.slots.signals();
            tokio::select! {
                () = &mut stop => break,
                Some(report) = self.reports.recv() => self.take(report),
                waited = self.store.wait(&signals, rest) => {
                    if waited.is_err() {
                        tokio::time::sleep(TRY_AGAIN).await;
                    }
                }
            }
        }
        self.wind_down().await;
    }

    /// Takes one turn, starts what it claimed, and waits for one report unless all runs sleep by the worker's clock.
    ///
    /// Says whether there may be more to do. For callers that drive a worker by hand instead of by `run`, such as tests with
    /// a clock of their own; once a second by that clock, a step extends the leases of its runs first.
    ///
    /// # Errors
    /// Those of the store; the same commits go with the next step.
    pub async fn step(&mut self) -> Result<bool> {
        self.beat_by_hand().await?;
        self.take_reports();
        // What is committed frees slots for the next claims.
        let commits = !self.unanswered.is_empty();
        let tick = self.turn(true).await?;
        if commits || !self.unanswered.is_empty() || tick.promoted > 0 || tick.ended > 0 {
            return Ok(true);
        }
        let asleep = self.options.clock.all_asleep(self.running.keys());
        let report = tokio::select! {
            biased;
            report = self.reports.recv() => report,
            () = asleep => None,
        };
        let reported = report.is_some();
        if let Some(report) = report {
            self.take(report);
        }
        Ok(reported)
    }

    /// Ends a worker that was driven by hand, as `run` ends: runs that do not end in time are given back, uncounted.
    pub async fn stop(mut self) {
        self.wind_down().await;
    }

    /// Returns the kinds of the jobs that are running.
    #[must_use]
    pub fn running(&self) -> Vec<&str> {
        self.running.values().map(|running| running.kind.as_str()).collect()
    }

    async fn beat_by_hand(&mut self) -> Result<()> {
        if self.running.is_empty() || self.beaten.elapsed() < beat::EVERY {
            return Ok(());
        }
        self.beaten = self.options.clock.stopwatch();
        let runs: Vec<_> = self.running.keys().copied().collect();
        let answers = self.store.beat(&self.options.process, &runs).await?;
        for (run, held) in runs.into_iter().zip(answers).filter(|(_, held)| *held != Held::Yes) {
            self.drop_run(run, held);
        }
        Ok(())
    }

    /// Returns how long to rest after a turn.
    fn rest(&self, tick: &Tick) -> Duration {
        if !self.unanswered.is_empty() || tick.promoted > 0 || tick.ended > 0 {
            return Duration::ZERO;
        }
        tick.next.map_or(LOOK_EVERY, |next| (next + TURN_LATER).since(tick.now).min(LOOK_EVERY))
    }

    async fn turn(&mut self, claim: bool) -> Result<Tick> {
        self.take_reports();
        let sent = self.next_commits();
        let commits: Vec<_> =
            self.unanswered[..sent].iter().map(|one| one.commit.clone()).collect();
        self.free_slots(sent);
        let wants =
            if claim { self.slots.wants(|| self.options.clock.chance()) } else { Vec::new() };
        let asked = self.options.clock.stopwatch();
        let turn = self.store.turn(&commits, &wants).await?;
        let answered: Vec<_> = self.unanswered.drain(..sent).collect();
        for (one, answer) in answered.into_iter().zip(turn.answers) {
            self.settle(one, answer);
        }
        for claim in turn.claims {
            match ending::unreadable(&claim, self.queues()) {
                Some(commit) => self.unanswered.push(Unanswered { commit, checkpoint: None }),
                None => self.start(claim, asked.clone()),
            }
        }
        Ok(turn.tick)
    }

    /// Frees the slots of the runs whose ends are among the first `sent` commits, so that their turn claims anew.
    fn free_slots(&mut self, sent: usize) {
        for one in self.unanswered[..sent].iter().filter(|one| one.checkpoint.is_none()) {
            if let Some(running) = self.running.get_mut(&(one.commit.id, one.commit.token))
                && !running.ended
            {
                running.ended = true;
                self.slots.give_back(&running.queue);
            }
        }
    }

    /// Returns how many of the unanswered commits go with the next turn (K3).
    fn next_commits(&self) -> usize {
        let mut bytes = 0;
        let fits = |one: &Unanswered| {
            bytes += one.commit.size();
            bytes <= MAX_STEP_BYTES
        };
        let count =
            self.unanswered.iter().take(MAX_COMMITS).map(fits).take_while(|&fits| fits).count();
        count.max(usize::from(!self.unanswered.is_empty()))
    }

    fn start(&mut self, claim: Claim, asked: Stopwatch) {
        let (id, token) = (claim.job.id, claim.token);
        let run = Run::new(
            claim,
            Arc::clone(&self.store),
            self.options.process.clone(),
            self.reporter.clone(),
            self.options.clock.clone(),
            asked,
        );
        let claim = Arc::clone(&run.claim);
        let task = tokio::spawn(run_one(run, Arc::clone(&self.registry), self.reporter.clone()))
            .abort_handle();
        self.slots.take(&claim.job.queue);
        self.track(id, true, token);
        let job = &claim.job;
        self.running.insert(
            (id, token),
            Running {
                task,
                queue: job.queue.clone(),
                kind: job.kind.clone(),
                lane: job.lane.clone(),
                since: self.options.clock.stopwatch(),
                ended: false,
            },
        );
    }

    fn take_reports(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Finished(commit) => {
                self.unanswered.push(Unanswered { commit, checkpoint: None });
            }
            Report::Checkpoint(commit, answer) => {
                self.unanswered.push(Unanswered { commit, checkpoint: Some(answer) });
            }
            Report::Dropped(claimed, held) => self.drop_run(claimed, held),
        }
    }

    /// Stops a run that no longer holds its job.
    fn drop_run(&mut self, (id, token): Claimed, held: Held) {
        let Some(running) = self.running.get(&(id, token)) else { return };
        let registration = self.registry.get(&running.kind);
        if held == Held::Cancelled && registration.is_some_and(|known| known.policy.sees_through) {
            // Its end is answered `Cancelled`.
            return;
        }
        running.task.abort();
        let finished =
            self.unanswered.iter().any(|one| (one.commit.id, one.commit.token) == (id, token));
        if held == Held::Cancelled && !finished {
            let commit = Commit { id, token, outcome: Outcome::Cancel, effects: Vec::new() };
            self.unanswered.push(Unanswered { commit, checkpoint: None });
        } else if held == Held::Lost && !finished {
            tracing::warn!(job.id = %id, job.kind = running.kind, "lost the claim of a running job, stopped it");
            self.forget((id, token));
        }
    }

    fn settle(&mut self, one: Unanswered, answer: Answer) {
        let claimed = (one.commit.id, one.commit.token);
        if let Some(checkpoint) = one.checkpoint {
            // The run may have been stopped meanwhile.
            checkpoint.send(answer).ok();
            if answer == Answer::Applied {
                return;
            }
            if let Some(running) = self.running.get(&claimed) {
                running.task.abort();
            }
        } else if answer == Answer::Lost {
            tracing::debug!(job.id = %claimed.0, "a commit came too late, its claim was no longer current");
        }
        self.forget(claimed);
    }

    fn forget(&mut self, claimed: Claimed) {
        let Some(running) = self.running.remove(&claimed) else { return };
        if !running.ended {
            self.slots.give_back(&running.queue);
        }
        self.track(claimed.0, false, claimed.1);
        if running.since.elapsed() > LONG_IN_LANE
            && running.queue == EVENTS
            && let Some(lane) = running.lane
        {
            tokio::spawn(warn_if_others_waited(
                Arc::clone(&self.store),
                running.kind,
                lane,
                running.since.elapsed(),
            ));
        }
    }

    fn track(&self, id: JobId, held: bool, token: crate::store::RunToken) {
        if let Some(beat) = &self.beat {
            beat.track((id, token), held);
        }
    }

    async fn wind_down(&mut self) {
        let deadline = Instant::now() + self.options.shutdown;
        let mut outage = Outage::default();
        while !self.running.is_empty() {
            if Instant::now() >= deadline {
                self.give_back();
            }
            match self.turn(false).await {
                Ok(_) if self.unanswered.is_empty() && !self.running.is_empty() => {
                    if let Ok(Some(report)) =
                        tokio::time::timeout_at(deadline, self.reports.recv()).await
                    {
                        self.take(report);
                    }
                }
                Ok(_) => {}
                Err(_) if Instant::now() >= deadline + TRY_AGAIN * 10 => {
                    tracing::warn!(
                        jobs = self.running.len(),
                        "stopped without the store; the jobs come back when their leases end"
                    );
                    return;
                }
                Err(error) => {
                    outage.began("worker", &error);
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    /// Stops what still runs; it goes back to the front of its queue, uncounted (C4).
    fn give_back(&mut self) {
        for ((id, token), running) in &self.running {
            running.task.abort();
            let ended = |one: &Unanswered| {
                (one.commit.id, one.commit.token) == (*id, *token) && one.checkpoint.is_none()
            };
            if !self.unanswered.iter().any(ended) {
                let commit = Commit {
                    id: *id,
                    token: *token,
                    outcome: Outcome::Release { unsure: true },
                    effects: Vec::new(),
                };
                self.unanswered.push(Unanswered { commit, checkpoint: None });
            }
        }
    }
}

/// Runs one job and reports its end.
async fn run_one(run: Run, registry: Arc<Registry>, reports: mpsc::UnboundedSender<Report>) {
    let claim = Arc::clone(&run.claim);
    let commit = match ending::before_run(&claim, &registry) {
        Some(commit) => commit,
        None => {
            let (clock, started) = (run.clock().clone(), run.clock().stopwatch());
            let finish = finish(run, &registry).await;
            ending::commit(&claim, &registry, finish, started.elapsed(), clock.chance())
        }
    };
    // The worker has gone only when the process ends; the claim comes back then.
    drop(reports.send(Report::Finished(commit)));
}

async fn finish(run: Run, registry: &Registry) -> Finish {
    let failed = |error: String| Finish {
        ending: Ending::Failed { error, after: None, unsure: true },
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
    let work = AssertUnwindSafe(async move { handler(run).await }).catch_unwind();
    match clock.timeout(limit, in_run(claimed, work)).await {
        Some(Ok(finish)) => finish,
        Some(Err(panic)) => failed(format!("panicked: {}", panic_message(&*panic))),
        None => failed(format!("took longer than {limit:?}")),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

async fn warn_if_others_waited(store: Arc<dyn Store>, kind: String, lane: String, took: Duration) {
    let query = Query { lane: Some(lane), limit: 1, ..Query::new(crate::State::Waiting) };
    if store.list(&query).await.is_ok_and(|page| !page.records.is_empty()) {
        tracing::warn!(
            job.kind = kind,
            seconds = took.as_secs(),
            "a slow job kept its chat waiting; `LANE = Lane::None` lets the chat go on"
        );
    }
}
