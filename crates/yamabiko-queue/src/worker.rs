//! The worker role: claims jobs in batches, runs them, and commits what they ask for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
};

use crate::{
    clock::{Clock, Stopwatch},
    error::{Error, ErrorKind, Result},
    job::EVENTS,
    outage::Outage,
    registry::Registry,
    run::{Claimed, Report, Run},
    store::{
        Answer, Claim, Commit, Held, MAX_COMMITS, Outcome, Process, Query, Store, TURN_LATER, Tick,
    },
    timer::{LOOK_EVERY, TRY_AGAIN},
};

mod apart;
mod backlog;
mod beat;
mod ending;
mod refused;
mod slots;
mod stop;
mod task;
mod turns;

use apart::{Apart, Purpose};
use backlog::{Backlog, Reported};
use beat::{Beat, Kept};
pub use ending::UNKNOWN_FOR;
use slots::Slots;
use turns::{Attempt, Turns};

/// A run in a lane that takes longer than this while others wait is worth a warning (L3).
const LONG_IN_LANE: Duration = Duration::from_secs(5);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// How many jobs run at once; `events` and `outbox` have as many slots of their own (C6).
    pub concurrency: usize,
    /// The queues to serve, with their weights; `events` and `outbox` are served unless named with weight 0.
    pub queues: Vec<(String, u32)>,
    /// How many jobs of these queues run at once; they have slots of their own.
    pub limits: BTreeMap<String, usize>,
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
    /// What the store and the runs are told of this process.
    process: Arc<Process>,
    slots: Slots,
    running: HashMap<Claimed, Running>,
    backlog: Backlog,
    apart: Apart,
    turns: Turns,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    beat: Option<Beat>,
    /// Since the last beat by hand.
    beaten: Stopwatch,
    /// Whether it stops, and starts no more runs.
    stops: bool,
}

#[derive(Debug)]
struct Running {
    task: AbortHandle,
    claim: Arc<Claim>,
    since: Stopwatch,
    /// How many of its commits the store has not answered yet.
    unanswered: u32,
    /// Whether its end is among them.
    ended: bool,
    /// Whether its end has been sent, and its slot is free for another.
    freed: bool,
}

