//! Takes random steps with a store and the model side by side, and compares every answer.

use std::collections::VecDeque;

use yamabiko_queue::{
    Due, Effect, JobId, NewJob, Outcome, Store,
    store::{Answer, Claim, Commit, Held, Line, Sending, Want},
};

use super::{
    promises::Promises,
    steps::{DuePlan, EffectPlan, EndPlan, NewPlan, OutcomePlan, Step, WORKERS, happened},
};
use crate::{
    dump::{self, Look, assert_same, dump},
    model::Model,
    place::{Place, QUEUES, id, process, secs, want},
};

pub(crate) const LANES: [&str; 6] = ["chat:1", "chat:2", "chat:3", "out:1", "out:2", "out:3"];
pub(crate) const CHATS: [&str; 3] = ["1", "2", "3"];
/// Jobs that are made in one sequence, at most.
const MOST_JOBS: usize = 600;

struct Run {
    claim: Claim,
    /// How many checkpoints it has passed, those before it included.
    checkpoint: u32,
}

struct Worker {
    line: Line,
    runs: Vec<Run>,
    commits: Vec<Commit>,
    /// The exchange whose answer it has not got.
    unanswered: Option<Exchange>,
}

impl Worker {
    /// Starts the n-th worker of a sequence, which always has the same tokens.
    fn start(n: usize) -> Self {
        let line = Line::of(id(&format!("line {n}")).as_uuid());
        Self { line, runs: Vec::new(), commits: Vec::new(), unanswered: None }
    }
}

/// What a worker sends.
#[derive(Clone)]
struct Exchange {
    sending: Sending,
    commits: Vec<Commit>,
    wants: [Want; 2],
}

/// A store, its model, and all who use them.
pub(crate) struct Driver {
    pub(crate) place: Place,
    pub(crate) model: Model,
    promises: Promises,
    workers: [Worker; WORKERS],
    /// Commits of workers that all took for dead, in order.
    late: VecDeque<Commit>,
    late_line: Line,
    /// How many workers have been started.
    started: usize,
    /// What was sent and may arrive once more, or only now.
    sent: VecDeque<Exchange>,
    inserted: Vec<NewJob>,
    made: Vec<JobId>,
    steps: usize,
}

/// Asks the store and the model, compares, and returns the answer.
macro_rules! ask {
    ($self:ident, $($call:tt)+) => {{
        let expected = $self.model.$($call)+.await.unwrap();
        let found = $self.place.store.$($call)+.await.unwrap();
        assert_eq!(expected, found, "step {}: {}", $self.steps, stringify!($($call)+));
        found
    }};
}

impl Driver {
    pub(crate) fn new(place: Place) -> Self {
        let model = Model::new(place.clock.clone(), place.options.clone());
        Self {
            place,
            model,
            promises: Promises::default(),
            workers: std::array::from_fn(Worker::start),
            late: VecDeque::new(),
            late_line: Line::of(id("late line").as_uuid()),
            started: WORKERS,
            sent: VecDeque::new(),
            inserted: Vec::new(),
            made: Vec::new(),
            steps: 0,
        }
    }

    /// Goes on with this store, which all that happened so far has happened to.
    pub(crate) fn go_on_with(&mut self, place: Place) {
        self.model.restart();
        self.place = place;
    }

    pub(crate) async fn take(&mut self, step: &Step) {
        self.steps += 1;
        self.act(step).await;
        if self.steps.is_multiple_of(10) {
            self.compare().await;
        }
    }

