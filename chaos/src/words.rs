//! Requests and what the bot says, as texts.

use std::{fmt, str::FromStr};

/// What a user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One answer.
    Say,
    /// One answer, after so many milliseconds in the handler.
    Slow(u64),
    /// One answer; the first attempt asks for something else, and then fails.
    Flaky,
    /// One answer, and another message when so many milliseconds are over.
    Timer(u64),
    /// The same, and the timer's record is so large that it fills pages of its own.
    Bulky(u64),
    /// One answer, and a laneless job of so many steps, each with a message and a checkpoint.
    Work(u32),
    /// So many messages, said in one commit.
    Many(u32),
    /// The chat's timers.
    List,
    /// The end of the chat's timers.
    Cancel,
    /// One answer, and so many timers that are due in some hours.
    Pile(u32),
    /// The end of all those timers, however many.
    CancelAll,
    /// Nothing: the handler fails for good.
    Fail,
    /// The same, and what would tell the chat panics.
    FailSilently,
}

impl Ask {
    /// Returns the text of the request with this number.
    #[must_use]
    pub fn text(&self, request: u64) -> String {
        match self {
            Self::Say => format!("{request} say"),
            Self::Slow(ms) => format!("{request} slow {ms}"),
            Self::Flaky => format!("{request} flaky"),
            Self::Timer(ms) => format!("{request} timer {ms}"),
            Self::Bulky(ms) => format!("{request} bulky {ms}"),
            Self::Work(steps) => format!("{request} work {steps}"),
            Self::Many(messages) => format!("{request} many {messages}"),
            Self::List => format!("{request} list"),
            Self::Cancel => format!("{request} cancel"),
            Self::Pile(timers) => format!("{request} pile {timers}"),
            Self::CancelAll => format!("{request} cancel all"),
            Self::Fail => format!("{request} fail"),
            Self::FailSilently => format!("{request} fail silently"),
        }
    }

    /// Reads the text of a request; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<(u64, Self)> {
        let words: Vec<_> = text.split(' ').collect();
        let (request, rest) = words.split_first()?;
        let ask = match rest {
            ["say"] => Self::Say,
            ["slow", ms] => Self::Slow(ms.parse().ok()?),
            ["flaky"] => Self::Flaky,
            ["timer", ms] => Self::Timer(ms.parse().ok()?),
            ["bulky", ms] => Self::Bulky(ms.parse().ok()?),
            ["work", steps] => Self::Work(steps.parse().ok()?),
            ["many", messages] => Self::Many(messages.parse().ok()?),
            ["list"] => Self::List,
            ["cancel"] => Self::Cancel,
            ["pile", timers] => Self::Pile(timers.parse().ok()?),
            ["cancel", "all"] => Self::CancelAll,
            ["fail"] => Self::Fail,
            ["fail", "silently"] => Self::FailSilently,
            _ => return None,
        };
        Some((request.parse().ok()?, ask))
    }
}

/// Returns the text that a bulky timer's record is filled with, again and again; that of no other request has it.
#[must_use]
pub fn filling(request: u64) -> String {
    format!("bulky {request};")
}

/// What a message of the bot is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// The answer.
    Answered,
    /// A timer is set.
    Set,
    /// A timer's time is up.
    Rang,
    /// A job is started.
    Begun,
    /// A job's step is done.
    Step(u32),
    /// A job is done.
    Done,
    /// One of several messages.
    Part(u32),
    /// The requests whose timers run.
    Listed(Vec<u64>),
    /// The requests whose timers were cancelled.
    Cancelled(Vec<u64>),
    /// The request failed for good.
    Dead,
    /// Said by a run that failed then: nobody may ever see it.
    Wrong,
}

/// A message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<W = What> {
    /// The request that asked for it.
    pub request: u64,
    /// What it is.
    pub what: W,
    /// Which run in the chat's lane said it: the chat's state counts them from 1. A laneless job has none.
    pub run: Option<u64>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.request, self.run.unwrap_or(0))?;
        match &self.what {
            What::Answered => write!(f, " answered"),
            What::Set => write!(f, " set"),
            What::Rang => write!(f, " rang"),
            What::Begun => write!(f, " begun"),
            What::Step(n) => write!(f, " step {n}"),
            What::Done => write!(f, " done"),
            What::Part(n) => write!(f, " part {n}"),
            What::Listed(timers) => requests(f, "listed", timers),
            What::Cancelled(timers) => requests(f, "cancelled", timers),
            What::Dead => write!(f, " dead"),
            What::Wrong => write!(f, " wrong"),
        }
    }
}

fn requests(f: &mut fmt::Formatter<'_>, word: &str, requests: &[u64]) -> fmt::Result {
    write!(f, " {word}")?;
    requests.iter().try_for_each(|request| write!(f, " {request}"))
}

/// Says that a text is no message of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl FromStr for Said {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let words: Vec<_> = text.split(' ').collect();
        let number = |word: &str| word.parse().map_err(|_| Unreadable);
        let small = |word: &str| word.parse().map_err(|_| Unreadable);
        let [request, run, rest @ ..] = &words[..] else { return Err(Unreadable) };
        let request = number(request.strip_prefix('#').ok_or(Unreadable)?)?;
        let run = Some(number(run)?).filter(|run| *run > 0);
        let what = match rest {
            ["answered"] => What::Answered,
            ["set"] => What::Set,
            ["rang"] => What::Rang,
            ["begun"] => What::Begun,
            ["step", n] => What::Step(small(n)?),
            ["done"] => What::Done,
            ["part", n] => What::Part(small(n)?),
            ["listed", timers @ ..] => {
                What::Listed(timers.iter().map(|word| number(word)).collect::<Result<_, _>>()?)
            }
            ["cancelled", timers @ ..] => {
                What::Cancelled(timers.iter().map(|word| number(word)).collect::<Result<_, _>>()?)
            }
            ["dead"] => What::Dead,
            ["wrong"] => What::Wrong,
            _ => return Err(Unreadable),
        };
        Ok(Self { request, what, run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_are_written() {
        for ask in [
            Ask::Say,
            Ask::Slow(300),
            Ask::Flaky,
            Ask::Timer(1500),
            Ask::Bulky(9000),
            Ask::Work(3),
            Ask::Many(10),
            Ask::List,
            Ask::Cancel,
            Ask::Pile(375),
            Ask::CancelAll,
            Ask::Fail,
            Ask::FailSilently,
        ] {
            assert_eq!(Ask::parse(&ask.text(7)), Some((7, ask)));
        }
        assert_eq!(Ask::parse("7 sing"), None);
        assert_eq!(Ask::parse("say"), None);
    }

    #[test]
    fn messages_are_read_as_they_are_written() {
        for what in [
            What::Answered,
            What::Set,
            What::Rang,
            What::Begun,
            What::Step(2),
            What::Done,
            What::Part(10),
            What::Listed(vec![]),
            What::Listed(vec![3, 4]),
            What::Cancelled(vec![5]),
            What::Dead,
            What::Wrong,
        ] {
            for run in [None, Some(12)] {
                let said = Said { request: 7, what: what.clone(), run };
                assert_eq!(said.to_string().parse(), Ok(said));
            }
        }
        assert_eq!("hello".parse::<Said>(), Err(Unreadable));
    }
}
