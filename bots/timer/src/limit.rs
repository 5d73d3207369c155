//! How many timers may be pending in one chat.

use std::str::FromStr;

use yamabiko::{Context, Result, Setting};

use crate::{language::Chat, timers};

/// The largest limit: a list of them is still read from the store in one go.
const LARGEST: u32 = 10_000;

/// How many timers may be pending in one chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimersPerChat(pub(crate) u32);

impl Setting for TimersPerChat {
    const NAME: &'static str = "TIMERS_PER_CHAT";
    const DEFAULT: &'static str = "100";
    const ABOUT: &'static str = "Timers that may be pending in one chat, from 1 to 10,000.";
}

impl FromStr for TimersPerChat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().parse().ok().filter(|number| (1..=LARGEST).contains(number));
        number.map(Self).ok_or_else(|| format!("use a whole number from 1 to {LARGEST}"))
    }
}

impl TimersPerChat {
    /// Returns whether the chat may have one timer more, and counts it.
    ///
    /// The chat's state counts what was started, not what ended, so most requests need not ask the store.
    pub(crate) async fn take(self, cx: &Context<Chat>) -> Result<bool> {
        let mut chat = cx.state();
        if chat.pending_at_most >= self.0 {
            chat.pending_at_most = u32::try_from(timers(cx).await?.len()).unwrap_or(u32::MAX);
        }
        let is_free = chat.pending_at_most < self.0;
        if is_free {
            chat.pending_at_most += 1;
        }
        cx.set_state(chat);
        Ok(is_free)
    }
}
