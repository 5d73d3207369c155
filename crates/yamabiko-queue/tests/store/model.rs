//! The rules once more in plain lists and maps: what both stores are compared with, answer by answer.

mod exchanges;
mod groups;
mod loans;
mod people;
mod steps;
mod store;

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use yamabiko_queue::{
    Failure, Job, JobId, ManualClock, StoreOptions, Timestamp,
    job::MAX_HISTORY_BYTES,
    store::{Process, RunToken},
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
    /// When a retry, a snooze or a delay was set (T3).
    set_at: Option<Timestamp>,
    history: Vec<Failure>,
    /// The number of the newest of its chat's groups that does not concern it.
    spared: u64,
    /// Until when it may pass a job that lends their lane.
    passes_until: Option<Timestamp>,
    /// Its number in line, the last time that it waited.
    stood: u64,
}

/// A lane that is lent (O8).
#[derive(Clone, Copy, Debug)]
struct Loan {
    lender: Option<JobId>,
    borrower: Option<JobId>,
}

/// The whole store.
#[derive(Clone, Debug, Default)]
struct World {
    jobs: BTreeMap<JobId, Kept>,
    /// Ready jobs by queue, in order.
    ready: BTreeMap<String, Vec<JobId>>,
    /// Waiting jobs by lane, in order.
    waiting: BTreeMap<String, Vec<JobId>>,
    /// Who has the lane; of a lane that is lent and that nobody has borrowed, the lender.
    holders: BTreeMap<String, JobId>,
    loans: BTreeMap<String, Loan>,
    /// The last number in line that was given.
    last_in_line: u64,
    /// Until when the id of a job that has left the live ones is remembered.
    remembered: BTreeMap<JobId, Timestamp>,
    /// Origins whose jobs are not to run any more, and until when that is remembered.
    revoked: BTreeMap<String, Timestamp>,
    states: BTreeMap<String, Vec<u8>>,
    /// Groups of chats' jobs that are being cancelled, the oldest first.
    groups: Vec<groups::Noted>,
    /// The number of the last group.
    last_group: u64,
    /// Until when claims from a queue are stopped, and when that was set; `None`: until resumed.
    pauses: BTreeMap<String, Option<(Timestamp, Timestamp)>>,
    processes: BTreeMap<String, (Process, Timestamp)>,
    /// The last exchange of each line: its number, when it claimed, and until when it is remembered.
    lines: BTreeMap<Vec<u8>, (u64, Timestamp, Timestamp)>,
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

    /// Forgets what its handle knew, as a process does that starts anew.
    pub(crate) fn restart(&self) {
        self.world.lock().unwrap().ticking = None;
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
                self.last_in_line += 1;
                let number = self.last_in_line;
                self.job(id).stood = number;
                self.waiting.entry(lane.expect("only lanes wait")).or_default().push(id);
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
    fn enter(&mut self, now: Timestamp, id: JobId) {
        if self.waits_in_front(id) {
            return;
        }
        let free = self.jobs[&id]
            .job
            .lane
            .clone()
            .is_none_or(|lane| *self.holders.entry(lane).or_insert(id) == id);
        self.put(id, if free { Place::Ready } else { Place::Waiting });
        if let Some(lane) = self.jobs[&id].job.lane.clone() {
            self.lend_again(now, &lane);
        }
    }

    /// A job gives its lane, if it holds it, to the next.
    fn leave_lane(&mut self, now: Timestamp, id: JobId) {
        let Some(lane) = self.jobs[&id].job.lane.clone() else { return };
        if self.ends_loan(now, &lane, id) || self.holders.get(&lane) != Some(&id) {
            return;
        }
        self.holders.remove(&lane);
        self.loans.remove(&lane);
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
            // Until the quarter of its time span ends.
            let quarter = (time / 4).as_micros().max(1);
            let until = u128::try_from((now + time).as_micros()).unwrap();
            let until = i64::try_from(until.div_ceil(quarter) * quarter).unwrap();
            self.remembered.insert(id, Timestamp::from_micros(until));
        }
    }

    /// A job leaves the live ones, and the store.
    fn remove(&mut self, now: Timestamp, id: JobId) {
        self.step_out(id);
        self.leave_lane(now, id);
        self.remember(now, id);
        self.jobs.remove(&id);
    }

    /// A job leaves the live ones, and is kept for people.
    fn end(&mut self, now: Timestamp, id: JobId, place: Place) {
        self.leave_lane(now, id);
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
