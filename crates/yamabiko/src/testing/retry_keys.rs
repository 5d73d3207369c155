//! The retry keys that LINE has seen.

use std::{collections::HashMap, time::Duration};

use uuid::Uuid;
use yamabiko_line::{error::Error, message::Message};
use yamabiko_queue::Timestamp;

use super::fault::refused;

/// How long an accepted retry key is known.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The retry keys that LINE has seen.
#[derive(Debug, Default)]
pub(super) struct RetryKeys {
    seen: HashMap<Uuid, Seen>,
    /// Whether a key is refused that comes with another body than before.
    pub(super) refuse_other_bodies: bool,
}

#[derive(Debug)]
struct Seen {
    messages: Vec<Message>,
    accepted: Option<Timestamp>,
}

impl RetryKeys {
    /// Notes a request with a key, and returns whether the key was seen before.
    pub(super) fn use_with(&mut self, key: Uuid, messages: &[Message]) -> Result<bool, Error> {
        let Some(seen) = self.seen.get(&key) else {
            self.seen.insert(key, Seen { messages: messages.to_vec(), accepted: None });
            return Ok(false);
        };
        if self.refuse_other_bodies && seen.messages != messages {
            return Err(refused(400, "The retry key was used with another request body"));
        }
        Ok(true)
    }

    /// Returns whether a request with the key was accepted and LINE still knows it.
    pub(super) fn is_accepted(&self, key: Uuid, now: Timestamp) -> bool {
        let accepted = self.seen.get(&key).and_then(|seen| seen.accepted);
        accepted.is_some_and(|at| now.since(at) < LIFE)
    }

    /// Notes that a request with the key was accepted.
    pub(super) fn accept(&mut self, key: Uuid, now: Timestamp) {
        if let Some(seen) = self.seen.get_mut(&key) {
            seen.accepted = Some(now);
        }
    }
}
