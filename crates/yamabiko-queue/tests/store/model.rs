//! The rules once more in plain lists and maps: what both stores are compared with, answer by answer.

mod people;
mod steps;

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use yamabiko_queue::{
    Due, Effect, Failure, Job, JobId, ManualClock, NewJob, Outcome, StoreOptions, Timestamp,
    job::MAX_HISTORY_BYTES,
    store::{
        Answer, Cancelled, Claim, Commit, Held, Inserted, MAX_DUE, MAX_ENDED, Paused, Process,
        RunToken, Want,
    },
};

/// Where a job is; every job is in exactly one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Scheduled(Timestamp),
    Ready,
    Waiting,
    Running { token: RunToken, until: Timestamp, cancelled: bool },
    Dead(Timestamp),
    Completed(Timestamp),
}

#[derive(Clone, Debug)]
struct Kept {
    job: Job,
    place: Place,
    history: Vec<Failure>,
}

/// The whole store.
#[derive(Clone, Debug, Default)]
struct World {
    jobs: BTreeMap<JobId, Kept>,
    /// Ready jobs by queue, in order.
    ready: BTreeMap<String, Vec<JobId>>,
    /// Waiting jobs by lane, in order.
    waiting: BTreeMap<String, Vec<JobId>>,
    /// Who has the lane.
    holders: BTreeMap<String, JobId>,
    /// Until when the id of a job that has left the live ones is remembered.
    remembered: BTreeMap<JobId, Timestamp>,
    states: BTreeMap<String, Vec<u8>>,
    pauses: BTreeMap<String, Option<Timestamp>>,
    processes: BTreeMap<String, (Process, Timestamp)>,
    tokens: u64,
    /// Since when the one handle has been ticking without a gap, and when it did last (C3).
    ticking: Option<(Timestamp, Timestamp)>,
}

/// The rules, with the options of one store.
#[derive(Debug)]
pub(crate) struct Model {
    world: Mutex<World>,
    clock: ManualClock,
    options: StoreOptions,
}

impl Model {
    pub(crate) fn new(clock: ManualClock, options: StoreOptions) -> Self {
        Self { world: Mutex::default(), clock, options }
    }

    /// Returns a model of the same store as it is now, for a look at what might have been.
    pub(crate) fn copy(&self) -> Self {
        let world = Mutex::new(self.world.lock().unwrap().clone());
        Self { world, clock: self.clock.clone(), options: self.options.clone() }
    }

    fn step<T>(&self, step: impl FnOnce(&mut World, Timestamp, &StoreOptions) -> T) -> T {
        step(&mut self.world.lock().unwrap(), self.clock.now(), &self.options)
    }
}

/// Moves of one job.
impl World {
    fn job(&mut self, id: JobId) -> &mut Kept {
        self.jobs.get_mut(&id).expect("the job is stored")
    }

    fn put(&mut self, id: JobId, place: Place) {
        let kept = self.job(id);
        kept.place = place;
        let (queue, lane) = (kept.job.queue.clone(), kept.job.lane.clone());
        match place {
            Place::Ready => self.ready.entry(queue).or_default().push(id),
            Place::Waiting => {
                self.waiting.entry(lane.expect("only lanes wait")).or_default().push(id)
            }
            Place::Scheduled(_) | Place::Running { .. } | Place::Dead(_) | Place::Completed(_) => {}
        }
    }

    fn put_first(&mut self, id: JobId) {
        self.put(id, Place::Ready);
        let queue = self.jobs[&id].job.queue.clone();
        let line = self.ready.get_mut(&queue).expect("it was just put there");
        line.rotate_right(1);
    }

    /// A job that may run takes its lane, or waits for it.
    fn enter(&mut self, id: JobId) {
        let free = self.jobs[&id]
            .job
            .lane
            .clone()
            .is_none_or(|lane| *self.holders.entry(lane).or_insert(id) == id);
        self.put(id, if free { Place::Ready } else { Place::Waiting });
    }

    /// A job gives its lane, if it holds it, to the next.
    fn leave_lane(&mut self, id: JobId) {
        let Some(lane) = self.jobs[&id].job.lane.clone() else { return };
        if self.holders.get(&lane) != Some(&id) {
            return;
        }
        self.holders.remove(&lane);
        let line = self.waiting.entry(lane.clone()).or_default();
        if !line.is_empty() {
            let next = line.remove(0);
            self.holders.insert(lane, next);
            self.put(next, Place::Ready);
        }
    }

