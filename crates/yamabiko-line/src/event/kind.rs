//! What happened.

use serde_json::Value;

use super::MessageContent;
use crate::{
    id::{MessageId, UserId},
    json,
    secret::LinkNonce,
};

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
    /// The bot left a group or room.
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
    /// A user came near a beacon, or stays there.
    Beacon {
        /// The beacon's hardware id.
        hwid: String,
        /// `enter`, `banner` or `stay`; LINE may add others.
        beacon_type: String,
        /// The beacon's own message, as hexadecimal digits.
        device_message: Option<String>,
    },
    /// A user linked an account of another service, or tried to.
    AccountLink {
        /// Whether it is linked.
        is_ok: bool,
        /// What names the user of the other service.
        nonce: LinkNonce,
    },
    /// A membership that began, was renewed or ended.
    Membership {
        /// `joined`, `left` or `renewed`; LINE may add others.
        membership_type: String,
        /// The plan.
        membership_id: Option<String>,
    },
    /// A type that this program does not know, or an event whose own part is not as LINE documents it.
    Unknown {
        /// The type, empty if there is none.
        event_type: String,
    },
}

impl EventKind {
    pub(super) fn read(event: &Value) -> Self {
        let event_type = json::text(event, "type").unwrap_or_default();
        Self::known(&event_type, event).unwrap_or(Self::Unknown { event_type })
    }

    fn known(event_type: &str, event: &Value) -> Option<Self> {
        Some(match event_type {
            "message" => Self::Message(MessageContent::read(event.get("message")?)),
            "messageEdited" => Self::MessageEdited(MessageContent::read(event.get("message")?)),
            "unsend" => {
                let message_id = json::id(event.get("unsend")?, "messageId")?;
                Self::Unsend { message_id: MessageId::new(message_id) }
            }
            "follow" => {
                let follow = event.get("follow");
                Self::Follow {
                    is_unblocked: follow.is_some_and(|follow| json::flag(follow, "isUnblocked")),
                }
            }
            "unfollow" => Self::Unfollow,
            "join" => Self::Join,
            "leave" => Self::Leave,
            "memberJoined" => Self::MemberJoined { members: members(event.get("joined")?) },
            "memberLeft" => Self::MemberLeft { members: members(event.get("left")?) },
            "postback" => {
                let postback = event.get("postback")?;
                let params = postback.get("params").filter(|params| params.is_object()).cloned();
                Self::Postback { data: json::text(postback, "data")?, params }
            }
            "videoPlayComplete" => {
                let video = event.get("videoPlayComplete")?;
                Self::VideoPlayComplete { tracking_id: json::id(video, "trackingId")? }
            }
            "beacon" => {
                let beacon = event.get("beacon")?;
                Self::Beacon {
                    hwid: json::id(beacon, "hwid")?,
                    beacon_type: json::text(beacon, "type").unwrap_or_default(),
                    device_message: json::text(beacon, "dm"),
                }
            }
            "accountLink" => {
                let link = event.get("link")?;
                Self::AccountLink {
                    is_ok: json::text(link, "result").as_deref() == Some("ok"),
                    nonce: LinkNonce::new(json::text(link, "nonce")?),
                }
            }
            "membership" => {
                let membership = event.get("membership")?;
                Self::Membership {
                    membership_type: json::text(membership, "type").unwrap_or_default(),
                    membership_id: json::id(membership, "membershipId"),
                }
            }
            _ => return None,
        })
    }
}

fn members(list: &Value) -> Vec<UserId> {
    let members = json::elements(list, "members");
    members.filter_map(|member| json::id(member, "userId")).map(UserId::new).collect()
}
