//! Names and nouns of Japanese text, by what the dictionary says of its words.

use super::{super::lattice::Word, Tally};
use crate::analysis::{Analyzer, Token};

/// Words that many pages have, whatever they are about.
const STOP: [&str; 24] = [
    "ウィキペディア",
    "ウィキ",
    "ウィキメディア",
    "ウェブサイト",
    "ウェブ",
    "サイト",
    "ページ",
    "ホームページ",
    "インターネット",
    "リンク",
    "カテゴリ",
    "メニュー",
    "ログイン",
    "コンテンツ",
    "ニュース",
    "ブログ",
    "コメント",
    "クリック",
    "wikipedia",
    "http",
    "https",
    "www",
    "html",
    "pdf",
];
/// Nouns that are the last word of a name.
const INSTITUTIONS: [&str; 30] = [
    "協会",
    "大学",
    "大学院",
    "高校",
    "学校",
    "学園",
    "公園",
    "美術館",
    "博物館",
    "図書館",
    "水族館",
    "動物園",
    "遊園地",
    "神社",
    "神宮",
    "銀行",
    "新聞",
    "放送",
    "空港",
    "病院",
    "研究所",
    "株式会社",
    "財団",
    "連盟",
    "委員会",
    "劇場",
    "球場",
    "城",
    "鉄道",
    "航空",
];
/// The dictionary's costs for a factor of e.
const COST_OF_NAT: f64 = 800.0;

/// Counts the names of a text.
pub(super) fn names(analyzer: &Analyzer, text: &str, tally: &mut Tally) {
    let tokens = analyzer.tokens(text);
    for words in tokens.chunk_by(|one, next| are_adjacent(one, next) && make_one_name(one, next)) {
        let words = match words {
            // A common noun begins a name only together with what follows it.
            [first, rest @ ..] if is_common(first) && !rest.iter().any(is_name) => rest,
            words => words,
        };
        let is_name = words.iter().any(is_name) || words.len() > 1 && words.iter().all(is_katakana);
        if is_name {
            add(analyzer, words, tally);
        }
    }
}

/// Counts the nouns of a text, several that stand together as one.
pub(super) fn nouns(analyzer: &Analyzer, text: &str, tally: &mut Tally) {
    let tokens = analyzer.tokens(text);
    for words in
        tokens.chunk_by(|one, next| are_adjacent(one, next) && is_noun(one) && is_noun(next))
    {
        if words.iter().all(is_noun) {
            add(analyzer, words, tally);
        }
    }
}

fn add(analyzer: &Analyzer, words: &[Token<'_>], tally: &mut Tally) {
    let name = match words {
        [word] => word.base.to_owned(),
        words => words.iter().map(|word| word.surface).collect(),
    };
    let is_kana = name.chars().all(|c| matches!(c, 'ぁ'..='ヿ' | 'ｦ'..='ﾟ'));
    let is_short = match name.chars().count() {
        0 => true,
        1 => is_kana || name.is_ascii(),
        _ => false,
    };
    if !is_short && !STOP.contains(&name.to_lowercase().as_str()) {
        tally.add(&name, words.iter().map(|word| information(analyzer, word)).sum());
    }
}

/// Returns what an occurrence of a word says, in nats; at least 1, for the dictionary has a few words that cost nothing.
///
/// A suffix says nothing: what it is added to says it.
fn information(analyzer: &Analyzer, word: &Token<'_>) -> f64 {
    if word.pos.is(&["名詞", "接尾"]) {
        return 0.0;
    }
    (f64::from(cost(analyzer, word)) / COST_OF_NAT).max(1.0)
}

fn cost(Analyzer { dictionary }: &Analyzer, word: &Token<'_>) -> i16 {
    let entry = match word.word {
        Word::Known(id) => {
            let mut entries = dictionary.prefix_dictionary.find_surface_iter(word.surface);
            entries.find(|entry| entry.word_id().id() == id)
        }
        Word::Unknown(id) => dictionary.unknown_dictionary.costs.get(id as usize).copied(),
    };
    entry.map_or(0, |entry| entry.word_cost())
}

/// Tells whether nothing stands between two words of a text.
fn are_adjacent(one: &Token<'_>, next: &Token<'_>) -> bool {
    one.surface.as_bytes().as_ptr_range().end == next.surface.as_ptr()
}

/// Tells whether two words that stand together may be parts of one name.
fn make_one_name(one: &Token<'_>, next: &Token<'_>) -> bool {
    // The dictionary makes words it knows of a name that it does not know: サーバル is サー and バル to it.
    if is_katakana(one) && is_katakana(next) {
        return true;
    }
    if is_person(one) {
        return is_person(next);
    }
    let is_part = |word| is_name(word) && !is_person(word) || is_katakana(word);
    let ends_a_name =
        next.pos.is(&["名詞", "接尾", "地域"]) || INSTITUTIONS.contains(&next.surface);
    is_part(one) && (is_part(next) || ends_a_name) || is_common(one) && is_unknown_katakana(next)
}

/// Tells whether a word is a name by itself.
fn is_name(word: &Token<'_>) -> bool {
    let is_latin = word.surface.chars().all(|c| c.is_ascii_alphabetic());
    if is_latin {
        return word.surface.len() > 1 && word.surface.contains(|c: char| c.is_ascii_uppercase());
    }
    word.pos.is(&["名詞", "固有名詞"]) && word.reading.is_some() || is_unknown_katakana(word)
}

fn is_person(word: &Token<'_>) -> bool {
    word.pos.is(&["名詞", "固有名詞", "人名"]) && word.reading.is_some()
}

fn is_common(word: &Token<'_>) -> bool {
    word.pos.is(&["名詞", "一般"]) && word.reading.is_some() && !is_katakana(word)
}

fn is_katakana(word: &Token<'_>) -> bool {
    word.pos.is(&["名詞"])
        && !word.pos.is(&["名詞", "接尾"])
        && !word.pos.is(&["名詞", "数"])
        && word.surface.chars().count() > 1
        && word.surface.chars().all(|c| matches!(c, 'ァ'..='ヺ' | 'ー' | 'ｦ'..='ﾟ'))
}

fn is_unknown_katakana(word: &Token<'_>) -> bool {
    word.reading.is_none() && is_katakana(word)
}

/// Tells whether a word is a noun that says something.
fn is_noun(word: &Token<'_>) -> bool {
    let says_something = ["一般", "固有名詞", "サ変接続", "形容動詞語幹"];
    says_something.iter().any(|kind| word.pos.is(&["名詞", kind]))
        // What the dictionary does not have may be punctuation, which it takes for such nouns.
        && word.surface.chars().any(char::is_alphabetic)
}
