//! What to do about a delivery, from what is known of earlier attempts and what LINE answered; pure.

use std::time::Duration;

use yamabiko_line::error::{ErrorKind, Reached};

use super::{KEPT_TOKEN_GOOD_FOR, TOKEN_GOOD_FOR};

/// How long the outbox rests when LINE refuses the credentials.
pub(super) const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// How long the outbox rests when the channel calls too often and LINE does not say for how long.
pub(super) const RATE_PAUSE: Duration = Duration::from_secs(1);

/// The next call of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Use the reply token.
    Reply,
    /// Push with the retry key.
    Push,
    /// Nobody can tell whether it was said, and the token is too old to find out (O3).
    Uncertain,
}

/// A reply token as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// How long ago it arrived.
    pub(super) age: Duration,
    /// Whether a job had kept it for its end.
    pub(super) kept: bool,
}

impl Token {
    /// Says whether it is still used (O2).
    fn is_good(self) -> bool {
        self.age <= if self.kept { KEPT_TOKEN_GOOD_FOR } else { TOKEN_GOOD_FOR }
    }
}

/// Says which call to make, from the reply token and whether an earlier attempt may have arrived.
pub(super) fn next_call(token: Option<Token>, maybe_said: bool) -> Call {
    match token {
        Some(token) if token.is_good() => Call::Reply,
        Some(_) if maybe_said => Call::Uncertain,
        Some(_) | None => Call::Push,
    }
}

/// What LINE's refusal of a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The reply token or the retry key was used before: what it was to say has been said (O3, O4).
    SaidBefore,
    /// The reply token is no good: push instead.
    PushInstead,
    /// Try the same call again later; `unsure` if this one may have arrived.
    Again { unsure: bool },
    /// The channel's credentials are refused: nothing can be sent for now.
    CredentialsRefused,
    /// LINE forbids it (403); whether for the credentials or for this call is to be found out.
    Forbidden,
    /// Too many requests; what kind is to be found out.
    TooMany,
    /// LINE will never take it.
    Never,
}

/// Judges a failed call.
pub(super) fn judge(call: Call, kind: ErrorKind, reached: Reached, maybe_said: bool) -> Verdict {
    match kind {
        ErrorKind::Unauthorized => Verdict::CredentialsRefused,
        ErrorKind::Forbidden => Verdict::Forbidden,
        ErrorKind::TooManyRequests => Verdict::TooMany,
        ErrorKind::BadRequest if call == Call::Reply && maybe_said => Verdict::SaidBefore,
        ErrorKind::Conflict if call == Call::Push => Verdict::SaidBefore,
        ErrorKind::BadRequest if call == Call::Reply => Verdict::PushInstead,
        _ => match reached {
            Reached::No => Verdict::Again { unsure: false },
            Reached::Unknown => Verdict::Again { unsure: true },
            Reached::Refused => Verdict::Never,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn token(seconds: u64, kept: bool) -> Option<Token> {
        Some(Token { age: Duration::from_secs(seconds), kept })
    }

    #[test]
    fn o2_a_reply_token_is_used_up_to_fifty_seconds_after_arrival() {
        assert_eq!(next_call(token(50, false), false), Call::Reply);
        assert_eq!(next_call(token(51, false), false), Call::Push);
        assert_eq!(next_call(None, true), Call::Push, "a push is safe to repeat");
    }

    #[test]
    fn o2_a_kept_reply_token_is_used_up_to_fifty_five_seconds_after_arrival() {
        assert_eq!(next_call(token(55, true), false), Call::Reply);
        assert_eq!(next_call(token(56, true), false), Call::Push);
    }

    #[test]
    fn o3_an_uncertain_reply_is_tried_again_while_its_token_is_young_and_named_afterwards() {
        assert_eq!(next_call(token(20, false), true), Call::Reply);
        assert_eq!(next_call(token(51, false), true), Call::Uncertain);
        assert_eq!(next_call(token(51, true), true), Call::Reply);
        assert_eq!(next_call(token(56, true), true), Call::Uncertain);
    }

    #[test]
    fn o3_a_refused_token_means_said_before_only_if_an_earlier_attempt_may_have_arrived() {
        let refused =
            |maybe_said| judge(Call::Reply, ErrorKind::BadRequest, Reached::Refused, maybe_said);
        assert_eq!(refused(true), Verdict::SaidBefore);
        assert_eq!(refused(false), Verdict::PushInstead);
    }

    #[test]
    fn o4_a_retry_key_that_line_knows_means_said_before() {
        let known = |call| judge(call, ErrorKind::Conflict, Reached::Refused, false);
        assert_eq!([known(Call::Push), known(Call::Reply)], [Verdict::SaidBefore, Verdict::Never]);
    }

    #[test]
    fn o5_what_may_have_arrived_is_tried_again_and_marked() {
        for call in [Call::Reply, Call::Push] {
            assert_eq!(
                judge(call, ErrorKind::Timeout, Reached::Unknown, false),
                Verdict::Again { unsure: true }
            );
            assert_eq!(
                judge(call, ErrorKind::Server, Reached::Unknown, true),
                Verdict::Again { unsure: true }
            );
            assert_eq!(
                judge(call, ErrorKind::Network, Reached::No, false),
                Verdict::Again { unsure: false }
            );
        }
    }

    #[test]
    fn o5_refusals_are_told_apart() {
        let judged = |kind| judge(Call::Push, kind, Reached::Refused, false);
        assert_eq!(judged(ErrorKind::Unauthorized), Verdict::CredentialsRefused);
        assert_eq!(judged(ErrorKind::Forbidden), Verdict::Forbidden);
        assert_eq!(judged(ErrorKind::TooManyRequests), Verdict::TooMany);
        assert_eq!(judged(ErrorKind::BadRequest), Verdict::Never);
        assert_eq!(judged(ErrorKind::NotFound), Verdict::Never);
    }
}