    pub(crate) async fn act(&mut self, step: &Step) {
        match step {
            Step::Pass(time) => self.place.clock.advance(*time),
            Step::ClockBack(time) => {
                self.promises.clock_set_back(self.place.now(), *time);
                self.place.clock.set(self.place.now() - *time);
            }
            Step::Insert(plans) if self.made.len() < MOST_JOBS => {
                let jobs = plans.iter().map(|plan| self.new_job(plan)).collect();
                self.insert(jobs).await;
            }
            Step::Insert(_) => {}
            Step::InsertAgain => self.insert(self.inserted.clone()).await,
            Step::CancelInserted => {
                self.cancel(self.inserted.iter().map(|job| job.id).collect()).await;
            }
            Step::Turn { worker, at_most, queues } => {
                let exchange = self.exchange(*worker, *at_most, *queues);
                self.answered(*worker, exchange).await;
            }
            Step::TurnLost { worker, at_most, queues, arrives } => {
                let exchange = self.exchange(*worker, *at_most, *queues);
                if *arrives {
                    self.send(&exchange).await;
                }
                self.sent.push_back(exchange.clone());
                self.workers[*worker].unanswered = Some(exchange);
            }
            Step::GiveUp { worker } => self.give_up(*worker).await,
            Step::Work { worker, ends } => {
                for end in ends {
                    self.work(*worker, end);
                }
            }
            Step::Beat { worker } => self.beat(*worker).await,
            Step::Crash { worker, late } => {
                let new = Worker::start(self.started);
                self.started += 1;
                let crashed = std::mem::replace(&mut self.workers[*worker], new);
                if *late {
                    self.late.extend(crashed.commits);
                    self.late.extend(crashed.runs.iter().map(|run| {
                        let effects = vec![Effect::SetState(Some(b"late".to_vec()))];
                        let (id, token) = (run.claim.job.id, run.claim.token);
                        Commit { effects, ..Commit::bare(id, token, Outcome::Complete) }
                    }));
                }
            }
            Step::Late { pick } => {
                let commits: Vec<_> =
                    (0..=pick % 3).filter_map(|_| self.late.pop_front()).collect();
                let sending = Sending { token: self.late_line.next_token(), again: false };
                self.send(&Exchange { sending, commits, wants: wants(0, 0) }).await;
            }
            Step::ArriveAgain { pick } => {
                if let Some(exchange) = self.sent.get(pick % self.sent.len().max(1)) {
                    self.send(&exchange.clone()).await;
                }
            }
            Step::Tick => drop(ask!(self, tick())),
            Step::TickOn { .. } => {
                for part in step.clone().parts() {
                    Box::pin(self.act(&part)).await;
                }
            }
            Step::Cancel(picks) => self.cancel(self.picked(picks)).await,
            Step::Retry(picks) => {
                let ids = self.picked(picks);
                let answers = ask!(self, retry(&ids));
                for (id, answer) in ids.iter().zip(answers) {
                    self.promises.run_again(self.place.now(), *id, answer);
                }
            }
            Step::Delete(picks) => {
                let ids = self.picked(picks);
                let answers = ask!(self, delete(&ids));
                for (id, answer) in ids.iter().zip(answers) {
                    self.promises.deleted(*id, answer);
                }
            }
            Step::Pause { queue, time } => {
                ask!(self, pause(QUEUES[queue % QUEUES.len()], *time));
            }
            Step::Resume { queue } => ask!(self, resume(QUEUES[queue % QUEUES.len()])),
        }
    }

    /// Compares all that both show.
    pub(crate) async fn compare(&self) {
        let look = self.look();
        let (expected, found) =
            (dump(&self.model, &look).await, dump(&*self.place.store, &look).await);
        assert_same(&expected, &found, &format!("after step {}", self.steps));
    }

    pub(crate) fn look(&self) -> Look {
        let mut ids = self.made.clone();
        ids.sort();
        ids.dedup();
        Look {
            lanes: LANES.map(str::to_owned).to_vec(),
            chats: CHATS.map(str::to_owned).to_vec(),
            ids,
        }
    }

