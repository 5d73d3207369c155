//! LINE's loading animation: shown in its turn among the chat's messages, at best.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko_line::id::ChatId;
use yamabiko_queue::{Ending, Finish, JobId, NewJob, RetryPolicy, Run, Timestamp, store::Claim};

use super::{Courier, outgoing};
use crate::context::PAYLOAD_VERSION;

/// The kind of the jobs that show the animation.
pub(crate) const LOADING_KIND: &str = "line.loading";
/// How long the chat's next message waits for the animation at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// LINE shows it for a multiple of this, in seconds.
const STEP: u64 = 5;
/// LINE shows it for a minute at most, in seconds.
const LONGEST: u64 = 60;

/// The payload of an animation.
#[derive(Debug, Serialize, Deserialize)]
struct Loading {
    v: u32,
    chat: ChatId,
    /// When it is to be over; it is not begun later.
    until: Timestamp,
}

/// Returns the job that shows the animation in a chat with one user.
///
/// It is one of the chat's deliveries, so that no earlier message wipes it out and it follows no later one.
pub(crate) fn animation(chat: &ChatId, until: Timestamp, claim: &Claim, id: JobId) -> NewJob {
    let loading = Loading { v: PAYLOAD_VERSION, chat: chat.clone(), until };
    let payload = serde_json::to_vec(&loading).expect("ids and times are JSON");
    outgoing(LOADING_KIND, payload, Some(chat), claim, id)
}

/// Returns how an animation is tried: once, and again only after its process has died.
pub(crate) fn policy() -> RetryPolicy {
    RetryPolicy { max_attempts: 1, max_lost: u32::MAX, ..RetryPolicy::deliveries() }
}

impl Courier {
    /// Shows the animation, unless its time is over; whatever comes of it, it is done with.
    pub(crate) async fn show_loading(&self, run: Run) -> Finish {
        let claim = &run.claim;
        if let Ok(loading) = serde_json::from_slice::<Loading>(&claim.job.payload)
            && let Some(seconds) = seconds(loading.until.since(claim.claimed_at + run.age()))
            && self.animations.check().is_ok()
        {
            let call = self.platform.show_loading(&loading.chat, seconds);
            match run.clock().timeout(PATIENCE, call).await {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::debug!(%error, "the loading animation is not shown"),
                None => tracing::debug!("the loading animation took too long, the chat goes on"),
            }
        }
        Finish { ending: Ending::Done, effects: Vec::new() }
    }
}

/// Returns for how many seconds LINE is asked to show it, none if there is no time left.
fn seconds(left: Duration) -> Option<u8> {
    if left.is_zero() {
        return None;
    }
    let steps = left.as_millis().div_ceil(u128::from(STEP) * 1000);
    let seconds = u64::try_from(steps).map_or(LONGEST, |steps| steps.saturating_mul(STEP));
    u8::try_from(seconds.min(LONGEST)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_animation_lasts_a_multiple_of_five_seconds_up_to_a_minute() {
        let of = |millis| seconds(Duration::from_millis(millis));
        assert_eq!(of(0), None);
        assert_eq!([of(1), of(5_000), of(5_001), of(29_900)].map(Option::unwrap), [5, 5, 10, 30]);
        assert_eq!([of(60_000), of(60_001), of(u64::MAX)].map(Option::unwrap), [60, 60, 60]);
    }
}
