//! Tests of what every text must come through, whatever is in it.

mod manual;
mod mecab;

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Without optimisation it takes a while to make one, and tests make thousands.
pub(super) static ANALYZER: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::new().unwrap());

fn analyzer() -> &'static Analyzer {
    &ANALYZER
}

fn surfaces<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    tokens.iter().map(|token| token.surface).collect()
}

fn without_space(text: &str) -> String {
    text.replace(is_space, "")
}

/// Looks whether all of a text is there, and is taken apart alike in one piece and as a stream.
fn comes_through(text: &str) {
    let analyzer = analyzer();
    let tokens = analyzer.tokens(text);
    assert_eq!(surfaces(&tokens).concat(), without_space(text));
    let mut lines = Vec::new();
    analyze_lines(analyzer, text.as_bytes(), &mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let of_lines: Vec<serde_json::Value> =
        lines.lines().flat_map(|line| serde_json::from_str::<Vec<_>>(line).unwrap()).collect();
    assert_eq!(of_lines, tokens.iter().map(|token| serde_json::json!(token)).collect::<Vec<_>>());
}

#[test]
fn words_have_a_part_of_speech_a_base_form_and_a_reading() {
    let analyzer = analyzer();
    let tokens = analyzer.tokens("京都で食べました");
    assert_eq!(surfaces(&tokens), ["京都", "で", "食べ", "まし", "た"]);
    let [kyoto, _, eat, ..] = tokens[..] else { panic!("{tokens:?}") };
    assert_eq!(kyoto.pos.levels().collect::<Vec<_>>(), ["名詞", "固有名詞", "地域", "一般"]);
    assert!(kyoto.pos.is(&["名詞", "固有名詞"]) && !kyoto.pos.is(&["名詞", "一般"]));
    assert_eq!((eat.base, eat.reading), ("食べる", Some("タベ")));
}

#[test]
fn a_word_that_the_dictionary_does_not_have_stands_for_itself() {
    let analyzer = analyzer();
    let tokens = analyzer.tokens("ヤマビコヤ");
    let [word] = tokens[..] else { panic!("{tokens:?}") };
    assert_eq!((word.surface, word.base, word.reading), ("ヤマビコヤ", "ヤマビコヤ", None));
}

#[test]
fn white_space_is_left_out_but_for_the_full_width_one() {
    let analyzer = analyzer();
    assert_eq!(surfaces(&analyzer.tokens(" 犬 と\t猫\r\n　鳥 ")), ["犬", "と", "猫", "　", "鳥"]);
    assert!(analyzer.tokens("").is_empty() && analyzer.tokens(" \n\t ").is_empty());
}

#[test]
fn texts_of_all_kinds_come_through() {
    let kinds = [
        "😀👨‍👩‍👧‍👦🇯🇵❤️",
        "https://example.com/道?q=%E3%81%82&lang=ja#上",
        "Привет 東京 مرحبا שלום Ελλάδα ｶﾀｶﾅ ＡＢＣ１２３ 한국어 ไทย",
        "\u{202e}逆\u{202c}向き",
        "\0a\u{1}\u{7f}\u{85}\u{feff}\u{fffd}\u{10ffff}",
        "\u{301}\u{3099}\u{fe0f}",
        "か\u{3099}き\u{3099}",
        "Ð ð",
        "一般的な二〇二六年十一月",
    ];
    kinds.into_iter().for_each(comes_through);
    comes_through(&kinds.join("\n"));
}

#[test]
fn long_texts_come_through_with_and_without_breaks() {
    for piece in ["あ", "漢", "ー", "a", "9", "\u{301}", "😀", "\0", " ", "今日は。", "東京 ", "\n"]
    {
        comes_through(&piece.repeat(5000));
    }
}

/// Takes a line apart in one piece, however long it is.
fn in_one_piece(text: &str) -> Vec<&str> {
    let mut lattice = Lattice::default();
    let (length, words) = lattice.words(&analyzer().dictionary, text, false);
    assert_eq!(length, text.len());
    words.map(|(surface, _)| surface).collect()
}

#[test]
fn of_a_line_without_punctuation_no_word_is_cut() {
    for before in ["", "x", "xy", "犬"] {
        let line = before.to_owned() + &"その他".repeat(3_000);
        let tokens = analyzer().tokens(&line);
        let others = tokens.iter().filter(|token| token.surface == "その他");
        assert_eq!(others.count(), 3_000, "behind {before:?}");
    }
}

#[test]
fn it_makes_no_difference_where_a_long_line_is_cut() {
    let lines = [
        "吾が輩の庭には二羽の鶏がいる",
        "東京大学附属図書館ラテン・アメリカ・スモーラー・カンパニーズ・ファンド",
        "すもももももももものうち。モー娘。と小、中学生は、Yahoo!で調べる!",
        "abc 123 けものフレンズ　ジュラシックパーク　７",
        "アイウエオカキクケコサシスセソ",
        "0123456789",
        "ー",
    ];
    for piece in lines {
        for before in ["", "、", "xy"] {
            let line = before.to_owned() + &piece.repeat(30_000 / piece.len());
            assert_eq!(surfaces(&analyzer().tokens(&line)), in_one_piece(&line), "{piece}");
        }
    }
}

#[test]
fn a_line_with_much_white_space_comes_through() {
    for spaces in [5_000, 8_188, 8_190, 8_192, 8_200, 20_000] {
        let gap = " ".repeat(spaces);
        for line in [format!("{gap}犬"), format!("犬{gap}"), format!("犬{gap}猫{gap}鳥")] {
            comes_through(&line);
        }
    }
}

#[test]
fn no_word_of_the_dictionary_is_longer_than_the_lattice_looks_ahead() {
    let files = std::fs::read_dir(env!("IPADIC_UNPACKED")).unwrap();
    let csv = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "csv"));
    let mut longest = 0;
    for path in csv {
        let lines = std::fs::read(path).unwrap();
        let words =
            lines.split(|byte| *byte == b'\n').map(|line| line.split(|byte| *byte == b',').next());
        longest = words.flatten().map(<[u8]>::len).max().unwrap_or(0).max(longest);
    }
    // A character has two bytes in EUC-JP.
    assert!(longest > 40 && longest <= 2 * lattice::LOOKAHEAD, "{longest} bytes");
}

