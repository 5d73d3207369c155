//! The model behind the stores' own interface, so that the rules judge it as well.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use async_trait::async_trait;
use yamabiko_queue::{
    Due, Error, JobId, JobRecord, NewJob, Result, Store,
    job::MAX_DELAY,
    store::{
        Answer, Cancelled, Commit, Counts, Held, Inserted, MAX_COMMITS, MAX_DROPPED, MAX_PARTS,
        Page, Process, Query, RunToken, Sending, Signal, TURN_LATER, Tick, Turn, Want,
    },
};

use super::Model;

#[async_trait]
impl Store for Model {
    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.step(|world, now, _| {
            for job in jobs {
                job.check()?;
                match job.due {
                    Due::At(at) if at > now + MAX_DELAY => {
                        return Err(Error::TooFar(at.since(now)));
                    }
                    Due::Now | Due::At(_) | Due::In(_) => {}
                }
            }
            Ok(jobs.iter().map(|job| world.insert(now, job)).collect())
        })
    }

    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        let parts: usize = commits.iter().map(Commit::parts).sum();
        let is_too_much = commits.len() > 1 && parts > MAX_PARTS;
        if commits.len() > MAX_COMMITS || is_too_much {
            let few = (parts, MAX_PARTS);
            let (size, limit) =
                if commits.len() > MAX_COMMITS { (commits.len(), MAX_COMMITS) } else { few };
            return Err(Error::TooLarge { what: "a turn", size, limit });
        }
        let token = sending.token;
        self.step(|world, now, options| {
            let order = world.order(token);
            let is_late = order == Some(Ordering::Less);
            let answers: Vec<_> = commits
                .iter()
                .map(
                    |commit| {
                        if is_late { Answer::Lost } else { world.commit(now, options, commit) }
                    },
                )
                .collect();
            if order.is_some_and(Ordering::is_eq) {
                world.renew_claims(now, options.lease, token);
            }
            let (may_end, since) = world.may_end(now, options.lease);
            if now <= since {
                world.set_right(now, options.lease);
            }
            let sweeps = world.sweep_groups(now, options.cancel_batch);
            let (promoted, ended) = world.tick(now, now - TURN_LATER, may_end, options);
            let next = world.next(now, may_end, since, options.lease, sweeps);
            let claims = match order {
                Some(Ordering::Less) => Vec::new(),
                Some(Ordering::Equal) => world.standing(now, token),
                _ => world.claims(now, token, wants, options.lease),
            };
            let has_changed = !claims.is_empty() || answers.iter().any(|it| *it != Answer::Lost);
            if !is_late && (has_changed || sending.again) {
                world.note_exchange(now, token);
            }
            let tick = Tick { now, promoted, ended, dropped: 0, forgotten: 0, next };
            Ok(Turn { answers, claims, tick })
        })
    }

    async fn release(&self, token: RunToken) -> Result<usize> {
        self.step(|world, now, _| Ok(world.release(now, token)))
    }

    async fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> Result<Vec<Held>> {
        self.step(|world, now, options| {
            for token in awaited {
                world.extend_awaited(now, options.lease, *token);
            }
            world.processes.insert(process.name.clone(), (process.clone(), now + options.lease));
            Ok(runs.iter().map(|(id, token)| world.beat(now, options.lease, *id, *token)).collect())
        })
    }

    async fn tick(&self) -> Result<Tick> {
        self.step(|world, now, options| {
            let (may_end, since) = world.may_end(now, options.lease);
            world.set_right(now, options.lease);
            let sweeps = world.sweep_groups(now, options.cancel_batch);
            let (promoted, ended) = world.tick(now, now, may_end, options);
            world.prune(now, options.keep_dead);
            let dropped = world.drop_dead(options.keep_dead_max);
            let again = sweeps || dropped == MAX_DROPPED;
            let next = world.next(now, may_end, since, options.lease, again);
            Ok(Tick { now, promoted, ended, dropped, forgotten: 0, next })
        })
    }

    async fn wait(&self, _signals: &[Signal], _at_most: Duration) -> Result<()> {
        Ok(())
    }

    async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>> {
        self.step(|world, now, _| Ok(ids.iter().map(|id| world.cancel(now, *id)).collect()))
    }

    async fn retry(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.step(|world, now, _| Ok(ids.iter().map(|id| world.retry(now, *id)).collect()))
    }

    async fn delete(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.step(|world, _, _| Ok(ids.iter().map(|id| world.delete(*id)).collect()))
    }

    async fn pause(&self, queue: &str, time: Option<Duration>) -> Result<()> {
        self.step(|world, now, _| world.pause(now, queue, time));
        Ok(())
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        self.step(|world, _, _| world.pauses.remove(queue));
        Ok(())
    }

    async fn state(&self, lane: &str) -> Result<Option<Vec<u8>>> {
        self.step(|world, _, _| Ok(world.states.get(lane).cloned()))
    }

    async fn live(&self, chat: &str) -> Result<Vec<JobRecord>> {
        self.step(|world, _, _| Ok(world.live(chat)))
    }

    async fn counts(&self) -> Result<Counts> {
        self.step(|world, now, _| Ok(world.counts(now)))
    }

    async fn list(&self, query: &Query) -> Result<Page> {
        self.step(|world, _, _| Ok(world.list(query)))
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.step(|world, _, _| Ok(world.jobs.contains_key(&id).then(|| world.record(id))))
    }

    async fn handle(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(self.copy()))
    }
}
