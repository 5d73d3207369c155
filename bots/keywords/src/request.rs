//! What a text asks for: which part of it is to be looked up, and why there may be none.

use serde::{Deserialize, Serialize};
use yamabiko::{Mentionee, TextMessage};

use crate::language::Language;

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) text: String,
    pub(crate) language: Language,
}

/// Why there is nothing to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// No letters at all: emoji, numbers, punctuation.
    NoWords,
    /// Nothing but links.
    OnlyLinks,
    /// Neither Japanese nor Latin script.
    OtherScript,
}

impl Request {
    /// Reads a message: links, mentions and invisible characters are no part of what is looked up.
    pub(crate) fn read(message: &TextMessage) -> Result<Self, Hint> {
        let text = visible(&without_mentions(&message.text, &message.mentions));
        let without_links = without_links(&text);
        let text = without_links.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(language) = Language::of(&text) {
            return Ok(Self { text, language });
        }
        Err(if text.chars().any(char::is_alphabetic) {
            Hint::OtherScript
        } else if without_links.len() < message.text.len() && message.text.contains("://") {
            Hint::OnlyLinks
        } else {
            Hint::NoWords
        })
    }
}

/// Says whether the bot itself is mentioned.
pub(crate) fn is_for_bot(message: &TextMessage) -> bool {
    message.mentions.iter().any(|mention| mention.is_self)
}

/// Replaces what mentions somebody by a space; places and lengths are in UTF-16 units.
fn without_mentions(text: &str, mentions: &[Mentionee]) -> String {
    let mut place = 0;
    let kept = text.chars().map(|c| {
        let here = place;
        place += c.len_utf16();
        let is_part =
            |mention: &Mentionee| here >= mention.index && here - mention.index < mention.length;
        if mentions.iter().any(is_part) { ' ' } else { c }
    });
    kept.collect()
}

/// Replaces what nobody sees (control characters, marks of direction, zero width) by spaces.
fn visible(text: &str) -> String {
    let is_invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect()
}

/// Leaves out addresses; they end where something else than ASCII comes, since Japanese text needs no space before.
fn without_links(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    // A keyboard may have begun the line with a capital letter.
    let small = text.to_ascii_lowercase();
    let place_in = |rest: &str| {
        let rest = &small[text.len() - rest.len()..];
        ["http://", "https://"].iter().filter_map(|scheme| rest.find(scheme)).min()
    };
    while let Some(start) = place_in(rest) {
        kept.push_str(&rest[..start]);
        kept.push(' ');
        rest = rest[start..].trim_start_matches(|c: char| c.is_ascii_graphic());
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &str) -> TextMessage {
        let mut message = TextMessage::default();
        text.clone_into(&mut message.text);
        message
    }

    fn read(text: &str) -> Result<String, Hint> {
        Request::read(&message(text)).map(|request| request.text)
    }

    #[test]
    fn links_and_invisible_characters_are_left_out() {
        let text = "山びこを\u{202e}見て\0https://example.com/a?b=c#dすごい\u{200b}";
        assert_eq!(read(text), Ok("山びこを 見て すごい".to_owned()));
    }

    #[test]
    fn without_words_the_reason_is_told() {
        assert_eq!(read(""), Err(Hint::NoWords));
        assert_eq!(read("😀 180 \u{202e}!?"), Err(Hint::NoWords));
        assert_eq!(read("https://example.com/ http://example.org"), Err(Hint::OnlyLinks));
        assert_eq!(read("Https://example.com/ HTTP://EXAMPLE.ORG"), Err(Hint::OnlyLinks));
        assert_eq!(read("مرحبا بالعالم"), Err(Hint::OtherScript));
    }

    #[test]
    fn a_mention_of_the_bot_is_no_part_of_what_is_looked_up() {
        let mut message = message("😀@bot 富士山");
        message.mentions = mentions(2, 4);
        assert!(is_for_bot(&message));
        assert_eq!(Request::read(&message).unwrap().text, "😀 富士山");
    }

    /// Returns a mention of the bot as LINE tells of it.
    fn mentions(index: usize, length: usize) -> Vec<Mentionee> {
        let event = serde_json::json!({"type": "message", "message": {
            "type": "text", "id": "1", "text": "",
            "mention": {"mentionees": [{"index": index, "length": length, "type": "user", "isSelf": true}]},
        }});
        match yamabiko::Event::from_value(event).kind {
            yamabiko::EventKind::Message(yamabiko::MessageContent::Text(text)) => text.mentions,
            other => panic!("{other:?} is no text"),
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_none_grows(text in "\\PC*|.{0,50}https?://.{0,50}") {
            if let Ok(read) = read(&text) {
                prop_assert!(read.len() <= text.len());
                prop_assert!(!read.contains("http://") && !read.contains("https://"));
            }
        }
    }
}
