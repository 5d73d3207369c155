//! The log of what was sent both ways: webhooks to the bot, calls of the bot.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// How many entries are kept.
const KEPT_ENTRIES: usize = 10_000;
/// How many bytes of bodies are kept.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Says who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The platform called the bot.
    Webhook,
    /// The bot called the platform.
    Api,
}

impl Direction {
    /// The word for it in the control API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Api => "api",
        }
    }
}

/// Is one request and, once it is there, its answer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Counts the entries from 1.
    pub(crate) n: u64,
    /// Grows with every change; the page asks for what is newer than it has.
    pub(crate) revision: u64,
    pub(crate) at: i64,
    pub(crate) direction: Direction,
    /// What is asked, such as `message text` or `POST /v2/bot/message/push`.
    pub(crate) what: String,
    pub(crate) webhook_event_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) redelivery: bool,
    pub(crate) request: String,
    pub(crate) response: String,
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) reason: Option<&'static str>,
}

impl Entry {
    /// Describes a request that has no answer yet.
    pub(crate) fn new(direction: Direction, what: String, request: String, at: i64) -> Self {
        Self {
            n: 0,
            revision: 0,
            at,
            direction,
            what,
            webhook_event_id: None,
            request_id: None,
            redelivery: false,
            request,
            response: String::new(),
            status: None,
            duration_ms: None,
            reason: None,
        }
    }

    /// The entry as the control API shows it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "n": self.n,
            "at": self.at,
            "direction": self.direction.word(),
            "what": self.what,
            "webhookEventId": self.webhook_event_id,
            "requestId": self.request_id,
            "isRedelivery": self.redelivery,
            "request": parsed(&self.request),
            "response": parsed(&self.response),
            "status": self.status,
            "durationMs": self.duration_ms,
            "reason": self.reason,
        })
    }

    fn size(&self) -> usize {
        self.request.len() + self.response.len()
    }
}

/// Reads a body as JSON, or shows it as text.
fn parsed(body: &str) -> Value {
    match serde_json::from_str(body) {
        Ok(value) => value,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => body.into(),
    }
}

/// Is how a request ended.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: u64,
    pub(crate) reason: Option<&'static str>,
    pub(crate) response: String,
}

impl Answer {
    /// Tells whether the request was accepted.
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The answer as the control API shows it.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "status": self.status, "durationMs": self.duration_ms, "reason": self.reason })
    }
}

/// Holds the newest entries, bounded in number and in bytes.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    count: u64,
    bytes: usize,
}

impl Log {
    /// Adds an entry and gives its number.
    pub(crate) fn add(&mut self, mut entry: Entry, revision: u64) -> u64 {
        self.count += 1;
        entry.n = self.count;
        entry.revision = revision;
        self.bytes += entry.size();
        self.entries.push_back(entry);
        self.trim();
        self.count
    }

    /// Writes down how a request ended.
    pub(crate) fn answered(&mut self, n: u64, answer: &Answer, revision: u64) {
        let first = self.entries.front().map_or(0, |entry| entry.n);
        let at = n.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
            entry.status = answer.status;
            entry.duration_ms = Some(answer.duration_ms);
            entry.reason = answer.reason;
            entry.response.clone_from(&answer.response);
            entry.revision = revision;
            self.bytes += answer.response.len();
        }
        self.trim();
    }

    /// Goes through the kept entries, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Tells how many entries there ever were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Finds the body of a webhook by its event's id.
    pub(crate) fn webhook(&self, event_id: &str) -> Option<&str> {
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.webhook_event_id.as_deref() == Some(event_id))
            .map(|entry| entry.request.as_str())
    }

    fn trim(&mut self) {
        while self.entries.len() > KEPT_ENTRIES || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: &str) -> Entry {
        Entry::new(Direction::Api, "POST /x".into(), body.into(), 0)
    }

    #[test]
    fn an_answer_finds_its_entry_after_older_ones_are_gone() {
        let mut log = Log::default();
        for _ in 0..KEPT_ENTRIES + 5 {
            log.add(entry("{}"), 1);
        }
        let n = log.count();
        let answer =
            Answer { status: Some(200), duration_ms: 3, reason: None, response: "{}".into() };
        log.answered(n, &answer, 2);
        log.answered(1, &answer, 3);
        assert_eq!(log.iter().count(), 10_000);
        let changed: Vec<u64> =
            log.iter().filter(|entry| entry.status.is_some()).map(|entry| entry.n).collect();
        assert_eq!(changed, [n]);
    }

    #[test]
    fn large_bodies_push_old_entries_out() {
        let mut log = Log::default();
        let body = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            log.add(entry(&body), 1);
        }
        assert_eq!(log.iter().count(), 16);
    }
}
