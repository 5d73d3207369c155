//! What to do about a delivery, from what is known of earlier attempts and what LINE answered; pure.

use std::time::Duration;

use yamabiko_line::error::{Error, ErrorKind, Reached};

use super::good_for;

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
    /// Returns whether it is still used (O2).
    pub(super) fn is_good(self) -> bool {
        self.age <= good_for(self.kept)
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
    /// The reply token is refused, and the store may have lost that it was used, so the outcome is unknown (O3).
    Uncertain,
    /// The messages' ornaments are refused: take them off and make the same call again (O9).
    Trim,
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

/// What is known of a delivery beside the call that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Whether an earlier attempt may have arrived.
    pub(super) maybe_said: bool,
    /// Whether the store may have lost the end of an earlier attempt.
    pub(super) maybe_forgotten: bool,
    /// Whether its messages have ornaments that can be taken off.
    pub(super) can_be_trimmed: bool,
}

/// Judges a failed call.
pub(super) fn judge(call: Call, error: &Error, known: Known) -> Verdict {
    match error.kind() {
        ErrorKind::Unauthorized => Verdict::CredentialsRefused,
        ErrorKind::Forbidden => Verdict::Forbidden,
        ErrorKind::TooManyRequests => Verdict::TooMany,
        ErrorKind::BadRequest if error.refuses_ornament() && known.can_be_trimmed => Verdict::Trim,
        // It says nothing of the token, which is as good as before.
        ErrorKind::BadRequest if error.refuses_message() => Verdict::Never,
        ErrorKind::BadRequest if call == Call::Reply && known.maybe_said => Verdict::SaidBefore,
        ErrorKind::Conflict if call == Call::Push => Verdict::SaidBefore,
        ErrorKind::BadRequest if call == Call::Reply && known.maybe_forgotten => Verdict::Uncertain,
        ErrorKind::BadRequest if call == Call::Reply => Verdict::PushInstead,
        _ => match error.reached() {
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

    fn refused(status: u16, property: &str) -> Error {
        let details = [serde_json::json!({"message": "no", "property": property})];
        let details = if property.is_empty() { &[][..] } else { &details[..] };
        let body = serde_json::json!({"message": "refused", "details": details}).to_string();
        Error::refused(status, None, None, body.as_bytes())
    }

    const SURE: Known = Known { maybe_said: false, maybe_forgotten: false, can_be_trimmed: true };
    const MAYBE_SAID: Known = Known { maybe_said: true, ..SURE };
    const BARE: Known = Known { can_be_trimmed: false, ..SURE };

    #[test]
    fn o3_a_refused_token_means_said_before_only_if_an_earlier_attempt_may_have_arrived() {
        for property in ["", "replyToken"] {
            let judged = |known| judge(Call::Reply, &refused(400, property), known);
            assert_eq!(judged(MAYBE_SAID), Verdict::SaidBefore);
            assert_eq!(judged(SURE), Verdict::PushInstead);
            assert_eq!(judged(Known { maybe_forgotten: true, ..SURE }), Verdict::Uncertain);
        }
    }

    #[test]
    fn o9_a_refused_message_says_nothing_of_earlier_attempts_nor_of_the_token() {
        for (call, known) in [
            (Call::Reply, SURE),
            (Call::Reply, MAYBE_SAID),
            (Call::Reply, BARE),
            (Call::Push, SURE),
            (Call::Push, MAYBE_SAID),
        ] {
            let judged = |property| judge(call, &refused(400, property), known);
            assert_eq!(judged("messages[0].text"), Verdict::Never);
            let trims = if known.can_be_trimmed { Verdict::Trim } else { Verdict::Never };
            assert_eq!(judged("messages[0].quoteToken"), trims);
        }
    }

    #[test]
    fn o4_a_retry_key_that_line_knows_means_said_before() {
        let known = |call| judge(call, &refused(409, ""), SURE);
        assert_eq!([known(Call::Push), known(Call::Reply)], [Verdict::SaidBefore, Verdict::Never]);
    }

    #[test]
    fn o5_what_may_have_arrived_is_tried_again_and_marked() {
        let without = |kind, reached| Error::without_answer(kind, reached, "no answer");
        for call in [Call::Reply, Call::Push] {
            for (error, unsure) in [
                (without(ErrorKind::Timeout, Reached::Unknown), true),
                (refused(500, ""), true),
                (without(ErrorKind::Network, Reached::No), false),
            ] {
                assert_eq!(judge(call, &error, SURE), Verdict::Again { unsure });
            }
        }
    }

    #[test]
    fn o5_refusals_are_told_apart() {
        let judged = |status| judge(Call::Push, &refused(status, ""), SURE);
        assert_eq!(judged(401), Verdict::CredentialsRefused);
        assert_eq!(judged(403), Verdict::Forbidden);
        assert_eq!(judged(429), Verdict::TooMany);
        assert_eq!(judged(400), Verdict::Never);
        assert_eq!(judged(404), Verdict::Never);
    }
}
