//! Which language a text is in, by its script.

use serde::{Deserialize, Serialize};

/// A language that the bot reads and speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Japanese,
    English,
}

impl Language {
    /// Returns the language of a text: Japanese where it has kana or kanji, English for other Latin script.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.chars().any(is_japanese) {
            Some(Self::Japanese)
        } else {
            text.chars().any(is_latin).then_some(Self::English)
        }
    }

    /// Returns the language's code (ISO 639-1).
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }
}

/// Says whether a character is a kana or kanji.
fn is_japanese(c: char) -> bool {
    matches!(c, '々' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{323af}')
}

/// Says whether a character is a letter of the Latin script, full width too.
fn is_latin(c: char) -> bool {
    c.is_alphabetic()
        && matches!(c, '\u{41}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_its_language_by_its_script() {
        assert_eq!(Language::of("けものフレンズ"), Some(Language::Japanese));
        assert_eq!(Language::of("LINEを使う"), Some(Language::Japanese));
        assert_eq!(Language::of("Zürich"), Some(Language::English));
        assert_eq!(Language::of("ＬＩＮＥ"), Some(Language::English));
        for other in ["", "😀🎉", "180", "Привет", "مرحبا", "שלום", "ー、。", "\u{202e}"]
        {
            assert_eq!(Language::of(other), None, "{other:?}");
        }
    }
}
