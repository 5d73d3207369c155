//! What a connection waits for, how long it may, and which one is closed when there are too many.

use std::time::Duration;

use tokio::time::Instant;

/// A client that keeps the server waiting for less makes room for nobody.
const QUICK: Duration = Duration::from_millis(100);
/// A client that keeps the server waiting for longer makes room before idle connections do.
const SLOW: Duration = Duration::from_secs(1);

/// How long a client may keep the server waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For a complete request head: since the connection was made, or since the head's first byte.
    pub(crate) head: Duration,
    /// For the head of a request that has not begun, once the server drains.
    pub(crate) late_head: Duration,
    /// For the next request.
    pub(crate) idle: Duration,
    /// For a complete request body.
    pub(crate) body: Duration,
    /// For the first bytes of a body: from then on, `body_rate` counts.
    pub(crate) body_begins: Duration,
    /// The slowest rate of a body, in bytes per second.
    pub(crate) body_rate: u32,
    /// For the client to take another byte of a response.
    pub(crate) response: Duration,
}

impl Limits {
    /// What all servers of a bot allow.
    pub(crate) const STANDARD: Self = Self {
        head: Duration::from_secs(5),
        late_head: Duration::from_secs(1),
        // Longer than proxies keep connections (nginx and AWS 60 s, Heroku 90 s, Caddy 120 s): they
        // must be the first to close, or a webhook may meet a connection that is being closed.
        idle: Duration::from_secs(130),
        body: Duration::from_secs(30),
        body_begins: Duration::from_secs(5),
        body_rate: 1024,
        response: Duration::from_secs(30),
    };

    /// Returns when a body must be complete, or more of it must have come.
    pub(super) fn body_deadline(&self, began: Instant, received: usize) -> Instant {
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(received.into()) / self.body_rate;
        began + (self.body_begins + earned).min(self.body)
    }

    /// Returns the shortest time in which a connection may become overdue.
    pub(super) fn shortest(&self) -> Duration {
        self.head.min(self.late_head).min(self.idle).min(self.response)
    }
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// This process: it has accepted the connection, and read nothing yet.
    New,
    /// The client: it has sent nothing, or a part of a head.
    Head,
    /// The client: it may send another request.
    Idle,
    /// The client: it has sent a head.
    Body,
    /// The bot: the request is complete.
    Handler,
    /// The client: it has not taken all of the response.
    Response,
    /// Nothing: it is about to be closed.
    Closed,
}

/// A phase, and since when the connection waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) phase: Phase,
    pub(super) since: Instant,
}

/// How readily a connection is closed to make room; the greatest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expendable {
    /// Its client is a little late.
    Least(Duration),
    /// It is between two requests.
    Idle(Duration),
    /// Its client keeps the server waiting in the middle of a request.
    Most(Duration),
}

impl Wait {
    pub(super) fn new(phase: Phase, now: Instant) -> Self {
        Self { phase, since: now }
    }

    /// Returns when the connection is to be closed; a body has its own clock, which answers before that.
    pub(super) fn deadline(self, limits: &Limits, draining: Option<Instant>) -> Option<Instant> {
        let last = |limit| self.since + limit;
        match (self.phase, draining) {
            (Phase::Head, None) => Some(last(limits.head)),
            (Phase::Head, Some(began)) => {
                Some(last(limits.head).min(self.since.max(began) + limits.late_head))
            }
            (Phase::Idle, None) => Some(last(limits.idle)),
            (Phase::Idle, Some(began)) => Some(began),
            (Phase::Response, _) => Some(last(limits.response)),
            (Phase::New | Phase::Body | Phase::Handler | Phase::Closed, _) => None,
        }
    }

    /// Returns how readily the connection is closed; `None` if its client does not keep the server waiting.
    pub(super) fn expendable(self, now: Instant) -> Option<Expendable> {
        let waited = now.saturating_duration_since(self.since);
        match self.phase {
            Phase::New | Phase::Handler | Phase::Closed => None,
            Phase::Idle => Some(Expendable::Idle(waited)),
            Phase::Head | Phase::Body | Phase::Response => match waited {
                waited if waited >= SLOW => Some(Expendable::Most(waited)),
                waited if waited >= QUICK => Some(Expendable::Least(waited)),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_body_may_take_longer_the_more_of_it_has_come() {
        let (limits, began) = (Limits::STANDARD, Instant::now());
        let deadline = |received| limits.body_deadline(began, received) - began;
        assert_eq!(deadline(0), secs(5));
        assert_eq!(deadline(512), Duration::from_millis(5_500));
        assert_eq!(deadline(10 * 1024), secs(15));
        assert_eq!(deadline(25 * 1024), secs(30));
        assert_eq!(deadline(usize::MAX), secs(30));
    }

    #[test]
    fn only_a_connection_that_waits_for_its_client_is_closed_for_taking_too_long() {
        let (limits, now) = (Limits::STANDARD, Instant::now());
        let deadline = |phase| Wait::new(phase, now).deadline(&limits, None).map(|at| at - now);
        assert_eq!(deadline(Phase::Head), Some(secs(5)));
        assert_eq!(deadline(Phase::Idle), Some(secs(130)));
        assert_eq!(deadline(Phase::Response), Some(secs(30)));
        assert_eq!(deadline(Phase::Body), None);
        assert_eq!(deadline(Phase::Handler), None);
    }

    #[test]
    fn a_request_that_has_not_begun_does_not_hold_up_a_drain() {
        let (limits, began) = (Limits::STANDARD, Instant::now() + secs(60));
        let deadline = |phase, since| Wait::new(phase, since).deadline(&limits, Some(began));
        assert_eq!(deadline(Phase::Idle, began - secs(1)), Some(began));
        assert_eq!(deadline(Phase::Head, began - secs(1)), Some(began + secs(1)));
        assert_eq!(deadline(Phase::Head, began), Some(began + secs(1)));
        let almost_late = began - Duration::from_millis(4_900);
        assert_eq!(deadline(Phase::Head, almost_late), Some(almost_late + secs(5)));
        assert_eq!(deadline(Phase::Response, began), Some(began + secs(30)));
        assert_eq!(deadline(Phase::Handler, began), None);
    }

    #[test]
    fn silent_clients_make_room_first_then_idle_ones_then_the_oldest() {
        let now = Instant::now() + secs(60);
        let waited = |phase, millis| Wait::new(phase, now - Duration::from_millis(millis));
        let order = [
            waited(Phase::Body, 4_000),
            waited(Phase::Head, 3_000),
            waited(Phase::Response, 2_000),
            waited(Phase::Idle, 50_000),
            waited(Phase::Idle, 0),
            waited(Phase::Head, 900),
            waited(Phase::Body, 200),
        ];
        assert!(order.is_sorted_by_key(|wait| std::cmp::Reverse(wait.expendable(now))));
        assert!(order.iter().all(|wait| wait.expendable(now).is_some()));
        for phase in [Phase::Head, Phase::Body, Phase::Response] {
            assert_eq!(waited(phase, 90).expendable(now), None, "it may be on its way");
        }
        for phase in [Phase::New, Phase::Handler, Phase::Closed] {
            assert_eq!(waited(phase, 50_000).expendable(now), None);
        }
    }
}
