//! What was sent both ways: which webhooks the bot took, and which calls it made, from the simulator's log.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    line::{Line, REDELIVERIES},
    refusals::Refusals,
};

/// How long the simulator waits for something new before it answers.
const WAIT: Duration = Duration::from_millis(300);

/// What is known of the webhooks of one event; times in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// When the event happened.
    pub(crate) happened: Option<i64>,
    /// When the first of them was sent.
    pub(crate) sent: Option<i64>,
    /// When the bot first answered one with 200.
    pub(crate) taken: Option<i64>,
    redeliveries: u32,
}

/// All that was sent both ways.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// The webhooks, by their events' ids.
    pub(crate) events: HashMap<String, Delivered>,
    /// The bot's calls, a line each, for people.
    pub(crate) calls: Vec<String>,
    /// Those of them that LINE refused for good.
    pub(crate) refusals: Refusals,
}

/// Follows the simulator's log, which keeps only the newest entries.
#[derive(Debug)]
pub(crate) struct Follower {
    stop: watch::Sender<bool>,
    waiting: Arc<AtomicUsize>,
    following: JoinHandle<anyhow::Result<Traffic>>,
}

impl Follower {
    pub(crate) fn start(line: Line) -> Self {
        let stop = watch::Sender::new(false);
        let waiting = Arc::default();
        let following = tokio::spawn(follow(line, stop.subscribe(), Arc::clone(&waiting)));
        Self { stop, waiting, following }
    }

    /// Says whether an event will be delivered again.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Returns what was seen up to now.
    pub(crate) async fn end(self) -> anyhow::Result<Traffic> {
        self.stop.send_replace(true);
        self.following.await?
    }
}

async fn follow(
    line: Line,
    stop: watch::Receiver<bool>,
    waiting: Arc<AtomicUsize>,
) -> anyhow::Result<Traffic> {
    let mut traffic = Traffic::default();
    // Entries get their answers later, so each look begins at the first that has none.
    let mut after = 0;
    loop {
        let is_last_look = *stop.borrow();
        let wait_ms = WAIT.as_millis();
        let log = line.get(&format!("log?after={after}&wait_ms={wait_ms}")).await?;
        let entries = log["entries"].as_array().context("a log has entries")?;
        let first = entries.first().and_then(|entry| entry["n"].as_u64()).unwrap_or(after + 1);
        anyhow::ensure!(first == after + 1, "the simulator's log is faster than the breaker");
        let mut all_answered = true;
        for entry in entries {
            all_answered &= !entry["durationMs"].is_null();
            if all_answered {
                traffic.note(entry);
                after = entry["n"].as_u64().context("entries are numbered")?;
            }
        }
        let is_waiting =
            |event: &&Delivered| event.taken.is_none() && event.redeliveries < REDELIVERIES;
        waiting.store(traffic.events.values().filter(is_waiting).count(), Ordering::SeqCst);
        if is_last_look {
            return Ok(traffic);
        }
        tokio::time::sleep(WAIT).await;
    }
}

impl Traffic {
    /// Notes an entry of the log that is answered.
    fn note(&mut self, entry: &Value) {
        let Some(at) = entry["at"].as_i64() else { return };
        let Some(event) = entry["webhookEventId"].as_str() else {
            self.refusals.note(entry);
            self.calls.push(format!(
                "{at} {} {} {} after {} ms: {}",
                entry["what"],
                entry["status"],
                entry["reason"],
                entry["durationMs"],
                entry["request"]
            ));
            return;
        };
        let delivered = self.events.entry(event.to_owned()).or_default();
        let timestamp = entry["request"]["events"][0]["timestamp"].as_i64();
        delivered.happened = timestamp.or(delivered.happened);
        delivered.redeliveries += u32::from(entry["isRedelivery"] == true);
        // What a fault has lost was never sent.
        if entry["reason"] == "lost" {
            return;
        }
        delivered.sent = Some(delivered.sent.map_or(at, |before| before.min(at)));
        if entry["status"] == 200 {
            let taken = at + entry["durationMs"].as_i64().unwrap_or_default();
            delivered.taken = Some(delivered.taken.map_or(taken, |before| before.min(taken)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_taken_when_one_of_its_webhooks_was() {
        let mut traffic = Traffic::default();
        let entry = |at: i64, status: Option<u16>, reason: Option<&str>, again: bool| {
            json!({
                "webhookEventId": "e", "at": at, "status": status, "durationMs": 5, "reason": reason, "isRedelivery": again,
                "request": { "events": [{ "timestamp": 90 }] },
            })
        };
        traffic.note(&entry(100, None, Some("lost"), false));
        assert_eq!(traffic.events["e"], Delivered { happened: Some(90), ..Delivered::default() });
        traffic.note(&entry(200, Some(503), Some("error_status_code"), true));
        traffic.note(&entry(300, Some(200), None, true));
        traffic.note(&entry(400, Some(200), None, true));
        let known =
            Delivered { happened: Some(90), sent: Some(200), taken: Some(305), redeliveries: 3 };
        assert_eq!(traffic.events["e"], known);
    }
}