    /// Takes a job out of the line that it stands in.
    fn step_out(&mut self, id: JobId) {
        for line in self.ready.values_mut().chain(self.waiting.values_mut()) {
            line.retain(|other| *other != id);
        }
    }

    fn remember(&mut self, now: Timestamp, id: JobId) {
        let time = self.jobs[&id].job.remember;
        if time > Duration::ZERO {
            self.remembered.insert(id, now + time);
        }
    }

    /// A job leaves the live ones, and the store.
    fn remove(&mut self, now: Timestamp, id: JobId) {
        self.step_out(id);
        self.leave_lane(id);
        self.remember(now, id);
        self.jobs.remove(&id);
    }

    /// A job leaves the live ones, and is kept for people.
    fn end(&mut self, now: Timestamp, id: JobId, place: Place) {
        self.leave_lane(id);
        self.remember(now, id);
        self.job(id).job.secret = None;
        self.put(id, place);
    }

    fn note(&mut self, now: Timestamp, id: JobId, error: &str) {
        let mut cut = error.len().min(1000);
        while !error.is_char_boundary(cut) {
            cut -= 1;
        }
        let history = &mut self.job(id).history;
        history.push(Failure { at: now, error: error[..cut].replace('\n', " ") });
        while history.iter().map(|line| line.error.len()).sum::<usize>() > MAX_HISTORY_BYTES {
            history.remove(0);
        }
    }

    fn with(&self, wanted: impl Fn(Place) -> Option<Timestamp>) -> Vec<(Timestamp, JobId)> {
        let mut found: Vec<_> =
            self.jobs.iter().filter_map(|(id, kept)| Some((wanted(kept.place)?, *id))).collect();
        found.sort();
        found
    }

    fn scheduled(&self) -> Vec<(Timestamp, JobId)> {
        self.with(|place| if let Place::Scheduled(at) = place { Some(at) } else { None })
    }

    fn running(&self) -> Vec<(Timestamp, JobId)> {
        self.with(|place| if let Place::Running { until, .. } = place { Some(until) } else { None })
    }

    fn dead(&self) -> Vec<(Timestamp, JobId)> {
        self.with(|place| if let Place::Dead(at) = place { Some(at) } else { None })
    }

    fn completed(&self) -> Vec<(Timestamp, JobId)> {
        self.with(|place| if let Place::Completed(at) = place { Some(at) } else { None })
    }
}

/// Steps.
impl World {
    fn insert(&mut self, now: Timestamp, new: &NewJob) -> Inserted {
        if let Some(kept) = self.jobs.get_mut(&new.id) {
            let untouched = matches!(kept.place, Place::Ready | Place::Waiting)
                && kept.job.first_claimed.is_none();
            if untouched && new.secret.is_some() {
                kept.job.secret.clone_from(&new.secret);
                kept.job.arrived = now;
            }
            return Inserted::Duplicate;
        }
        if self.remembered.get(&new.id).is_some_and(|until| *until > now) {
            return Inserted::Duplicate;
        }
        let due = match new.due {
            Due::Now => None,
            Due::At(at) => Some(at),
            Due::In(delay) => Some(now + delay),
        };
        let job = Job {
            id: new.id,
            kind: new.kind.clone(),
            payload: new.payload.clone(),
            queue: new.queue.clone(),
            lane: new.lane.clone(),
            chat: new.chat.clone(),
            origin: new.origin.clone(),
            parent: new.parent,
            arrived: now,
            due,
            secret: new.secret.clone(),
            remember: new.remember,
            failures: 0,
            lost: 0,
            checkpoint: 0,
            reruns: 0,
            unsure: false,
            first_claimed: None,
        };
        let place = Place::Scheduled(due.unwrap_or(now));
        self.jobs.insert(new.id, Kept { job, place, history: Vec::new() });
        if due.is_none_or(|due| due <= now) {
            self.enter(new.id);
        }
        Inserted::Stored
    }

