//! LINE's rate limits: for each endpoint a bucket of calls that fills with the simulator's time.

use std::collections::HashMap;

/// LINE's words to a bot that calls too often.
pub(crate) const EXCEEDED: &str = "The API rate limit has been exceeded. Try again later.";

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Says how many calls an endpoint takes in how many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    calls: u64,
    per_ms: u64,
}

impl Rate {
    /// The rate of an endpoint, as LINE documents it.
    fn of(path: &str) -> Self {
        let (calls, per_ms) = match path {
            "/v2/bot/message/broadcast"
            | "/v2/bot/message/narrowcast"
            | "/v2/bot/channel/webhook/test" => (60, HOUR),
            "/v2/bot/channel/webhook/endpoint" => (1_000, MINUTE),
            "/v2/bot/message/multicast" => (200, SECOND),
            "/v2/bot/chat/loading/start" => (100, SECOND),
            "/v2/oauth/accessToken" => (370, SECOND),
            _ => (2_000, SECOND),
        };
        Self { calls, per_ms }
    }

    /// What a full bucket holds.
    fn capacity(self) -> u64 {
        self.calls * self.per_ms
    }
}

/// Holds what is left of a rate. A call takes `per_ms` out, a millisecond brings `calls` in.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    level: u64,
    /// When the level was right, in the simulator's milliseconds.
    at: i64,
}

impl Bucket {
    fn take(&mut self, now: i64) -> bool {
        let passed = u64::try_from(now - self.at).unwrap_or(0);
        let filled = self.level.saturating_add(passed.saturating_mul(self.rate.calls));
        self.level = filled.min(self.rate.capacity());
        self.at = now;
        let rest = self.level.checked_sub(self.rate.per_ms);
        self.level = rest.unwrap_or(self.level);
        rest.is_some()
    }
}

/// Keeps the buckets of all endpoints; two methods of one path are two endpoints.
#[derive(Debug, Default)]
pub(crate) struct Limits(HashMap<(String, String), Bucket>);

impl Limits {
    /// Counts a call; false if the endpoint has had too many. `path` is that of the route.
    pub(crate) fn take(&mut self, method: &str, path: &str, now: i64) -> bool {
        let full = || {
            let rate = Rate::of(path);
            Bucket { rate, level: rate.capacity(), at: now }
        };
        self.0.entry((method.into(), path.into())).or_insert_with(full).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how many calls are taken before the first refusal.
    fn taken(limits: &mut Limits, path: &str, now: i64) -> usize {
        (0..10_000).take_while(|_| limits.take("POST", path, now)).count()
    }

    #[test]
    fn each_endpoint_has_the_rate_that_line_documents() {
        for (path, calls, period) in [
            ("/v2/bot/message/push", 2_000, 1_000),
            ("/v2/bot/message/reply", 2_000, 1_000),
            ("/v2/bot/profile/{userId}", 2_000, 1_000),
            ("/v2/bot/message/multicast", 200, 1_000),
            ("/v2/bot/chat/loading/start", 100, 1_000),
            ("/v2/oauth/accessToken", 370, 1_000),
            ("/v2/bot/message/broadcast", 60, 3_600_000),
            ("/v2/bot/message/narrowcast", 60, 3_600_000),
            ("/v2/bot/channel/webhook/test", 60, 3_600_000),
            ("/v2/bot/channel/webhook/endpoint", 1_000, 60_000),
        ] {
            let mut limits = Limits::default();
            assert_eq!(taken(&mut limits, path, 0), calls, "{path}");
            assert_eq!(taken(&mut limits, path, period / 2), calls / 2, "{path} after half of it");
            assert_eq!(taken(&mut limits, path, 9 * period), calls, "{path} is full again");
        }
    }

    #[test]
    fn a_bucket_of_one_endpoint_leaves_the_others_alone() {
        let mut limits = Limits::default();
        let path = "/v2/bot/channel/webhook/endpoint";
        assert_eq!(taken(&mut limits, path, 0), 1_000);
        assert!(limits.take("GET", path, 0));
        assert!(limits.take("POST", "/v2/bot/message/push", 0));
    }
}