    fn new_job(&mut self, plan: &NewPlan) -> NewJob {
        let now = self.place.now();
        let fresh = id(&format!("job {}", self.made.len()));
        let again = plan.again.filter(|_| !self.made.is_empty()).map(|pick| self.pick(pick));
        // The id of an effect that is still on its way is left to it.
        let id = again.filter(|id| self.promises.know(*id)).unwrap_or(fresh);
        self.made.push(id);
        let mut payload = format!("{}", self.made.len()).into_bytes();
        payload.resize(payload.len() + plan.size, 0xfe);
        NewJob {
            id,
            kind: format!("kind {}", self.made.len() % 3),
            payload,
            queue: QUEUES[plan.queue % QUEUES.len()].to_owned(),
            lane: plan.lane.map(|pick| LANES[pick % LANES.len()].to_owned()),
            chat: plan.chat.map(|pick| CHATS[pick % CHATS.len()].to_owned()),
            origin: plan.origin.map(|n| format!("message {n}")),
            origin_time: Some(happened(plan.queue / 16)),
            revokes: plan.revokes.map(|n| format!("message {n}")),
            parent: None,
            due: match plan.due {
                DuePlan::Now => Due::Now,
                DuePlan::In(time) => Due::In(time),
                DuePlan::At(time) => Due::At(now + time),
                DuePlan::Past(time) => Due::At(now - time),
            },
            passes_until: plan.passes.map(|time| now + time),
            secret: plan.secret.map(|n| format!("secret {n}")),
            // The same for each job of an id: only so long as for its own span is it sure to be remembered (K5).
            remember: secs([0, 0, 12, 60, 3600, 3600, 3600][usize::from(id.as_bytes()[0] % 7)]),
        }
    }

    fn pick(&self, pick: usize) -> JobId {
        // Rather a recent one.
        let recent = pick % (1 + pick % self.made.len());
        self.made[self.made.len() - 1 - recent]
    }

    fn picked(&self, picks: &[usize]) -> Vec<JobId> {
        if self.made.is_empty() {
            return vec![id("never stored")];
        }
        picks.iter().map(|pick| self.pick(*pick)).collect()
    }

    async fn insert(&mut self, jobs: Vec<NewJob>) {
        let answers = ask!(self, insert(&jobs));
        for (job, answer) in jobs.iter().zip(answers) {
            self.promises.inserted(self.place.now(), job, Some(answer));
        }
        self.inserted = jobs;
    }

    async fn cancel(&mut self, ids: Vec<JobId>) {
        let answers = ask!(self, cancel(&ids));
        for (id, answer) in ids.iter().zip(answers) {
            self.promises.cancelled(self.place.now(), *id, Some(answer));
        }
    }

    /// Returns what a worker sends: what it has not got an answer to, or its commits and what it wants.
    fn exchange(&mut self, worker: usize, at_most: usize, queues: u8) -> Exchange {
        let worker = &mut self.workers[worker];
        if let Some(unanswered) = worker.unanswered.take() {
            let sending = Sending { again: true, ..unanswered.sending };
            return Exchange { sending, ..unanswered };
        }
        let sending = Sending { token: worker.line.next_token(), again: false };
        let commits = std::mem::take(&mut worker.commits);
        Exchange { sending, commits, wants: wants(at_most, queues) }
    }

    /// Sends what a worker sends, and gives it the answer.
    async fn answered(&mut self, worker: usize, exchange: Exchange) {
        let claims = self.send(&exchange).await;
        self.sent.push_back(exchange);
        if self.sent.len() > 8 {
            self.sent.pop_front();
        }
        let runs = claims.into_iter().map(|claim| Run { checkpoint: claim.job.checkpoint, claim });
        self.workers[worker].runs.extend(runs);
    }

    /// A worker gives up what an exchange may have claimed to which it got no answer.
    async fn give_up(&mut self, worker: usize) {
        let Some(Exchange { sending, commits, .. }) = self.workers[worker].unanswered.take() else {
            return;
        };
        ask!(self, release(sending.token));
        self.promises.released(self.place.now(), sending.token);
        self.workers[worker].commits.splice(0..0, commits);
    }

