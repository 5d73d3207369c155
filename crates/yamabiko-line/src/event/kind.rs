//! What happened.

use serde_json::Value;

use super::{MessageContent, text};
use crate::id::{MessageId, UserId};

/// The type of an event, with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A message.
    Message(MessageContent),
    /// A message that was edited.
    MessageEdited(MessageContent),
    /// A message that its sender took back.
    Unsend {
        /// Which one.
        message_id: MessageId,
    },
    /// A user added the bot as a friend, or unblocked it.
    Follow {
        /// Whether it was blocked before.
        is_unblocked: bool,
    },
    /// A user blocked the bot.
    Unfollow,
    /// The bot joined a group or room.
    Join,
    /// The bot left a group.
    Leave,
    /// Users joined a group or room.
    MemberJoined {
        /// Who.
        members: Vec<UserId>,
    },
    /// Users left a group or room.
    MemberLeft {
        /// Who.
        members: Vec<UserId>,
    },
    /// A tapped button with data.
    Postback {
        /// The button's data.
        data: String,
        /// What a date-time picker or rich menu adds, as LINE sent it.
        params: Option<Value>,
    },
    /// A video watched to its end.
    VideoPlayComplete {
        /// The id that the video was sent with.
        tracking_id: String,
    },
    /// A beacon.
    Beacon,
    /// A linked account.
    AccountLink,
    /// A membership that began or ended.
    Membership,
    /// A type that this program does not know, or an event whose own part is not as LINE documents it.
    Unknown {
        /// The type, empty if there is none.
        event_type: String,
    },
}

impl EventKind {
    pub(super) fn read(event: &Value) -> Self {
        let event_type = text(event, "type").unwrap_or_default();
        let known = match event_type.as_str() {
            "message" => event.get("message").map(|message| Self::Message(MessageContent::read(message))),
            "messageEdited" => event.get("message").map(|message| Self::MessageEdited(MessageContent::read(message))),
            "unsend" => event.pointer("/unsend/messageId").and_then(Value::as_str).map(|id| Self::Unsend { message_id: MessageId::new(id) }),
            "follow" => Some(Self::Follow { is_unblocked: event.pointer("/follow/isUnblocked").and_then(Value::as_bool).unwrap_or(false) }),
            "unfollow" => Some(Self::Unfollow),
            "join" => Some(Self::Join),
            "leave" => Some(Self::Leave),
            "memberJoined" => Some(Self::MemberJoined { members: members(event, "/joined/members") }),
            "memberLeft" => Some(Self::MemberLeft { members: members(event, "/left/members") }),
            "postback" => event.get("postback").and_then(|postback| {
                Some(Self::Postback { data: text(postback, "data")?, params: postback.get("params").cloned() })
            }),
            "videoPlayComplete" => event.pointer("/videoPlayComplete/trackingId").and_then(Value::as_str).map(|id| Self::VideoPlayComplete { tracking_id: id.to_owned() }),
            "beacon" => Some(Self::Beacon),
            "accountLink" => Some(Self::AccountLink),
            "membership" => Some(Self::Membership),
            _ => None,
        };
        known.unwrap_or(Self::Unknown { event_type })
    }
}

fn members(event: &Value, path: &str) -> Vec<UserId> {
    let members = event.pointer(path).and_then(Value::as_array);
    members.into_iter().flatten().filter_map(|member| text(member, "userId")).map(UserId::new).collect()
}
