//! What surrounds a run: its chat, its event, and the reply token that came with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use yamabiko_line::{
    event::{Event, Mode},
    id::ChatId,
    secret::ReplyToken,
};
use yamabiko_queue::{Job, Timestamp, store::Claim};

use super::standby;

/// The kind of the jobs that are events.
pub(crate) const EVENT_KIND: &str = "line.event";
/// The version of the payloads that are written here.
pub(crate) const PAYLOAD_VERSION: u32 = 1;
/// How old an event's own time may be to be believed (T4).
const OLDEST_EVENT: Duration = Duration::from_secs(24 * 60 * 60);

/// The payload of an event's job; the reply token is kept apart, as the job's secret.
#[derive(Debug, Serialize)]
pub(crate) struct StoredEvent {
    pub(crate) v: u32,
    pub(crate) destination: Option<String>,
    pub(crate) event: Value,
}

impl StoredEvent {
    /// Reads an event's payload.
    pub(crate) fn read(payload: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Parts {
            v: u32,
            destination: Option<String>,
            event: Box<RawValue>,
        }
        let Parts { v, destination, event } = serde_json::from_slice(payload)?;
        // By itself, so that it may be nested as deeply here as in the webhook.
        Ok(Self { v, destination, event: serde_json::from_str(event.get())? })
    }
}

/// Returns the version of a payload if it is newer than what this program knows, whatever else that version has in it.
pub(crate) fn newer_version(payload: &[u8], known: u32) -> Option<u32> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let version = serde_json::from_slice::<Version>(payload).ok()?.v;
    (version > known).then_some(version)
}

/// A reply token and when it arrived, by the store's clock.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) token: ReplyToken,
    pub(crate) arrived: Timestamp,
    /// Whether a job has kept it for its end.
    pub(crate) kept: bool,
}

impl Token {
    /// Returns the token that a run may use: its event's, or the one that its job has kept.
    ///
    /// What was said before a checkpoint may have used it.
    fn of(job: &Job) -> Option<Self> {
        let secret = job.secret.as_deref().filter(|_| job.checkpoint == 0)?;
        if job.kind == EVENT_KIND {
            return Some(Self {
                token: ReplyToken::new(secret),
                arrived: job.arrived,
                kept: false,
            });
        }
        let (arrived, token) = secret.split_once(' ')?;
        let arrived = Timestamp::from_micros(arrived.parse().ok()?);
        Some(Self { token: ReplyToken::new(token), arrived, kept: true })
    }

    /// Returns the secret of a job that keeps the token; the token is older than the job, so its arrival goes along.
    pub(crate) fn to_secret(&self) -> String {
        format!("{} {}", self.arrived.as_micros(), self.token.expose())
    }
}

/// What surrounds a run.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) chat: Option<ChatId>,
    /// The event, if the run is a handler's.
    pub(crate) event: Option<Event>,
    /// Whether the channel was in standby for the event that started it all: nothing is sent (I4).
    pub(crate) standby: bool,
    pub(crate) token: Option<Token>,
    /// From when `cx.after` counts (T4).
    pub(crate) counts_from: Timestamp,
}

impl Envelope {
    pub(crate) fn of(claim: &Claim) -> Self {
        let job = &claim.job;
        let event = (job.kind == EVENT_KIND)
            .then(|| StoredEvent::read(&job.payload).ok())
            .flatten()
            .map(|stored| Event::from_value(stored.event).for_bot(stored.destination.as_deref()));
        let counts_from = match &event {
            Some(event) => believed(event.timestamp, job.arrived),
            None => claim.claimed_at,
        };
        let standby = match &event {
            Some(event) => event.mode == Mode::Standby,
            None => standby::read(&job.payload).1,
        };
        Self {
            chat: job.chat.clone().map(ChatId::new),
            standby,
            token: Token::of(job),
            event,
            counts_from,
        }
    }
}

/// Returns the time of an event: its own if that lies within the 24 hours before arrival, else its arrival (T4).
pub(crate) fn believed(timestamp_ms: Option<i64>, arrived: Timestamp) -> Timestamp {
    match timestamp_ms.map(Timestamp::from_millis) {
        Some(own) if own <= arrived && arrived.since(own) <= OLDEST_EVENT => own,
        _ => arrived,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_a_timer_counts_from_the_events_own_time_if_that_is_plausible() {
        let arrived = Timestamp::from_millis(1_800_000_000_000);
        let at = |ms: i64| {
            believed(Some(1_800_000_000_000 + ms), arrived).as_millis() - 1_800_000_000_000
        };
        assert_eq!(at(-1_500), -1_500);
        assert_eq!(at(-24 * 3_600_000), -24 * 3_600_000);
        assert_eq!(at(-24 * 3_600_000 - 1), 0, "older than a day");
        assert_eq!(at(1), 0, "from the future");
        assert_eq!(believed(None, arrived), arrived);
    }
}