    async fn send(&mut self, Exchange { sending, commits, wants }: &Exchange) -> Vec<Claim> {
        let (expected, mut found) = (
            self.model.turn(*sending, commits, wants).await.unwrap(),
            self.place.store.turn(*sending, commits, wants).await.unwrap(),
        );
        if self.promises.knows_exchange(sending.token) {
            // Those that stand come in any order; the model's is that of their ids.
            found.claims.sort_by_key(|claim| claim.job.id);
        }
        assert_eq!(expected.answers, found.answers, "step {}: answers to {commits:#?}", self.steps);
        assert_eq!(expected.tick, found.tick, "step {}", self.steps);
        let what = format!("step {}: claims", self.steps);
        assert_same(&dump::claims(&expected.claims), &dump::claims(&found.claims), &what);
        let now = self.place.now();
        let is_late = self.promises.is_late(sending.token);
        for (commit, answer) in commits.iter().zip(&found.answers) {
            if is_late {
                assert_eq!(*answer, Answer::Lost);
                continue;
            }
            self.promises.committed(now, commit, *answer);
            if *answer != Answer::Applied {
                for worker in &mut self.workers {
                    worker.runs.retain(|run| {
                        (run.claim.job.id, run.claim.token) != (commit.id, commit.token)
                    });
                }
            }
        }
        let has_changed = found.answers.iter().any(|answer| *answer != Answer::Lost);
        self.promises.exchanged(now, *sending, has_changed, &found.claims);
        found.claims
    }

    /// Gets on with one run of a worker.
    fn work(&mut self, worker: usize, plan: &EndPlan) {
        if self.workers[worker].runs.is_empty() {
            return;
        }
        let effects =
            plan.effects.iter().filter_map(|effect| self.effect(worker, effect)).collect();
        let now = self.place.now();
        let Worker { runs, commits, .. } = &mut self.workers[worker];
        let at = plan.pick % runs.len();
        let (id, token) = (runs[at].claim.job.id, runs[at].claim.token);
        let number = runs[at].checkpoint;
        let checkpoints = number + u32::from(plan.has_lost);
        let outcome = match plan.outcome.clone() {
            OutcomePlan::Checkpoint { again } => {
                runs[at].checkpoint += u32::from(!plan.has_lost);
                let mut payload = format!("after {number}").into_bytes();
                payload.resize(if number.is_multiple_of(3) { 3000 } else { payload.len() }, b'.');
                let outcome = Outcome::Checkpoint { payload };
                let commit = Commit { id, token, checkpoints, outcome, effects };
                commits.extend(again.then(|| commit.clone()));
                commits.push(commit);
                return;
            }
            OutcomePlan::Complete => Outcome::Complete,
            OutcomePlan::Retry { after, hold, unsure } => {
                Outcome::Retry { after, hold, error: format!("wrong at {now:?}"), unsure }
            }
            OutcomePlan::Snooze { after, hold, noted, afresh } => {
                Outcome::Snooze { after, hold, reason: noted.then(|| "not yet".to_owned()), afresh }
            }
            OutcomePlan::Dead => Outcome::Dead { error: "no hope".to_owned() },
            OutcomePlan::Release { unsure } => Outcome::Release { unsure },
            OutcomePlan::Cancel => Outcome::Cancel,
            OutcomePlan::GiveBack { afresh } => Outcome::GiveBack { afresh },
        };
        runs.remove(at);
        commits.push(Commit { id, token, checkpoints, outcome, effects });
    }

    fn effect(&mut self, worker: usize, plan: &EffectPlan) -> Option<Effect> {
        Some(match plan {
            EffectPlan::Insert(plan) => {
                if self.made.len() >= MOST_JOBS {
                    return None;
                }
                let mut plan = plan.clone();
                // Whether an ended id is still remembered by then cannot be told from outside.
                let taken = |pick: &usize| self.promises.is_taken_for_long(self.pick(*pick));
                plan.again = plan.again.filter(|pick| !self.made.is_empty() && taken(pick));
                Effect::Insert(self.new_job(&plan))
            }
            EffectPlan::Cancel(pick) => Effect::Cancel(self.picked(&[*pick])[0]),
            EffectPlan::CancelNear(pick) => {
                let commits = &self.workers[worker].commits;
                Effect::Cancel(commits.get(pick % commits.len().max(1))?.id)
            }
            EffectPlan::CancelAll(group, by) => {
                Effect::CancelAll { group: group.clone(), origin_by: by.map(happened) }
            }
            EffectPlan::SetState(state) => Effect::SetState(state.map(|n| vec![n])),
            EffectPlan::Scrub(n) => Effect::Scrub { origin: format!("message {n}") },
            EffectPlan::Pause { queue, time } => {
                let queue = QUEUES[queue % QUEUES.len()].to_owned();
                Effect::Pause { queue, time: *time }
            }
        })
    }

