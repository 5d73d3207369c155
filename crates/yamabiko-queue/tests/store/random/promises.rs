//! What a store promises, checked on calls and answers alone: it knows no lists, no tick and no model.

mod loans;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use yamabiko_queue::{
    Due, Effect, JobId, NewJob, Outcome, Timestamp,
    store::{Answer, Cancelled, Claim, Commit, Group, Held, Hold, Inserted, RunToken, Sending},
};

use crate::place::{LEASE, secs};
use loans::passed;

/// The run that holds a job, as far as its worker knows.
#[derive(Clone, Copy, Debug)]
struct Run {
    token: RunToken,
    /// Until when nobody else may have the job.
    until: Timestamp,
    cancelled: bool,
    /// Whether it has its lane on loan.
    on_loan: bool,
}

#[derive(Debug)]
struct Seen {
    new: NewJob,
    payload: Vec<u8>,
    not_before: Option<Timestamp>,
    /// Whether that is some time after it was set, and no moment by the clock (T3).
    is_relative: bool,
    checkpoint: u32,
    run: Option<Run>,
    ended: bool,
    /// Whether it ended with all of its group: it may still be there until ticks have removed it.
    with_group: bool,
}

/// Watches over all that a store is asked and answers.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    jobs: BTreeMap<JobId, Seen>,
    /// Jobs of a lane that were stored for now and not yet claimed, in order.
    line: BTreeMap<String, Vec<JobId>>,
    /// Who has a lane: from the first claim until it ends, lets the lane go on, or lends it.
    owner: BTreeMap<String, JobId>,
    /// Who lends a lane, until it is claimed again or ends (O8).
    lender: BTreeMap<String, JobId>,
    /// Those that stood in line before a job that was claimed on loan.
    before: BTreeMap<JobId, Vec<JobId>>,
    states: BTreeMap<String, Vec<u8>>,
    /// Origins whose jobs end instead of being claimed (I5).
    revoked: BTreeSet<String>,
    /// Effects that happened.
    effects: BTreeSet<JobId>,
    /// The last exchange of each line that has changed anything, or was sent again.
    lines: BTreeMap<Vec<u8>, RunToken>,
}

impl Promises {
    pub(crate) fn inserted(&mut self, now: Timestamp, new: &NewJob, answer: Option<Inserted>) {
        if self.jobs.contains_key(&new.id)
            && self.may_be_over(now, new.id)
            && answer == Some(Inserted::Stored)
        {
            self.end(new.id);
        }
        let live = self.jobs.get(&new.id).map(|seen| !seen.ended);
        match (live, answer) {
            (None, answer) => {
                assert_ne!(answer, Some(Inserted::Duplicate), "a new id is a duplicate");
            }
            (Some(true), answer) => {
                assert_ne!(answer, Some(Inserted::Stored), "an id is stored twice");
                return;
            }
            (Some(false), answer) => {
                if answer != Some(Inserted::Stored) {
                    return;
                }
            }
        }
        let not_before = match new.due {
            Due::Now => None,
            Due::At(at) => Some(at),
            Due::In(delay) => Some(now + delay),
        };
        if let Some(lane) = &new.lane
            && not_before.is_none_or(|due| due <= now)
        {
            self.line.entry(lane.clone()).or_default().push(new.id);
        }
        let is_relative = matches!(new.due, Due::In(_));
        self.revoked.extend(new.revokes.clone());
        let payload = new.payload.clone();
        let seen = Seen {
            new: new.clone(),
            payload,
            not_before,
            is_relative,
            checkpoint: 0,
            run: None,
            ended: false,
            with_group: false,
        };
        self.jobs.insert(new.id, seen);
    }

    /// The clock is set back: what lasts a length of time may be counted from now, and so end earlier by that clock.
    pub(crate) fn clock_set_back(&mut self, now: Timestamp, by: Duration) {
        for seen in self.jobs.values_mut() {
            let due = seen.not_before.filter(|due| *due > now);
            // What was due may be ready already.
            seen.not_before = if seen.is_relative { due.map(|due| due - by) } else { due };
            if let Some(run) = &mut seen.run {
                run.until = run.until - by;
            }
        }
    }

