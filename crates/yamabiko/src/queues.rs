//! The queues that a bot's jobs are in.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use yamabiko_queue::job::{EVENTS, OUTBOX};

use crate::{
    Result,
    config::{Limits, Queues},
};

/// What a worker serves where nobody says otherwise, with weights.
const DEFAULT: [(&str, u32); 3] = [("high", 4), ("default", 2), ("low", 1)];

/// The queues of a bot's laneless jobs, and how many jobs of them run at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnQueues {
    names: BTreeSet<&'static str>,
    pub(crate) limits: BTreeMap<String, usize>,
}

impl OwnQueues {
    pub(crate) fn add(&mut self, name: &'static str) {
        self.names.insert(name);
    }

    /// Returns all queues that the bot's jobs are in, `events` and `outbox` among them (C6).
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let names: BTreeSet<_> = self.names.iter().copied().chain([EVENTS, OUTBOX]).collect();
        names.into_iter().collect()
    }

    /// Sets how many jobs of queues run at once, in place of what the bot says.
    ///
    /// # Errors
    /// If the bot has no such queue.
    pub(crate) fn limit(&mut self, told: Option<&Limits>) -> Result {
        let Some(Limits(told)) = told else { return Ok(()) };
        let mut all = self.names();
        all.extend(DEFAULT.iter().map(|(name, _)| *name).filter(|name| !self.names.contains(name)));
        for (name, at_most) in told {
            if !all.contains(&name.as_str()) {
                let all = all.join(", ");
                bail!(
                    "QUEUE_CONCURRENCY names {name:?}, which is no queue of this bot; it has {all}"
                );
            }
            self.limits.insert(name.clone(), *at_most);
        }
        Ok(())
    }

    /// Returns what a worker serves: what it was told, or the usual queues and those of the bot.
    pub(crate) fn served(&self, told: Option<&Queues>) -> Vec<(String, u32)> {
        if let Some(Queues(told)) = told {
            return told.clone();
        }
        let usual = |name: &str| DEFAULT.iter().any(|(usual, _)| *usual == name);
        let own = self.names.iter().copied().filter(|name| !usual(name)).map(|name| (name, 1));
        DEFAULT.into_iter().chain(own).map(|(name, weight)| (name.to_owned(), weight)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c6_the_queues_of_a_bot_are_known_and_served_unless_others_are_named() {
        let mut own = OwnQueues::default();
        own.add("heavy");
        own.add("default");
        assert_eq!(own.names(), ["default", "events", "heavy", "outbox"]);
        let served: Vec<_> = own.served(None).into_iter().map(|(name, _)| name).collect();
        assert_eq!(served, ["high", "default", "low", "heavy"]);
        let told = Queues(vec![("low".to_owned(), 3)]);
        assert_eq!(own.served(Some(&told)), told.0);
    }

    #[test]
    fn a_limit_is_for_a_queue_that_the_bot_has() {
        let mut own = OwnQueues::default();
        own.add("heavy");
        own.limits.insert("heavy".to_owned(), 4);
        own.limit(None).unwrap();
        assert_eq!(own.limits["heavy"], 4);
        let told = Limits(vec![("heavy".to_owned(), 2), ("low".to_owned(), 1)]);
        own.limit(Some(&told)).unwrap();
        assert_eq!((own.limits["heavy"], own.limits["low"]), (2, 1));
        let wrong = own.limit(Some(&Limits(vec![("heavvy".to_owned(), 1)]))).unwrap_err();
        assert!(wrong.to_string().ends_with("it has events, heavy, outbox, high, default, low"));
    }
}
