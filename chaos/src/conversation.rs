//! What users and a bot say to each other: what can be asked for, and what must come of it.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
    hash::Hash,
    path::Path,
    time::Duration,
};

use fastrand::Rng;
use serde_json::Value;
use yamabiko_chaos::Said;
use yamabiko_queue::{Failure, JobRecord};

use crate::{
    book::Page,
    check::{Chat, Verdict},
};

mod keywords;
mod requests;

pub(crate) use keywords::Keywords;
pub(crate) use requests::{Requests, phase};

/// The conversation with one of the bots.
pub(crate) trait Conversation: Clone + Debug + Send + Sync + 'static {
    /// What a user asks for.
    type Ask: Clone + Debug + Send + Sync;
    /// What the bot says to it: a message, or all messages of a call that belong together.
    type What: Clone + Debug + Eq + Hash + Send + Sync;

    /// The bot's name, under which its store keeps everything.
    const BOT: &'static str;
    /// How much the users do.
    const LOAD: Load;

    /// Returns the settings that this bot needs beside those of every bot.
    fn settings(web_port: u16, folder: &Path) -> Vec<(&'static str, String)>;

    /// Returns the path of the bot's endpoint, if it has one: it takes a number and answers with its double.
    fn endpoint() -> Option<&'static str> {
        None
    }

    /// Draws what a user asks for.
    fn choose(dice: &mut Rng) -> Self::Ask;

    /// Draws what a user asks for who will take it back.
    fn choose_to_take_back(dice: &mut Rng) -> Self::Ask;

    /// Draws what a user asks for that ends nothing that was asked for before, since no message may tell what it has ended.
    fn choose_what_ends_nothing(dice: &mut Rng) -> Self::Ask {
        Self::choose(dice)
    }

    /// Returns what a user asks for to have very many timers, if the bot has any.
    fn pile() -> Option<Pile<Self::Ask>> {
        None
    }

    /// Draws what a user asks for whose timer's record is damaged before it is due, if the bot has such timers.
    fn bulky(_dice: &mut Rng) -> Option<Self::Ask> {
        None
    }

    /// Returns what every user asks for in the end.
    fn last_words() -> Self::Ask;

    /// Returns what a user sends to ask for it; it tells the request's number.
    fn utterance(ask: &Self::Ask, request: u64) -> Utterance;

    /// Says whether it must fail.
    fn is_to_fail(_ask: &Self::Ask) -> bool {
        false
    }

    /// Returns whether a message is the notification of a timer.
    fn is_timer(_what: &Self::What) -> bool {
        false
    }

    /// Returns when its time is up, if it is a timer.
    fn due(_ask: &Self::Ask, _at: i64) -> Option<i64> {
        None
    }

    /// Returns what must be said to it, in order.
    fn expected(ask: &Self::Ask) -> Vec<Self::What>;

    /// Returns what was said without its particulars, as it is expected.
    fn bare(what: &Self::What) -> Self::What {
        what.clone()
    }

    /// Says where something said stands among all that its request asks for.
    fn place(what: &Self::What) -> u32;

    /// Reads what a call to LINE says; `None` for each part that nobody can read.
    fn read(call: &Call<'_>, index: &Index<'_, Self>) -> Vec<Option<Said<Self::What>>>;

    /// Says whether a message tells that a request is given up after three deaths of its process (C4).
    fn is_apology(_message: &Value) -> bool {
        false
    }

    /// Returns whether a request may be given up after these failures, since its handler or job failed in all of its time (D1).
    fn has_failed_too_often(_history: &[Failure]) -> bool {
        false
    }

    /// Says whether a message answers no request.
    fn is_aside(_message: &Value) -> bool {
        false
    }

    /// Returns the requests in the order in which they were handled, as far as the chat tells.
    fn handled(chat: &Chat<Self>) -> Vec<u64>;

    /// Says whether this order may be that of the answers alone, since the later one's answer has passed the other's (O8).
    fn may_have_passed(_chat: &Chat<Self>, _later: u64, _earlier: u64) -> bool {
        false
    }

    /// Says whether the bot was asked, later on, not to say this.
    fn is_cancelled(_chat: &Chat<Self>, _request: u64, _what: &Self::What) -> bool {
        false
    }

    /// Checks what only this bot does.
    fn check(_chat: &Chat<Self>, _verdict: &mut Verdict) {}

    /// Says whether a job may be live in the end, since the one that would have ended it is dead.
    fn outlives(_live: &JobRecord, _dead: &[JobRecord]) -> bool {
        false
    }

    /// Returns the jobs, among those that are live in the end, that should have ended together with another.
    fn forgotten(_live: &[JobRecord]) -> Vec<&JobRecord> {
        Vec::new()
    }
}

