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

/// Faults that hit one chat only, and always: what LINE refuses of a message once, it refuses again.
const QUOTES_REFUSED: [(&str, &str); 2] =
    [("reply refused for its quote (400)", "reply"), ("push refused for its quote (400)", "push")];
/// Every so many chats there is one whose quotes LINE refuses.
const REFUSED_EVERY: usize = 30;

/// Returns the faults that hit one chat only.
fn of_chats(chats: &[String]) -> impl Iterator<Item = (&'static str, f64, Value)> {
    let forbidden = chats.iter().skip(FORBIDDEN_EVERY / 2).step_by(FORBIDDEN_EVERY).map(|chat| {
        let fault = json!({ "endpoint": "push", "chat": chat, "status": 403 });
        (FORBIDDEN, FORBIDDEN_RATE, fault)
    });
    let refused = chats.iter().skip(3).step_by(REFUSED_EVERY).flat_map(|chat| {
        QUOTES_REFUSED.map(|(name, endpoint)| {
            (name, 1.0, json!({ "endpoint": endpoint, "chat": chat, "refuse": "quoteToken" }))
        })
    });
    forbidden.chain(refused)
}

/// The faults that are on.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Each with its name, in the simulator's order.
    on: Vec<(&'static str, Value)>,
}

impl Faults {
    /// Switches all faults on, so much likelier than usual.
    pub(crate) async fn switch_on(
        line: &Line,
        seed: u64,
        likelier: f64,
        chats: &[String],
    ) -> anyhow::Result<Self> {
        let mut on = Vec::new();
        // One fault hits a call, the first of those that would: what is always refused goes before what happens now and then.
        let faults = of_chats(chats).chain(all());
        for (number, (name, rate, mut fault)) in (0_u64..).zip(faults) {
            fault["rate"] = f64::min(rate * likelier, 1.0).into();
            fault["seed"] = (seed * 1000 + number).into();
            fault["count"] = PLENTY.into();
            line.fault(&fault).await?;
            on.push((name, fault));
        }
        Ok(Self { on })
    }

    /// Switches the faults off that LINE has now and then, and counts how often each has hit.
    pub(crate) async fn switch_off(self, line: &Line, tally: &Tally) -> anyhow::Result<()> {
        let counted = line.no_more_faults().await?;
        for (name, fault) in &self.on {
            if QUOTES_REFUSED.iter().any(|(refused, _)| refused == name) {
                line.fault(fault).await?;
            }
        }
        for ((name, _), fault) in self.on.into_iter().zip(counted) {
            let left = fault["count"].as_u64().context("a fault that counts")?;
            tally.add(name, PLENTY - left);
        }
        Ok(())
    }
}

/// Returns the names of all kinds of faults.
pub(crate) fn names() -> Vec<&'static str> {
    let of_chats = QUOTES_REFUSED.map(|(name, _)| name).into_iter().chain([FORBIDDEN]);
    all().into_iter().map(|(name, ..)| name).chain(of_chats).collect()
}
