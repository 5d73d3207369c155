//! What is used once or accepted once: reply tokens, retry keys, and access tokens on loan.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use serde_json::Value;
use uuid::Uuid;

/// After this a token is dead however often its webhook is redelivered.
const REPLY_TOKEN_END_MS: i64 = 20 * 60 * 1_000;
/// How long an accepted retry key is remembered.
const RETRY_KEY_LIFE_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long a stateless access token lives.
const STATELESS_SECONDS: i64 = 15 * 60;
/// How long other access tokens live at most.
const LONG_SECONDS: i64 = 30 * 24 * 60 * 60;
/// So many tokens of each kind but the stateless there may be at a time.
const MOST_TOKENS: usize = 30;

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

    /// Names the token's chat, whether it can be used or not.
    pub(crate) fn granted_to(&self, token: &str) -> Option<&str> {
        self.0.get(token).map(|grant| grant.chat.as_str())
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

/// Remembers which retry keys came with what body, which were accepted, and with what answer.
#[derive(Debug, Default)]
pub(crate) struct RetryKeys(HashMap<Uuid, UsedKey>);

#[derive(Debug)]
struct UsedKey {
    first: i64,
    /// Stands for the body of the first request.
    body: u64,
    accepted: Option<Accepted>,
}

/// Is what was answered when a retry key was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) request_id: String,
    pub(crate) sent_messages: Value,
}

impl RetryKeys {
    /// Notes a request with the key, and tells whether its body is that of the first one.
    pub(crate) fn use_with(&mut self, key: Uuid, body: &[u8], now: i64) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(body);
        let body = hasher.finish();
        if self.0.len().is_power_of_two() {
            self.0.retain(|_, kept| now < kept.first + RETRY_KEY_LIFE_MS);
        }
        let used = self.0.entry(key).or_insert(UsedKey { first: now, body, accepted: None });
        used.body == body
    }

    /// Finds the answer to an earlier request with the key, for 24 hours.
    pub(crate) fn accepted(&self, key: Uuid, now: i64) -> Option<&Accepted> {
        let used = self.0.get(&key).filter(|used| now < used.first + RETRY_KEY_LIFE_MS)?;
        used.accepted.as_ref()
    }

    /// Remembers that a request with the key was accepted.
    pub(crate) fn accept(&mut self, key: Uuid, accepted: Accepted) {
        if let Some(used) = self.0.get_mut(&key) {
            used.accepted = Some(accepted);
        }
    }
}

/// Names the kinds of channel access tokens that are issued here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Lives for 15 minutes; as many as one likes; cannot be revoked.
    Stateless,
    /// Lives for 30 days; at most 30, the oldest ends.
    ShortLived,
    /// Version 2.1: asked for with a JSON web token; at most 30.
    ByJwt,
}

/// Is what is told of a new token beside the token.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) seconds: i64,
    pub(crate) key_id: Option<String>,
}

/// Keeps the access tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct AccessTokens(HashMap<String, AccessGrant>);

#[derive(Debug)]
struct AccessGrant {
    kind: TokenKind,
    issued_at: i64,
    until: i64,
    key_id: Option<String>,
}

impl AccessTokens {
    /// Issues a token that lives for `life` seconds, by default for as long as its kind does.
    pub(crate) fn issue(
        &mut self,
        token: &str,
        kind: TokenKind,
        now: i64,
        life: Option<i64>,
    ) -> Issued {
        self.0.retain(|_, grant| now < grant.until);
        if kind == TokenKind::ShortLived {
            self.end_oldest();
        }
        let usual = if kind == TokenKind::Stateless { STATELESS_SECONDS } else { LONG_SECONDS };
        let seconds = life.unwrap_or(usual);
        let key_id = (kind == TokenKind::ByJwt).then(|| token[..22].to_owned());
        let grant = AccessGrant {
            kind,
            issued_at: now,
            until: now + seconds * 1_000,
            key_id: key_id.clone(),
        };
        self.0.insert(token.into(), grant);
        Issued { seconds, key_id }
    }

    /// Tells until when a token lives, if it was issued here and still does.
    pub(crate) fn until(&self, token: &str, now: i64) -> Option<i64> {
        self.0.get(token).map(|grant| grant.until).filter(|until| now < *until)
    }

    /// Tells whether no further token of version 2.1 is issued.
    pub(crate) fn is_full(&self, now: i64) -> bool {
        self.key_ids(now).len() >= MOST_TOKENS
    }

    /// The key ids of the tokens of version 2.1.
    pub(crate) fn key_ids(&self, now: i64) -> Vec<&str> {
        let live = self.0.values().filter(|grant| now < grant.until);
        live.filter_map(|grant| grant.key_id.as_deref()).collect()
    }

    /// Ends all tokens that were issued, as LINE may do with those of whatever kind.
    pub(crate) fn end_all(&mut self) {
        self.0.clear();
    }

    /// Ends a token, unless it is stateless.
    pub(crate) fn revoke(&mut self, token: &str) {
        if self.0.get(token).is_some_and(|grant| grant.kind != TokenKind::Stateless) {
            self.0.remove(token);
        }
    }

    fn end_oldest(&mut self) {
        let short = || self.0.iter().filter(|(_, grant)| grant.kind == TokenKind::ShortLived);
        if short().count() < MOST_TOKENS {
            return;
        }
        let oldest = short().min_by_key(|(_, grant)| grant.issued_at);
        if let Some(oldest) = oldest.map(|(token, _)| token.clone()) {
            self.0.remove(&oldest);
        }
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
        assert!(keys.use_with(key, b"body", 0) && !keys.use_with(key, b"another", 1));
        assert!(keys.accepted(key, 1).is_none());
        keys.accept(key, Accepted { request_id: "r".into(), sent_messages: Value::Null });
        assert!(keys.accepted(key, RETRY_KEY_LIFE_MS - 1).is_some());
        assert!(keys.accepted(key, RETRY_KEY_LIFE_MS).is_none());
    }

    fn issue(tokens: &mut AccessTokens, n: u32, kind: TokenKind, now: i64) -> String {
        let token = format!("{n:064}");
        tokens.issue(&token, kind, now, None);
        token
    }

    #[test]
    fn a_stateless_access_token_lives_15_minutes_and_cannot_be_revoked() {
        let mut tokens = AccessTokens::default();
        let token = issue(&mut tokens, 1, TokenKind::Stateless, 0);
        tokens.revoke(&token);
        assert_eq!(tokens.until(&token, 899_999), Some(900_000));
        assert_eq!(tokens.until(&token, 900_000), None);
    }

    #[test]
    fn the_oldest_of_31_short_lived_tokens_ends() {
        let mut tokens = AccessTokens::default();
        let all: Vec<_> =
            (0..31).map(|n| issue(&mut tokens, n, TokenKind::ShortLived, n.into())).collect();
        assert_eq!(tokens.until(&all[0], 100), None);
        assert!(all[1..].iter().all(|token| tokens.until(token, 100).is_some()));
        tokens.revoke(&all[1]);
        assert_eq!(tokens.until(&all[1], 100), None);
    }

    #[test]
    fn thirty_tokens_of_version_2_1_are_enough() {
        let mut tokens = AccessTokens::default();
        for n in 0..30 {
            assert!(!tokens.is_full(0));
            tokens.issue(&format!("{n:064}"), TokenKind::ByJwt, 0, Some(60));
        }
        assert!(tokens.is_full(0) && !tokens.is_full(60_000));
    }
}
