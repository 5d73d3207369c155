//! What scripts are given: flat lists of arguments.

use std::time::Duration;

use super::scripts::Call;
use crate::{
    clock::{Timestamp, micros},
    job::{Due, JobId, NewJob},
    store::{Commit, Effect, Group, Hold, Outcome, Want},
};

/// The longest error of one failure, in bytes.
const MAX_ERROR_BYTES: usize = 1000;

const HAS_DUE: u8 = 1;
const HAS_LANE: u8 = 2;
const HAS_CHAT: u8 = 4;
const HAS_ORIGIN: u8 = 8;
pub(super) const HAS_PARENT: u8 = 16;
const HAS_SECRET: u8 = 32;
pub(super) const HAS_BODY: u8 = 64;
pub(super) const HAS_ORIGIN_TIME: u8 = 128;
/// Added to how the due time is given, where the payload stands apart, and where the job revokes an origin.
const APART: u8 = 64;
const REVOKES: u8 = 128;
/// The longest payload that stands in a job's record; as in `record.lua`.
const MOST_INLINE: usize = 2048;

/// Adds a time, or nothing.
pub(super) fn time(call: &mut Call<'_>, time: Option<Timestamp>) {
    match time {
        Some(time) => call.arg(time.as_micros()),
        None => call.arg(""),
    };
}

/// Adds a job as `moves.lua` reads it.
pub(super) fn job(call: &mut Call<'_>, job: &NewJob) {
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    let flags = flag(job.due != Due::Now, HAS_DUE)
        | flag(job.lane.is_some(), HAS_LANE)
        | flag(job.chat.is_some(), HAS_CHAT)
        | flag(job.origin.is_some(), HAS_ORIGIN)
        | flag(job.parent.is_some(), HAS_PARENT)
        | flag(job.secret.is_some(), HAS_SECRET)
        | flag(has_body(job), HAS_BODY)
        | flag(job.origin_time.is_some(), HAS_ORIGIN_TIME);
    let names = [
        Some(&job.queue),
        job.lane.as_ref(),
        job.chat.as_ref(),
        job.origin.as_ref(),
        job.secret.as_ref(),
        Some(&job.kind),
    ];
    let (how, due) = match job.due {
        // There is room for it where no due time stands.
        Due::Now => (0, job.passes_until.map_or(0, Timestamp::as_micros)),
        Due::At(time) => (b'=', time.as_micros()),
        Due::In(delay) => (b'+', micros(delay)),
    };
    let mut bytes = Vec::with_capacity(128 + job.payload.len().min(MOST_INLINE));
    bytes.extend(job.id.as_bytes());
    bytes.push(how | flag(has_body(job), APART) | flag(job.revokes.is_some(), REVOKES));
    bytes.extend(due.to_be_bytes());
    if let Some(origin) = &job.revokes {
        add_name(&mut bytes, origin);
    }
    bytes.extend(micros(job.remember).to_be_bytes());
    bytes.push(flags);
    for name in names {
        let name = name.map_or("", String::as_str);
        add_name(&mut bytes, name);
    }
    bytes.extend(job.parent.iter().flat_map(JobId::as_bytes));
    bytes.extend(job.origin_time.iter().flat_map(|time| time.as_micros().to_be_bytes()));
    if has_body(job) {
        call.arg(bytes).arg(&job.payload);
    } else {
        bytes.extend(&job.payload);
        call.arg(bytes);
    }
}

fn add_name(bytes: &mut Vec<u8>, name: &str) {
    bytes.push(u8::try_from(name.len()).expect("a name of over 255 bytes is refused before"));
    bytes.extend(name.as_bytes());
}

fn has_body(job: &NewJob) -> bool {
    job.payload.len() > MOST_INLINE
}

/// Returns how many of these jobs one call stores: those that are to be remembered as long as the first, and not too many;
/// each costs more for each place in which it is to be found.
pub(super) fn at_once(jobs: &[NewJob]) -> usize {
    const MOST: usize = 450;
    const MOST_BYTES: usize = 256 * 1024;
    let (mut cost, mut bytes) = (0, 0);
    let remember = jobs.first().map(|job| job.remember);
    let fits = |job: &&NewJob| {
        let is_timer = job.due != Due::Now;
        let places = [is_timer, job.lane.is_some(), job.chat.is_some(), job.secret.is_some()];
        cost += 1 + places.into_iter().map(usize::from).sum::<usize>();
        bytes += job.payload.len();
        cost <= MOST && bytes <= MOST_BYTES && Some(job.remember) == remember
    };
    jobs.iter().take_while(fits).count().max(1).min(jobs.len())
}

/// Returns the latest of all absolute due times.
pub(super) fn latest_due(jobs: &[NewJob]) -> Option<Timestamp> {
    let due = |job: &NewJob| if let Due::At(time) = job.due { Some(time) } else { None };
    jobs.iter().filter_map(due).max()
}

