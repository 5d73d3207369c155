//! Bodies of webhooks as LINE sends them.

use serde_json::{Value, json};

/// Returns a body with one event: a user writes a text.
pub(crate) fn of_text(index: u64, user: u64) -> String {
    of_events(&[text(index, user)])
}

/// Returns a body with these events.
pub(crate) fn of_events(events: &[Value]) -> String {
    json!({"destination": format!("U{:032x}", 1), "events": events}).to_string()
}

/// Returns the event that a user writes a text; its ids are made of the index.
pub(crate) fn text(index: u64, user: u64) -> Value {
    json!({
        "type": "message",
        "message": {
            "type": "text",
            "id": (500_000_000_000_000_000 + index).to_string(),
            "quoteToken": format!("q{index:063}"),
            "text": "180",
        },
        "webhookEventId": format!("{index:026}"),
        "deliveryContext": {"isRedelivery": false},
        "timestamp": 1_700_000_000_000_u64 + index,
        "source": {"type": "user", "userId": format!("U{user:032x}")},
        // One of zeros alone is a dummy of LINE's verification.
        "replyToken": format!("{:032x}", index + 1),
        "mode": "active",
    })
}
