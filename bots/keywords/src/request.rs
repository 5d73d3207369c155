//! What a text asks for: which part of it is to be looked up, and why there may be none.

use serde::{Deserialize, Serialize};
use yamabiko::TextMessage;

use crate::language::Language;

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The text in plain, without links and mentions.
    pub(crate) text: String,
    /// The beginning of the text as the user wrote it; empty in jobs of earlier versions.
    #[serde(default)]
    pub(crate) written: String,
    pub(crate) language: Language,
}

/// The most bytes of a text that is looked up: more than LINE delivers, but its plain form may be longer.
const MAX_BYTES: usize = 30_000;
/// How many characters of the user's text an answer repeats.
const REPEATED: usize = 40;

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
        let message = message.without_mentions();
        let plain = message.plain_text();
        let mut text = words_of(&plain);
        if let Some(language) = Language::of(&text) {
            text.truncate(text.floor_char_boundary(MAX_BYTES));
            let written = shortened(&words_of(&harmless(&message.text)));
            return Ok(Self { text, written, language });
        }
        Err(if text.chars().any(char::is_alphabetic) {
            Hint::OtherScript
        } else if plain.contains("://") {
            Hint::OnlyLinks
        } else {
            Hint::NoWords
        })
    }

    /// Returns the beginning of the user's text, as an answer repeats it.
    pub(crate) fn repeated(&self) -> String {
        if self.written.is_empty() { shortened(&self.text) } else { self.written.clone() }
    }
}

/// Returns the beginning of a text.
pub(crate) fn shortened(text: &str) -> String {
    let mut shortened: String = text.chars().take(REPEATED).collect();
    if text.chars().nth(REPEATED).is_some() {
        shortened.push('…');
    }
    shortened
}

/// Says whether the bot itself is mentioned.
pub(crate) fn is_for_bot(message: &TextMessage) -> bool {
    message.mentions.iter().any(|mention| mention.is_self)
}

/// Returns a text in one line, without links.
fn words_of(text: &str) -> String {
    without_links(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Leaves out what could disturb the text around this one when it is repeated: control characters and marks of direction.
fn harmless(text: &str) -> String {
    let is_harmless = |c: &char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}');
        c.is_whitespace() || !c.is_control() && !turns
    };
    text.chars().filter(is_harmless).collect()
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
        assert_eq!(read(text), Ok("山びこを見て すごい".to_owned()));
    }

    #[test]
    fn kana_are_looked_up_in_one_form_whatever_the_form_they_are_typed_in() {
        for text in
            ["けものフレンズ", "けものフレンス\u{309b}", "けものフレンス\u{3099}", "けものﾌﾚﾝｽﾞ"]
        {
            assert_eq!(read(text), Ok("けものフレンズ".to_owned()), "{text:?}");
        }
        assert_eq!(read("ｹﾓﾉﾌﾚﾝｽﾞ"), Ok("ケモノフレンズ".to_owned()));
    }

    #[test]
    fn an_answer_repeats_the_text_as_it_was_written() {
        let repeated = |text: &str| Request::read(&message(text)).unwrap().repeated();
        assert_eq!(repeated("ｹﾓﾉ①\n👨\u{200d}👩\u{200d}👧"), "ｹﾓﾉ① 👨\u{200d}👩\u{200d}👧");
        assert_eq!(repeated("見て\u{202e}https://example.com/ 山\u{7}"), "見て 山");
        assert_eq!(repeated(&"山".repeat(41)), "山".repeat(40) + "…");
        let earlier = r#"{"text":"富士山","language":"japanese"}"#;
        assert_eq!(serde_json::from_str::<Request>(earlier).unwrap().repeated(), "富士山");
    }

    #[test]
    fn a_text_that_grows_in_its_plain_form_is_looked_up_in_part() {
        let text = read(&"㌖".repeat(5_000)).unwrap();
        assert!(text.len() <= MAX_BYTES && text.starts_with("キロメートルキロ"));
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
    fn mentions_are_no_part_of_what_is_looked_up_nor_repeated() {
        let event = serde_json::json!({"type": "message", "message": {
            "type": "text", "id": "1", "text": "😀@bot @花子 富士山(love)",
            "mention": {"mentionees": [
                {"index": 2, "length": 4, "type": "user", "isSelf": true},
                {"index": 7, "length": 3, "type": "user", "userId": "U1"},
            ]},
            "emojis": [{"index": 14, "length": 6, "productId": "p", "emojiId": "1"}],
        }});
        let yamabiko::EventKind::Message(yamabiko::MessageContent::Text(message)) =
            yamabiko::Event::from_value(event).kind
        else {
            panic!("it is a text")
        };
        assert!(is_for_bot(&message));
        let request = Request::read(&message).unwrap();
        assert_eq!((request.text.as_str(), &*request.written), ("😀 富士山", "😀 富士山(love)"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_its_links(text in "\\PC*|.{0,50}https?://.{0,50}") {
            if let Ok(read) = read(&text) {
                prop_assert!(read.len() <= MAX_BYTES);
                prop_assert!(!read.contains("http://") && !read.contains("https://"));
            }
        }
    }
}
