//! The five calls that send messages: to whom, with what options, and how many.

use serde_json::Value;

use super::field::{self, Field, Kind, Place, needed, optional};
use super::{Problem, messages, text};
use crate::id;

/// Is a call that sends messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Reply,
    Push,
    Multicast,
    Narrowcast,
    Broadcast,
}

impl Call {
    /// Finds a call by its name in LINE's paths.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "reply" => Self::Reply,
            "push" => Self::Push,
            "multicast" => Self::Multicast,
            "narrowcast" => Self::Narrowcast,
            "broadcast" => Self::Broadcast,
            _ => return None,
        })
    }

    fn fields(self) -> &'static [Field] {
        match self {
            Self::Reply => REPLY,
            Self::Push => PUSH,
            Self::Multicast => MULTICAST,
            Self::Narrowcast => NARROWCAST,
            Self::Broadcast => BROADCAST,
        }
    }
}

const NOTIFICATION: Field = optional("notificationDisabled", Kind::Flag);
/// LINE's reference: "Max units: 1".
const UNITS: Field = optional("customAggregationUnits", Kind::List(0, 1, check_unit));

static REPLY: &[Field] = &[needed("replyToken", Kind::Text), NOTIFICATION];
static PUSH: &[Field] = &[needed("to", Kind::Id(id::is_chat)), NOTIFICATION, UNITS];
/// LINE's reference, multicast: "Max: 500 user IDs".
static MULTICAST: &[Field] = &[needed("to", Kind::List(1, 500, check_user)), NOTIFICATION, UNITS];
static NARROWCAST: &[Field] = &[
    optional("recipient", Kind::Nested(check_any)),
    optional("filter", Kind::Nested(check_any)),
    optional("limit", Kind::Nested(check_limit)),
    NOTIFICATION,
];
static BROADCAST: &[Field] = &[NOTIFICATION];

/// LINE's OpenAPI: `max` of at least 1.
static LIMIT: &[Field] = &[
    optional("max", Kind::AtLeast(1)),
    optional("upToRemainingQuota", Kind::Flag),
    optional("forbidPartialDelivery", Kind::Flag),
];

/// Finds what is wrong with a whole request.
pub(crate) fn request(call: Call, request: &Value) -> Vec<Problem> {
    if !request.is_object() {
        return messages(request);
    }
    let mut problems = Vec::new();
    field::check(&Place::root(request), call.fields(), &mut problems);
    problems.extend(messages_of(call, request));
    if call == Call::Push {
        check_destination(request, &mut problems);
    }
    problems
}

/// Finds what is wrong with the `messages` that one of the calls shall send.
pub(crate) fn messages_of(call: Call, request: &Value) -> Vec<Problem> {
    let mut problems = messages(request);
    // LINE's reference, mention object: only in reply and push messages.
    if !matches!(call, Call::Reply | Call::Push) {
        refuse_mentions(request, &mut problems);
    }
    problems
}

/// What LINE does not take in a chat with one user, and what it takes nowhere else.
fn check_destination(request: &Value, problems: &mut Vec<Problem>) {
    let to = request["to"].as_str().unwrap_or_default();
    if id::is_user(to) {
        // LINE's reference, mention object: the destination is a group or multi-person chat.
        refuse_mentions(request, problems);
    } else {
        // LINE's reference, video message: no `trackingId` to group and multi-person chats.
        let videos = Place::root(request).field("messages");
        let tracked = videos.items().filter(|message| message.value["type"] == "video");
        let ids = tracked.map(|video| video.field("trackingId"));
        problems.extend(ids.filter(|id| !id.value.is_null()).map(|id| id.invalid()));
    }
}

fn refuse_mentions(request: &Value, problems: &mut Vec<Problem>) {
    let messages = Place::root(request).field("messages");
    for message in messages.items() {
        problems.extend(text::mentions(&message).map(|mention| mention.invalid()));
    }
}

fn check_user(place: &Place<'_>, problems: &mut Vec<Problem>) {
    if !place.value.as_str().is_some_and(id::is_user) {
        problems.push(Problem::unreadable(&place.path));
    }
}

/// LINE's reference: "Max character limit: 30", of letters, digits and underscores.
fn check_unit(place: &Place<'_>, problems: &mut Vec<Problem>) {
    let problem = match place.value.as_str() {
        None => Problem::unreadable(&place.path),
        Some("") => place.missing(),
        Some(name) if field::utf16(name) > 30 => place.too_long(30),
        Some(name) if !field::is_plain(name, "_") => {
            place.problem("Invalid characters are included in custom aggregation unit")
        }
        Some(_) => return,
    };
    problems.push(problem);
}

fn check_limit(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, LIMIT, problems);
}

