//! Tests with sentences and paragraphs of both languages.

use super::*;
use crate::analysis::tests::ANALYZER;

fn analyzer() -> &'static Analyzer {
    &ANALYZER
}

fn words(terms: Vec<Term>) -> Vec<String> {
    terms.into_iter().map(|term| term.word).collect()
}

/// Returns the names of a Japanese text.
fn names(text: &str) -> Vec<String> {
    words(analyzer().key_terms(&[text], "", Language::Japanese))
}

/// Returns the names of texts in English.
fn english(texts: &[&str], own_text: &str) -> Vec<String> {
    words(analyzer().key_terms(texts, own_text, Language::English))
}

const TOWER: &str = "東京スカイツリーは東京の墨田区にある電波塔で、隅田川の近くに立っている。\
    2012年5月に開業し、東京スカイツリーの高さは634メートルである。浅草から歩いて行けて、\
    展望台からは富士山も見える。晴れた日の東京スカイツリーは、墨田区のどこからでもよく見える。";

const MOUNTAIN: &str = "Mount Fuji is the highest mountain in Japan. Climbers reach the top of Mount Fuji \
    in July and August. From there they see the Pacific Ocean and, on clear days, even Tokyo. \
    Fuji's last eruption was in 1707. Its lakes are popular; Lake Kawaguchi is the nearest to Tokyo.";

#[test]
fn names_that_occur_often_and_are_rare_come_first() {
    let terms = analyzer().key_terms(&[TOWER], "電波塔", Language::Japanese);
    let counts: Vec<_> = terms.iter().map(|term| (term.word.as_str(), term.count)).collect();
    let expected = [
        ("東京スカイツリー", 3),
        ("墨田区", 2),
        ("浅草", 1),
        ("富士山", 1),
        ("隅田川", 1),
        ("東京", 1),
    ];
    assert_eq!(counts, expected);
    assert!(terms.is_sorted_by(|one, next| one.weight >= next.weight));
}

#[test]
fn words_that_make_one_name_are_one_term() {
    for (text, name) in [
        ("夏目漱石は小説家である。", "夏目漱石"),
        ("日本サッカー協会が発表した。", "日本サッカー協会"),
        ("スタジオジブリの作品を見た。", "スタジオジブリ"),
        ("新宿駅に着いた。", "新宿駅"),
        ("ポケモンGOで遊ぶ。", "ポケモンGO"),
        ("任天堂", "任天堂"),
        ("スーパーマリオブラザーズが好きだ。", "スーパーマリオブラザーズ"),
        ("獣フレンズを見た。", "獣フレンズ"),
    ] {
        assert_eq!(names(text), [name], "{text}");
    }
}

#[test]
fn what_only_stands_beside_a_name_is_no_part_of_it() {
    assert_eq!(names("田中選手がゴールを決めた。"), ["田中"]);
    assert_eq!(names("宮崎駿監督の映画"), ["宮崎駿"]);
    assert_eq!(names("昨日の三時に渋谷で会った。"), ["渋谷"]);
    assert_eq!(names("富士山 琵琶湖"), ["富士山", "琵琶湖"]);
}

#[test]
fn katakana_and_latin_words_that_the_dictionary_does_not_have_are_names() {
    assert_eq!(names("ヤマビコヤというライブラリでサッカーを調べた。"), ["ヤマビコヤ"]);
    let terms = names("NASAとSpaceXがiPhoneでcodeを書く。");
    assert_eq!(terms.len(), 3, "{terms:?}");
    assert!(!terms.contains(&"code".to_owned()));
}

#[test]
fn dates_numbers_stop_words_and_single_kana_are_no_terms() {
    let text =
        "2026年11月29日、三月、令和8年。ウィキペディアのページ。ア、ン。12,345人が5回。http://www";
    assert_eq!(names(text), Vec::<String>::new());
}

#[test]
fn the_users_own_words_are_no_terms() {
    let terms =
        words(analyzer().key_terms(&[TOWER], "東京スカイツリーと富士山", Language::Japanese));
    assert_eq!(terms, ["墨田区", "浅草", "隅田川"]);
    assert!(!english(&[MOUNTAIN], "mount fuji").contains(&"Mount Fuji".to_owned()));
}

#[test]
fn english_names_are_words_with_capitals_that_stand_together() {
    let terms = english(&[MOUNTAIN], "highest mountain");
    assert_eq!(terms, ["Mount Fuji", "Pacific Ocean", "Tokyo", "Lake Kawaguchi", "Japan"]);
}

#[test]
fn small_words_connect_names_but_do_not_begin_them() {
    assert_eq!(
        english(&["She left the University of Tokyo and Kyoto."], ""),
        ["University of Tokyo", "Kyoto"]
    );
    assert_eq!(
        english(&["we saw Robert de Niro in Tokyo the Monday after"], ""),
        ["Robert de Niro", "Tokyo"]
    );
}

#[test]
fn the_first_word_of_a_sentence_is_a_name_only_if_it_has_its_capital_elsewhere_too() {
    assert_eq!(english(&["Cats sleep. Dogs bark. NASA launches."], ""), ["NASA"]);
    assert_eq!(english(&["Kyoto is old.", "They love Kyoto."], ""), ["Kyoto"]);
}

#[test]
fn a_last_name_counts_for_the_full_name() {
    let texts = ["He met Albert Einstein there. Then Einstein spoke, and again Einstein's wife."];
    let terms = analyzer().key_terms(&texts, "", Language::English);
    assert_eq!(terms[0], Term { word: "Albert Einstein".to_owned(), count: 3, weight: 84.0 });
}

#[test]
fn the_users_nouns_stand_in_where_there_is_no_name() {
    assert_eq!(names("美味しい味噌汁の作り方"), Vec::<String>::new());
    assert_eq!(words(analyzer().own_nouns("美味しい味噌汁の作り方")), ["味噌汁", "作り方"]);
    assert_eq!(words(analyzer().own_nouns("自然言語処理とは？")), ["自然言語処理"]);
    assert_eq!(words(analyzer().own_nouns("how to bake good bread")), ["bake", "good", "bread"]);
    assert!(analyzer().own_nouns("😀！？…").is_empty());
}

#[test]
fn katakana_that_stands_together_is_one_name_whatever_the_dictionary_makes_of_it() {
    assert_eq!(names("サーバルとジョン・レノン"), ["レノン", "サーバル", "ジョン"]);
}

#[test]
fn the_order_is_the_same_each_time() {
    let text = "大阪、奈良、神戸、岡山、広島、山口、福岡、長崎、熊本、鹿児島。".repeat(3);
    let first = names(&text);
    assert!(first.len() >= 10 && (0..20).all(|_| names(&text) == first));
}
