//! Ornaments: what a message can do without, and LINE may refuse.

use super::Message;

/// The properties of a message that change how it looks and not what it says: quote, quick replies, and sender.
const ORNAMENTS: [&str; 3] = ["quoteToken", "quickReply", "sender"];

impl Message {
    /// Returns whether the message has a quote, quick replies, or a sender of its own.
    #[must_use]
    pub fn has_ornaments(&self) -> bool {
        ORNAMENTS.iter().any(|name| self.0.contains_key(*name))
    }

    /// Returns the message without quote, quick replies and sender.
    #[must_use]
    pub fn without_ornaments(mut self) -> Self {
        self.0.retain(|name, _| !ORNAMENTS.contains(&name.as_str()));
        self
    }
}

/// Returns whether a property's path leads to an ornament or into one: `messages[0].quoteToken`.
pub(crate) fn is_ornament(path: &str) -> bool {
    path.split(['.', '/', '[', ']']).any(|part| ORNAMENTS.contains(&part))
}

/// Returns whether a sentence of LINE's names an ornament, in one word or in two: "Invalid quote token".
pub(crate) fn names_ornament(sentence: &str) -> bool {
    let sentence = sentence.to_lowercase().replace([' ', '_'], "");
    ORNAMENTS.iter().any(|name| sentence.contains(&name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn o9_a_message_without_its_ornaments_says_the_same() {
        let bare = json!({"type": "text", "text": "hi"});
        let mut adorned = bare.clone();
        for name in ORNAMENTS {
            adorned[name] = json!({});
        }
        assert!(Message::raw(adorned.clone()).has_ornaments());
        assert!(!Message::raw(bare.clone()).has_ornaments());
        assert_eq!(Message::raw(adorned).without_ornaments(), Message::raw(bare));
    }

    #[test]
    fn o9_an_ornament_is_known_by_its_path_and_by_its_name() {
        assert!(is_ornament("messages[0].quoteToken"));
        assert!(is_ornament("messages[4].quickReply.items[0].action.label"));
        assert!(is_ornament("/messages/0/sender/iconUrl"));
        assert!(!is_ornament("messages[0].text") && !is_ornament("messages[0].contents.senders"));
        assert!(names_ornament("Invalid quote token") && names_ornament("quickReply is too long"));
        assert!(!names_ornament("Invalid reply token"));
    }
}