    fn claimed(&mut self, now: Timestamp, claim: &Claim) {
        let id = claim.job.id;
        let owner = claim.job.lane.as_ref().and_then(|lane| self.owner.get(lane)).copied();
        if let Some(owner) = owner.filter(|owner| *owner != id) {
            assert!(self.may_be_over(now, owner), "two jobs of one lane run");
            self.end(owner);
        }
        let seen = self.jobs.get_mut(&id).expect("a job is claimed that was never stored");
        assert!(!seen.ended, "a job is claimed after its end");
        let origin = &seen.new.origin;
        assert!(
            seen.run.is_some_and(|run| run.token == claim.token)
                || !origin.as_ref().is_some_and(|origin| self.revoked.contains(origin)),
            "a job is claimed whose origin was revoked"
        );
        if let Some(run) = seen.run {
            assert!(now >= run.until || run.token == claim.token, "a job is claimed twice");
            assert!(!run.cancelled, "a cancelled job is claimed");
        }
        assert!(seen.not_before.is_none_or(|due| due <= now), "a job is claimed early");
        let new = &seen.new;
        assert_eq!(
            (&claim.job.queue, &claim.job.lane, &claim.job.kind),
            (&new.queue, &new.lane, &new.kind)
        );
        assert_eq!((&claim.job.payload, claim.job.checkpoint), (&seen.payload, seen.checkpoint));
        let on_loan = claim.on_loan;
        seen.run = Some(Run { token: claim.token, until: now + LEASE, cancelled: false, on_loan });
        let Some(lane) = claim.job.lane.clone() else {
            assert_eq!(claim.state, None);
            return;
        };
        assert_eq!(claim.state.as_ref(), self.states.get(&lane), "the state of the lane");
        let mut line = self.line.remove(&lane).unwrap_or_default();
        self.check_loan(now, &lane, claim);
        if on_loan {
            self.before.extend(passed(&mut line, id));
        } else if line.contains(&id) {
            // Those before it may have ended when it was their turn.
            line.retain(|other| *other == id || !self.may_be_over(now, *other));
            assert_eq!(line.remove(0), id, "the order of the lane");
        }
        self.line.insert(lane.clone(), line);
        self.owner.insert(lane, id);
    }

    /// Says whether an exchange comes after a later one of its line.
    pub(crate) fn is_late(&self, token: RunToken) -> bool {
        self.lines.get(token.line()).is_some_and(|last| *last > token)
    }

    /// Says whether an exchange is the last one of its line that did anything.
    pub(crate) fn knows_exchange(&self, token: RunToken) -> bool {
        self.lines.get(token.line()) == Some(&token)
    }

    /// An exchange was answered, its commits apart: it claims once, and when it is sent again it shows what stands.
    pub(crate) fn exchanged(
        &mut self,
        now: Timestamp,
        sending: Sending,
        has_changed: bool,
        claims: &[Claim],
    ) {
        let token = sending.token;
        assert!(claims.iter().all(|claim| claim.token == token));
        if self.is_late(token) {
            assert_eq!(claims, [], "an exchange that comes too late claims");
            return;
        }
        if self.knows_exchange(token) {
            let before = self.claimed_under(token);
            let stands = |id| claims.iter().any(|claim| claim.job.id == id);
            assert!(claims.iter().all(|claim| before.contains(&claim.job.id)), "it claims anew");
            for id in before.into_iter().filter(|id| !stands(*id)) {
                let run = self.jobs[&id].run.expect("it was claimed");
                assert!(run.cancelled || now >= run.until, "a claim that stands is not shown");
                if run.cancelled {
                    self.end(id);
                }
            }
        }
        for claim in claims {
            self.claimed(now, claim);
        }
        if has_changed || sending.again || !claims.is_empty() {
            self.lines.insert(token.line().to_vec(), token);
        }
    }

    fn claimed_under(&self, token: RunToken) -> Vec<JobId> {
        let is_under = |seen: &Seen| seen.run.is_some_and(|run| run.token == token);
        self.jobs.iter().filter(|(_, seen)| is_under(seen)).map(|(id, _)| *id).collect()
    }

    /// A worker beat for an exchange whose answer it awaits.
    pub(crate) fn extended(&mut self, now: Timestamp, token: RunToken) {
        for id in self.claimed_under(token) {
            let run = self.jobs.get_mut(&id).and_then(|seen| seen.run.as_mut());
            if let Some(run) = run.filter(|run| now < run.until && !run.cancelled) {
                run.until = now + LEASE;
            }
        }
    }

    /// A worker gave up what an exchange may have claimed.
    pub(crate) fn released(&mut self, now: Timestamp, token: RunToken) {
        for id in self.claimed_under(token) {
            let seen = self.jobs.get_mut(&id).expect("it was found");
            let run = seen.run.take().expect("it was claimed");
            if run.cancelled {
                self.end(id);
            } else if now >= run.until {
                // It may have ended before, and come back.
                seen.run = Some(run);
            }
        }
        if !self.is_late(token) {
            self.lines.insert(token.line().to_vec(), token);
        }
    }

