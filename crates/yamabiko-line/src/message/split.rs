//! Texts in LINE's unit of length.

/// Returns a text's length in UTF-16 units, in which LINE counts.
#[must_use]
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Splits a text into parts of at most `limit` UTF-16 units (O7).
///
/// It is cut between lines if possible, else between words, else behind a Japanese sentence, else between characters.
///
/// Only the one white space at a cut is left out, so that nothing else is lost; a part without a visible character,
/// which LINE would refuse, is left out too. A character of two units stays whole even if the limit is 1.
#[must_use]
pub fn split_text(text: &str, limit: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while utf16_len(rest) > limit {
        let (part, left) = cut(rest, limit);
        parts.push(part.to_owned());
        rest = left;
    }
    parts.push(rest.to_owned());
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Cuts at most `limit` units from the front of a longer text.
fn cut(text: &str, limit: usize) -> (&str, &str) {
    let end = prefix(text, limit);
    // A white space right behind the limit is a good place as well.
    let reach =
        end + text[end..].chars().next().filter(|c| c.is_whitespace()).map_or(0, char::len_utf8);
    let window = &text[..reach];
    let line = window.rfind('\n').map(|at| (at, 1));
    let word = || {
        window
            .char_indices()
            .rev()
            .find(|(_, c)| c.is_whitespace())
            .map(|(at, c)| (at, c.len_utf8()))
    };
    match line.filter(|(at, _)| *at > 0).or_else(word).filter(|(at, _)| *at > 0) {
        Some((at, space)) => (&text[..at], &text[at + space..]),
        None => text.split_at(sentence(&text[..end]).unwrap_or(end)),
    }
}

/// Returns the end of the last Japanese sentence, where no space follows.
fn sentence(text: &str) -> Option<usize> {
    text.char_indices().rev().find(|(_, c)| "。！？".contains(*c)).map(|(at, c)| at + c.len_utf8())
}

/// Returns the end of the longest prefix of at most `limit` units, at least one character.
fn prefix(text: &str, limit: usize) -> usize {
    let mut units = 0;
    let fits = |(_, c): &(usize, char)| {
        units += c.len_utf16();
        units <= limit
    };
    let end = text.char_indices().take_while(fits).last().map_or(0, |(at, c)| at + c.len_utf8());
    if end == 0 { text.chars().next().map_or(0, char::len_utf8) } else { end }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_come_before_words() {
        assert_eq!(split_text("one two\nthree four", 14), ["one two", "three four"]);
        assert_eq!(split_text("one two three", 8), ["one two", "three"]);
        assert_eq!(split_text("short", 8), ["short"]);
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters() {
        assert_eq!(split_text("あいうえお", 2), ["あい", "うえ", "お"]);
        assert_eq!(split_text("🍎🍎🍎", 3), ["🍎", "🍎", "🍎"]);
        assert_eq!(split_text("🍎🍎", 1), ["🍎", "🍎"]);
    }

    #[test]
    fn a_japanese_text_is_cut_behind_a_sentence() {
        assert_eq!(split_text("はい。いいえ", 5), ["はい。", "いいえ"]);
    }

    #[test]
    fn only_the_white_space_at_a_cut_is_lost() {
        assert_eq!(split_text("a b\n  c d", 5), ["a b", "  c d"]);
        assert_eq!(split_text("12345 789", 5), ["12345", "789"]);
        assert_eq!(split_text("          ", 5), [""; 0]);
    }

    #[test]
    fn an_apple_is_two_units() {
        assert_eq!(utf16_len("🍎a"), 3);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(text in "[a-c🍎あ。 \n]{0,200}", limit in 2_usize..40) {
            let parts = split_text(&text, limit);
            prop_assert!(parts.iter().all(|part| !part.trim().is_empty()));
            let mut rest = text.as_str();
            for part in &parts {
                let at = rest.find(part.as_str());
                prop_assert!(at.is_some_and(|at| rest[..at].trim().is_empty()));
                rest = &rest[at.unwrap() + part.len()..];
            }
            prop_assert!(rest.trim().is_empty());
            let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(visible(&parts.concat()), visible(&text));
            prop_assert!(parts.iter().all(|part| utf16_len(part) <= limit));
        }
    }
}
