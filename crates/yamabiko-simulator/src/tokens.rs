//! What is used once or accepted once: reply tokens, retry keys, and access tokens on loan.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

/// After this a token is dead however often its webhook is redelivered.
const REPLY_TOKEN_END_MS: i64 = 20 * 60 * 1_000;
/// How long an accepted retry key is remembered.
const RETRY_KEY_LIFE_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long a stateless access token lives.
const ACCESS_TOKEN_LIFE_MS: i64 = 15 * 60 * 1_000;

/// Keeps the reply tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct ReplyTokens(HashMap<String, ReplyGrant>);

#[derive(Debug)]
struct ReplyGrant {
    chat: String,
    event_id: String,
    event_at: i64,
    usable_until: i64,
    used: bool,
}

impl ReplyTokens {
    /// Gives out a token for one chat; it lives `life_ms` from now, later from its webhook's sending.
    pub(crate) fn grant(
        &mut self,
        token: &str,
        chat: &str,
        event_id: &str,
        now: i64,
        life_ms: i64,
    ) {
        // Looking at all tokens for every event would make a load test quadratic.
        if self.0.len().is_power_of_two() {
            self.0.retain(|_, grant| now < grant.event_at + REPLY_TOKEN_END_MS);
        }
        let grant = ReplyGrant {
            chat: chat.into(),
            event_id: event_id.into(),
            event_at: now,
            usable_until: now + life_ms,
            used: false,
        };
        self.0.insert(token.into(), grant);
    }

    /// Starts the token's life anew, since its webhook was sent or sent again.
    pub(crate) fn sent(&mut self, token: &str, now: i64, life_ms: i64) {
        if let Some(grant) = self.0.get_mut(token) {
            grant.usable_until = (now + life_ms).min(grant.event_at + REPLY_TOKEN_END_MS);
        }
    }

    /// Names the token's chat if it can be used now.
    pub(crate) fn chat(&self, token: &str, now: i64) -> Option<&str> {
        let grant = self.0.get(token)?;
        (!grant.used && now <= grant.usable_until).then_some(grant.chat.as_str())
    }

    /// Names the event that brought the token.
    pub(crate) fn event(&self, token: &str) -> Option<&str> {
        self.0.get(token).map(|grant| grant.event_id.as_str())
    }

    /// Marks the token as used.
    pub(crate) fn spend(&mut self, token: &str) {
        if let Some(grant) = self.0.get_mut(token) {
            grant.used = true;
        }
    }
}

/// Remembers which retry keys were accepted, and with what answer.
#[derive(Debug, Default)]
pub(crate) struct RetryKeys(HashMap<Uuid, Accepted>);

/// Is what was answered when a retry key was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) at: i64,
    pub(crate) request_id: String,
    pub(crate) sent_messages: Value,
}

impl RetryKeys {
    /// Finds the answer to an earlier request with the key, for 24 hours.
    pub(crate) fn accepted(&self, key: Uuid, now: i64) -> Option<&Accepted> {
        self.0.get(&key).filter(|accepted| now < accepted.at + RETRY_KEY_LIFE_MS)
    }

    /// Remembers an accepted request.
    pub(crate) fn accept(&mut self, key: Uuid, accepted: Accepted) {
        if self.0.len().is_power_of_two() {
            let now = accepted.at;
            self.0.retain(|_, kept| now < kept.at + RETRY_KEY_LIFE_MS);
        }
        self.0.insert(key, accepted);
    }
}

/// Keeps the stateless access tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct AccessTokens(HashMap<String, i64>);

impl AccessTokens {
    /// How long a new token lives, in seconds.
    pub(crate) const LIFE_SECONDS: i64 = ACCESS_TOKEN_LIFE_MS / 1_000;

    /// Issues a token.
    pub(crate) fn issue(&mut self, token: &str, now: i64) {
        self.0.retain(|_, until| now < *until);
        self.0.insert(token.into(), now + ACCESS_TOKEN_LIFE_MS);
    }

    /// Tells whether the token was issued here and still lives.
    pub(crate) fn is_valid(&self, token: &str, now: i64) -> bool {
        self.0.get(token).is_some_and(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: i64 = 60_000;

    #[test]
    fn a_reply_token_is_usable_once() {
        let mut tokens = ReplyTokens::default();
        tokens.grant("t", "Ualice", "event", 0, LIFE);
        assert_eq!(tokens.chat("t", 1), Some("Ualice"));
        tokens.spend("t");
        assert_eq!(tokens.chat("t", 1), None);
        tokens.sent("t", 2, LIFE);
        assert_eq!(tokens.chat("t", 3), None, "a redelivery does not revive a used token");
    }

    #[test]
    fn a_redelivery_renews_a_reply_token_but_not_past_20_minutes() {
        let mut tokens = ReplyTokens::default();
        tokens.grant("t", "Ualice", "event", 0, LIFE);
        assert_eq!(tokens.chat("t", LIFE + 1), None);
        tokens.sent("t", 600_000, LIFE);
        assert_eq!(tokens.chat("t", 660_000), Some("Ualice"));
        tokens.sent("t", REPLY_TOKEN_END_MS - 1_000, LIFE);
        assert_eq!(tokens.chat("t", REPLY_TOKEN_END_MS + 1), None);
    }

    #[test]
    fn a_retry_key_is_forgotten_after_24_hours() {
        let mut keys = RetryKeys::default();
        let key = Uuid::from_u128(7);
        let answer = Accepted { at: 0, request_id: "r".into(), sent_messages: Value::Null };
        keys.accept(key, answer);
        assert!(keys.accepted(key, RETRY_KEY_LIFE_MS - 1).is_some());
        assert!(keys.accepted(key, RETRY_KEY_LIFE_MS).is_none());
    }

    #[test]
    fn a_stateless_access_token_lives_15_minutes() {
        let mut tokens = AccessTokens::default();
        tokens.issue("a", 0);
        assert!(tokens.is_valid("a", 899_999) && !tokens.is_valid("a", 900_000));
    }
}