    pub(crate) fn committed(&mut self, now: Timestamp, commit: &Commit, answer: Answer) {
        let Some(seen) = self.jobs.get_mut(&commit.id) else {
            assert_eq!(answer, Answer::Lost);
            return;
        };
        let Some(run) = seen.run.filter(|run| run.token == commit.token) else {
            assert_eq!(answer, Answer::Lost, "a run without the current claim is heard");
            return;
        };
        if answer == Answer::Lost {
            let has_lost = commit.checkpoints > seen.checkpoint;
            assert!(now >= run.until || has_lost, "a run that holds its job is lost");
            return;
        }
        if answer == Answer::Applied {
            assert!(
                commit.checkpoints <= seen.checkpoint,
                "what a run asked for before is missing"
            );
        }
        assert_eq!(answer == Answer::Cancelled, run.cancelled);
        if run.cancelled {
            self.end(commit.id);
            return;
        }
        if let Outcome::Checkpoint { payload } = &commit.outcome {
            if commit.checkpoints == seen.checkpoint {
                seen.payload.clone_from(payload);
                seen.checkpoint += 1;
                self.effected(now, commit);
            }
            return;
        }
        self.effected(now, commit);
        self.finished(now, commit);
    }

    fn finished(&mut self, now: Timestamp, commit: &Commit) {
        let seen = self.jobs.get_mut(&commit.id).expect("it was found before");
        let lane = seen.new.lane.clone();
        match &commit.outcome {
            Outcome::Complete | Outcome::Dead { .. } | Outcome::Cancel => self.end(commit.id),
            Outcome::Release { .. } | Outcome::Checkpoint { .. } => seen.run = None,
            Outcome::GiveBack { .. } => {
                if seen.run.take().is_some_and(|run| run.on_loan) {
                    self.leave_lane(commit.id);
                    self.back_in_line(commit.id);
                }
            }
            Outcome::Retry { after, hold, .. } | Outcome::Snooze { after, hold, .. } => {
                // What has its lane on loan does not lend it.
                let lends = *hold == Hold::Lend && !seen.run.is_some_and(|run| run.on_loan);
                seen.run = None;
                seen.not_before = Some(now + *after);
                seen.is_relative = true;
                if lends || *hold == Hold::No {
                    self.leave_lane(commit.id);
                }
                if let (true, Some(lane)) = (lends, lane) {
                    self.lender.insert(lane, commit.id);
                }
            }
        }
    }

    fn effected(&mut self, now: Timestamp, commit: &Commit) {
        let NewJob { lane, chat, .. } = self.jobs[&commit.id].new.clone();
        for effect in &commit.effects {
            match effect {
                Effect::Insert(new) => {
                    if !self.jobs.contains_key(&new.id) {
                        assert!(self.effects.insert(new.id), "an effect happens twice");
                    }
                    self.inserted(now, new, None);
                }
                Effect::Cancel(id) if *id == commit.id => {}
                Effect::Cancel(id) => self.cancelled(now, *id, None),
                Effect::CancelAll { group, origin_by } => {
                    let in_group = |seen: &Seen| {
                        let new = &seen.new;
                        chat.is_some()
                            && new.chat == chat
                            && origin_by.is_none_or(|by| new.origin_time <= Some(by))
                            && match group {
                                Group::Kind(kind) => new.kind == *kind,
                                Group::Origin(origin) => new.origin.as_ref() == Some(origin),
                                Group::AllBut(kind) => new.kind != *kind,
                            }
                    };
                    let all = self.jobs.iter().filter(|(_, seen)| !seen.ended && in_group(seen));
                    let all: Vec<_> = all.map(|(id, _)| *id).collect();
                    for id in all.into_iter().filter(|id| *id != commit.id) {
                        self.cancelled(now, id, None);
                        self.jobs.get_mut(&id).expect("it was found").with_group = true;
                    }
                }
                Effect::SetState(state) => match (&lane, state) {
                    (None, _) => {}
                    (Some(lane), Some(state)) => {
                        self.states.insert(lane.clone(), state.clone());
                    }
                    (Some(lane), None) => drop(self.states.remove(lane)),
                },
                Effect::Scrub { origin } => {
                    for seen in self.jobs.values_mut().filter(|seen| seen.ended && chat.is_some()) {
                        if seen.new.chat == chat && seen.new.origin.as_ref() == Some(origin) {
                            seen.payload = b"null".to_vec();
                        }
                    }
                }
                Effect::Pause { .. } => {}
            }
        }
    }

