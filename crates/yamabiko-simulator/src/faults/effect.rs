//! What a hit does: to a call of the bot, or to a webhook.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Call, Fault};
use crate::limits::EXCEEDED;

/// Is what happens to one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CallFault {
    /// How long it really takes before anything else happens.
    pub(crate) delay: Duration,
    /// What happens instead of the usual, if anything does.
    pub(crate) effect: Option<CallEffect>,
}

/// Is how a call ends otherwise than it should.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallEffect {
    /// It is refused, by default with LINE's usual text for the status.
    Refuse { status: u16, message: Option<String> },
    /// It is refused for properties of its messages, at these places.
    Invalid(Vec<String>),
    /// It is never answered.
    Silence(Moment),
    /// Its connection is reset.
    Reset(Moment),
}

/// Says when a call's answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Moment {
    /// The call does nothing.
    Before,
    /// The call takes effect, but the bot never hears of it.
    After,
}

/// Names one of the three reasons for which LINE answers 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Limit {
    /// Too many calls.
    Rate,
    /// Too many messages to one user.
    User,
    /// The month's messages are used up.
    Quota,
}

impl Limit {
    fn message(self) -> &'static str {
        match self {
            Self::Rate => EXCEEDED,
            // LINE answers so, but does not tell with which text.
            Self::User => "A large number of messages were sent to the same user.",
            Self::Quota => "You have reached your monthly limit.",
        }
    }
}

/// Is what happens to the first delivery of one webhook.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct WebhookFault {
    /// How long it is held back, in the simulator's time.
    pub(crate) delay: Duration,
    /// How many more are sent at the same time.
    pub(crate) copies: u32,
    /// Whether it comes after the chat's next one.
    pub(crate) reorder: bool,
    /// Whether it never leaves.
    pub(crate) lose: bool,
}

/// Says what a fault does to a call.
pub(super) fn of_call(fault: Fault, call: &Call, dice: &mut fastrand::Rng) -> CallFault {
    let delay = delay(&fault, dice);
    let effect = if let Some(status) = fault.status {
        Some(CallEffect::Refuse { status, message: fault.message })
    } else if let Some(limit) = fault.limit {
        let message = fault.message.unwrap_or_else(|| limit.message().into());
        Some(CallEffect::Refuse { status: 429, message: Some(message) })
    } else if let Some(property) = fault.refuse {
        Some(CallEffect::Invalid(call.places(property).map(str::to_owned).collect()))
    } else if let Some(moment) = fault.timeout {
        Some(CallEffect::Silence(moment))
    } else {
        fault.reset.map(CallEffect::Reset)
    };
    CallFault { delay, effect }
}

/// Says what a fault does to a webhook.
pub(super) fn of_webhook(fault: &Fault, dice: &mut fastrand::Rng) -> WebhookFault {
    WebhookFault {
        delay: delay(fault, dice),
        copies: fault.duplicate.unwrap_or(0),
        reorder: fault.reorder,
        lose: fault.lose,
    }
}

fn delay(fault: &Fault, dice: &mut fastrand::Rng) -> Duration {
    let least = fault.delay_ms.unwrap_or(0);
    Duration::from_millis(dice.u64(least..=fault.delay_max_ms.unwrap_or(least).max(least)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_random_delay_keeps_within_its_bounds_and_follows_its_dice() {
        let fault = json!({ "endpoint": "push", "delayMs": 10, "delayMaxMs": 20 });
        let fault: Fault = serde_json::from_value(fault).expect("is a fault");
        let delays = || {
            let mut dice = fastrand::Rng::with_seed(1);
            (0..100).map(|_| delay(&fault, &mut dice).as_millis()).collect::<Vec<_>>()
        };
        let some = delays();
        assert!(some.iter().all(|delay| (10..=20).contains(delay)));
        assert!(some.iter().any(|delay| *delay != some[0]));
        assert_eq!(some, delays());
    }
}
