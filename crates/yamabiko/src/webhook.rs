//! `POST /callback`: verifies, stores, answers; no author's code runs before the 200.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::{sync::SetOnce, time};
use yamabiko_line::{
    event::{Envelope, Event, EventKind},
    secret::ChannelSecret,
    signature,
};
use yamabiko_queue::{
    ErrorKind, JobId, NewJob, Queue, Timestamp,
    finding::because,
    job::{EVENTS, MAX_NAME_BYTES},
    store::Inserted,
};

use crate::{
    context::{EVENT_KIND, PAYLOAD_VERSION, StoredEvent, chat_lane},
    health::Health,
};

#[cfg(test)]
mod tests;

/// The largest body that is read: 1 MiB.
const MAX_BODY: usize = 1024 * 1024;
/// How long opening the store and storing may take before LINE is told to come again (I3).
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_millis(1_400);
/// For how long an event's key is remembered (I1).
const REMEMBER: Duration = Duration::from_secs(24 * 60 * 60);

/// What the webhook needs.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) secret: Arc<ChannelSecret>,
    /// Where events go, once the store is open.
    pub(crate) queue: Arc<SetOnce<Queue>>,
    pub(crate) health: Arc<Health>,
}

/// Returns `/callback`.
pub(crate) fn routes(webhook: Webhook) -> Router {
    Router::new()
        .route("/callback", post(callback))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(webhook)
}

async fn callback(State(webhook): State<Webhook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = webhook.take(&headers, &body).await;
    metrics::counter!("yamabiko_webhooks_total", "status" => status.as_str().to_owned())
        .increment(1);
    status
}

impl Webhook {
    pub(crate) fn new(
        secret: ChannelSecret,
        queue: Arc<SetOnce<Queue>>,
        health: Arc<Health>,
    ) -> Self {
        Self { secret: Arc::new(secret), queue, health }
    }

    async fn take(&self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let signature = headers.get("x-line-signature").and_then(|value| value.to_str().ok());
        if !signature.is_some_and(|signature| signature::verify(&self.secret, body, signature)) {
            tracing::warn!(
                missing = signature.is_none(),
                "refused a webhook with a wrong or missing signature"
            );
            return StatusCode::UNAUTHORIZED;
        }
        let Ok(envelope) = Envelope::parse(body) else {
            tracing::warn!("refused a signed webhook that is no object with an array of events");
            return StatusCode::BAD_REQUEST;
        };
        let destination = envelope.destination.as_deref();
        let jobs = envelope.events.iter().filter_map(|event| job(event, destination));
        let jobs: Vec<_> = jobs.filter(fits).collect();
        if jobs.is_empty() {
            return StatusCode::OK;
        }
        let deadline = time::Instant::now() + STORE_TIMEOUT;
        // LINE sends a webhook again only where the channel is set so: a bot that starts lets it wait.
        let Ok(queue) = time::timeout_at(deadline, self.queue.wait()).await else {
            return self.turn_away(ErrorKind::Unavailable, "the store is not open yet");
        };
        match time::timeout_at(deadline, queue.enqueue(jobs)).await {
            Ok(Ok(inserted)) => {
                count(&inserted);
                if self.health.webhook_stored() {
                    tracing::info!("webhooks are stored again");
                }
                StatusCode::OK
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Refused => {
                tracing::error!(%error, "a webhook cannot be stored");
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Ok(Err(error)) => self.turn_away(error.kind(), &because(&error)),
            Err(_) => self.turn_away(ErrorKind::Unavailable, "the store takes too long"),
        }
    }

    /// Asks LINE to send the webhook again; logged for the first of several in a row that have the same kind of reason.
    fn turn_away(&self, kind: ErrorKind, reason: &str) -> StatusCode {
        if self.health.webhook_turned_away(kind) {
            tracing::warn!(reason, "webhooks are not stored, LINE is asked to send them again");
        }
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// Says whether an event can be stored; one that is too large costs only itself, and sending it again would not help.
fn fits(job: &NewJob) -> bool {
    let checked = job.check();
    if let Err(error) = &checked {
        tracing::error!(%error, job.id = %job.id, "an event is too large to be stored");
        metrics::counter!("yamabiko_events_total", "outcome" => "too_large").increment(1);
    }
    checked.is_ok()
}

fn count(inserted: &[Inserted]) {
    for one in inserted {
        let outcome = if *one == Inserted::Stored { "stored" } else { "duplicate" };
        metrics::counter!("yamabiko_events_total", "outcome" => outcome).increment(1);
    }
}

/// Returns the job of an event: unique by the event's key (I1), in the chat's lane (L1).
///
/// `None` for the dummies of LINE's verification: whatever a bot did about them would reach nobody.
pub(crate) fn job(event: &Event, destination: Option<&str>) -> Option<NewJob> {
    if event.is_verification() {
        metrics::counter!("yamabiko_events_total", "outcome" => "verification").increment(1);
        return None;
    }
    let stored = StoredEvent {
        v: PAYLOAD_VERSION,
        destination: destination.map(str::to_owned),
        event: event.without_reply_token(),
    };
    let payload = serde_json::to_vec(&stored).expect("an event is JSON");
    let mut job = NewJob::new(EVENT_KIND, payload);
    job.id = JobId::of_key(&event.key(destination));
    job.queue = EVENTS.to_owned();
    if let Some(source) = &event.source
        && let Some(chat) = source.chat()
    {
        job.lane = Some(chat_lane(&chat));
        job.chat = Some(chat.to_string());
    }
    job.origin = event.webhook_event_id.clone().filter(|id| id.len() <= MAX_NAME_BYTES);
    match &event.kind {
        EventKind::Message(content) | EventKind::MessageEdited(content) => {
            job.origin = content.id().map(ToString::to_string).or(job.origin);
        }
        // It may come before the message, whose event LINE may have to send again (I5).
        EventKind::Unsend { message_id } => job.revokes = Some(message_id.to_string()),
        _ => {}
    }
    job.origin_time = event.timestamp.map(Timestamp::from_millis);
    job.secret = event.reply_token.as_ref().map(|token| token.expose().to_owned());
    job.remember = REMEMBER;
    if matches!(event.kind, EventKind::Unknown { .. }) {
        metrics::counter!("yamabiko_unknown_events_total").increment(1);
    }
    Some(job)
}
