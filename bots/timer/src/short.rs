//! Short timers: they keep the reply token for their end, so that they cost no push.

use std::str::FromStr;

use yamabiko::{ChatKind, Context, Setting};

use crate::language::Chat;

/// The longest that a timer may be to count as short, in seconds: a reply token is used for 55 s, and has come some way (O2).
const LONGEST: u64 = 45;

/// Up to how long a timer counts as short, in seconds; at 0 none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShortTimer(pub(crate) u64);

impl Setting for ShortTimer {
    const NAME: &'static str = "SHORT_TIMER_SECONDS";
    const DEFAULT: &'static str = "0";
    const ABOUT: &'static str = "Timers up to this long, in seconds, at most 45, are confirmed by LINE's loading animation and cost no push.";
}

impl FromStr for ShortTimer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.trim().parse().ok().filter(|seconds| *seconds <= LONGEST);
        seconds.map(Self).ok_or_else(|| {
            format!("use a whole number of seconds from 0 (off) to {LONGEST}, since LINE promises a reply token's life for a minute only")
        })
    }
}

impl ShortTimer {
    /// Says whether a timer of so many seconds can be answered by the reply token alone; LINE's animation needs a chat with one user.
    pub(crate) fn covers(self, cx: &Context<Chat>, seconds: u64) -> bool {
        let with_one_user = cx.chat().is_some_and(|chat| chat.kind() == ChatKind::User);
        self.0 > 0 && seconds <= self.0 && with_one_user && cx.can_reply()
    }
}
