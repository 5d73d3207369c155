//! What people see of the model.

use yamabiko_queue::{
    JobId, JobRecord, State, Timestamp,
    store::{Counts, Page, Query, QueueCounts},
};

use super::{Place, World};

/// Live jobs of a chat that are returned at most (S3).
const MAX_LIVE: usize = 10_000;

impl World {
    pub(super) fn record(&self, id: JobId) -> JobRecord {
        let kept = &self.jobs[&id];
        let (state, time, cancelled) = match kept.place {
            Place::Scheduled(at) => (State::Scheduled, Some(at), false),
            Place::Ready => (State::Ready, None, false),
            Place::Waiting => (State::Waiting, None, false),
            Place::Running { until, cancelled, .. } => (State::Running, Some(until), cancelled),
            Place::Dead(at) => (State::Dead, Some(at), false),
            Place::Completed(at) => (State::Completed, Some(at), false),
        };
        JobRecord { job: kept.job.clone(), state, time, cancelled, history: kept.history.clone() }
    }

    pub(super) fn live(&self, chat: &str) -> Vec<JobRecord> {
        let all = self.jobs.keys().map(|id| self.record(*id));
        let mut live: Vec<_> = all
            .filter(|record| record.state.is_live() && record.job.chat.as_deref() == Some(chat))
            .filter(|record| !self.is_cancelled_group(record.job.id))
            .collect();
        live.sort_by_key(|record| (record.job.due, record.job.id));
        live.truncate(MAX_LIVE);
        live
    }

    /// Returns the jobs of a state in the order in which they are listed.
    fn line(&self, state: State) -> Vec<JobId> {
        let ids = |found: Vec<(Timestamp, JobId)>| found.into_iter().map(|(_, id)| id);
        match state {
            State::Scheduled => ids(self.scheduled()).collect(),
            State::Ready => self.ready.values().flatten().copied().collect(),
            State::Waiting => self.waiting.values().flatten().copied().collect(),
            State::Running => ids(self.running()).collect(),
            State::Dead => ids(self.dead()).rev().collect(),
            State::Completed => ids(self.completed()).rev().collect(),
            State::Cancelled => Vec::new(),
        }
    }

    pub(super) fn list(&self, query: &Query) -> Page {
        let from: usize =
            query.after.as_ref().map_or(0, |after| after.parse().expect("one of ours"));
        let line = self.line(query.state).into_iter().map(|id| self.record(id));
        let found: Vec<_> = line.filter(|record| query.matches(&record.job)).collect();
        let more = found.len() > from + query.limit;
        let records = found.into_iter().skip(from).take(query.limit).collect();
        Page { records, next: more.then(|| (from + query.limit).to_string()) }
    }

    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        let mut counts =
            Counts { next_due: self.scheduled().first().map(|(at, _)| *at), ..Counts::default() };
        for state in State::ALL {
            counts.states.insert(state, self.line(state).len() as u64);
        }
        for queue in self.ready.keys().chain(self.pauses.keys()) {
            let ready = self.ready.get(queue).map_or(0, Vec::len) as u64;
            let paused = self.paused(queue, now);
            if ready > 0 || paused.is_some() {
                counts.queues.insert(queue.clone(), QueueCounts { ready, paused });
            }
        }
        let alive = self.processes.values().filter(|(_, until)| *until > now);
        counts.processes = alive.map(|(process, _)| process.clone()).collect();
        counts
    }
}