/// How much the users do, so that the machine keeps up with the bot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) users: usize,
    /// The longest time between two things that a user does; the shortest is a fifth of it.
    pub(crate) pause: Duration,
    /// The same for users in a hurry: their chats have moved on whenever a run comes back too late.
    pub(crate) short_pause: Duration,
    /// How much likelier than usual each fault of a call or webhook is, since there are fewer of them.
    pub(crate) faults: f64,
    /// How often each kind of fault of a call or webhook must have hit in a minute at least.
    pub(crate) faults_a_minute: f64,
    /// How many timers must be asked for in a minute at least.
    pub(crate) timers_a_minute: f64,
}

/// What piles up timers, and what ends them all.
#[derive(Clone, Debug)]
pub(crate) struct Pile<A> {
    pub(crate) ask: A,
    pub(crate) cancel: A,
}

/// What a user sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Utterance {
    Text(String),
    /// The bytes of a PNG file.
    Picture(Vec<u8>),
}

/// What one call to LINE says.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// As LINE's message objects, or as the simulator's ledger has them.
    pub(crate) messages: Vec<&'a Value>,
    /// The request that it answers, by its reply token or by its job in the store.
    pub(crate) request: Option<u64>,
}

/// What the users asked for, to be found by what LINE calls it.
#[derive(Debug)]
pub(crate) struct Index<'a, C: Conversation> {
    by_event: HashMap<&'a str, u64>,
    by_message: HashMap<&'a str, u64>,
    by_request: HashMap<u64, &'a C::Ask>,
    taken_back: HashSet<u64>,
    in_standby: HashSet<u64>,
}

impl<'a, C: Conversation> Index<'a, C> {
    pub(crate) fn of(pages: &'a [Page<C::Ask>]) -> Self {
        let all = || pages.iter().flat_map(|page| &page.asked);
        Self {
            by_event: all().map(|asked| (asked.event.as_str(), asked.request)).collect(),
            by_message: all().map(|asked| (asked.message.as_str(), asked.request)).collect(),
            by_request: all().map(|asked| (asked.request, &asked.ask)).collect(),
            taken_back: all()
                .filter(|asked| asked.unsent_by.is_some())
                .map(|asked| asked.request)
                .collect(),
            in_standby: all().filter(|asked| asked.in_standby).map(|asked| asked.request).collect(),
        }
    }

    /// Returns the request that an event told the bot.
    pub(crate) fn of_event(&self, event: &str) -> Option<u64> {
        self.by_event.get(event).copied()
    }

    /// Returns the request that a user's message was.
    pub(crate) fn of_message(&self, message: &str) -> Option<u64> {
        self.by_message.get(message).copied()
    }

    /// Returns the request that a job comes from.
    pub(crate) fn of_job(&self, record: &JobRecord) -> Option<u64> {
        self.of_message(record.job.origin.as_deref()?)
    }

    /// Says whether the user took the request's message back, sooner or later.
    pub(crate) fn is_taken_back(&self, request: u64) -> bool {
        self.taken_back.contains(&request)
    }

    /// Says whether a request was made while the channel was in standby.
    pub(crate) fn is_in_standby(&self, request: u64) -> bool {
        self.in_standby.contains(&request)
    }

    /// Returns what a request asks for.
    pub(crate) fn ask(&self, request: u64) -> Option<&'a C::Ask> {
        self.by_request.get(&request).copied()
    }
}
