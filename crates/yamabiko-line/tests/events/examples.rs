//! Events as LINE sends them.

use serde_json::{Value, json};

/// The user of all examples.
pub(crate) const USER: &str = "U4af4980629af4980629af4980629af49";

/// Completes an event by what all events have; what is given stays.
pub(crate) fn event(part: Value) -> Value {
    let mut event = json!({
        "mode": "active",
        "timestamp": 1_800_000_000_123_i64,
        "webhookEventId": "01JZZZZZZZZZZZZZZZZZZZZZZZ",
        "deliveryContext": {"isRedelivery": false},
        "replyToken": "reply-token",
        "source": {"type": "user", "userId": USER},
    });
    let Value::Object(part) = part else { panic!("a part of an event is an object: {part}") };
    event.as_object_mut().unwrap().extend(part);
    event
}

/// One message of every type.
pub(crate) fn every_message() -> Vec<Value> {
    let line = json!({"type": "line"});
    vec![
        json!({
            "type": "text", "id": "444573844083572737", "text": "@All @Bot (love)180",
            "quoteToken": "q3Plxr4AgKd", "quotedMessageId": "444573844083572736",
            "markAsReadToken": "30yhdy232",
            "emojis": [
                {"index": 10, "length": 6, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"},
                {"index": 10, "length": "6"},
            ],
            "mention": {"mentionees": [
                {"index": 0, "length": 4, "type": "all"},
                {"index": 5, "length": 4, "type": "user", "userId": USER, "isSelf": true},
                {"index": -1, "length": 4, "type": "user"},
            ]},
        }),
        json!({
            "type": "sticker", "id": "1501597916", "packageId": "446", "stickerId": "1988",
            "stickerResourceType": "MESSAGE", "keywords": ["Anticipation", "sparkle", 5],
            "text": "Let's\nhang out!", "quoteToken": "q", "markAsReadToken": "m",
        }),
        json!({
            "type": "image", "id": "354718705033693859", "contentProvider": line,
            "imageSet": {"id": "E005D41A7288F41B", "index": 1, "total": 2},
            "quoteToken": "q", "markAsReadToken": "m",
        }),
        json!({
            "type": "video", "id": "325708", "duration": 60_000, "quoteToken": "q",
            "contentProvider": {
                "type": "external",
                "originalContentUrl": "https://example.com/original.mp4",
                "previewImageUrl": "https://example.com/preview.jpg",
            },
        }),
        json!({"type": "audio", "id": "325709", "duration": 1_500, "contentProvider": line}),
        json!({"type": "file", "id": "325710", "fileName": "file.txt", "fileSize": 2_138}),
        json!({
            "type": "location", "id": "325711", "title": "my location", "address": "Tokyo",
            "latitude": 35.67966, "longitude": 139.73669,
        }),
    ]
}

/// One event of every type, a message event of every type of message.
pub(crate) fn every_event() -> Vec<Value> {
    let members = json!({"members": [{"type": "user", "userId": USER}]});
    let edited = json!({"type": "text", "id": "444573844083572737", "text": "edited"});
    let messages = every_message();
    let messages =
        messages.into_iter().map(|message| json!({"type": "message", "message": message}));
    let others = [
        json!({"type": "messageEdited", "message": edited}),
        json!({"type": "unsend", "unsend": {"messageId": "325708"}}),
        json!({"type": "follow", "follow": {"isUnblocked": false}}),
        json!({"type": "unfollow"}),
        json!({"type": "join", "source": {"type": "group", "groupId": "C1"}}),
        json!({"type": "leave", "source": {"type": "group", "groupId": "C1"}}),
        json!({"type": "memberJoined", "joined": members}),
        json!({"type": "memberLeft", "left": members}),
        json!({"type": "postback", "postback": {"data": "storeId=12345"}}),
        json!({"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "track-id"}}),
        json!({"type": "beacon", "beacon": {"hwid": "d41d8cd98f", "type": "enter"}}),
        json!({"type": "accountLink", "link": {"result": "ok", "nonce": "nonce"}}),
        json!({"type": "membership", "membership": {"type": "joined", "membershipId": 3189}}),
    ];
    messages.chain(others).map(event).collect()
}
