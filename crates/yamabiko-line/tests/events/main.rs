//! Webhook bodies of every type, and of none.
#![cfg(test)]

mod checks;
mod examples;
mod messages;
mod properties;
mod signatures;

use serde_json::{Value, json};
use yamabiko_line::{
    event::{Envelope, Event, EventKind, MessageContent, Mode, Source},
    id::{ChatId, MessageId, UserId},
    secret::{LinkNonce, ReplyToken},
};

use examples::{USER, event, every_event};

fn read(part: Value) -> Event {
    Event::from_value(event(part))
}

fn kind(part: Value) -> EventKind {
    read(part).kind
}

#[test]
fn every_type_of_event_is_known() {
    let body = json!({"destination": "Ubot", "events": every_event()}).to_string();
    let envelope = Envelope::parse(body.as_bytes()).unwrap();
    assert_eq!(envelope.destination.as_deref(), Some("Ubot"));
    assert_eq!(envelope.events.len(), every_event().len());
    for (event, raw) in envelope.events.iter().zip(every_event()) {
        assert!(!matches!(event.kind, EventKind::Unknown { .. }), "{raw}");
        let unknown_message = MessageContent::Unknown { id: None, message_type: String::new() };
        let unknown_message = std::mem::discriminant(&unknown_message);
        if let EventKind::Message(content) | EventKind::MessageEdited(content) = &event.kind {
            assert_ne!(std::mem::discriminant(content), unknown_message, "{raw}");
            assert!(content.id().is_some(), "{raw}");
        }
        assert_eq!(event.raw, raw);
    }
}

#[test]
fn what_all_events_have_is_read() {
    let event = read(json!({"type": "join", "deliveryContext": {"isRedelivery": true}}));
    assert_eq!(event.webhook_event_id.as_deref(), Some("01JZZZZZZZZZZZZZZZZZZZZZZZ"));
    assert_eq!(event.timestamp, Some(1_800_000_000_123));
    assert_eq!(event.mode, Mode::Active);
    assert!(event.is_redelivery);
    assert_eq!(event.reply_token, Some(ReplyToken::new("reply-token")));
    assert_eq!(event.source, Some(Source::User(UserId::new(USER))));
    assert_eq!(event.event_type(), "join");
}

#[test]
fn an_event_that_lacks_everything_is_an_event() {
    for raw in [json!({}), Value::Null, json!([1]), json!("text"), json!({"type": 5})] {
        let event = Event::from_value(raw.clone());
        assert_eq!(event.kind, EventKind::Unknown { event_type: String::new() });
        assert_eq!((event.webhook_event_id, event.timestamp), (None, None));
        assert_eq!((event.mode, event.is_redelivery), (Mode::Active, false));
        assert_eq!((event.reply_token, event.source), (None, None));
        assert_eq!(event.raw, raw);
    }
}

#[test]
fn a_standby_event_is_told_apart() {
    assert_eq!(read(json!({"type": "join", "mode": "standby"})).mode, Mode::Standby);
    assert_eq!(read(json!({"type": "join", "mode": "dreaming"})).mode, Mode::Active);
}

#[test]
fn a_source_names_the_chat_and_the_user() {
    let source = |source| read(json!({"type": "join", "source": source})).source.unwrap();
    let user = Some(UserId::new(USER));
    let of_user = source(json!({"type": "user", "userId": USER}));
    assert_eq!((of_user.chat(), of_user.user()), (Some(ChatId::new(USER)), user.clone()));
    let of_group = source(json!({"type": "group", "groupId": "C1", "userId": USER}));
    assert_eq!((of_group.chat(), of_group.user()), (Some(ChatId::new("C1")), user));
    let of_room = source(json!({"type": "room", "roomId": "R1"}));
    assert_eq!((of_room.chat(), of_room.user()), (Some(ChatId::new("R1")), None));
    for unknown in [json!({"type": "square", "squareId": "S1"}), json!({"type": "user"}), json!({})]
    {
        let unknown = source(unknown);
        assert!(matches!(unknown, Source::Unknown { .. }), "{unknown:?}");
        assert_eq!((unknown.chat(), unknown.user()), (None, None));
    }
}

#[test]
fn events_about_friends_and_groups_are_read() {
    let follow = |follow| kind(json!({"type": "follow", "follow": follow}));
    assert_eq!(follow(json!({"isUnblocked": true})), EventKind::Follow { is_unblocked: true });
    assert_eq!(follow(Value::Null), EventKind::Follow { is_unblocked: false });
    let members = json!({"members": [{"type": "user", "userId": USER}, {"type": "user"}, 5]});
    let who = vec![UserId::new(USER)];
    let joined = kind(json!({"type": "memberJoined", "joined": members}));
    assert_eq!(joined, EventKind::MemberJoined { members: who.clone() });
    let left = kind(json!({"type": "memberLeft", "left": members}));
    assert_eq!(left, EventKind::MemberLeft { members: who });
}

#[test]
fn events_with_a_part_of_their_own_are_read() {
    let unsend = kind(json!({"type": "unsend", "unsend": {"messageId": "32570"}}));
    assert_eq!(unsend, EventKind::Unsend { message_id: MessageId::new("32570") });
    let params = json!({"datetime": "2027-12-25T01:00"});
    let postback = json!({"data": "cancel=1", "params": params});
    let postback = kind(json!({"type": "postback", "postback": postback}));
    assert_eq!(postback, EventKind::Postback { data: "cancel=1".into(), params: Some(params) });
    let video = json!({"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "t1"}});
    assert_eq!(kind(video), EventKind::VideoPlayComplete { tracking_id: "t1".into() });
    let beacon = json!({"hwid": "d41d8cd98f", "type": "enter", "dm": "01ff"});
    let expected = EventKind::Beacon {
        hwid: "d41d8cd98f".into(),
        beacon_type: "enter".into(),
        device_message: Some("01ff".into()),
    };
    assert_eq!(kind(json!({"type": "beacon", "beacon": beacon})), expected);
    let link = |result| json!({"type": "accountLink", "link": {"result": result, "nonce": "n"}});
    let linked = |is_ok| EventKind::AccountLink { is_ok, nonce: LinkNonce::new("n") };
    assert_eq!((kind(link("ok")), kind(link("failed"))), (linked(true), linked(false)));
    let membership = json!({"type": "joined", "membershipId": 3189});
    let expected = EventKind::Membership {
        membership_type: "joined".into(),
        membership_id: Some("3189".into()),
    };
    assert_eq!(kind(json!({"type": "membership", "membership": membership})), expected);
}

#[test]
fn an_event_without_its_own_part_is_unknown_and_keeps_its_type() {
    let types = [
        "message",
        "messageEdited",
        "unsend",
        "memberJoined",
        "memberLeft",
        "postback",
        "videoPlayComplete",
        "beacon",
        "accountLink",
        "membership",
        "somethingOfTomorrow",
    ];
    for event_type in types {
        let unknown = EventKind::Unknown { event_type: event_type.to_owned() };
        assert_eq!(kind(json!({"type": event_type})), unknown);
    }
}