    async fn beat(&mut self, worker: usize) {
        let Worker { runs, commits, .. } = &self.workers[worker];
        let held = runs.iter().map(|run| (run.claim.job.id, run.claim.token));
        let held: Vec<_> =
            held.chain(commits.iter().map(|commit| (commit.id, commit.token))).collect();
        let unanswered = &self.workers[worker].unanswered;
        let awaited: Vec<_> = unanswered.iter().map(|exchange| exchange.sending.token).collect();
        let answers = ask!(self, beat(&process(&format!("worker {worker}")), &held, &awaited));
        for token in awaited {
            self.promises.extended(self.place.now(), token);
        }
        for ((id, token), answer) in held.into_iter().zip(answers) {
            self.promises.beaten(self.place.now(), id, token, answer);
            let Worker { runs, commits, .. } = &mut self.workers[worker];
            let before = runs.len();
            if answer != Held::Yes {
                runs.retain(|run| (run.claim.job.id, run.claim.token) != (id, token));
            }
            if answer == Held::Cancelled && runs.len() < before {
                commits.push(Commit::bare(id, token, Outcome::Cancel));
            }
        }
    }

    /// Everything works from here on: all there is must come to an end, and retention must empty the store.
    pub(crate) async fn drain(&mut self) {
        for queue in QUEUES {
            ask!(self, resume(queue));
        }
        self.late.clear();
        for _ in 0..500 {
            self.place.clock.advance(secs(1));
            ask!(self, tick());
            for worker in 0..WORKERS {
                if !self.workers[worker].runs.is_empty() || worker == 0 {
                    self.beat(worker).await;
                    while let Some(run) = self.workers[worker].runs.pop() {
                        let Claim { job, token, .. } = run.claim;
                        let commit = Commit::bare(job.id, token, Outcome::Complete);
                        let effects = vec![Effect::SetState(None)];
                        self.workers[worker].commits.push(Commit { effects, ..commit });
                    }
                }
                let Worker { commits, unanswered, .. } = &self.workers[worker];
                if !commits.is_empty() || unanswered.is_some() || worker == 0 {
                    let exchange = self.exchange(worker, 256, 15);
                    self.answered(worker, exchange).await;
                }
            }
            let idle = self
                .workers
                .iter()
                .all(|it| it.commits.is_empty() && it.runs.is_empty() && it.unanswered.is_none());
            // What nobody may claim any more ends only when its turn comes.
            let states = self.model.counts().await.unwrap().states;
            if idle && states.iter().all(|(state, count)| !state.is_live() || *count == 0) {
                break;
            }
        }
        assert_eq!(self.promises.alive(self.place.now()), [], "jobs that never come to an end");
        self.compare().await;
        self.place.clock.advance(secs(100_000));
        // After a gap, claims are spared for a while (C3).
        for _ in 0..8 {
            self.place.clock.advance(secs(1));
            ask!(self, tick());
        }
        self.compare().await;
        let states = self.model.counts().await.unwrap().states;
        assert!(states.values().all(|count| *count == 0), "retention leaves {states:?}");
        assert_eq!(self.place.leftovers(), Vec::<String>::new(), "left over");
    }
}

/// Returns what is wanted; `queues` has a bit for each queue, and says in which order they are asked.
fn wants(at_most: usize, queues: u8) -> [Want; 2] {
    let named = QUEUES.iter().enumerate().filter(|(n, _)| queues & (1 << n) != 0);
    let mut named: Vec<_> = named.map(|(_, queue)| *queue).collect();
    if queues & 16 != 0 {
        named.reverse();
    }
    [want(&named, at_most), want(&QUEUES[1..3], usize::from(queues >> 7).min(at_most))]
}
