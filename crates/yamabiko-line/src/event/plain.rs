//! The plain text of a message: what a person reads in it, in one form for all ways to type it.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// Where a text holds something else than what its user typed, in UTF-16 units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) length: usize,
}

impl Place {
    const fn contains(self, unit: usize) -> bool {
        unit >= self.index && unit - self.index < self.length
    }
}

/// Returns a text with a space for each unit that stands at one of `places`, so that all other places stay.
///
/// Places come from the platform and may lie anywhere: outside the text, inside each other, in the middle of a character.
/// A character is cut if its first unit is inside a place.
pub(super) fn without(text: &str, places: &[Place]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut unit = 0;
    for c in text.chars() {
        if places.iter().any(|place| place.contains(unit)) {
            kept.extend(std::iter::repeat_n(' ', c.len_utf16()));
        } else {
            kept.push(c);
        }
        unit += c.len_utf16();
    }
    kept
}

/// Returns a text in Unicode's form NFKC, single-spaced and without invisible characters.
pub(super) fn plain(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            SPACING_VOICED if visible.ends_with(is_kana) => visible.push(VOICED),
            SPACING_SEMI_VOICED if visible.ends_with(is_kana) => visible.push(SEMI_VOICED),
            // White space first: ends of lines are control characters, too.
            _ if c.is_whitespace() || !is_invisible(c) => visible.push(c),
            _ => {}
        }
    }
    single_spaced(&ComposingNormalizerBorrowed::new_nfkc().normalize(&visible))
}

/// The voiced sound mark as a character of its own, `゛`; NFKC makes a space and a combining mark of it.
const SPACING_VOICED: char = '\u{309b}';
/// The same that combines with the kana before it.
const VOICED: char = '\u{3099}';
/// The semi-voiced sound mark as a character of its own, `゜`.
const SPACING_SEMI_VOICED: char = '\u{309c}';
/// The same that combines with the kana before it.
const SEMI_VOICED: char = '\u{309a}';

/// Returns whether a character is a kana, half-width too, which a sound mark may follow.
fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{ff66}'..='\u{ff9d}')
}

/// Returns whether nobody sees a character, so that no command can depend on it.
///
/// - Unicode's `Default_Ignorable_Code_Point`: characters that are ignored where a text is shown.
///   Keyboards, web pages and clients leave them in texts: zero-width spaces and joiners (U+200B to U+200D, U+2060),
///   the byte order mark (U+FEFF), marks of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069),
///   soft hyphens (U+00AD), variation selectors (U+FE00 to U+FE0F, which follow digits in keycaps, and U+E0100 to U+E01EF,
///   which follow kanji), Hangul fillers (U+115F, U+1160, U+3164, U+FFA0) and tags (U+E0000 to U+E007F).
///   Some of them change how emoji are shown, but not what a command means.
/// - Control characters: no font has them.
/// - Marks of interlinear annotations (U+FFF9 to U+FFFB), which text for people does not have.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || matches!(c, '\u{fff9}'..='\u{fffb}')
}

/// Makes each run of white space one space, or one end of line where it has any; leaves out those at the ends.
fn single_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let mut gap = None;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            gap = if gap == Some('\n') || ends_line(c) { Some('\n') } else { Some(' ') };
        } else {
            spaced.extend(gap.take());
            spaced.push(c);
        }
    }
    spaced
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_typed() {
        for text in [
            "180",
            "１８０",
            "1\u{200b}8\u{2060}0",
            "\u{feff}180",
            "\u{2066}180\u{2069}",
            "1\u{fe0f}8\u{fe0f}0\u{fe0f}",
            "\u{202d}180\u{202c}",
            "1\u{ad}80",
            "\u{e0001}180\u{0}\u{7}",
            "\u{3164}180\u{ffa0}",
            " \u{a0}180\u{3000}\r\n",
        ] {
            assert_eq!(plain(text), "180", "{text:?}");
        }
    }

    #[test]
    fn kana_are_composed_and_full_width() {
        for text in [
            "けものフレンズ",
            "けものフレンス\u{3099}",
            "けものフレンス\u{309b}",
            "けものﾌﾚﾝｽﾞ",
            "けものﾌﾚﾝｽ\u{309b}",
        ] {
            assert_eq!(plain(text), "けものフレンズ", "{text:?}");
        }
        assert_eq!(plain("ｹﾓﾉﾌﾚﾝｽﾞ"), "ケモノフレンズ");
        assert_eq!(plain("ﾊﾟﾝ は\u{309c}ん"), "パン ぱん");
    }

    #[test]
    fn white_space_is_one_space_or_one_end_of_line() {
        assert_eq!(plain("a \u{3000}\t b"), "a b");
        assert_eq!(plain("\n a \r\n\r\n b\u{2028}c \n"), "a\nb\nc");
        assert_eq!(plain(" \u{3000} "), "");
    }

    fn without(text: &str, places: &[(usize, usize)]) -> String {
        let places: Vec<_> =
            places.iter().map(|&(index, length)| Place { index, length }).collect();
        super::without(text, &places)
    }

    #[test]
    fn what_stands_at_a_place_becomes_spaces() {
        assert_eq!(without("@Bot 180", &[(0, 4)]), "     180");
        assert_eq!(without("🍎@Bot\n180", &[(2, 4)]), "🍎    \n180");
        assert_eq!(without("🍎🍎", &[(0, 2)]), "  🍎");
        assert_eq!(plain(&without("1()80", &[(1, 2)])), "1 80", "two words");
    }

    #[test]
    fn places_that_are_wrong_cut_what_they_cover() {
        assert_eq!(without("180", &[(3, 4), (100, usize::MAX), (usize::MAX, 1)]), "180");
        assert_eq!(without("@Bot 180", &[(0, 4), (2, 3), (5, 0)]), "     180");
        assert_eq!(without("🍎180", &[(1, 1)]), "🍎180", "only the second unit of a character");
        assert_eq!(without("🍎180", &[(0, 1)]), "  180", "only the first unit of a character");
        assert_eq!(without("180", &[(0, usize::MAX)]), "   ");
    }

    #[test]
    fn an_emoji_of_several_characters_is_still_there() {
        assert_eq!(plain("👨\u{200d}👩\u{200d}👧 180"), "👨👩👧 180");
    }
}
