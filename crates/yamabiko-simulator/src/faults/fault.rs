//! A failure as it is asked for and shown, and what is wrong with the asking.

use serde::{Deserialize, Serialize};

use super::CALLBACK;
use super::effect::{Limit, Moment};

/// Most copies of a webhook beside the webhook itself.
const MAX_COPIES: u32 = 100;

/// Is one failure: whom it hits and how often, and what happens then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// `reply`, `push`, any other telling part of a path, `*` for all calls, or `callback`.
    pub(crate) endpoint: String,
    /// The chat whose calls or webhooks it hits; all if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chat: Option<String>,
    /// The part of those it concerns that it hits, 0 to 1.
    #[serde(default = "always")]
    pub(crate) rate: f64,
    /// Says which they are: the same seed hits the same ones.
    #[serde(default = "first")]
    pub(crate) seed: u64,
    /// How many it hits; without a number, all until the faults are cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u32>,
    /// Waits so many milliseconds before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delay_ms: Option<u64>,
    /// Waits for a random time between `delay_ms` and this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delay_max_ms: Option<u64>,
    /// A call: answers with this status, and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// What the answer says; LINE's usual text if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// A call: is answered 429 as if this limit were reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<Limit>,
    /// A call: is refused for this property of its messages; one without it is not hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refuse: Option<Property>,
    /// A call: is never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Moment>,
    /// A call: has its connection reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reset: Option<Moment>,
    /// A webhook: is sent so many times more at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duplicate: Option<u32>,
    /// A webhook: comes after the chat's next one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) reorder: bool,
    /// A webhook: never leaves.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) lose: bool,
}

/// Names a property of a message that LINE may refuse, and without which the message says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Property {
    QuoteToken,
    QuickReply,
    Sender,
}

impl Property {
    pub(crate) const ALL: [Self; 3] = [Self::QuoteToken, Self::QuickReply, Self::Sender];

    /// Gives its name in a message.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::QuoteToken => "quoteToken",
            Self::QuickReply => "quickReply",
            Self::Sender => "sender",
        }
    }
}

fn always() -> f64 {
    1.0
}

fn first() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Fault {
    /// Tells whether it concerns a chat.
    pub(super) fn is_of_chat(&self, chat: Option<&str>) -> bool {
        self.chat.as_deref().is_none_or(|one| chat == Some(one))
    }

    /// Says what is wrong with the request for this fault, if anything is.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let endings = [
            self.status.is_some(),
            self.limit.is_some(),
            self.refuse.is_some(),
            self.timeout.is_some(),
            self.reset.is_some(),
        ];
        let endings = endings.iter().filter(|is_given| **is_given).count();
        let of_webhooks = self.duplicate.is_some() || self.reorder || self.lose;
        let delays = self.delay_ms.is_some() || self.delay_max_ms.is_some();
        let problems = [
            (!(0.0..=1.0).contains(&self.rate), "rate must be 0 to 1"),
            (self.count == Some(0), "count must be at least 1"),
            (
                self.status.is_some_and(|status| !(400..=599).contains(&status)),
                "status must be 400 to 599",
            ),
            (
                self.delay_max_ms.is_some_and(|max| max < self.delay_ms.unwrap_or(0)),
                "delayMaxMs must be at least delayMs",
            ),
            (
                self.duplicate.is_some_and(|copies| !(1..=MAX_COPIES).contains(&copies)),
                "duplicate must be 1 to 100",
            ),
            (endings > 1, "only one of status, limit, refuse, timeout and reset can be"),
            (
                self.message.is_some() && self.status.is_none() && self.limit.is_none(),
                "message is for status and limit",
            ),
            (
                self.endpoint != CALLBACK && of_webhooks,
                "duplicate, reorder and lose are for the endpoint callback",
            ),
            (
                self.endpoint == CALLBACK && endings > 0,
                "status, limit, refuse, timeout and reset are not for the endpoint callback",
            ),
            (
                !delays && endings == 0 && !of_webhooks,
                "nothing is said of what happens, such as status, delayMs or duplicate",
            ),
        ];
        problems.iter().find(|(is_wrong, _)| *is_wrong).map(|(_, problem)| *problem)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(value: Value) -> Fault {
        serde_json::from_value(value).expect("is a fault")
    }

    #[test]
    fn a_fault_that_makes_no_sense_is_refused() {
        for wrong in [
            json!({ "endpoint": "push" }),
            json!({ "endpoint": "push", "status": 500, "count": 0 }),
            json!({ "endpoint": "push", "status": 200 }),
            json!({ "endpoint": "push", "status": 500, "rate": 1.1 }),
            json!({ "endpoint": "push", "status": 500, "reset": "before" }),
            json!({ "endpoint": "push", "message": "no", "delayMs": 1 }),
            json!({ "endpoint": "push", "delayMs": 2, "delayMaxMs": 1 }),
            json!({ "endpoint": "push", "duplicate": 1 }),
            json!({ "endpoint": "push", "refuse": "sender", "limit": "user" }),
            json!({ "endpoint": "callback", "refuse": "sender" }),
            json!({ "endpoint": "callback" }),
            json!({ "endpoint": "callback", "status": 500 }),
            json!({ "endpoint": "callback", "duplicate": 101 }),
        ] {
            assert!(fault(wrong.clone()).problem().is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_fault_that_makes_sense_is_taken_and_shown_as_it_was_given() {
        for right in [
            json!({ "endpoint": "push", "rate": 0.5, "seed": 7, "count": 3, "status": 500 }),
            json!({ "endpoint": "*", "rate": 1.0, "seed": 1, "delayMs": 1, "delayMaxMs": 9 }),
            json!({ "endpoint": "push", "rate": 1.0, "seed": 1, "limit": "user", "delayMs": 5 }),
            json!({ "endpoint": "push", "rate": 1.0, "seed": 1, "reset": "after" }),
            json!({ "endpoint": "*", "chat": "U1", "rate": 1.0, "seed": 1, "refuse": "quoteToken" }),
            json!({ "endpoint": "callback", "rate": 1.0, "seed": 1, "duplicate": 2, "lose": true }),
        ] {
            let fault = fault(right.clone());
            assert_eq!(fault.problem(), None, "{right}");
            assert_eq!(serde_json::to_value(&fault).expect("is JSON"), right);
        }
    }
}
