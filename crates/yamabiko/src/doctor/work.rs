//! What the store tells of the bot's work: who does it, and what is left undone.

use std::{collections::BTreeSet, time::Duration};

use yamabiko_queue::{
    Finding, State, Timestamp,
    finding::span,
    job::OUTBOX,
    store::{Counts, Paused},
};

use crate::delivery::PUSHES;

/// What is looked at to learn who does the work.
const QUEUES: &str = "queues";
/// A timer that is due for longer has nobody who starts it.
const OVERDUE: Duration = Duration::from_secs(60);

/// Judges who serves the queues.
pub(super) fn service(counts: &Counts, queues: &[&str]) -> Vec<Finding> {
    [vec![workers(counts)], unserved(counts, queues)].concat()
}

/// Judges what is left undone.
pub(super) fn undone(counts: &Counts, now: Timestamp) -> Vec<Finding> {
    let mut findings = paused(counts, now);
    findings.extend(overdue(counts, now));
    findings.push(dead(counts));
    findings
}

fn workers(counts: &Counts) -> Finding {
    const WORKERS: &str = "workers";
    if counts.processes.is_empty() {
        return Finding::warning(WORKERS, "no worker runs", "start `worker` or `all`");
    }
    let names: Vec<_> = counts.processes.iter().map(|process| process.name.as_str()).collect();
    Finding::ok(WORKERS, format!("{} run: {}", names.len(), names.join(", ")))
}

/// A queue of the bot that nobody serves is a warning; one with work, of whatever version of the bot, a problem (C6).
fn unserved(counts: &Counts, queues: &[&str]) -> Vec<Finding> {
    let ready = |queue: &str| counts.queues.get(queue).map_or(0, |counts| counts.ready);
    let with_work = counts.queues.keys().map(String::as_str).filter(|&queue| ready(queue) > 0);
    let all: BTreeSet<_> = queues.iter().copied().chain(with_work).collect();
    let (served, unserved): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|queue| counts.is_served(queue));
    let mut findings: Vec<_> =
        unserved.into_iter().map(|queue| unserved_queue(queue, ready(queue))).collect();
    if !served.is_empty() {
        findings.insert(0, Finding::ok(QUEUES, format!("served are {}", served.join(", "))));
    }
    findings
}

fn unserved_queue(queue: &str, ready: u64) -> Finding {
    let advice = "start a worker that serves it; WORKER_QUEUES names those that are served beside events and outbox";
    match ready {
        0 => Finding::warning(QUEUES, format!("nobody serves {queue}"), advice),
        _ => {
            let text = format!("nobody serves {queue}, where {ready} jobs wait");
            Finding::problem(QUEUES, text, advice)
        }
    }
}

fn paused(counts: &Counts, now: Timestamp) -> Vec<Finding> {
    let paused = counts.queues.iter().filter_map(|(queue, counts)| Some((queue, counts.paused?)));
    paused
        .map(|(queue, paused)| {
            let until = match paused {
                Paused::UntilResumed => "until a person ends it".to_owned(),
                Paused::Until(time) => format!("for {}", span(time.since(now))),
            };
            let (text, advice) = match queue.as_str() {
                OUTBOX => (
                    format!("{queue} is paused {until}"),
                    "LINE refuses the credentials or takes no more for now: see the workers' logs",
                ),
                PUSHES => (
                    format!("pushes wait {until}, and replies go on"),
                    "LINE forbids the account's pushes (403): look at its plan and status in the LINE Official Account Manager",
                ),
                _ => (format!("{queue} is paused {until}"), "resume it"),
            };
            Finding::warning(QUEUES, text, advice)
        })
        .collect()
}

fn overdue(counts: &Counts, now: Timestamp) -> Option<Finding> {
    let late = counts.next_due.map(|due| now.since(due)).filter(|late| *late > OVERDUE)?;
    let text = format!("the next timer is {} overdue", span(late));
    Some(Finding::problem("timers", text, "start `timer`, a worker, or `all`"))
}

fn dead(counts: &Counts) -> Finding {
    const DEAD: &str = "dead jobs";
    match counts.states.get(&State::Dead).copied().unwrap_or_default() {
        0 => Finding::ok(DEAD, "there are none"),
        dead => Finding::warning(
            DEAD,
            format!("{dead} jobs were given up"),
            "the workers' logs say why; they are kept for RETENTION_DEAD",
        ),
    }
}

#[cfg(test)]
mod tests {
    use yamabiko_queue::{
        Mark,
        store::{Process, QueueCounts},
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn counts() -> Counts {
        let process = Process {
            name: "host/1/worker".to_owned(),
            role: "worker".to_owned(),
            host: "host".to_owned(),
            pid: 1,
            version: "1".to_owned(),
            queues: vec!["events".to_owned(), "outbox".to_owned()],
        };
        Counts { processes: vec![process], ..Counts::default() }
    }

    fn marks(findings: &[Finding]) -> Vec<Mark> {
        findings.iter().map(|finding| finding.mark).collect()
    }

    #[test]
    fn c6_a_queue_that_nobody_serves_is_a_warning_and_one_with_work_a_problem() {
        let mut counts = counts();
        let look = |counts: &Counts| marks(&service(counts, &["events", "outbox", "heavy"]));
        assert_eq!(look(&counts), [Mark::Ok, Mark::Ok, Mark::Warning]);
        let waiting = QueueCounts { ready: 2, paused: None };
        counts.queues.insert("heavy".to_owned(), waiting);
        counts.queues.insert("of another version".to_owned(), waiting);
        assert_eq!(look(&counts), [Mark::Ok, Mark::Ok, Mark::Problem, Mark::Problem]);
    }

    #[test]
    fn c6_without_a_worker_nothing_is_served() {
        let counts = Counts { processes: Vec::new(), ..counts() };
        assert_eq!(marks(&service(&counts, &["events"])), [Mark::Warning, Mark::Warning]);
    }

    #[test]
    fn what_is_paused_overdue_or_dead_is_told() {
        let mut counts = counts();
        assert_eq!(marks(&undone(&counts, NOW)), [Mark::Ok]);
        counts.next_due = Some(NOW - OVERDUE);
        assert_eq!(marks(&undone(&counts, NOW)), [Mark::Ok]);
        counts.next_due = Some(NOW - OVERDUE - Duration::from_micros(1));
        counts.states.insert(State::Dead, 1);
        let paused = Some(Paused::Until(NOW + Duration::from_secs(90)));
        counts.queues.insert(OUTBOX.to_owned(), QueueCounts { ready: 0, paused });
        let found = undone(&counts, NOW);
        assert_eq!(marks(&found), [Mark::Warning, Mark::Problem, Mark::Warning]);
        assert!(found[0].text.contains("outbox is paused for 90 s"), "{found:?}");
        let waiting = counts.queues.remove(OUTBOX).unwrap();
        counts.queues.insert(PUSHES.to_owned(), waiting);
        let found = undone(&counts, NOW);
        assert!(found[0].text.contains("pushes wait for 90 s"), "{found:?}");
    }
}
