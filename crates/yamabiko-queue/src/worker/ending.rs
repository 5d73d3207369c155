//! What a worker commits for the end of a run; pure.

use std::time::Duration;

use crate::{
    registry::{Ending, Finish, Registry},
    store::{Claim, Commit, Effect, Hold, Outcome},
};

/// How long a job of an unknown kind waits for a worker that knows it (D2).
pub const UNKNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// The time between two looks at a job of an unknown kind.
const UNKNOWN_AGAIN: Duration = Duration::from_secs(5);

/// Returns the commit of a job whose record cannot be read: neither its code nor its chat is known for sure.
///
/// One that names a queue from which nothing was claimed is not what was stored, either.
pub(super) fn unreadable(claim: &Claim, queues: &[String]) -> Option<Commit> {
    let other = || {
        let queue = &claim.job.queue;
        (!queues.contains(queue)).then(|| format!("it was in another queue than {queue:?}"))
    };
    let why = claim.job.unreadable.clone().or_else(other)?;
    let error = format!("the store's record of this job cannot be read: {why}");
    tracing::error!(job.id = %claim.job.id, error, "a job is dead");
    Some(end(claim, Outcome::Dead { error }))
}

/// Returns the commit of a job that is not to be run at all.
pub(super) fn before_run(claim: &Claim, registry: &Registry) -> Option<Commit> {
    let kind = &claim.job.kind;
    let Some(registration) = registry.get(kind) else {
        let error =
            format!("no handler for the job kind {kind:?}: is .job::<T>() with this KIND missing?");
        if spent(claim) >= UNKNOWN_FOR {
            return Some(dead(claim, registry, error));
        }
        return Some(end(
            claim,
            Outcome::Snooze {
                after: UNKNOWN_AGAIN,
                hold: Hold::No,
                reason: Some(error),
                afresh: false,
            },
        ));
    };
    if claim.job.lost >= registration.policy.max_lost {
        let error = format!("the process died {} times running this", claim.job.lost);
        return Some(dead(claim, registry, error));
    }
    if registration.policy.begins_anew(claim.job.lost, spent(claim)) {
        let outcome = Outcome::Snooze {
            after: Duration::ZERO,
            hold: registration.policy.hold(false),
            reason: Some("held up by an outage or a dead process; its time begins anew".to_owned()),
            afresh: true,
        };
        return Some(end(claim, outcome));
    }
    None
}

/// Returns the commit of a run that took `took`; `chance` from 0 to 1 spreads the retries.
pub(super) fn commit(
    claim: &Claim,
    registry: &Registry,
    finish: Finish,
    took: Duration,
    chance: f64,
) -> Commit {
    match finish.ending {
        Ending::Done => {
            checked(claim, registry, end_with(claim, Outcome::Complete, finish.effects))
        }
        Ending::Cancelled => end(claim, Outcome::Cancel),
        Ending::Snoozed { after, hold, afresh, reason } => {
            let outcome = Outcome::Snooze { after, hold, reason, afresh };
            checked(claim, registry, end_with(claim, outcome, finish.effects))
        }
        Ending::GaveBack { afresh } => end(claim, Outcome::GiveBack { afresh }),
        Ending::Dead { error } => dead(claim, registry, error),
        Ending::Failed { error, lends, after, unsure } => {
            let policy = registry
                .get(&claim.job.kind)
                .map(|registration| registration.policy.clone())
                .unwrap_or_default();
            let failures = claim.job.failures + 1;
            let wait = after.unwrap_or_else(|| policy.wait(failures, chance));
            if policy.is_exhausted(failures, spent(claim) + took + wait) {
                return dead(claim, registry, error);
            }
            log_failure(claim, &error, failures);
            let outcome = Outcome::Retry { after: wait, hold: policy.hold(lends), error, unsure };
            checked(claim, registry, end(claim, outcome))
        }
    }
}

/// Returns the commit of a run that panicked where no panic is expected: the job is given up, without a word.
pub(super) fn panicked(claim: &Claim, panic: &str) -> Commit {
    let error = format!("panicked outside its run: {panic}");
    tracing::error!(job.id = %claim.job.id, job.kind = claim.job.kind, error, "a job is dead");
    end(claim, Outcome::Dead { error })
}