/// Adds commits as `commits.lua` reads them.
pub(super) fn commits(call: &mut Call<'_>, commits: &[Commit]) {
    let effects = commits.iter().flat_map(|commit| &commit.effects);
    let new = effects.filter_map(|effect| match effect {
        Effect::Insert(job) => Some(job),
        _ => None,
    });
    call.arg(new.clone().count());
    for job in new {
        call.arg(job.id.as_bytes()).arg(micros(job.remember));
    }
    ids(call, commits.iter().map(|commit| commit.id));
    for commit in commits {
        call.arg(commit.token.as_bytes());
        if commit.outcome == Outcome::Complete
            && commit.effects.is_empty()
            && commit.checkpoints == 0
        {
            call.arg("c");
            continue;
        }
        outcome(call, commit, commit.effects.iter().map(arguments).sum());
        for one in &commit.effects {
            effect(call, one);
        }
    }
}

fn ids(call: &mut Call<'_>, ids: impl Iterator<Item = JobId> + Clone) {
    call.arg(ids.clone().count());
    for id in ids {
        call.arg(id.as_bytes());
    }
}

/// Adds an outcome with its flags, the number of arguments that follow, and those three of them that are not of effects.
fn outcome(call: &mut Call<'_>, commit: &Commit, effects: usize) {
    let flags = |letter: char, list: &[(bool, char)]| {
        let set = list.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag);
        [letter].into_iter().chain(set).collect::<String>()
    };
    let what = match &commit.outcome {
        Outcome::Complete => "c+".to_owned(),
        Outcome::Checkpoint { .. } => "k".to_owned(),
        Outcome::Retry { hold, unsure, .. } => {
            flags('r', &[(hold.keeps(), 'h'), (*hold == Hold::Lend, 't'), (*unsure, 'u')])
        }
        Outcome::Snooze { hold, reason, afresh, .. } => {
            let lends = *hold == Hold::Lend;
            let noted = reason.is_some();
            flags('s', &[(hold.keeps(), 'h'), (lends, 't'), (*afresh, 'a'), (noted, 'n')])
        }
        Outcome::Dead { .. } => "d".to_owned(),
        Outcome::Release { unsure } => flags('l', &[(*unsure, 'u')]),
        Outcome::Cancel => "x".to_owned(),
        Outcome::GiveBack { afresh } => flags('b', &[(*afresh, 'a')]),
    };
    call.arg(what).arg(3 + effects).arg(commit.checkpoints);
    match &commit.outcome {
        Outcome::Checkpoint { payload } => call.arg(0).arg(payload),
        Outcome::Retry { after, error, .. } => call.arg(micros(*after)).arg(one_line(error)),
        Outcome::Snooze { after, reason, .. } => {
            call.arg(micros(*after)).arg(one_line(reason.as_deref().unwrap_or_default()))
        }
        Outcome::Dead { error } => call.arg(0).arg(one_line(error)),
        Outcome::Complete
        | Outcome::Release { .. }
        | Outcome::Cancel
        | Outcome::GiveBack { .. } => call.arg(0).arg(""),
    };
}

/// Returns how many arguments an effect has.
fn arguments(effect: &Effect) -> usize {
    match effect {
        Effect::Pause { .. } | Effect::CancelAll { .. } => 3,
        Effect::Insert(job) => 2 + usize::from(has_body(job)),
        Effect::Cancel(_) | Effect::SetState(Some(_)) | Effect::Scrub { .. } => 2,
        Effect::SetState(None) => 1,
    }
}

/// Returns a group as `groups.lua` reads it.
fn group(group: &Group) -> String {
    match group {
        Group::Kind(kind) => format!("k{kind}"),
        Group::Origin(origin) => format!("o{origin}"),
        Group::AllBut(kind) => format!("b{kind}"),
    }
}

fn effect(call: &mut Call<'_>, effect: &Effect) {
    match effect {
        Effect::Insert(new) => {
            call.arg("j");
            job(call, new);
        }
        Effect::Cancel(id) => drop(call.arg("x").arg(id.as_bytes())),
        Effect::CancelAll { group: which, origin_by } => {
            call.arg("a").arg(group(which));
            call.arg(number_of(*origin_by));
        }
        Effect::SetState(Some(state)) => drop(call.arg("s").arg(state)),
        Effect::SetState(None) => drop(call.arg("-")),
        Effect::Scrub { origin } => drop(call.arg("n").arg(origin)),
        Effect::Pause { queue, time } => drop(call.arg("p").arg(queue).arg(micros(*time))),
    }
}

/// Adds wants as `claims.lua` reads them.
pub(super) fn wants(call: &mut Call<'_>, wants: &[Want]) {
    call.arg(wants.len());
    for want in wants {
        call.arg(want.at_most).arg(want.queues.len()).arg(&want.queues[..]);
    }
}

/// Adds numbers as one text, of 8 bytes each.
pub(super) fn numbers<const N: usize>(call: &mut Call<'_>, numbers: [i64; N]) {
    call.arg(numbers.map(i64::to_be_bytes).as_flattened());
}

/// Returns a time as a number; -1 where there is none.
pub(super) fn number_of(time: Option<Timestamp>) -> i64 {
    time.map_or(-1, Timestamp::as_micros)
}

/// Adds a time span in microseconds.
pub(super) fn span(call: &mut Call<'_>, span: Duration) {
    call.arg(micros(span));
}

/// An error as a line of a job's history.
fn one_line(error: &str) -> String {
    error[..error.floor_char_boundary(MAX_ERROR_BYTES)].replace(['\n', '\r'], " ")
}
