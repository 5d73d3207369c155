//! What LINE refuses for good: calls as the simulator's log has them, and the deliveries that died of it.

use std::collections::HashSet;

use serde_json::Value;

/// How the errors begin of deliveries that died of a refusal, with LINE's status for it (O5).
const DEATHS: [(&str, u16); 2] =
    [("LINE forbids pushes to this chat", 403), ("the month's messages are used up", 429)];

/// What LINE says when the month's messages are used up, and what it may say then.
const MONTH: [&str; 2] = ["You have reached your monthly limit.", "Too Many Requests"];

/// The messages that LINE has refused, as JSON, each with the status of the refusal.
#[derive(Debug, Default)]
pub(crate) struct Refusals(HashSet<(u16, String)>);

impl Refusals {
    /// Notes a call of the bot, from an entry of the simulator's log.
    pub(crate) fn note(&mut self, entry: &Value) {
        let status = entry["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let messages = &entry["request"]["messages"];
        let is_final = match status {
            Some(429) => MONTH.iter().any(|text| entry["response"]["message"] == *text),
            status => matches!(status, Some(400 | 403)),
        };
        if let Some(status) = status.filter(|_| is_final)
            && messages.is_array()
        {
            self.0.insert((status, messages.to_string()));
        }
    }

    /// Returns whether LINE has refused a call with these messages as such: its reply token, or an ornament.
    pub(crate) fn has_refused_call(&self, messages: &Value) -> bool {
        self.0.contains(&(400, messages.to_string()))
    }

    /// Returns what a dead delivery was to say, if it died of a refusal, and LINE did refuse it.
    pub(crate) fn explain(&self, error: &str, payload: &[u8]) -> Option<Vec<Value>> {
        let (_, status) = DEATHS.into_iter().find(|(begin, _)| error.starts_with(begin))?;
        let delivery: Value = serde_json::from_slice(payload).ok()?;
        let messages = &delivery["messages"];
        let is_refused = self.0.contains(&(status, messages.to_string()));
        messages.as_array().filter(|_| is_refused).cloned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explains(refusals: &Refusals, error: &str, text: &str) -> bool {
        let delivery = json!({ "v": 1, "messages": [{ "type": "text", "text": text }] });
        refusals.explain(error, delivery.to_string().as_bytes()).is_some()
    }

    #[test]
    fn a_death_is_explained_by_a_refusal_of_the_same_messages_with_the_same_status() {
        let mut refusals = Refusals::default();
        let request = json!({ "to": "U1", "messages": [{ "type": "text", "text": "hi" }] });
        refusals.note(&json!({ "status": 403, "request": request }));
        refusals.note(&json!({ "status": 200, "request": { "messages": [] } }));
        let forbidden = "LINE forbids pushes to this chat, though it takes the credentials: 403";
        assert!(explains(&refusals, forbidden, "hi"));
        assert!(!explains(&refusals, forbidden, "ho"), "other messages");
        assert!(!explains(&refusals, "the month's messages are used up: 429", "hi"), "a 403");
        assert!(!explains(&refusals, "a text is too long", "hi"), "another error");
    }
}
