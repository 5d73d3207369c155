//! The conversation with `chaos-bot`, whose every message names its request.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Duration,
};

use fastrand::Rng;
use serde_json::Value;
use yamabiko_chaos::{Ask, ON_PURPOSE, Said, What};
use yamabiko_queue::Failure;

use super::{Call, Conversation, Index, Load, Pile, Utterance};
use crate::check::{Chat, Verdict};

/// How many timers a request piles up; less than one commit may ask for.
const TIMERS_OF_A_REQUEST: u32 = 300;

/// Numbered requests, and answers that name them.
#[derive(Clone, Debug)]
pub(crate) struct Requests;

impl Conversation for Requests {
    type Ask = Ask;
    type What = What;

    const BOT: &'static str = "chaos";
    const LOAD: Load = Load {
        users: 300,
        pause: Duration::from_secs(10),
        short_pause: Duration::from_secs(2),
        faults: 1.0,
        faults_a_minute: 5.0,
        timers_a_minute: 500.0,
    };

    fn endpoint() -> Option<&'static str> {
        Some("/chaos/double")
    }

    fn settings(_web_port: u16, _folder: &Path) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn choose(dice: &mut Rng) -> Ask {
        match dice.u32(0..100) {
            0..40 => Ask::Timer(dice.u64(300..20_000)),
            40..58 => Ask::Say,
            58..68 => Ask::Slow(dice.u64(50..600)),
            68..74 => Ask::Flaky,
            74..84 => Ask::Work(dice.u32(1..5)),
            84..88 => Ask::Many(dice.u32(6..11)),
            88..93 => Ask::List,
            93..98 => Ask::Cancel,
            98 => Ask::Fail,
            _ => Ask::FailSilently,
        }
    }

    fn choose_to_take_back(dice: &mut Rng) -> Ask {
        Ask::Timer(dice.u64(2_000..20_000))
    }

    fn choose_what_ends_nothing(dice: &mut Rng) -> Ask {
        match Self::choose(dice) {
            Ask::Cancel => Ask::List,
            other => other,
        }
    }

    fn pile() -> Option<Pile<Ask>> {
        Some(Pile { ask: Ask::Pile(TIMERS_OF_A_REQUEST), cancel: Ask::CancelAll })
    }

    fn bulky(dice: &mut Rng) -> Option<Ask> {
        Some(Ask::Bulky(dice.u64(10_000..15_000)))
    }

    /// Each chat's last message tells how many runs there were.
    fn last_words() -> Ask {
        Ask::Say
    }

    fn utterance(ask: &Ask, request: u64) -> Utterance {
        Utterance::Text(ask.text(request))
    }

    fn is_to_fail(ask: &Ask) -> bool {
        matches!(ask, Ask::Fail | Ask::FailSilently)
    }

    fn is_timer(what: &What) -> bool {
        *what == What::Rang
    }

    fn due(ask: &Ask, at: i64) -> Option<i64> {
        match ask {
            Ask::Timer(ms) | Ask::Bulky(ms) => Some(at + i64::try_from(*ms).unwrap_or(i64::MAX)),
            _ => None,
        }
    }

    fn expected(ask: &Ask) -> Vec<What> {
        match ask {
            Ask::Say | Ask::Slow(_) | Ask::Flaky => vec![What::Answered],
            Ask::Timer(_) | Ask::Bulky(_) => vec![What::Set, What::Rang],
            Ask::Work(steps) => {
                let steps = (1..=*steps).map(What::Step);
                [What::Begun].into_iter().chain(steps).chain([What::Done]).collect()
            }
            Ask::Many(messages) => (1..=*messages).map(What::Part).collect(),
            Ask::List => vec![What::Listed(Vec::new())],
            Ask::Cancel | Ask::CancelAll => vec![What::Cancelled(Vec::new())],
            // Its timers are cancelled before they are due.
            Ask::Pile(_) => vec![What::Set],
            Ask::Fail => vec![What::Dead],
            Ask::FailSilently => Vec::new(),
        }
    }

    fn bare(what: &What) -> What {
        match what {
            What::Listed(_) => What::Listed(Vec::new()),
            What::Cancelled(_) => What::Cancelled(Vec::new()),
            other => other.clone(),
        }
    }

    fn place(what: &What) -> u32 {
        match what {
            What::Step(n) | What::Part(n) => *n,
            What::Rang | What::Done => u32::MAX,
            _ => 0,
        }
    }

    fn read(call: &Call<'_>, _index: &Index<'_, Self>) -> Vec<Option<Said>> {
        let read = |message: &&Value| message["text"].as_str()?.parse().ok();
        call.messages.iter().map(read).collect()
    }

    fn is_apology(message: &Value) -> bool {
        let text = message["text"].as_str().unwrap_or_default();
        let died = text.strip_prefix("the process died ");
        died.is_some_and(|rest| rest.ends_with(" times running this"))
            || is_panic(text)
            || is_timeout(text)
    }

    /// The last attempt may run out of what the earlier ones have left of the time.
    fn has_failed_too_often(history: &[Failure]) -> bool {
        let last = history.last().map(|last| last.error.as_str());
        last.is_some_and(is_panic)
            || last.is_some_and(is_timeout)
                && history.iter().any(|failure| is_panic(&failure.error))
    }

    fn handled(chat: &Chat) -> Vec<u64> {
        let mut handled: BTreeMap<u64, u64> = BTreeMap::new();
        for said in chat.told().filter(|said| phase(&said.what) == 0) {
            if let Some(run) = said.run {
                handled.insert(run, said.request);
            }
        }
        handled.into_values().collect()
    }

    fn is_cancelled(chat: &Chat, request: u64, what: &What) -> bool {
        *what == What::Rang
            && (chat.cancelled(|_| true).contains_key(&request)
                || chat.may_be_cancelled_unheard(request))
    }

    fn check(chat: &Chat, verdict: &mut Verdict) {
        chat.check_runs(verdict);
        chat.check_timers(verdict);
    }
}

/// Says whether an error is a panic on purpose.
fn is_panic(error: &str) -> bool {
    error.strip_prefix("panicked: ").is_some_and(|rest| rest.starts_with(ON_PURPOSE))
}

/// Returns whether an error says that a run took too long.
fn is_timeout(error: &str) -> bool {
    error.starts_with("took longer than ")
}

/// The run of a request that said something: a request may have one for its event and one for what came of it.
pub(crate) fn phase(what: &What) -> u8 {
    match what {
        What::Rang | What::Done => 1,
        _ => 0,
    }
}

impl Chat {
    /// Returns the timers that were cancelled by requests that `count`, with the runs that did so.
    pub(crate) fn cancelled(&self, count: impl Fn(u64) -> bool) -> HashMap<u64, u64> {
        let mut cancelled = HashMap::new();
        for said in self.told().filter(|said| count(said.request)) {
            if let (What::Cancelled(timers), Some(run)) = (&said.what, said.run) {
                cancelled.extend(timers.iter().map(|timer| (*timer, run)));
            }
        }
        cancelled
    }
}
