//! All that a store shows of itself, as text, so that two stores can be compared and a difference be read.

use std::fmt::Write as _;

use yamabiko_queue::{
    Job, JobId, State, Store,
    store::{Claim, Query},
};

/// Returns every field of a job, secrets and payload too.
pub(crate) fn job(job: &Job) -> String {
    let Job {
        id,
        kind,
        payload,
        queue,
        lane,
        chat,
        origin,
        parent,
        arrived,
        due,
        secret,
        remember,
        ..
    } = job;
    let Job { failures, lost, checkpoint, reruns, unsure, first_claimed, unreadable, .. } = job;
    let payload = payload.escape_ascii();
    format!(
        "{id} {kind} {payload} {queue} {lane:?} {chat:?} {origin:?} {parent:?} {arrived:?} {due:?} {secret:?} {remember:?} \
         failures {failures} lost {lost} checkpoint {checkpoint} reruns {reruns} unsure {unsure} first {first_claimed:?} {unreadable:?}"
    )
}

/// Returns claims, line by line.
pub(crate) fn claims(claims: &[Claim]) -> Vec<String> {
    let line = |claim: &Claim| {
        let Claim { token, claimed_at, state, on_loan, .. } = claim;
        format!("{} {token:?} {claimed_at:?} {state:?} on loan {on_loan}", job(&claim.job))
    };
    claims.iter().map(line).collect()
}

/// What to look for besides what is listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) lanes: Vec<String>,
    pub(crate) chats: Vec<String>,
    pub(crate) ids: Vec<JobId>,
}

/// Returns all that the store shows, a fact a line.
pub(crate) async fn dump(store: &dyn Store, look: &Look) -> Vec<String> {
    let mut lines = Vec::new();
    for state in State::ALL.into_iter().filter(|state| *state != State::Cancelled) {
        let mut query = Query { limit: 64, ..Query::new(state) };
        loop {
            let page = store.list(&query).await.unwrap();
            for record in page.records {
                let mut line = format!("{} {:?} {}", record.state, record.time, job(&record.job));
                write!(line, " cancelled {} {:?}", record.cancelled, record.history).unwrap();
                lines.push(line);
                assert_eq!(
                    store.get(record.job.id).await.unwrap().as_ref(),
                    Some(&record),
                    "listed and got"
                );
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
    }
    for id in &look.ids {
        if store.get(*id).await.unwrap().is_none() {
            lines.push(format!("{id} is gone"));
        }
    }
    for chat in &look.chats {
        let mut live: Vec<_> =
            store.live(chat).await.unwrap().iter().map(|record| record.job.id).collect();
        live.sort();
        lines.push(format!("{chat} has {live:?}"));
    }
    for lane in &look.lanes {
        lines.push(format!("{lane} is {:?}", store.state(lane).await.unwrap()));
    }
    let mut counts = store.counts().await.unwrap();
    counts.states.retain(|_, count| *count > 0);
    counts.processes.sort_by(|a, b| a.name.cmp(&b.name));
    lines.push(format!("{counts:?}"));
    lines
}

/// Fails with the first difference between what is expected and what is found.
pub(crate) fn assert_same(expected: &[String], found: &[String], what: &str) {
    if expected == found {
        return;
    }
    let only = |a: &[String], b: &[String]| {
        a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>()
    };
    let (missing, surplus) = (only(expected, found), only(found, expected));
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{what}:\nexpected {missing:#?}\nfound    {surplus:#?}"
    );
    assert_eq!(expected, found, "{what}: the order differs");
}
