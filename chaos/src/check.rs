//! Matches what the bot said to what it was asked: what is missing, said twice, out of order, early or half done; pure.

use std::collections::HashSet;

use yamabiko_chaos::{Ask, Said, What};

use crate::{
    clocks::Step,
    conversation::{Conversation, Requests},
};

mod losses;
mod once;
mod order;
mod runs;
#[cfg(test)]
mod tests;
mod timers;

pub(crate) use losses::Loss;

/// What a user asked for, and what is known of it; times in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Asked<A = Ask> {
    pub(crate) request: u64,
    pub(crate) ask: A,
    /// When the user wrote it.
    pub(crate) at: i64,
    /// When its webhook was first sent; never, if all were lost.
    pub(crate) sent: Option<i64>,
    /// When the bot took it.
    pub(crate) taken: Option<i64>,
    /// Whether the channel was in standby.
    pub(crate) in_standby: bool,
    /// Whether the user took it back, and when the bot took note of that.
    pub(crate) unsent: Option<CalledOff>,
}

/// Something that ends what was asked for before: a message taken back, or a chat that was left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalledOff {
    /// When the user did it.
    pub(crate) at: i64,
    /// When the bot took note of it.
    pub(crate) taken: Option<i64>,
}

/// Something that a user was told.
#[derive(Clone, Debug)]
pub(crate) struct Heard<W = What> {
    pub(crate) said: Said<W>,
    pub(crate) at: i64,
    /// Whether it came by reply token, else by push.
    pub(crate) by_reply: bool,
}

/// All that is known of a chat.
#[derive(Clone, Debug)]
pub(crate) struct Chat<C: Conversation = Requests> {
    pub(crate) user: String,
    /// In the order of asking.
    pub(crate) asked: Vec<Asked<C::Ask>>,
    /// In the order of seeing.
    pub(crate) heard: Vec<Heard<C::What>>,
    pub(crate) unfollows: Vec<CalledOff>,
    /// What was dropped because nobody can tell whether it was said (O3).
    pub(crate) uncertain: Vec<Said<C::What>>,
    /// What was free only and came too late for its reply token (O9).
    pub(crate) too_late: Vec<Said<C::What>>,
    /// What LINE refused for good (O5).
    pub(crate) refused: Vec<Said<C::What>>,
    /// The requests that were given up because their process died three times (C4).
    pub(crate) given_up: HashSet<u64>,
    /// The requests of which a job was set aside, or is dead, since its record was damaged.
    pub(crate) damaged: HashSet<u64>,
    /// How often the chat was told that a request was given up, or was not since it would have cost a push.
    pub(crate) apologies: usize,
    /// What the store has lost.
    pub(crate) losses: Vec<Loss>,
    /// When the store's clock was wrong.
    pub(crate) clock_steps: Vec<Step>,
    /// How many runs the chat's state has counted.
    pub(crate) runs: u64,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// A message is missing.
    Lost,
    /// A message was said more than once.
    Twice,
    /// A message came before one that goes before it, or an event was handled before an earlier one.
    OutOfOrder,
    /// A timer rang before its time.
    Early,
    /// Something happened without what belongs to it.
    HalfDone,
    /// Something was sent, or was to be sent, for an event in standby.
    InStandby,
    /// Something was sent, or was to be sent, for a message that the user had taken back before it came (I5).
    TakenBack,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) wrong: Wrong,
    /// The user whose chat it is in.
    pub(crate) user: String,
    pub(crate) text: String,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    /// Replies of which nobody can tell whether they were said, and which were dropped (O3).
    pub(crate) uncertain: u64,
    /// Free-only messages that came too late for their reply token (O9).
    pub(crate) too_late: u64,
    /// Messages of events that the store has lost with its last second (R3).
    pub(crate) forgotten: u64,
    /// Messages that LINE refused for good (O5).
    pub(crate) refused: u64,
    /// Messages that were rightly not said, since the channel was in standby (I4).
    pub(crate) in_standby: u64,
    /// Requests that came after the user had taken them back, and to which nothing was said (I5).
    pub(crate) revoked: u64,
    /// Messages that were rightly not said: their request was taken back, cancelled, or never reached the bot.
    pub(crate) called_off: u64,
    /// Requests given up after three deaths of their process (C4).
    pub(crate) given_up: u64,
    /// Timers that did not ring since their records were damaged.
    pub(crate) damaged: u64,
    /// Messages that LINE took after the user had taken their request back, and after later ones.
    pub(crate) orphans: u64,
    /// Timers that rang early, by a clock that was wrong (T3).
    pub(crate) misled: u64,
    /// Timers that rang.
    pub(crate) rung: u64,
    /// Messages that were matched to their request.
    pub(crate) matched: u64,
}

impl Verdict {
    fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.uncertain += other.uncertain;
        self.too_late += other.too_late;
        self.forgotten += other.forgotten;
        self.refused += other.refused;
        self.in_standby += other.in_standby;
        self.revoked += other.revoked;
        self.called_off += other.called_off;
        self.given_up += other.given_up;
        self.damaged += other.damaged;
        self.orphans += other.orphans;
        self.misled += other.misled;
        self.rung += other.rung;
        self.matched += other.matched;
    }
}

/// Checks all chats.
pub(crate) fn all<C: Conversation>(chats: &[Chat<C>]) -> Verdict {
    let mut verdict = Verdict::default();
    for chat in chats {
        verdict.add(chat.check());
    }
    verdict
}

impl<C: Conversation> Chat<C> {
    /// Checks everything that was said in the chat.
    pub(crate) fn check(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.check_once(&mut verdict);
        self.check_order(&mut verdict);
        C::check(self, &mut verdict);
        verdict
    }

    fn find(&self, verdict: &mut Verdict, wrong: Wrong, text: String) {
        verdict.findings.push(Finding { wrong, user: self.user.clone(), text });
    }

    /// Returns whether a request reached the bot only after its unsend had, so that it must not run.
    fn is_revoked(&self, asked: &Asked<C::Ask>) -> bool {
        asked.unsent.is_some_and(|off| {
            let is_first = off.taken.zip(asked.sent).is_some_and(|(taken, sent)| taken < sent);
            is_first && asked.taken.is_some() && !self.has_forgotten(&off)
        })
    }

    fn asked(&self, request: u64) -> Option<&Asked<C::Ask>> {
        self.asked.iter().find(|asked| asked.request == request)
    }

    /// Returns what was said, or dropped as uncertain or too late, or refused.
    pub(crate) fn told(&self) -> impl Iterator<Item = &Said<C::What>> {
        let unsaid = self.uncertain.iter().chain(&self.too_late).chain(&self.refused);
        self.heard.iter().map(|heard| &heard.said).chain(unsaid)
    }
}