impl Worker {
    /// Makes a worker; it does nothing until it is run or stepped.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, registry: Arc<Registry>, mut options: WorkerOptions) -> Self {
        let (reporter, reports) = mpsc::unbounded_channel();
        let slots = Slots::new(options.concurrency, &options.queues, &options.limits);
        options.process.queues = slots.queues();
        let process = Arc::new(options.process.clone());
        let beaten = options.clock.stopwatch();
        Self {
            store,
            registry,
            options,
            process,
            slots,
            running: HashMap::new(),
            backlog: Backlog::default(),
            apart: Apart::default(),
            turns: Turns::new(),
            reports,
            reporter,
            beat: None,
            beaten,
            stops: false,
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
        let mut rest = Duration::ZERO;
        tokio::pin!(stop);
        while (&mut stop).now_or_never().is_none() {
            if !self.running.is_empty() {
                // The first run that ends wakes this task; those that end with it shall go with the same turn.
                tokio::task::yield_now().await;
            }
            self.take_reports();
            self.send_again(false);
            let is_due = self.turns.is_empty() && (rest.is_zero() || self.has_commits());
            if is_due || self.wants_another_turn() {
                self.send_turn(true);
            }
            let signals = self.slots.signals();
            let heard = tokio::select! {
                () = &mut stop => break,
                Some(taken) = self.turns.next() => self.answered(taken).map(|tick| rest = tick.map_or(Duration::ZERO, time_to_next)),
                Some(report) = self.reports.recv() => {
                    self.take(report);
                    rest = Duration::ZERO;
                    continue;
                }
                waited = self.store.wait(&signals, rest), if self.turns.is_empty() => {
                    rest = Duration::ZERO;
                    waited
                }
            };
            match heard {
                Ok(()) => outage.over(),
                Err(error) => {
                    outage.began("worker", &error);
                    rest = Duration::ZERO;
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
        self.wind_down().await;
    }

    /// Says whether a second turn shall go while the first is under way: the store works on one while the runs of the other go on.
    ///
    /// Turns with few commits cost the store more for each, so half of the runs are waited for.
    fn wants_another_turn(&self) -> bool {
        let enough = (self.options.concurrency / 2).clamp(1, MAX_COMMITS / 2);
        self.turns.len() == 1 && self.apart.is_empty() && self.backlog.ends() >= enough
    }

    /// Says whether there are commits to be sent.
    fn has_commits(&self) -> bool {
        !(self.backlog.is_empty() && self.apart.is_empty())
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
        let commits = self.has_commits() || !self.turns.is_empty();
        let Some(tick) = self.turn(true).await? else { return Ok(true) };
        if commits || self.has_commits() || tick.promoted > 0 || tick.ended > 0 {
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
        self.running.values().map(|running| running.claim.job.kind.as_str()).collect()
    }

    async fn beat_by_hand(&mut self) -> Result<()> {
        if self.running.is_empty() || self.beaten.elapsed() < beat::EVERY {
            return Ok(());
        }
        self.beaten = self.options.clock.stopwatch();
        let runs: Vec<_> = self.running.keys().copied().collect();
        let answers = self.store.beat(&self.options.process, &runs, &[]).await?;
        for (run, held) in runs.into_iter().zip(answers).filter(|(_, held)| *held != Held::Yes) {
            self.drop_run(run, held);
        }
        Ok(())
    }

    /// Takes one turn, or waits for one that is under way; `None` if one was given up.
    async fn turn(&mut self, claim: bool) -> Result<Option<Tick>> {
        self.take_reports();
        self.send_again(!claim);
        if self.turns.is_empty() {
            self.send_turn(claim);
        }
        let taken = self.turns.next().await.expect("one is under way");
        self.answered(taken)
    }

    fn send_turn(&mut self, claim: bool) {
        let (purpose, alone) = self.apart.next();
        let sent = match purpose {
            Purpose::Ordinary => self.backlog.take_batch(),
            Purpose::Alone | Purpose::Proof => Vec::from_iter(alone),
        };
        self.free_slots(&sent);
        // Where a damaged store takes no commits, runs that end must not pile up.
        let claims = claim && purpose != Purpose::Alone && self.apart.len() < MAX_COMMITS;
        let wants =
            if claims { self.slots.ask(|| self.options.clock.chance()) } else { Vec::new() };
        let asked = self.options.clock.stopwatch();
        let token = self.turns.send(Arc::clone(&self.store), purpose, sent, wants, asked);
        self.keep(|kept| {
            kept.awaited.insert(token);
        });
    }

    /// Sends again what was not answered, or gives it up.
    fn send_again(&mut self, gives_up: bool) {
        let asked = self.options.clock.stopwatch();
        self.turns.send_again(&self.store, &asked, gives_up);
    }

    /// Frees the slots of the runs whose ends are sent, so that their turn claims anew.
    fn free_slots(&mut self, sent: &[Reported]) {
        for one in sent.iter().filter(|one| one.checkpoint.is_none()) {
            if let Some(running) = self.running.get_mut(&(one.commit.id, one.commit.token))
                && !running.freed
            {
                running.freed = true;
                self.slots.give_back(&running.claim.job.queue);
            }
        }
    }

    /// Takes in how an attempt at an exchange ended; `None` if what the exchange may have claimed was given up.
    ///
    /// Where it may have been done, only the very same exchange tells what it claimed; so it is kept, to be sent again.
    fn answered(&mut self, attempt: Attempt) -> Result<Option<Tick>> {
        let Attempt { exchange, asked, answer, is_release } = attempt;
        let turn = match answer {
            // What cannot be released comes back when its lease ends.
            Err(error) if is_release && is_about_the_call(&error) => Ok(None),
            Err(error) if error.may_be_done() || exchange.may_be_done() => {
                let refused = is_about_the_call(&error);
                self.turns.keep(exchange, refused);
                return Err(error);
            }
            answer => answer,
        };
        let (token, purpose, refused) = (exchange.token, exchange.purpose, exchange.refused);
        let (sent, wants) = self.turns.finish(exchange);
        self.slots.answered(&wants);
        let turn = match turn {
            Ok(Some(turn)) => turn,
            not_done => {
                self.keep(|kept| {
                    kept.awaited.remove(&token);
                });
                return match not_done {
                    Err(error) => self.take_back_refused(purpose, sent, error),
                    Ok(_) => {
                        self.take_back(if refused { None } else { Some(purpose) }, sent);
                        Ok(None)
                    }
                };
            }
        };
        if purpose == Purpose::Proof {
            self.apart.prove();
        }
        for (one, answer) in sent.into_iter().zip(turn.answers) {
            self.settle(one, answer);
        }
        for claim in turn.claims {
            match ending::unreadable(&claim, self.queues()) {
                Some(commit) => self.report(commit, None),
                None if self.stops => self.give_back_claim(&claim),
                None => self.start(claim, asked.clone()),
            }
        }
        // Last, so that no beat finds a claim neither held nor awaited.
        self.keep(|kept| {
            kept.awaited.remove(&token);
        });
        Ok(Some(turn.tick))
    }

    fn start(&mut self, claim: Claim, asked: Stopwatch) {
        let run = Run::new(
            claim,
            Arc::clone(&self.store),
            Arc::clone(&self.process),
            self.reporter.clone(),
            self.options.clock.clone(),
            asked,
        );
        let (claim, claimed) = (Arc::clone(&run.claim), run.claimed());
        self.slots.take(&claim.job.queue);
        self.keep(|kept| {
            kept.runs.insert(claimed);
        });
        let since = self.options.clock.stopwatch();
        let work = task::run_one(run, Arc::clone(&self.registry), self.reporter.clone());
        let task = tokio::spawn(work).abort_handle();
        let running = Running { task, claim, since, unanswered: 0, ended: false, freed: false };
        self.running.insert(claimed, running);
    }

    fn take_reports(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Finished(commit) => self.report(commit, None),
            Report::Checkpoint(commit, answer) => self.report(commit, Some(answer)),
            Report::Dropped(claimed, held) => self.drop_run(claimed, held),
        }
    }

    /// Has a commit go with the next turn.
    fn report(&mut self, commit: Commit, checkpoint: Option<oneshot::Sender<Answer>>) {
        if let Some(running) = self.running.get_mut(&(commit.id, commit.token)) {
            running.unanswered += 1;
            running.ended |= checkpoint.is_none();
        }
        self.backlog.push(Reported { commit, checkpoint });
    }

    /// Stops a run that no longer holds its job.
    fn drop_run(&mut self, (id, token): Claimed, held: Held) {
        let Some(running) = self.running.get(&(id, token)) else { return };
        let kind = &running.claim.job.kind;
        let sees_through = self.registry.get(kind).is_some_and(|known| known.policy.sees_through);
        if held == Held::Cancelled && sees_through {
            // Its end is answered `Cancelled`.
            return;
        }
        running.task.abort();
        if running.unanswered > 0 {
            // The answer says the same.
            return;
        }
        match held {
            Held::Cancelled => {
                let outcome = Outcome::Cancel;
                self.report(Commit::bare(id, token, outcome), None);
            }
            Held::Lost => {
                tracing::warn!(job.id = %id, job.kind = kind, "lost the claim of a running job, stopped it");
                self.forget((id, token));
            }
            Held::Yes => {}
        }
    }

    fn settle(&mut self, one: Reported, answer: Answer) {
        let claimed = (one.commit.id, one.commit.token);
        if let Some(checkpoint) = one.checkpoint {
            // The run may have been stopped meanwhile.
            checkpoint.send(answer).ok();
            if let Some(running) = self.running.get_mut(&claimed) {
                running.unanswered -= 1;
                if answer == Answer::Applied {
                    return;
                }
                running.task.abort();
            }
        } else if answer == Answer::Lost {
            tracing::debug!(job.id = %claimed.0, "a commit came too late, its claim was no longer current");
        }
        self.forget(claimed);
    }

    fn forget(&mut self, claimed: Claimed) {
        let Some(running) = self.running.remove(&claimed) else { return };
        let job = &running.claim.job;
        if !running.freed {
            self.slots.give_back(&job.queue);
        }
        self.keep(|kept| {
            kept.runs.remove(&claimed);
        });
        let took = running.since.elapsed();
        if took > LONG_IN_LANE
            && job.queue == EVENTS
            && let Some(lane) = &job.lane
        {
            tokio::spawn(warn_if_others_waited(
                Arc::clone(&self.store),
                job.kind.clone(),
                lane.clone(),
                took,
            ));
        }
    }

    /// Changes what the beats keep alive.
    fn keep(&self, change: impl FnOnce(&mut Kept)) {
        if let Some(beat) = &self.beat {
            beat.keep(change);
        }
    }
}

/// Says whether an error comes again whenever the same is sent.
fn is_about_the_call(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Damaged)
}

/// Returns how long a worker may rest after a turn.
fn time_to_next(tick: Tick) -> Duration {
    if tick.promoted > 0 || tick.ended > 0 {
        return Duration::ZERO;
    }
    tick.next.map_or(LOOK_EVERY, |next| (next + TURN_LATER).since(tick.now).min(LOOK_EVERY))
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
