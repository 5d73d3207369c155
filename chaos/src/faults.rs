//! The simulator's faults: which are on, and how often each has hit.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{line::Line, tally::Tally};

/// What a fault may hit at most; the simulator counts down from it.
const PLENTY: u64 = 1_000_000;

/// A kind of fault, the part of calls or webhooks that it hits, and the simulator's words for it.
fn all() -> Vec<(&'static str, f64, Value)> {
    let of = |endpoint: &str, what: Value| {
        let mut fault = what;
        fault["endpoint"] = endpoint.into();
        fault
    };
    let mut faults = Vec::new();
    let mut add = |name, rate, endpoint, what| faults.push((name, rate, of(endpoint, what)));
    add("reply answered 500", 0.012, "reply", json!({ "status": 500 }));
    add("reply timed out before LINE took it", 0.012, "reply", json!({ "timeout": "before" }));
    add("reply timed out after LINE took it", 0.012, "reply", json!({ "timeout": "after" }));
    add("reply reset before LINE took it", 0.012, "reply", json!({ "reset": "before" }));
    add("reply reset after LINE took it", 0.012, "reply", json!({ "reset": "after" }));
    add("reply refused by rate (429)", 0.006, "reply", json!({ "limit": "rate" }));
    add("reply refused for one user (429)", 0.012, "reply", json!({ "limit": "user" }));
    add("reply refused for its quote (400)", 0.02, "reply", json!({ "refuse": "quoteToken" }));
    add("reply slow", 0.02, "reply", json!({ "delayMs": 100, "delayMaxMs": 2500 }));
    add("push answered 503", 0.012, "push", json!({ "status": 503 }));
    add("push timed out before LINE took it", 0.012, "push", json!({ "timeout": "before" }));
    add("push timed out after LINE took it", 0.012, "push", json!({ "timeout": "after" }));
    add("push reset before LINE took it", 0.012, "push", json!({ "reset": "before" }));
    add("push reset after LINE took it", 0.012, "push", json!({ "reset": "after" }));
    add("push refused by rate (429)", 0.01, "push", json!({ "limit": "rate" }));
    add("push refused for one user (429)", 0.012, "push", json!({ "limit": "user" }));
    add(
        "push refused by a limit that LINE does not name (429)",
        0.006,
        "push",
        json!({ "limit": "quota", "message": "Too Many Requests" }),
    );
    add(
        "push refused as the month's messages are used up (429)",
        0.01,
        "push",
        json!({ "limit": "quota" }),
    );
    add("push refused for its quote (400)", 0.02, "push", json!({ "refuse": "quoteToken" }));
    add("push slow", 0.02, "push", json!({ "delayMs": 100, "delayMaxMs": 2500 }));
    add("webhook duplicated", 0.04, "callback", json!({ "duplicate": 2 }));
    add("webhook delayed", 0.04, "callback", json!({ "delayMs": 50, "delayMaxMs": 1500 }));
    add("webhook reordered", 0.04, "callback", json!({ "reorder": true }));
    add("webhook lost", 0.03, "callback", json!({ "lose": true }));
    faults
}

/// A fault that hits one chat's pushes only: what LINE answers where it forbids them.
const FORBIDDEN: &str = "push forbidden for one user (403)";
/// Every so many chats there is one whose pushes LINE forbids, for so large a part of them.
const FORBIDDEN_EVERY: usize = 20;
const FORBIDDEN_RATE: f64 = 0.2;

/// The faults that are on.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Their names, in the simulator's order.
    on: Vec<&'static str>,
}

impl Faults {
    /// Switches all faults on, so much likelier than usual.
    pub(crate) async fn switch_on(
        line: &Line,
        seed: u64,
        likelier: f64,
        chats: &[String],
    ) -> anyhow::Result<Self> {
        let of_chats =
            chats.iter().skip(FORBIDDEN_EVERY / 2).step_by(FORBIDDEN_EVERY).map(|chat| {
                let fault = json!({ "endpoint": "push", "chat": chat, "status": 403 });
                (FORBIDDEN, FORBIDDEN_RATE, fault)
            });
        let mut on = Vec::new();
        for (number, (name, rate, mut fault)) in (0_u64..).zip(all().into_iter().chain(of_chats)) {
            fault["rate"] = (rate * likelier).into();
            fault["seed"] = (seed * 1000 + number).into();
            fault["count"] = PLENTY.into();
            line.fault(&fault).await?;
            on.push(name);
        }
        Ok(Self { on })
    }

    /// Switches all faults off and counts how often each has hit.
    pub(crate) async fn switch_off(self, line: &Line, tally: &Tally) -> anyhow::Result<()> {
        for (name, fault) in self.on.into_iter().zip(line.no_more_faults().await?) {
            let left = fault["count"].as_u64().context("a fault that counts")?;
            tally.add(name, PLENTY - left);
        }
        Ok(())
    }
}

/// Returns the names of all kinds of faults.
pub(crate) fn names() -> Vec<&'static str> {
    all().into_iter().map(|(name, ..)| name).chain([FORBIDDEN]).collect()
}
