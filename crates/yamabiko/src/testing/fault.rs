//! How LINE fails when a test asks for it.

use std::collections::HashMap;

use serde_json::json;
use yamabiko_line::error::{Error, ErrorKind, Reached};

/// A sort of call to LINE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// An answer by reply token.
    Reply,
    /// A message by push.
    Push,
    /// A question for a user's profile.
    Profile,
    /// The loading animation.
    Loading,
    /// A download of what a user sent.
    Content,
    /// A question for the month's quota, or for how much of it is used.
    Quota,
    /// A question for the bot itself, by which the runtime learns whether LINE takes its credentials.
    Info,
}

impl Call {
    /// Returns whether faults of no particular call hit this one.
    const fn is_hit_by_all(self) -> bool {
        !matches!(self, Self::Quota | Self::Loading | Self::Info)
    }
}

/// A failure of LINE, or of the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no connection: the call surely never reaches LINE.
    ConnectionRefused,
    /// LINE does nothing and does not answer; the bot gives up after 5 s by its clock.
    TimeoutBefore,
    /// LINE does what it is asked for, but does not answer; the bot gives up after 5 s by its clock.
    TimeoutAfter,
    /// 500: LINE does nothing, but the bot cannot know that.
    ServerError,
    /// 400, as for a reply token that is used or too old.
    InvalidReplyToken,
    /// 400, as for a quote token of another chat in a call's first message.
    InvalidQuoteToken,
    /// 401: the channel's access token is wrong.
    Unauthorized,
    /// 403: the channel may not do this.
    Forbidden,
    /// 404, as for the profile of one who has blocked the bot.
    NotFound,
    /// 410, as for content that its sender took back.
    Gone,
    /// 202, as for a large video that LINE has not prepared yet; of downloads only.
    Preparing,
    /// LINE goes on answering and never comes to an end; of downloads only.
    Endless,
    /// 413, as for content that is larger than was asked for.
    TooLarge,
    /// 429: the channel calls too often.
    RateLimit,
    /// 429: this chat is sent too much.
    TooManyToOneChat,
    /// 429: the month's messages are used up, and the quota says so from then on.
    QuotaUsedUp,
    /// 429: the month's messages are used up, but the consumption that LINE tells of lags behind.
    QuotaUsedUpEarly,
    /// 429 with a text that tells no reason.
    UnclearLimit,
}

impl Fault {
    /// Returns what the bot's client makes of the failure.
    pub(super) fn error(self) -> Error {
        match self {
            Self::ConnectionRefused => {
                Error::without_answer(ErrorKind::Network, Reached::No, "connection refused")
            }
            Self::TimeoutBefore | Self::TimeoutAfter | Self::Endless => {
                Error::without_answer(ErrorKind::Timeout, Reached::Unknown, "no answer within 5 s")
            }
            Self::ServerError => refused(500, "Internal Server Error"),
            Self::InvalidReplyToken => refused(400, "Invalid reply token"),
            Self::InvalidQuoteToken => {
                refused_for(&[("messages[0].quoteToken", "Invalid quote token")])
            }
            Self::Unauthorized => refused(401, "Authentication failed"),
            Self::Forbidden => refused(403, "Access to this API is not available for your account"),
            Self::NotFound => refused(404, "Not found"),
            Self::Preparing => refused(202, "The content is being prepared"),
            Self::Gone => refused(410, "The content is gone"),
            Self::TooLarge => refused(413, "The content is too large"),
            Self::RateLimit => {
                refused(429, "The API rate limit has been exceeded. Try again later.")
            }
            Self::TooManyToOneChat => {
                refused(429, "A large number of messages were sent to the same user")
            }
            Self::UnclearLimit => refused(429, "Too Many Requests"),
            Self::QuotaUsedUp | Self::QuotaUsedUpEarly => {
                refused(429, "You have reached your monthly limit.")
            }
        }
    }
}

/// Makes an answer of LINE that is no success.
pub(super) fn refused(status: u16, message: &str) -> Error {
    let body = json!({"message": message}).to_string();
    Error::refused(status, Some("test-request".to_owned()), None, body.as_bytes())
}

/// Makes LINE's refusal of properties of a request, each with what is wrong.
pub(super) fn refused_for(properties: &[(&str, &str)]) -> Error {
    let details: Vec<_> = properties
        .iter()
        .map(|(property, message)| json!({"message": message, "property": property}))
        .collect();
    let message = format!("The request body has {} error(s)", details.len());
    let body = json!({"message": message, "details": details}).to_string();
    Error::refused(400, Some("test-request".to_owned()), None, body.as_bytes())
}

/// The failures to come.
#[derive(Debug, Default)]
pub(super) struct Faults {
    next: Vec<(Option<Call>, Fault)>,
    all: Option<Fault>,
    all_of: HashMap<Call, Fault>,
}

impl Faults {
    /// Lets the next call fail, of any sort but `Quota`, `Loading` and `Info` where none is named.
    pub(super) fn add(&mut self, call: Option<Call>, fault: Fault) {
        self.next.push((call, fault));
    }

    /// Lets all calls but `Quota`, `Loading` and `Info` fail that nothing else is said of.
    pub(super) fn set_all(&mut self, fault: Fault) {
        self.all = Some(fault);
    }

    /// Lets all calls of a sort fail that nothing else is said of.
    pub(super) fn set_all_calls(&mut self, call: Call, fault: Fault) {
        self.all_of.insert(call, fault);
    }

    /// Lets calls work again, but for those that are to fail next.
    pub(super) fn recover(&mut self) {
        self.all = None;
        self.all_of.clear();
    }

    /// Takes the failure that hits this call.
    pub(super) fn hit(&mut self, call: Call) -> Option<Fault> {
        let hits = |wanted: Option<Call>| wanted.map_or(call.is_hit_by_all(), |one| one == call);
        match self.next.iter().position(|(wanted, _)| hits(*wanted)) {
            Some(at) => Some(self.next.remove(at).1),
            None => self.all_of.get(&call).copied().or(self.all.filter(|_| hits(None))),
        }
    }
}
