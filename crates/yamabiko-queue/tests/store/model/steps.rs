//! The steps of the model, each as its rule says.

use std::time::Duration;

use yamabiko_queue::{
    Due, Effect, Hold, Job, JobId, NewJob, Outcome, StoreOptions, Timestamp,
    store::{
        Answer, Cancelled, Claim, Commit, Held, Inserted, MAX_CLAIMS, MAX_DROPPED, MAX_DUE,
        MAX_ENDED, Paused, RunToken, Want,
    },
};

use super::{Kept, Place, World};
use crate::place::secs;

impl World {
    pub(super) fn insert(&mut self, now: Timestamp, new: &NewJob) -> Inserted {
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
            origin_time: new.origin_time,
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
            unreadable: None,
        };
        let place = Place::Scheduled(due.unwrap_or(now));
        let set_at = matches!(new.due, Due::In(_)).then_some(now);
        let spared = self.newest_group(job.chat.as_ref());
        let kept = Kept {
            job,
            place,
            set_at,
            history: Vec::new(),
            spared,
            passes_until: new.passes_until.filter(|_| due.is_none()),
            stood: 0,
        };
        self.jobs.insert(new.id, kept);
        if let Some(origin) = &new.revokes {
            self.revoked.insert(origin.clone(), now + secs(24 * 3600));
        }
        if due.is_none_or(|due| due <= now) {
            self.enter(now, new.id);
        }
        Inserted::Stored
    }

    pub(super) fn commit(
        &mut self,
        now: Timestamp,
        options: &StoreOptions,
        commit: &Commit,
    ) -> Answer {
        let id = commit.id;
        match self.jobs.get(&id).map(|kept| kept.place) {
            Some(Place::Running { token, cancelled, .. }) if token == commit.token => {
                if cancelled || self.is_cancelled_group(id) {
                    self.remove(now, id);
                    return Answer::Cancelled;
                }
            }
            _ => return Answer::Lost,
        }
        if self.job(id).job.checkpoint < commit.checkpoints {
            return Answer::Lost;
        }
        if let Outcome::Checkpoint { payload } = &commit.outcome {
            if commit.checkpoints == self.job(id).job.checkpoint {
                self.effects(now, commit);
                let job = &mut self.job(id).job;
                job.payload.clone_from(payload);
                job.checkpoint += 1;
                job.lost = 0;
            }
            return Answer::Applied;
        }
        self.effects(now, commit);
        match &commit.outcome {
            Outcome::Checkpoint { .. } => unreachable!("done above"),
            Outcome::Complete if options.keep_completed.is_zero() => self.remove(now, id),
            Outcome::Complete => self.end(now, id, Place::Completed(now)),
            Outcome::Cancel => self.remove(now, id),
            Outcome::GiveBack { afresh } => self.give_back(now, id, *afresh),
            Outcome::Dead { error } => {
                self.job(id).job.failures += 1;
                self.note(now, id, error);
                self.end(now, id, Place::Dead(now));
            }
            Outcome::Release { unsure } => {
                self.job(id).job.unsure |= unsure;
                self.put_first(id);
            }
            Outcome::Retry { after, hold, error, unsure } => {
                let job = &mut self.job(id).job;
                job.failures += 1;
                job.unsure |= unsure;
                self.note(now, id, error);
                self.schedule(now, id, *after, *hold);
            }
            Outcome::Snooze { after, hold, reason, afresh } => {
                if *afresh {
                    self.job(id).job.first_claimed = None;
                }
                if let Some(reason) = reason {
                    self.note(now, id, reason);
                }
                self.schedule(now, id, *after, *hold);
            }
        }
        Answer::Applied
    }

    fn schedule(&mut self, now: Timestamp, id: JobId, after: Duration, hold: Hold) {
        self.job(id).set_at = Some(now);
        self.put(id, Place::Scheduled(now + after));
        match hold {
            Hold::No => self.leave_lane(now, id),
            Hold::Yes => {}
            Hold::Lend => self.lend(now, id),
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
                Effect::CancelAll { group, origin_by } => {
                    self.cancel_group(commit.id, group, *origin_by);
                }
                Effect::SetState(state) => match (&lane, state) {
                    (None, _) => {}
                    (Some(lane), Some(state)) => {
                        self.states.insert(lane.clone(), state.clone());
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
                Effect::Pause { queue, time } => self.pause(now, queue, Some(*time)),
            }
        }
    }

    /// Says whether claims that have ended may be returned (C3).
    pub(super) fn may_end(&mut self, now: Timestamp, lease: Duration) -> (bool, Timestamp) {
        let since = match self.ticking {
            Some((since, last)) if now <= last + secs(2) && now >= last - secs(2) => since,
            _ => now,
        };
        self.ticking = Some((since, now));
        (now >= since + lease.max(secs(5)), since)
    }

    /// Shortens what was set by a clock that was ahead to the length that it was to have (T3).
    pub(super) fn set_right(&mut self, now: Timestamp, lease: Duration) {
        let anew = |until: Timestamp, set_at: Timestamp| now + until.since(set_at);
        for kept in self.jobs.values_mut() {
            match (&mut kept.place, &mut kept.set_at) {
                (Place::Scheduled(at), Some(set_at)) if *set_at > now => {
                    *at = anew(*at, *set_at);
                    *set_at = now;
                }
                (Place::Running { until, .. }, _) => *until = (*until).min(now + lease),
                _ => {}
            }
        }
        for (until, set_at) in self.pauses.values_mut().flatten() {
            if *set_at > now {
                *until = anew(*until, *set_at);
                *set_at = now;
            }
        }
        for (_, until) in self.processes.values_mut() {
            *until = (*until).min(now + lease);
        }
    }

    /// A tick without its last part: `next`.
    pub(super) fn tick(
        &mut self,
        now: Timestamp,
        due_by: Timestamp,
        may_end: bool,
        options: &StoreOptions,
    ) -> (usize, usize) {
        let due: Vec<_> =
            self.scheduled().into_iter().filter(|(at, _)| *at <= due_by).take(MAX_DUE).collect();
        let mut promoted = 0;
        for (_, id) in &due {
            if self.is_cancelled_group(*id) {
                self.remove(now, *id);
            } else {
                self.enter(now, *id);
                promoted += 1;
            }
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
        for (_, id) in completed.into_iter().take(over.max(old)) {
            self.jobs.remove(&id);
        }
        self.remembered.retain(|_, until| *until > now);
        self.pauses.retain(|_, pause| pause.is_none_or(|(until, _)| until > now));
        (promoted, ended.len())
    }

    /// Removes what only ticks of their own do for its age.
    pub(super) fn prune(&mut self, now: Timestamp, keep_dead: Duration) {
        for (_, id) in self.dead().into_iter().filter(|(at, _)| *at + keep_dead <= now) {
            self.jobs.remove(&id);
        }
        self.revoked.retain(|_, until| *until > now);
        self.processes.retain(|_, (_, until)| *until > now);
        self.lines.retain(|_, (.., until)| *until > now);
    }

    /// Removes the oldest of more dead jobs than may be kept.
    pub(super) fn drop_dead(&mut self, most: u32) -> usize {
        let dead = self.dead();
        let surplus = dead.len().saturating_sub(most as usize).min(MAX_DROPPED);
        for (_, id) in dead.into_iter().take(surplus) {
            self.jobs.remove(&id);
        }
        surplus
    }

    pub(super) fn next(
        &self,
        now: Timestamp,
        may_end: bool,
        since: Timestamp,
        lease: Duration,
        sweeps: bool,
    ) -> Option<Timestamp> {
        let due = self.scheduled().first().map(|(at, _)| *at);
        let again = (since + lease.max(secs(5))).min(now + secs(1));
        let end = self.running().first().map(|(until, _)| if may_end { *until } else { again });
        let resumed = self.pauses.values().copied().flatten().map(|(until, _)| until).min();
        [due, end, resumed, sweeps.then_some(now)].into_iter().flatten().min()
    }

    fn is_revoked(&self, id: JobId) -> bool {
        let origin = self.jobs[&id].job.origin.as_ref();
        origin.is_some_and(|origin| self.revoked.contains_key(origin))
    }

    pub(super) fn claims(
        &mut self,
        now: Timestamp,
        token: RunToken,
        wants: &[Want],
        lease: Duration,
    ) -> Vec<Claim> {
        let mut claims = Vec::new();
        for want in wants {
            let mut left = want.at_most.min(MAX_CLAIMS - claims.len());
            for queue in want
                .queues
                .iter()
                .filter(|queue| self.paused(queue, now).is_none())
                .cloned()
                .collect::<Vec<_>>()
            {
                let line = self.ready.entry(queue).or_default();
                let taken: Vec<_> = line.drain(..left.min(line.len())).collect();
                for id in taken {
                    if self.is_cancelled_group(id) || self.is_revoked(id) {
                        self.remove(now, id);
                        continue;
                    }
                    left -= 1;
                    self.put(id, Place::Running { token, until: now + lease, cancelled: false });
                    let job = &mut self.job(id).job;
                    job.first_claimed.get_or_insert(now);
                    let job = job.clone();
                    let state = job.lane.as_ref().and_then(|lane| self.states.get(lane)).cloned();
                    let on_loan = self.is_on_loan(id);
                    claims.push(Claim { job, token, claimed_at: now, state, on_loan });
                }
            }
        }
        claims
    }

    pub(super) fn beat(
        &mut self,
        now: Timestamp,
        lease: Duration,
        id: JobId,
        token: RunToken,
    ) -> Held {
        let is_cancelled = self.jobs.contains_key(&id) && self.is_cancelled_group(id);
        match self.jobs.get_mut(&id).map(|kept| &mut kept.place) {
            Some(Place::Running { token: current, cancelled, until }) if *current == token => {
                if *cancelled || is_cancelled {
                    return Held::Cancelled;
                }
                *until = now + lease;
                Held::Yes
            }
            _ => Held::Lost,
        }
    }

    pub(super) fn cancel(&mut self, now: Timestamp, id: JobId) -> Cancelled {
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

    pub(super) fn retry(&mut self, now: Timestamp, id: JobId) -> bool {
        let chat = self.jobs.get(&id).and_then(|kept| kept.job.chat.clone());
        let newest = self.newest_group(chat.as_ref());
        let is_cancelled = self.jobs.contains_key(&id) && self.is_cancelled_group(id);
        let Some(kept) = self.jobs.get_mut(&id) else { return false };
        match kept.place {
            Place::Dead(_) => {
                kept.spared = newest;
                kept.job.reruns += 1;
                kept.job.first_claimed = None;
                self.remembered.remove(&id);
            }
            Place::Scheduled(_) if !is_cancelled => {}
            Place::Scheduled(_)
            | Place::Ready
            | Place::Waiting
            | Place::Running { .. }
            | Place::Completed(_) => {
                return false;
            }
        }
        kept.job.failures = 0;
        kept.job.lost = 0;
        self.enter(now, id);
        true
    }

    pub(super) fn delete(&mut self, id: JobId) -> bool {
        let over = self
            .jobs
            .get(&id)
            .is_some_and(|kept| matches!(kept.place, Place::Dead(_) | Place::Completed(_)));
        if over {
            self.jobs.remove(&id);
        }
        over
    }

    pub(super) fn pause(&mut self, now: Timestamp, queue: &str, time: Option<Duration>) {
        let pause = time.map(|time| (now + time, now));
        let longest = match (self.pauses.get(queue), pause) {
            (Some(None), _) | (_, None) => None,
            (Some(Some(old)), Some(new)) => Some(if old.0 < new.0 { new } else { *old }),
            (None, Some(new)) => Some(new),
        };
        self.pauses.insert(queue.to_owned(), longest);
    }

    pub(super) fn paused(&self, queue: &str, now: Timestamp) -> Option<Paused> {
        match self.pauses.get(queue)? {
            None => Some(Paused::UntilResumed),
            Some((until, _)) => (*until > now).then_some(Paused::Until(*until)),
        }
    }
}
