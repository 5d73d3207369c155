//! From a script's text to its steps.

mod options;
mod talk;

use super::Malformed;
use super::lines::{self, Line};
use super::step::{Action, Expect, Step};
use super::words::{duration, fields, name, names};
use crate::config::Language;
use serde_json::Map;
use std::time::Duration;

/// Reads a script.
pub(crate) fn parse(script: &str) -> Result<Vec<Step>, Malformed> {
    steps(&lines::tree(script)?)
}

fn steps(lines: &[Line]) -> Result<Vec<Step>, Malformed> {
    let mut steps = Vec::new();
    let mut patience: Option<(&Line, Duration)> = None;
    for line in lines {
        let wrong = |problem: String| Malformed::new(line.number, problem);
        if let Some(time) = line.text.strip_prefix("within ") {
            if let Some((earlier, _)) = patience.replace((line, duration(time).map_err(wrong)?)) {
                return Err(stray(earlier));
            }
            continue;
        }
        let mut action = action(line)?;
        if let Some((earlier, time)) = patience.take() {
            *patience_of(&mut action).ok_or_else(|| stray(earlier))? = Some(time);
        }
        steps.push(Step { line: line.number, source: source(line), action });
    }
    match patience {
        Some((line, _)) => Err(stray(line)),
        None => Ok(steps),
    }
}

fn stray(line: &Line) -> Malformed {
    Malformed::new(line.number, "within stands before what the bot says or shows")
}

fn patience_of(action: &mut Action) -> Option<&mut Option<Duration>> {
    match action {
        Action::Expect(Expect { within, .. }) | Action::ShowsLoading { within, .. } => Some(within),
        Action::AnyOrder(steps) => steps.first_mut().and_then(|step| patience_of(&mut step.action)),
        _ => None,
    }
}

/// A step as it stands in the script, to be shown when it fails.
fn source(line: &Line) -> String {
    let mut source = line.text.clone();
    for more in &line.more {
        source.push_str("\n  | ");
        source.push_str(more);
    }
    if !line.text.ends_with("times") {
        for option in &line.below {
            source.push_str("\n  ");
            source.push_str(&option.text);
        }
    }
    source
}

fn action(line: &Line) -> Result<Action, Malformed> {
    let wrong = |problem: String| Malformed::new(line.number, problem);
    let (word, rest) = line.text.split_once(' ').unwrap_or((&line.text, ""));
    let rest = rest.trim();
    let action = match (word, rest) {
        ("users", "") => return users(&line.below).map(Action::Users),
        ("groups" | "rooms", "") => {
            let room = word == "rooms";
            return groups(&line.below).map(|groups| Action::Groups { room, groups });
        }
        ("in", "any order") => {
            let steps = steps(&line.below)?;
            let other = steps.iter().find(|step| !matches!(step.action, Action::Expect(_)));
            if let Some(other) = other {
                let problem = "only what the bot says can come in any order";
                return Err(Malformed::new(other.line, problem));
            }
            return Ok(Action::AnyOrder(steps));
        }
        ("repeat", _) => {
            let times = rest.strip_suffix("times").and_then(|times| times.trim().parse().ok());
            let times = times.ok_or_else(|| wrong("write: repeat 3 times".into()))?;
            return Ok(Action::Repeat { times, steps: steps(&line.below)? });
        }
        ("wait", _) => duration(rest).map(Action::Wait),
        ("nothing", _) => nothing(rest),
        ("clock", _) => clock(rest),
        ("fault", _) => fault(rest),
        ("settings", _) => {
            fields(rest).map(|body| Action::Tell { path: "/control/settings", body })
        }
        ("faults", "off") => Ok(Action::FaultsOff),
        ("reset", "") => Ok(Action::Reset),
        _ => return talk::talk(line),
    };
    if let Some(option) = line.below.first() {
        return Err(Malformed::new(option.number, format!("{word} has nothing below it")));
    }
    action.map_err(wrong)
}

fn users(lines: &[Line]) -> Result<Vec<(String, Option<Language>)>, Malformed> {
    let user = |line: &Line| {
        let wrong = |problem: String| Malformed::new(line.number, problem);
        let (name, rest) = name(&line.text, &[" ja ", " en "]).map_err(wrong)?;
        let language = match rest.trim() {
            "ja" => Some(Language::Ja),
            "en" => Some(Language::En),
            "" => None,
            other => return Err(wrong(format!("{other:?} is no language: ja or en"))),
        };
        Ok((name, language))
    };
    lines.iter().map(user).collect()
}

fn groups(lines: &[Line]) -> Result<Vec<(String, Vec<String>)>, Malformed> {
    let group = |line: &Line| {
        let wrong = |problem: String| Malformed::new(line.number, problem);
        let (name, rest) = name(&line.text, &[":"]).map_err(wrong)?;
        let members = rest.trim().strip_prefix(':');
        let members = members.ok_or_else(|| wrong("write: NAME: MEMBER, MEMBER".into()))?;
        Ok((name, names(members).map_err(wrong)?))
    };
    lines.iter().map(group).collect()
}

fn nothing(rest: &str) -> Result<Action, String> {
    let (to, rest) = match rest.strip_prefix("to ") {
        Some(rest) => {
            let (chat, rest) = name(rest, &[" within "])?;
            (Some(chat), rest.trim())
        }
        None => (None, rest),
    };
    let time = rest.strip_prefix("within ").ok_or("write: nothing to NAME within 1 s")?;
    Ok(Action::Nothing { chat: to, within: duration(time)? })
}

fn clock(rest: &str) -> Result<Action, String> {
    let body = match rest.strip_prefix("forward ") {
        Some(time) => {
            let time = duration(time)?;
            if time.subsec_nanos() != 0 {
                return Err("the clock moves by whole seconds".into());
            }
            Map::from_iter([("advanceSeconds".to_owned(), time.as_secs().into())])
        }
        None => fields(rest)?,
    };
    Ok(Action::Tell { path: "/control/clock", body })
}

fn fault(rest: &str) -> Result<Action, String> {
    let body = if rest.starts_with('{') {
        fields(rest)?
    } else {
        let (endpoint, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut body = fields(rest.trim())?;
        body.insert("endpoint".into(), endpoint.into());
        body
    };
    Ok(Action::Tell { path: "/control/faults", body })
}

#[cfg(test)]
mod tests;
