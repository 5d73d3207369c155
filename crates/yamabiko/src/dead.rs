//! What a chat is told when a handler or a job has died for good.

use std::sync::Arc;

use yamabiko_line::message::Message;
use yamabiko_queue::{
    job::OUTBOX,
    store::{Claim, Effect},
};

use crate::{
    context::{EVENT_KIND, Envelope},
    delivery::{self, Said, WhenLate},
};

/// A job that is given up, as `App::on_dead` sees it.
#[derive(Clone, Debug)]
pub struct Dead {
    /// The kind of job; `line.event` for a handler.
    pub kind: String,
    /// Why it was given up.
    pub error: String,
}

/// Says what a chat is told, if anything.
pub(crate) type Apology = Arc<dyn Fn(&Dead) -> Option<Message> + Send + Sync>;

/// The index from which the deliveries of an apology are numbered; no run collects that many effects.
const APOLOGY_INDEX: u32 = 1 << 31;

/// What is said by default.
pub(crate) const DEFAULT_SENTENCE: &str =
    "申し訳ありません、処理できませんでした。\nSorry, something went wrong with this one.";

/// Returns what a death leaves behind: a delivery to the chat, in the step that makes the job dead (K7).
pub(crate) fn effects(apology: &Apology, claim: &Claim, error: &str) -> Vec<Effect> {
    // A delivery that died is not answered with another one.
    if claim.job.queue == OUTBOX {
        return Vec::new();
    }
    let dead = Dead { kind: claim.job.kind.clone(), error: error.to_owned() };
    let mut envelope = Envelope::of(claim);
    // A kept token may have been used before a checkpoint of the run that has died.
    envelope.token = envelope.token.filter(|token| !token.kept);
    // An event without a chat can be answered by its reply token only.
    let is_reachable = envelope.chat.is_some() || envelope.token.is_some();
    match apology(&dead) {
        Some(message) if is_reachable && !envelope.standby => {
            // A handler's chat is told as long as it costs nothing; that of a job waits for what it was promised.
            let when_late = match claim.job.kind.as_str() {
                EVENT_KIND => WhenLate::Drop,
                _ => WhenLate::Push,
            };
            let said = vec![Said { chat: envelope.chat.clone(), message, when_late }];
            let ids = (APOLOGY_INDEX..)
                .map(|index| claim.job.id.of_effect(claim.job.reruns, claim.job.checkpoint, index));
            delivery::pack(said, &envelope, claim, ids).into_iter().map(Effect::Insert).collect()
        }
        _ => Vec::new(),
    }
}
