//! Keeps LINE's loading animation going while a chat waits for its answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{ChatKind, Context, Job, JobId, Lane, Result, Snooze, Timestamp};

use crate::{colours::Colours, research::Research};

/// How long the animation is shown at once; LINE allows no more.
const SHOWN: Duration = Duration::from_secs(60);
/// When it is renewed: a little before its end.
const RENEW: Duration = Duration::from_secs(50);
/// How long the animation is kept going at most, however long the job takes.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Renews the loading animation until it is cancelled by the job that answers, or that job has died.
///
/// The job that answers cannot do so itself as long as it waits behind others.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeepWaiting {
    since: Timestamp,
}

/// Shows the animation, for as long as LINE allows.
pub(crate) fn show(cx: &Context) {
    cx.show_loading(SHOWN);
}

impl KeepWaiting {
    /// Shows the animation, and keeps it going; returns the job to cancel with the answer.
    pub(crate) fn start(cx: &Context) -> Option<JobId> {
        let is_shown = cx.chat().is_some_and(|chat| chat.kind() == ChatKind::User);
        is_shown.then(|| {
            show(cx);
            cx.at(cx.now() + RENEW, Self { since: cx.now() }).id()
        })
    }
}

impl Job for KeepWaiting {
    const KIND: &'static str = "keep_waiting";
    const LANE: Lane = Lane::None;

    async fn run(self, cx: Context) -> Result {
        if cx.now().since(self.since) >= PATIENCE {
            return Ok(());
        }
        // A job that died has cancelled nothing.
        if !cx.has_job::<Research>().await? && !cx.has_job::<Colours>().await? {
            return Ok(());
        }
        show(&cx);
        cx.checkpoint(&self).await?;
        Err(Snooze(RENEW).into())
    }
}
