//! Hiragana and katakana, in which one word may be written either way.

/// How many kana a word may have whose other spellings are looked for; each has two more.
const LONGEST: usize = 10;

/// Returns a word as it is compared with others: in small letters, and in hiragana.
pub(crate) fn folded(word: &str) -> String {
    word.to_lowercase().chars().map(to_hiragana).collect()
}

/// Returns the hiragana for a katakana; any other character as it is.
fn to_hiragana(c: char) -> char {
    match c {
        'ァ'..='ヶ' => shifted(c, -0x60),
        _ => c,
    }
}

/// Returns the katakana for a hiragana; any other character as it is.
fn to_katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' => shifted(c, 0x60),
        _ => c,
    }
}

fn shifted(c: char, by: i32) -> char {
    u32::from(c).checked_add_signed(by).and_then(char::from_u32).unwrap_or(c)
}

/// Returns how else a word in kana may be spelled: the whole in one kana, or its front in one and its end in the other.
///
/// Names mix them (けものフレンズ), and a phone makes one kana of all (ケモノフレンズ); the wiki tells them apart.
pub(crate) fn spellings(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let is_kana = |c: &char| matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヶ' | 'ー' | '・');
    if chars.len() > LONGEST || !chars.iter().all(is_kana) {
        return Vec::new();
    }
    let mut spellings: Vec<String> = Vec::new();
    let mut add = |front: fn(char) -> char, end: fn(char) -> char, at: usize| {
        let spelled = chars.iter().enumerate();
        let spelled = spelled.map(|(place, c)| if place < at { front(*c) } else { end(*c) });
        let spelled: String = spelled.collect();
        if spelled != word && !spellings.contains(&spelled) {
            spellings.push(spelled);
        }
    };
    for at in 0..=chars.len() {
        add(to_hiragana, to_katakana, at);
    }
    for at in 1..chars.len() {
        add(to_katakana, to_hiragana, at);
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kana_becomes_the_other_and_all_else_stays() {
        assert_eq!(
            "ケモノフレンズ・ヴァヶー犬a".chars().map(to_hiragana).collect::<String>(),
            "けものふれんず・ゔぁゖー犬a"
        );
        assert_eq!(
            "けものふれんずゔぁゖゞ".chars().map(to_katakana).collect::<String>(),
            "ケモノフレンズヴァヶゞ"
        );
    }

    #[test]
    fn a_word_in_one_kana_is_spelled_in_the_other_and_in_both() {
        let spelled = spellings("ケモノフレンズ");
        assert!(spelled.contains(&"けものフレンズ".to_owned()), "{spelled:?}");
        assert!(spelled.contains(&"けものふれんず".to_owned()), "{spelled:?}");
        assert!(!spelled.contains(&"ケモノフレンズ".to_owned()));
        assert_eq!(spellings("アー"), ["あー"]);
        assert_eq!(spellings("パンや"), ["パンヤ", "ぱンヤ", "ぱんヤ", "ぱんや", "パんや"]);
    }

    #[test]
    fn other_words_have_one_spelling() {
        for word in ["", "富士山", "東京タワー", "kana", "ー", "アイウエオカキクケコサ"]
        {
            assert_eq!(spellings(word), [""; 0], "{word:?}");
        }
    }
}
