//! A job that a run has asked for, to say more about it.

use std::fmt;

use yamabiko_queue::{JobId, Timestamp};

use super::Context;
use crate::state::ChatState;

/// A job that a run has asked for: its id, and what more is to be said about it.
pub struct Started<'a, S = ()> {
    pub(super) cx: &'a Context<S>,
    pub(super) id: JobId,
    /// When it is due, if not at once.
    pub(super) due: Option<Timestamp>,
}

impl<S> fmt::Debug for Started<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<S: ChatState> Started<'_, S> {
    /// Returns the job's id, for `cx.cancel`.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// Keeps the run's reply token for what this job says, so that it costs no push.
    ///
    /// A token is used for 55 s after it arrived and then left for a push, so one is kept only for a job that is due by then.
    /// What this run itself says leaves by push, since a token is good once; `cx.show_loading` shows that the bot is at work.
    /// The job has the token until its first checkpoint, in every one of its runs, and may hand it on in the same way.
    /// A run without a reply token (`cx.can_reply` tells) keeps nothing.
    ///
    /// To keep it for two jobs is an error of the run, for good.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use serde::{Deserialize, Serialize};
    /// use yamabiko::{Context, Job, Result, TextMessage};
    ///
    /// async fn on_text(cx: Context, message: TextMessage) -> Result {
    ///     cx.after(Duration::from_secs(30), Egg { dish: message.text }).keep_reply();
    ///     cx.show_loading(Duration::from_secs(30));
    ///     Ok(())
    /// }
    /// # #[derive(Serialize, Deserialize)] struct Egg { dish: String }
    /// # impl Job for Egg {
    /// #     const KIND: &'static str = "egg";
    /// #     async fn run(self, cx: Context) -> Result { cx.push(self.dish); Ok(()) }
    /// # }
    /// # let _ = yamabiko::App::new("kitchen").on_text(on_text).job::<Egg>();
    /// ```
    #[expect(clippy::must_use_candidate, reason = "most callers need no more of the job")]
    pub fn keep_reply(self) -> Self {
        self.cx.keep_reply(self.id, self.due);
        self
    }
}
