//! What LINE refuses for good: calls as the simulator's log has them, and the deliveries that died of it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// How the errors begin of deliveries that died of a refusal, with LINE's status for it (O5).
const DEATHS: [(&str, u16); 2] =
    [("LINE forbids pushes to this chat", 403), ("the month's messages are used up", 429)];

/// What LINE says when the month's messages are used up.
const MONTH: &str = "You have reached your monthly limit.";
/// What it may say then, and at other times too.
const UNCLEAR: &str = "Too Many Requests";
/// How soon after an unclear refusal the bot has asked how much of the month is used up, in milliseconds.
const ASKED_WITHIN: i64 = 3_000;

/// A time in which the month's messages were used up; in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsedUp {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

/// The messages that LINE has refused, as JSON.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Each with the status of the refusal.
    for_good: HashSet<(u16, String)>,
    /// With when they were refused in words that do not tell whether it is for good.
    unclear: HashMap<String, Vec<i64>>,
}

impl Refusals {
    /// Notes a call of the bot, from an entry of the simulator's log.
    pub(crate) fn note(&mut self, entry: &Value) {
        let status = entry["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let messages = &entry["request"]["messages"];
        let Some(status) = status.filter(|_| messages.is_array()) else { return };
        let text = &entry["response"]["message"];
        if matches!(status, 400 | 403) || status == 429 && text == MONTH {
            self.for_good.insert((status, messages.to_string()));
        } else if status == 429 && text == UNCLEAR {
            let at = entry["at"].as_i64().unwrap_or_default();
            self.unclear.entry(messages.to_string()).or_default().push(at);
        }
    }

    /// Returns whether LINE has refused a call with these messages as such: its reply token, or an ornament.
    pub(crate) fn has_refused_call(&self, messages: &Value) -> bool {
        self.for_good.contains(&(400, messages.to_string()))
    }

    /// Returns what a dead delivery was to say, if it died of a refusal, and LINE did refuse it: by a clear word, or while the
    /// month's messages were used up.
    pub(crate) fn explain(
        &self,
        error: &str,
        payload: &[u8],
        used_up: &[UsedUp],
    ) -> Option<Vec<Value>> {
        let (_, status) = DEATHS.into_iter().find(|(begin, _)| error.starts_with(begin))?;
        let delivery: Value = serde_json::from_slice(payload).ok()?;
        let messages = &delivery["messages"];
        let text = messages.to_string();
        let mut unclear = self.unclear.get(&text).into_iter().flatten().filter(|_| status == 429);
        let was_used_up = |at: &i64| {
            used_up.iter().any(|month| month.from <= at + ASKED_WITHIN && *at <= month.until)
        };
        let is_refused = unclear.any(was_used_up) || self.for_good.contains(&(status, text));
        messages.as_array().filter(|_| is_refused).cloned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explains(refusals: &Refusals, error: &str, text: &str) -> bool {
        let delivery = json!({ "v": 1, "messages": [{ "type": "text", "text": text }] });
        let used_up = [UsedUp { from: 1_000, until: 2_000 }];
        refusals.explain(error, delivery.to_string().as_bytes(), &used_up).is_some()
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

    #[test]
    fn an_unclear_refusal_explains_a_death_only_while_the_month_was_used_up() {
        let mut refusals = Refusals::default();
        for (at, text, message) in [
            (1_500, "hi", UNCLEAR),
            (2_100, "late", UNCLEAR),
            (9_000, "clear", MONTH),
            (1_500, "rate", "The API rate limit has been exceeded. Try again later."),
        ] {
            let request = json!({ "messages": [{ "type": "text", "text": text }] });
            let response = json!({ "message": message });
            refusals.note(
                &json!({ "at": at, "status": 429, "request": request, "response": response }),
            );
        }
        let explained = |text| explains(&refusals, "the month's messages are used up: 429", text);
        let texts = ["hi", "late", "clear", "rate"];
        assert_eq!(texts.map(explained), [true, false, true, false]);
    }
}
