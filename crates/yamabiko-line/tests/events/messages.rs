//! Message events of every type.

use serde_json::{Value, json};
use yamabiko_line::{
    event::{Envelope, Event, EventKind, MessageContent},
    id::{MessageId, UserId},
};

use crate::examples::{USER, event, every_message};

fn content(message: &Value) -> MessageContent {
    let event = Event::from_value(event(json!({"type": "message", "message": message})));
    let EventKind::Message(content) = event.kind else { panic!("no message: {}", event.raw) };
    content
}

fn example(message_type: &str) -> MessageContent {
    content(every_message().iter().find(|message| message["type"] == message_type).unwrap())
}

#[test]
fn a_text_comes_with_quotes_and_mentions() {
    let MessageContent::Text(message) = example("text") else { panic!("not a text") };
    assert_eq!(message.id, MessageId::new("444573844083572737"));
    assert_eq!(message.text, "@All @Bot (love)180");
    assert_eq!(message.quote_token.as_deref(), Some("q3Plxr4AgKd"));
    assert_eq!(message.quoted_message_id, Some(MessageId::new("444573844083572736")));
    assert_eq!(message.mark_as_read_token.as_deref(), Some("30yhdy232"));
    let [all, bot] = &message.mentions[..] else { panic!("{:?}", message.mentions) };
    assert!(all.is_all && !all.is_self && all.user.is_none());
    assert!(bot.is_self && !bot.is_all);
    assert_eq!((bot.index, bot.length, &bot.user), (5, 4, &Some(UserId::new(USER))));
    let [love] = &message.emojis[..] else { panic!("{:?}", message.emojis) };
    assert_eq!((love.index, love.length, love.emoji_id.as_deref()), (10, 6, Some("001")));
    assert_eq!(message.plain_text(), "@All 180");
    assert_eq!(message.without_mentions().plain_text(), "180");
}

#[test]
fn a_mention_of_the_webhooks_destination_is_one_of_the_bot() {
    let mentionees = json!([
        {"index": 0, "length": 4, "type": "user", "userId": "Ubot"},
        {"index": 5, "length": 6, "type": "user", "userId": "Ualice"},
    ]);
    for event_type in ["message", "messageEdited"] {
        let body = json!({"destination": "Ubot", "events": [{"type": event_type, "message": {
            "type": "text", "id": "1", "text": "@Bot @Alice 180", "mention": {"mentionees": mentionees},
        }}]});
        let envelope = Envelope::parse(body.to_string().as_bytes()).unwrap();
        let (EventKind::Message(MessageContent::Text(message))
        | EventKind::MessageEdited(MessageContent::Text(message))) = &envelope.events[0].kind
        else {
            panic!("not a text")
        };
        assert_eq!(message.plain_text(), "@Alice 180");
    }
}

#[test]
fn a_sticker_comes_with_its_meaning() {
    let MessageContent::Sticker(message) = example("sticker") else { panic!("not a sticker") };
    assert_eq!((&*message.package_id, &*message.sticker_id), ("446", "1988"));
    assert_eq!(message.keywords, ["Anticipation", "sparkle"]);
    assert_eq!(message.text.as_deref(), Some("Let's\nhang out!"));
    assert_eq!(message.quote_token.as_deref(), Some("q"));
}

#[test]
fn media_say_where_their_content_is() {
    let MessageContent::Image(image) = example("image") else { panic!("not an image") };
    assert!(image.is_held_by_line);
    let set = image.image_set.unwrap();
    assert_eq!((&*set.id, set.index, set.total), ("E005D41A7288F41B", Some(1), Some(2)));
    let MessageContent::Video(video) = example("video") else { panic!("not a video") };
    assert!(!video.is_held_by_line);
    assert_eq!(video.duration_ms, Some(60_000));
    let MessageContent::Audio(audio) = example("audio") else { panic!("not a sound") };
    assert_eq!((audio.is_held_by_line, audio.duration_ms), (true, Some(1_500)));
    let MessageContent::File(file) = example("file") else { panic!("not a file") };
    assert_eq!((&*file.file_name, file.file_size), ("file.txt", Some(2_138)));
}

#[test]
fn a_location_is_read() {
    let MessageContent::Location(place) = example("location") else { panic!("not a location") };
    assert_eq!((place.latitude, place.longitude), (35.67966, 139.73669));
    assert_eq!(place.title.as_deref(), Some("my location"));
    assert_eq!(place.address.as_deref(), Some("Tokyo"));
}

#[test]
fn an_unknown_message_keeps_its_id_and_type() {
    let message_type = "hologram".to_owned();
    let expected = MessageContent::Unknown { id: Some(MessageId::new("7")), message_type };
    assert_eq!(content(&json!({"type": "hologram", "id": 7})), expected);
    let expected = MessageContent::Unknown { id: None, message_type: String::new() };
    for message in [Value::Null, json!("text"), json!({"type": ["text"]})] {
        assert_eq!(content(&message), expected);
    }
}

#[test]
fn a_wrong_type_costs_an_optional_part_only() {
    let message = json!({
        "type": "text", "id": "1", "text": "180", "quoteToken": 5, "quotedMessageId": [],
        "mention": "all", "markAsReadToken": {},
    });
    let MessageContent::Text(message) = content(&message) else { panic!("not a text") };
    assert_eq!(message.text, "180");
    assert_eq!((message.quote_token, message.quoted_message_id), (None, None));
    assert!(message.mentions.is_empty());
    for needed in ["id", "text"] {
        let mut message = json!({"type": "text", "id": "1", "text": "180"});
        message[needed] = json!(null);
        assert!(matches!(content(&message), MessageContent::Unknown { .. }), "{message}");
    }
}

#[test]
fn what_a_user_wrote_is_not_printed() {
    for secret in ["180", "hang out", "file.txt", "my location", "35.67"] {
        for message in every_message() {
            let shown = format!("{:?}", content(&message));
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