/// Whom a narrowcast reaches is not looked into.
fn check_any(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, &[], problems);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USER: &str = "U11111111111111111111111111111111";
    const GROUP: &str = "C11111111111111111111111111111111";

    fn properties(call: Call, more: &Value) -> Vec<String> {
        let mut body = json!({ "messages": [{ "type": "text", "text": "hi" }] });
        for (name, value) in more.as_object().expect("is an object") {
            body[name] = value.clone();
        }
        request(call, &body).into_iter().map(|problem| problem.property).collect()
    }

    #[test]
    fn each_call_asks_for_its_receiver_in_the_right_form() {
        let users = |count: usize| vec![USER; count];
        for (call, more, expected) in [
            (Call::Reply, json!({ "replyToken": "t" }), vec![]),
            (Call::Reply, json!({}), vec!["replyToken"]),
            (Call::Reply, json!({ "replyToken": "" }), vec!["replyToken"]),
            (Call::Reply, json!({ "replyToken": 1 }), vec!["replyToken"]),
            (Call::Push, json!({ "to": USER }), vec![]),
            (Call::Push, json!({ "to": GROUP }), vec![]),
            (Call::Push, json!({ "to": GROUP.replace('C', "R") }), vec![]),
            (Call::Push, json!({ "to": "kutemukan" }), vec!["to"]),
            (Call::Push, json!({ "to": [USER] }), vec!["to"]),
            (Call::Push, json!({}), vec!["to"]),
            (Call::Multicast, json!({ "to": users(1) }), vec![]),
            (Call::Multicast, json!({ "to": users(500) }), vec![]),
            (Call::Multicast, json!({ "to": users(501) }), vec!["to"]),
            (Call::Multicast, json!({ "to": [] }), vec!["to"]),
            (Call::Multicast, json!({ "to": USER }), vec!["to"]),
            (Call::Multicast, json!({ "to": [USER, GROUP] }), vec!["to[1]"]),
            (Call::Broadcast, json!({}), vec![]),
            (Call::Narrowcast, json!({ "limit": { "max": 1 }, "filter": {} }), vec![]),
            (Call::Narrowcast, json!({ "limit": { "max": 0 } }), vec!["limit.max"]),
            (Call::Narrowcast, json!({ "recipient": [] }), vec!["recipient"]),
        ] {
            assert_eq!(properties(call, &more), expected, "{call:?} {more}");
        }
    }

    #[test]
    fn options_are_checked_and_unknown_ones_ignored() {
        let unit = |name: &str| json!({ "to": USER, "customAggregationUnits": [name] });
        let first = vec!["customAggregationUnits[0]"];
        for (more, expected) in [
            (json!({ "to": USER, "notificationDisabled": true, "song": 1 }), vec![]),
            (json!({ "to": USER, "notificationDisabled": "yes" }), vec!["notificationDisabled"]),
            (unit(&"a".repeat(30)), vec![]),
            (unit(&"a".repeat(31)), first.clone()),
            (unit("promotion-a"), first.clone()),
            (unit(""), first),
            (
                json!({ "to": USER, "customAggregationUnits": ["a", "b"] }),
                vec!["customAggregationUnits"],
            ),
        ] {
            assert_eq!(properties(Call::Push, &more), expected, "{more}");
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_unreadable() {
        for body in [json!([]), json!("hi"), Value::Null] {
            let problems = request(Call::Push, &body);
            assert_eq!(problems.len(), 1, "{body}");
            assert!(problems[0].unreadable, "{body}");
        }
    }

    #[test]
    fn mentions_go_to_groups_and_tracked_videos_to_users() {
        let mention = json!([{ "type": "textV2", "text": "{a}", "substitution":
            { "a": { "type": "mention", "mentionee": { "type": "all" } } } }]);
        let video = json!([{ "type": "video", "originalContentUrl": "https://example.com/v.mp4",
            "previewImageUrl": "https://example.com/p.png", "trackingId": "t" }]);
        let at = "messages[0].substitution.a";
        for (call, messages, to, expected) in [
            (Call::Push, &mention, json!(GROUP), vec![]),
            (Call::Push, &mention, json!(USER), vec![at]),
            (Call::Multicast, &mention, json!([USER]), vec![at]),
            (Call::Broadcast, &mention, Value::Null, vec![at]),
            (Call::Push, &video, json!(USER), vec![]),
            (Call::Push, &video, json!(GROUP), vec!["messages[0].trackingId"]),
        ] {
            let more = json!({ "to": to, "messages": messages });
            assert_eq!(properties(call, &more), expected, "{call:?}");
        }
        let reply = json!({ "messages": mention });
        assert!(messages_of(Call::Reply, &reply).is_empty(), "whose chat it is shows later");
    }
}
