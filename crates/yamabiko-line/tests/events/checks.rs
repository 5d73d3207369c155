//! What holds for any input; the property tests and the fuzz targets call it.

use serde_json::Value;
use yamabiko_line::{
    event::{Envelope, Event, EventKind, MessageContent, TextMessage},
    message::{split_text, utf16_len},
    secret::ChannelSecret,
    signature,
};

/// Reads a body; if it is a webhook, each of its events is one by itself, and still one once it was stored.
pub(crate) fn webhook(body: &[u8]) -> Option<Vec<Event>> {
    let envelope = Envelope::parse(body).ok()?;
    for event in &envelope.events {
        let stored = event.without_reply_token().to_string();
        let stored: Value = serde_json::from_str(&stored).expect("what was read is JSON");
        let again = Event::from_value(stored).for_bot(envelope.destination.as_deref());
        assert_eq!((&again.kind, &again.source), (&event.kind, &event.source));
        assert_eq!(again.key(None), event.key(None), "a redelivery is known");
        assert!(again.reply_token.is_none());
        let raw = Event::from_value(event.raw.clone());
        assert_eq!(raw.for_bot(envelope.destination.as_deref()), *event);
        if let EventKind::Message(MessageContent::Text(text)) = &event.kind {
            plain_text(text);
        }
    }
    Some(envelope.events)
}

/// Reads the plain text: it is as plain as it gets, single-spaced, and cutting mentions out moves nothing.
pub(crate) fn plain_text(message: &TextMessage) {
    let plain = message.plain_text();
    let mut again = TextMessage::default();
    again.text.clone_from(&plain);
    assert_eq!(again.plain_text(), plain, "it was not plain");
    assert_eq!(plain.trim(), plain);
    assert!(!plain.contains("  ") && !plain.contains("\n\n"), "{plain:?}");
    assert!(plain.chars().count() <= 18 * message.text.chars().count());
    let without_mentions = message.without_mentions();
    assert_eq!(utf16_len(&without_mentions.text), utf16_len(&message.text));
    assert_eq!(without_mentions.emojis, message.emojis);
    let kept = |c: char| !c.is_whitespace();
    assert!(without_mentions.text.chars().filter(|c| kept(*c)).all(|c| message.text.contains(c)));
}

/// Verifies a header: only the one right form does.
pub(crate) fn header(secret: &str, body: &[u8], header: &str) {
    let secret = ChannelSecret::new(secret);
    let right = signature::sign(&secret, body);
    assert!(signature::verify(&secret, body, &right));
    assert_eq!(signature::verify(&secret, body, header), header == right, "{header:?}");
}

/// Splits a text: in order, within the limit, and nothing is lost but white space at the cuts.
pub(crate) fn split(text: &str, limit: usize) {
    let parts = split_text(text, limit);
    let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(visible(&parts.concat()), visible(text));
    for part in &parts {
        assert!(!part.trim().is_empty());
        assert!(utf16_len(part) <= limit.max(2) || part.chars().count() == 1, "{part:?}");
    }
    if utf16_len(text) <= limit && !text.trim().is_empty() {
        assert_eq!(parts, [text]);
    }
}