/// Returns what is committed instead of a commit that the store refuses: the job's death, if need be without a word.
///
/// `None` where there is nothing simpler left to ask for.
pub(super) fn instead(
    refused: Commit,
    claim: Option<&Claim>,
    registry: &Registry,
    error: String,
) -> Option<Commit> {
    let is_bare = refused.effects.is_empty();
    let error = match (refused.outcome, claim) {
        (Outcome::Dead { .. } | Outcome::Release { .. } | Outcome::Cancel, _) if is_bare => {
            return None;
        }
        (Outcome::Dead { error: own }, _) => own,
        (_, Some(claim)) => return Some(dead(claim, registry, error)),
        (_, None) => error,
    };
    Some(Commit { outcome: Outcome::Dead { error }, effects: Vec::new(), ..refused })
}

/// Returns how long ago the job was first claimed.
fn spent(claim: &Claim) -> Duration {
    claim.job.first_claimed.map_or(Duration::ZERO, |first| claim.claimed_at.since(first))
}

/// A commit that is over a limit is an error that no retry mends (K3, K8).
fn checked(claim: &Claim, registry: &Registry, commit: Commit) -> Commit {
    match commit.check(claim.claimed_at) {
        Ok(()) => commit,
        Err(error) => dead(claim, registry, error.to_string()),
    }
}

fn dead(claim: &Claim, registry: &Registry, error: String) -> Commit {
    tracing::error!(job.id = %claim.job.id, job.kind = claim.job.kind, error, "a job is dead");
    let effects = registry.death(claim, &error);
    let commit = end_with(claim, Outcome::Dead { error: error.clone() }, effects);
    match commit.check(claim.claimed_at) {
        Ok(()) => commit,
        Err(_) => end(claim, Outcome::Dead { error }),
    }
}

fn log_failure(claim: &Claim, error: &str, failures: u32) {
    tracing::warn!(job.id = %claim.job.id, job.kind = claim.job.kind, failures, error, "a job failed and is tried again");
}

fn end(claim: &Claim, outcome: Outcome) -> Commit {
    end_with(claim, outcome, Vec::new())
}