    fn commit(&mut self, now: Timestamp, options: &StoreOptions, commit: &Commit) -> Answer {
        let id = commit.id;
        match self.jobs.get(&id).map(|kept| kept.place) {
            Some(Place::Running { token, cancelled, .. }) if token == commit.token => {
                if cancelled {
                    self.remove(now, id);
                    return Answer::Cancelled;
                }
            }
            _ => return Answer::Lost,
        }
        if let Outcome::Checkpoint { number, payload } = &commit.outcome {
            if *number == self.job(id).job.checkpoint {
                self.effects(now, commit);
                let job = &mut self.job(id).job;
                job.payload.clone_from(payload);
                job.checkpoint += 1;
            }
            return Answer::Applied;
        }
        self.effects(now, commit);
        match &commit.outcome {
            Outcome::Checkpoint { .. } => unreachable!("done above"),
            Outcome::Complete if options.keep_completed.is_zero() => self.remove(now, id),
            Outcome::Complete => self.end(now, id, Place::Completed(now)),
            Outcome::Cancel => self.remove(now, id),
            Outcome::Dead { error } => {
                self.job(id).job.failures += 1;
                self.note(now, id, error);
                self.end(now, id, Place::Dead(now));
            }
            Outcome::Release { unsure } => {
                self.job(id).job.unsure |= unsure;
                self.put_first(id);
            }
            Outcome::Retry { at, hold, error, unsure } => {
                let job = &mut self.job(id).job;
                job.failures += 1;
                job.unsure |= unsure;
                self.note(now, id, error);
                self.schedule(id, *at, *hold);
            }
            Outcome::Snooze { at, hold, reason, afresh } => {
                if *afresh {
                    self.job(id).job.first_claimed = None;
                }
                if let Some(reason) = reason {
                    self.note(now, id, reason);
                }
                self.schedule(id, *at, *hold);
            }
        }
        Answer::Applied
    }

    fn schedule(&mut self, id: JobId, at: Timestamp, hold: bool) {
        self.put(id, Place::Scheduled(at));
        if !hold {
            self.leave_lane(id);
        }
    }

    fn effects(&mut self, now: Timestamp, commit: &Commit) {
        let Job { lane, chat, .. } = self.jobs[&commit.id].job.clone();
        for effect in &commit.effects {
            match effect {
                Effect::Insert(job) => {
                    self.insert(now, job);
                }
                Effect::Cancel(id) if *id == commit.id => {}
                Effect::Cancel(id) => {
                    self.cancel(now, *id);
                }
                Effect::SetState(state) => match (&lane, state) {
                    (None, _) => {}
                    (Some(lane), Some(state)) => {
                        drop(self.states.insert(lane.clone(), state.clone()))
                    }
                    (Some(lane), None) => drop(self.states.remove(lane)),
                },
                Effect::Scrub { origin } => {
                    for kept in self.jobs.values_mut() {
                        let over = matches!(kept.place, Place::Dead(_) | Place::Completed(_));
                        if over
                            && chat.is_some()
                            && kept.job.chat == chat
                            && kept.job.origin.as_ref() == Some(origin)
                        {
                            kept.job.payload = b"null".to_vec();
                        }
                    }
                }
                Effect::Pause { queue, until } => self.pause(queue, Some(*until)),
            }
        }
    }

    /// Says whether claims that have ended may be returned (C3).
    fn may_end(&mut self, now: Timestamp, lease: Duration) -> (bool, Timestamp) {
        let since = match self.ticking {
            Some((since, last)) if now <= last + lease && now >= last - lease => since,
            _ => now,
        };
        self.ticking = Some((since, now));
        (now >= since + lease, since)
    }

    /// A tick without its last part: `next`.
    fn tick(
        &mut self,
        now: Timestamp,
        due_by: Timestamp,
        may_end: bool,
        options: &StoreOptions,
    ) -> (usize, usize) {
        let due: Vec<_> =
            self.scheduled().into_iter().filter(|(at, _)| *at <= due_by).take(MAX_DUE).collect();
        for (_, id) in &due {
            self.enter(*id);
        }
        let mut ended = Vec::new();
        if may_end {
            ended.extend(
                self.running().into_iter().filter(|(until, _)| *until <= now).take(MAX_ENDED),
            );
        }
        let cancelled =
            |id: &JobId| matches!(self.jobs[id].place, Place::Running { cancelled: true, .. });
        let (gone, lost): (Vec<JobId>, Vec<JobId>) =
            ended.iter().map(|(_, id)| *id).partition(cancelled);
        for id in gone {
            self.remove(now, id);
        }
        for id in lost.into_iter().rev() {
            let job = &mut self.job(id).job;
            job.lost += 1;
            job.unsure = true;
            self.note(now, id, "the claim ended without a report");
            self.put_first(id);
        }
        let completed = self.completed();
        let over = completed.len().saturating_sub(options.keep_completed_max as usize);
        let old = completed.iter().filter(|(at, _)| *at + options.keep_completed <= now).count();
        let dead = self.dead().into_iter().filter(|(at, _)| *at + options.keep_dead <= now);
        for (_, id) in dead.chain(completed.into_iter().take(over.max(old))).collect::<Vec<_>>() {
            self.jobs.remove(&id);
        }
        self.remembered.retain(|_, until| *until > now);
        self.pauses.retain(|_, until| until.is_none_or(|until| until > now));
        self.processes.retain(|_, (_, until)| *until > now);
        (due.len(), ended.len())
    }

