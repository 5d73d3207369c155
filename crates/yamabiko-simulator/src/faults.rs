//! Failures that are switched on for calls of the bot, to see what it makes of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Is one failure: which calls it hits, what happens to them, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// `reply`, `push`, `profile`, `loading`, any other last part of a path, or `*` for all calls.
    pub(crate) endpoint: String,
    /// Answers with this status, and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// What the answer says; LINE's usual text for the status if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// Waits so many milliseconds before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delay_ms: Option<u64>,
    /// Never answers: `before` the call is accepted, or `after` it took effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Timeout>,
    /// How many calls it hits; without a number, all until the faults are cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u32>,
}

/// Says when a call's answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Timeout {
    /// The call does nothing.
    Before,
    /// The call takes effect, but the bot never hears of it.
    After,
}

impl Fault {
    /// How long to wait first.
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or(0))
    }

    /// Says what is wrong with the request for this fault, if anything is.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match self.status {
            Some(status) if !(400..=599).contains(&status) => Some("status must be 400 to 599"),
            None if self.delay_ms.is_none() && self.timeout.is_none() => {
                Some("one of status, delayMs and timeout is needed")
            }
            _ if self.count == Some(0) => Some("count must be at least 1"),
            _ => None,
        }
    }
}

/// Holds the failures that are switched on, in the order of their switching.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Switches a failure on.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Switches all failures off.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The failures that are on.
    pub(crate) fn list(&self) -> &[Fault] {
        &self.0
    }

    /// Takes the first failure that hits a call; a counted one has one hit less then.
    pub(crate) fn hit(&mut self, endpoint: &str) -> Option<Fault> {
        let at = self.0.iter().position(|f| f.endpoint == "*" || f.endpoint == endpoint)?;
        let fault = self.0[at].clone();
        match &mut self.0[at].count {
            Some(1) => {
                self.0.remove(at);
            }
            Some(count) => *count -= 1,
            None => {}
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(endpoint: &str, count: Option<u32>) -> Fault {
        Fault {
            endpoint: endpoint.into(),
            status: Some(500),
            message: None,
            delay_ms: None,
            timeout: None,
            count,
        }
    }

    #[test]
    fn a_counted_fault_ends_after_its_hits() {
        let mut faults = Faults::default();
        faults.add(fault("push", Some(2)));
        assert!(faults.hit("reply").is_none());
        assert!(faults.hit("push").is_some() && faults.hit("push").is_some());
        assert!(faults.hit("push").is_none());
    }

    #[test]
    fn a_fault_without_a_count_stays_until_cleared() {
        let mut faults = Faults::default();
        faults.add(fault("*", None));
        assert!(faults.hit("push").is_some() && faults.hit("profile").is_some());
        faults.clear();
        assert!(faults.hit("push").is_none());
    }

    #[test]
    fn a_fault_that_does_nothing_is_refused() {
        let nothing = Fault { status: None, ..fault("push", None) };
        assert!(nothing.problem().is_some());
        assert!(fault("push", Some(0)).problem().is_some());
        assert!(fault("push", None).problem().is_none());
    }
}