#[test]
fn a_megabyte_without_a_break_comes_through() {
    let text = "吾が輩の庭には二羽の鶏がいる".repeat(25_000);
    let analyzer = analyzer();
    let length: usize = analyzer.tokens(&text).iter().map(|token| token.surface.len()).sum();
    assert!(text.len() > 1_000_000 && length == text.len());
}

#[test]
fn threads_share_an_analyzer() {
    let analyzer = analyzer();
    std::thread::scope(|scope| {
        let words = || surfaces(&analyzer.tokens("今日は良い天気です")).len();
        let threads = [(); 4].map(|()| scope.spawn(words));
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [5; 4]);
    });
}

proptest! {
    #[test]
    fn any_text_comes_through(text in any::<String>()) {
        comes_through(&text);
    }

    #[test]
    fn any_long_line_is_taken_apart_as_in_one_piece(
        pieces in proptest::collection::vec("[ぁ-ヿ一-龥々〇ａ-ｚ０-９a-zA-Z0-9。、「」ー　]{1,40}|[ぁ-ん]{1,40}|その他", 30..60),
        times in 5..9_usize,
    ) {
        let line = pieces.concat().repeat(times);
        prop_assert_eq!(surfaces(&analyzer().tokens(&line)), in_one_piece(&line));
    }

    #[test]
    fn any_mix_of_scripts_comes_through(
        text in "[ぁ-ヿ一-龥々〇ａ-ｚ０-９a-zA-Z0-9。、「」ー\\s　Ðé\\p{Mn}\\x00]{0,200}",
    ) {
        comes_through(&text);
    }
}