    fn next(&self, may_end: bool, since: Timestamp, lease: Duration) -> Option<Timestamp> {
        let due = self.scheduled().first().map(|(at, _)| *at);
        let end = self
            .running()
            .first()
            .map(|(until, _)| if may_end { *until } else { (*until).max(since + lease) });
        let resumed = self.pauses.values().copied().flatten().min();
        [due, end, resumed].into_iter().flatten().min()
    }

    fn claims(&mut self, now: Timestamp, wants: &[Want], lease: Duration) -> Vec<Claim> {
        let token = RunToken(self.tokens + 1);
        let mut claims = Vec::new();
        for want in wants {
            let mut left = want.at_most;
            for queue in want
                .queues
                .iter()
                .filter(|queue| self.paused(queue, now).is_none())
                .cloned()
                .collect::<Vec<_>>()
            {
                let line = self.ready.entry(queue).or_default();
                let taken: Vec<_> = line.drain(..left.min(line.len())).collect();
                left -= taken.len();
                for id in taken {
                    self.put(id, Place::Running { token, until: now + lease, cancelled: false });
                    let job = &mut self.job(id).job;
                    job.first_claimed.get_or_insert(now);
                    let job = job.clone();
                    let state = job.lane.as_ref().and_then(|lane| self.states.get(lane)).cloned();
                    claims.push(Claim { job, token, claimed_at: now, state });
                }
            }
        }
        self.tokens += u64::from(!claims.is_empty());
        claims
    }

    fn beat(&mut self, now: Timestamp, lease: Duration, id: JobId, token: RunToken) -> Held {
        match self.jobs.get_mut(&id).map(|kept| &mut kept.place) {
            Some(Place::Running { token: current, cancelled, until }) if *current == token => {
                if *cancelled {
                    return Held::Cancelled;
                }
                *until = now + lease;
                Held::Yes
            }
            _ => Held::Lost,
        }
    }

    fn cancel(&mut self, now: Timestamp, id: JobId) -> Cancelled {
        let Some(kept) = self.jobs.get_mut(&id) else { return Cancelled::Unknown };
        match &mut kept.place {
            Place::Running { cancelled, .. } => {
                *cancelled = true;
                Cancelled::Marked
            }
            Place::Dead(_) | Place::Completed(_) => Cancelled::Over,
            Place::Scheduled(_) | Place::Ready | Place::Waiting => {
                self.remove(now, id);
                Cancelled::Gone
            }
        }
    }

    fn retry(&mut self, id: JobId) -> bool {
        let Some(kept) = self.jobs.get_mut(&id) else { return false };
        match kept.place {
            Place::Dead(_) => {
                kept.job.reruns += 1;
                self.remembered.remove(&id);
            }
            Place::Scheduled(_) => {}
            Place::Ready | Place::Waiting | Place::Running { .. } | Place::Completed(_) => {
                return false;
            }
        }
        kept.job.failures = 0;
        kept.job.lost = 0;
        kept.job.first_claimed = None;
        self.enter(id);
        true
    }

    fn delete(&mut self, id: JobId) -> bool {
        let over = self
            .jobs
            .get(&id)
            .is_some_and(|kept| matches!(kept.place, Place::Dead(_) | Place::Completed(_)));
        if over {
            self.jobs.remove(&id);
        }
        over
    }

    fn pause(&mut self, queue: &str, until: Option<Timestamp>) {
        let longest = match (self.pauses.get(queue), until) {
            (Some(None), _) | (_, None) => None,
            (Some(Some(old)), Some(new)) => Some(new.max(*old)),
            (None, Some(new)) => Some(new),
        };
        self.pauses.insert(queue.to_owned(), longest);
    }

    fn paused(&self, queue: &str, now: Timestamp) -> Option<Paused> {
        match self.pauses.get(queue)? {
            None => Some(Paused::UntilResumed),
            Some(until) => (*until > now).then_some(Paused::Until(*until)),
        }
    }
}