fn end_with(claim: &Claim, outcome: Outcome, effects: Vec<Effect>) -> Commit {
    let Claim { job, token, .. } = claim;
    Commit { id: job.id, token: *token, checkpoints: job.checkpoint, outcome, effects }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Timestamp,
        job::{Job, JobId, MAX_PAYLOAD_BYTES, NewJob},
        retry::RetryPolicy,
        store::Sending,
    };

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn claim(kind: &str) -> Claim {
        let job = Job {
            id: JobId::new(),
            kind: kind.to_owned(),
            payload: Vec::new(),
            queue: "default".into(),
            lane: None,
            chat: None,
            origin: None,
            origin_time: None,
            parent: None,
            arrived: NOW,
            due: None,
            secret: None,
            remember: Duration::ZERO,
            failures: 0,
            lost: 0,
            checkpoint: 0,
            reruns: 0,
            unsure: false,
            first_claimed: Some(NOW),
            unreadable: None,
        };
        Claim { job, token: Sending::once().token, claimed_at: NOW, state: None, on_loan: false }
    }

    fn registry() -> Registry {
        let mut registry = Registry::new();
        let policy = RetryPolicy { max_attempts: 3, ..RetryPolicy::default() };
        registry.register("known", policy, |_| Box::pin(async { unreachable!() })).unwrap();
        registry.on_dead(|_, _| vec![Effect::Insert(NewJob::new("tell", ""))]);
        registry
    }

    fn failed() -> Finish {
        let ending =
            Ending::Failed { error: "no luck".into(), lends: true, after: None, unsure: false };
        Finish { ending, effects: vec![Effect::Cancel(JobId::new())] }
    }

    #[test]
    fn k7_a_failed_run_leaves_nothing() {
        let commit = commit(&claim("known"), &registry(), failed(), Duration::ZERO, 0.5);
        let after = Duration::from_secs(2);
        assert_eq!(
            commit.outcome,
            Outcome::Retry { after, hold: Hold::No, error: "no luck".into(), unsure: false }
        );
        assert_eq!(commit.effects, []);
    }

    #[test]
    fn k7_a_death_tells_the_chat_in_the_same_step() {
        let mut claim = claim("known");
        claim.job.failures = 2;
        let commit = commit(&claim, &registry(), failed(), Duration::ZERO, 0.5);
        assert_eq!(commit.outcome, Outcome::Dead { error: "no luck".into() });
        assert!(matches!(&commit.effects[..], [Effect::Insert(job)] if job.kind == "tell"));
    }

    #[test]
    fn k7_a_panic_in_what_tells_of_a_death_leaves_the_job_dead() {
        let mut registry = Registry::new();
        registry
            .register("known", RetryPolicy::default(), |_| Box::pin(async { unreachable!() }))
            .unwrap();
        registry.on_dead(|_, _| panic!("no words"));
        let mut claim = claim("known");
        claim.job.lost = 3;
        let commit = before_run(&claim, &registry).unwrap();
        assert!(matches!(commit.outcome, Outcome::Dead { .. }));
        assert_eq!(commit.effects, []);
    }

    #[test]
    fn c4_a_job_that_killed_three_processes_is_dead_without_another_run() {
        let mut claim = claim("known");
        claim.job.lost = 2;
        assert!(before_run(&claim, &registry()).is_none());
        claim.job.lost = 3;
        let commit = before_run(&claim, &registry()).unwrap();
        assert_eq!(
            commit.outcome,
            Outcome::Dead { error: "the process died 3 times running this".into() }
        );
    }

    #[test]
    fn d1_an_event_that_an_outage_held_up_gets_its_time_anew() {
        let mut registry = Registry::new();
        let events = RetryPolicy::events();
        registry.register("event", events, |_| Box::pin(async { unreachable!() })).unwrap();
        let mut claim = claim("event");
        assert!(before_run(&claim, &registry).is_none());
        claim.job.first_claimed = Some(NOW - Duration::from_secs(60));
        let commit = before_run(&claim, &registry).unwrap();
        assert!(matches!(
            commit.outcome,
            Outcome::Snooze { after: Duration::ZERO, hold: Hold::Yes, afresh: true, .. }
        ));
    }

    #[test]
    fn d2_an_unknown_kind_waits_an_hour_and_then_dies_naming_the_missing_line() {
        let mut claim = claim("unknown");
        let waits = before_run(&claim, &registry()).unwrap();
        assert!(matches!(waits.outcome, Outcome::Snooze { afresh: false, hold: Hold::No, .. }));
        claim.job.first_claimed = Some(NOW - UNKNOWN_FOR);
        let dies = before_run(&claim, &registry()).unwrap();
        assert!(
            matches!(dies.outcome, Outcome::Dead { error } if error.contains(".job::<T>()") && error.contains("unknown"))
        );
    }

    #[test]
    fn t1_a_snooze_a_retry_and_a_pause_beyond_ten_years_kill_the_run_and_say_why() {
        let pause = Effect::Pause { queue: "outbox".into(), time: Duration::MAX };
        let snoozed =
            Ending::Snoozed { after: Duration::MAX, hold: Hold::No, afresh: false, reason: None };
        let failed = Ending::Failed {
            error: "no luck".into(),
            lends: false,
            after: Some(Duration::MAX),
            unsure: false,
        };
        for (ending, effects) in
            [(snoozed, Vec::new()), (failed, Vec::new()), (Ending::Done, vec![pause])]
        {
            let finish = Finish { ending, effects };
            let commit = commit(&claim("known"), &registry(), finish, Duration::ZERO, 0.5);
            assert!(
                matches!(&commit.outcome, Outcome::Dead { error } if error.contains("10 years")),
                "{commit:?}"
            );
        }
    }

    #[test]
    fn k3_an_effect_over_a_limit_kills_the_run_and_says_why() {
        let large = Effect::Insert(NewJob::new("large", vec![0; MAX_PAYLOAD_BYTES + 1]));
        let finish = Finish { ending: Ending::Done, effects: vec![large] };
        let commit = commit(&claim("known"), &registry(), finish, Duration::ZERO, 0.5);
        assert!(matches!(commit.outcome, Outcome::Dead { error } if error.contains("65537")));
    }
}