    pub(crate) fn beaten(&mut self, now: Timestamp, id: JobId, token: RunToken, answer: Held) {
        let run = self
            .jobs
            .get_mut(&id)
            .and_then(|seen| seen.run.as_mut())
            .filter(|run| run.token == token);
        let Some(run) = run else {
            assert_eq!(answer, Held::Lost);
            return;
        };
        match answer {
            Held::Yes => {
                assert!(!run.cancelled);
                run.until = now + LEASE;
            }
            Held::Cancelled => assert!(run.cancelled),
            Held::Lost => {
                assert!(now >= run.until, "a run that holds its job is told that it does not");
            }
        }
    }

    pub(crate) fn cancelled(&mut self, now: Timestamp, id: JobId, answer: Option<Cancelled>) {
        let is_revoked = self.jobs.contains_key(&id) && self.is_revoked(id);
        let Some(seen) = self.jobs.get_mut(&id).filter(|seen| !seen.ended) else {
            let may_be_there = self.jobs.get(&id).is_some_and(|seen| seen.with_group);
            match answer {
                None | Some(Cancelled::Unknown | Cancelled::Over) => {}
                Some(Cancelled::Gone | Cancelled::Marked) => assert!(may_be_there, "{answer:?}"),
            }
            return;
        };
        match (&mut seen.run, answer) {
            (Some(run), None) if now < run.until => run.cancelled = true,
            (Some(run), Some(Cancelled::Marked)) => run.cancelled = true,
            (Some(run), answer) => {
                assert!(now >= run.until, "a running job is only marked: {answer:?}");
                let is_gone = matches!(answer, None | Some(Cancelled::Gone));
                assert!(run.cancelled || is_gone || is_revoked);
                // Without an answer it is either gone or marked; in both cases it never runs again.
                run.cancelled = true;
                if answer.is_some() {
                    self.end(id);
                }
            }
            (None, answer) => {
                let is_gone = matches!(answer, None | Some(Cancelled::Gone));
                assert!(is_gone || is_revoked, "{answer:?}");
                self.end(id);
            }
        }
    }

    pub(crate) fn run_again(&mut self, now: Timestamp, id: JobId, answer: bool) {
        if answer {
            let seen = self.jobs.get_mut(&id).expect("only what was stored runs again");
            assert!(seen.run.is_none_or(|run| now >= run.until), "a running job is run again");
            seen.ended = false;
            seen.with_group = false;
            seen.run = None;
            seen.not_before = None;
        }
    }

    pub(crate) fn deleted(&self, id: JobId, answer: bool) {
        assert!(!answer || self.jobs[&id].ended, "a live job is deleted");
    }

    fn end(&mut self, id: JobId) {
        self.leave_lane(id);
        self.lender.retain(|_, lender| *lender != id);
        let seen = self.jobs.get_mut(&id).expect("only what was stored ends");
        seen.ended = true;
        seen.run = None;
        if let Some(line) = seen.new.lane.as_ref().and_then(|lane| self.line.get_mut(lane)) {
            line.retain(|other| *other != id);
        }
    }

    fn leave_lane(&mut self, id: JobId) {
        if let Some(lane) = &self.jobs[&id].new.lane
            && self.owner.get(lane) == Some(&id)
        {
            self.owner.remove(lane);
        }
    }

    fn is_revoked(&self, id: JobId) -> bool {
        let origin = self.jobs[&id].new.origin.as_ref();
        origin.is_some_and(|origin| self.revoked.contains(origin))
    }

    /// Says whether a job may have ended although no run of it told so: its claim ended after it was cancelled, or it was to
    /// be claimed after its origin was revoked.
    fn may_be_over(&self, now: Timestamp, id: JobId) -> bool {
        self.jobs[&id].run.map_or(self.is_revoked(id), |run| {
            now >= run.until && (run.cancelled || self.is_revoked(id))
        })
    }

    /// Returns the jobs that have not come to an end.
    pub(crate) fn alive(&self, now: Timestamp) -> Vec<JobId> {
        let alive =
            self.jobs.iter().filter(|(id, seen)| !seen.ended && !self.may_be_over(now, **id));
        alive.map(|(id, _)| *id).collect()
    }

    /// Says whether a job was ever stored.
    pub(crate) fn know(&self, id: JobId) -> bool {
        self.jobs.contains_key(&id)
    }

    /// Says whether a job has not come to an end, and is remembered for longer than the sequence lasts when it does.
    pub(crate) fn is_taken_for_long(&self, id: JobId) -> bool {
        self.jobs.get(&id).is_some_and(|seen| !seen.ended && seen.new.remember >= secs(3600))
    }
}
