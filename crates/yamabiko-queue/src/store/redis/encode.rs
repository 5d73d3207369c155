//! What scripts are given: flat lists of arguments.

use std::time::Duration;

use redis::ScriptInvocation;

use crate::{
    clock::{Timestamp, micros},
    job::{Due, JobId, NewJob},
    store::{Commit, Effect, Outcome, Want},
};

/// The longest error of one failure, in bytes.
const MAX_ERROR_BYTES: usize = 1000;

const HAS_DUE: u8 = 1;
const HAS_LANE: u8 = 2;
const HAS_CHAT: u8 = 4;
const HAS_ORIGIN: u8 = 8;
pub(super) const HAS_PARENT: u8 = 16;
const HAS_SECRET: u8 = 32;

/// Adds a time, or nothing.
pub(super) fn time(call: &mut ScriptInvocation<'_>, time: Option<Timestamp>) {
    match time {
        Some(time) => call.arg(time.as_micros()),
        None => call.arg(""),
    };
}

/// Adds a job as `insert` in `moves.lua` reads it: id, due time, and the record without arrival and due time.
pub(super) fn job(call: &mut ScriptInvocation<'_>, job: &NewJob) {
    let due = match job.due {
        Due::Now => String::new(),
        Due::At(time) => format!("={}", time.as_micros()),
        Due::In(delay) => format!("+{}", micros(delay)),
    };
    call.arg(job.id.as_bytes()).arg(due).arg(record(job));
}

fn record(job: &NewJob) -> Vec<u8> {
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    let flags = flag(job.due != Due::Now, HAS_DUE)
        | flag(job.lane.is_some(), HAS_LANE)
        | flag(job.chat.is_some(), HAS_CHAT)
        | flag(job.origin.is_some(), HAS_ORIGIN)
        | flag(job.parent.is_some(), HAS_PARENT)
        | flag(job.secret.is_some(), HAS_SECRET);
    let names = [
        Some(&job.queue),
        job.lane.as_ref(),
        job.chat.as_ref(),
        job.origin.as_ref(),
        job.secret.as_ref(),
        Some(&job.kind),
    ];
    let mut record = Vec::with_capacity(96 + job.payload.len());
    record.extend(micros(job.remember).to_be_bytes());
    record.push(flags);
    for name in names {
        let name = name.map_or("", String::as_str);
        record.push(u8::try_from(name.len()).expect("a name of over 255 bytes is refused before"));
        record.extend(name.as_bytes());
    }
    record.extend(job.parent.iter().flat_map(JobId::as_bytes));
    record.extend(&job.payload);
    record
}

/// Adds commits as `turn.lua` reads them.
pub(super) fn commits(call: &mut ScriptInvocation<'_>, commits: &[Commit]) {
    call.arg(commits.len());
    for commit in commits {
        call.arg(commit.id.as_bytes());
    }
    for commit in commits {
        call.arg(&commit.token.0.to_be_bytes());
        outcome(call, &commit.outcome);
        call.arg(commit.effects.iter().map(arguments).sum::<usize>());
        for one in &commit.effects {
            effect(call, one);
        }
    }
}

fn outcome(call: &mut ScriptInvocation<'_>, outcome: &Outcome) {
    let flags = |list: &[(bool, &str)]| {
        list.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag).collect::<String>()
    };
    match outcome {
        Outcome::Complete => call.arg("c").arg(0).arg("").arg(""),
        Outcome::Checkpoint { number, payload } => call.arg("k").arg(*number).arg("").arg(payload),
        Outcome::Retry { at, hold, error, unsure } => call
            .arg("r")
            .arg(at.as_micros())
            .arg(flags(&[(*hold, "h"), (*unsure, "u")]))
            .arg(one_line(error)),
        Outcome::Snooze { at, hold, reason, afresh } => call
            .arg("s")
            .arg(at.as_micros())
            .arg(flags(&[(*hold, "h"), (*afresh, "a"), (reason.is_some(), "n")]))
            .arg(one_line(reason.as_deref().unwrap_or_default())),
        Outcome::Dead { error } => call.arg("d").arg(0).arg("").arg(one_line(error)),
        Outcome::Release { unsure } => call.arg("l").arg(0).arg(flags(&[(*unsure, "u")])).arg(""),
        Outcome::Cancel => call.arg("x").arg(0).arg("").arg(""),
    };
}

/// Returns how many arguments an effect has.
const fn arguments(effect: &Effect) -> usize {
    match effect {
        Effect::Insert(_) => 4,
        Effect::Pause { .. } => 3,
        Effect::Cancel(_) | Effect::SetState(Some(_)) | Effect::Scrub { .. } => 2,
        Effect::SetState(None) => 1,
    }
}

fn effect(call: &mut ScriptInvocation<'_>, effect: &Effect) {
    match effect {
        Effect::Insert(new) => {
            call.arg("j");
            job(call, new);
        }
        Effect::Cancel(id) => drop(call.arg("x").arg(id.as_bytes())),
        Effect::SetState(Some(state)) => drop(call.arg("s").arg(state)),
        Effect::SetState(None) => drop(call.arg("-")),
        Effect::Scrub { origin } => drop(call.arg("n").arg(origin)),
        Effect::Pause { queue, until } => drop(call.arg("p").arg(queue).arg(until.as_micros())),
    }
}

/// Adds wants as `turn.lua` reads them.
pub(super) fn wants(call: &mut ScriptInvocation<'_>, wants: &[Want]) {
    call.arg(wants.len());
    for want in wants {
        call.arg(want.at_most).arg(want.queues.len()).arg(&want.queues[..]);
    }
}

/// Adds a time span in microseconds.
pub(super) fn span(call: &mut ScriptInvocation<'_>, span: Duration) {
    call.arg(micros(span));
}

/// An error as a line of a job's history.
fn one_line(error: &str) -> String {
    error[..error.floor_char_boundary(MAX_ERROR_BYTES)].replace(['\n', '\r'], " ")
}
