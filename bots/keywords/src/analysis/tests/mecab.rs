//! Compares our words with those of `MeCab`, which has the same dictionary.
//!
//! What is compared is each of `MeCab`'s words: whether ours has one at the same place of the text, as it is written and with the same part of speech (IPADIC's four levels).

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use super::{ANALYZER, manual};

/// How many sentences are compared, taken from everywhere in the manual pages.
const SENTENCES: usize = 1000;
/// The least share of words that must agree, in percent.
const LEAST: f64 = 99.0;
/// Where Debian's package `mecab` has the program that makes a dictionary.
const DICTIONARY_MAKER: &str = "/usr/lib/mecab/mecab-dict-index";

/// A word: where it begins, without white space, as it is written, and its part of speech.
type Word = (usize, String, String);

/// Makes a list of words of what they are and of what part of speech.
fn placed(words: impl Iterator<Item = (String, String)>) -> BTreeSet<Word> {
    let mut at = 0;
    let place = |(surface, pos): (String, String)| {
        let start = at;
        at += surface.len();
        (start, surface, pos)
    };
    words.map(place).collect()
}

/// Makes `MeCab`'s form of the dictionary, of the source that ours is made of.
fn make_dictionary(folder: &Path) {
    let source = Path::new(env!("IPADIC_UNPACKED"));
    let made = Command::new(DICTIONARY_MAKER)
        .args(["-f", "euc-jp", "-t", "utf-8", "-d"])
        .arg(source)
        .arg("-o")
        .arg(folder)
        .output()
        .expect("`cargo xtask setup` installs mecab");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::copy(source.join("dicrc"), folder.join("dicrc")).unwrap();
}

/// Returns `MeCab`'s words of each sentence.
fn of_mecab(sentences: &[&str]) -> Vec<BTreeSet<Word>> {
    let folder = tempfile::tempdir().unwrap();
    make_dictionary(folder.path());
    let word = r"%m\t%f[0],%f[1],%f[2],%f[3]\n";
    let mut mecab = Command::new("mecab")
        // Without the settings of the machine.
        .args(["-r", "/dev/null", "-F", word, "-U", word, "-E", r"\n", "-d"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo xtask setup` installs mecab");
    let mut input = mecab.stdin.take().unwrap();
    let text = sentences.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = mecab.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    let words = |lines: &str| {
        placed(lines.lines().map(|line| {
            let (surface, pos) = line.split_once('\t').unwrap();
            (surface.to_owned(), pos.trim_end_matches(',').to_owned())
        }))
    };
    output.strip_suffix("\n\n").unwrap().split("\n\n").map(words).collect()
}

fn of_ours(sentence: &str) -> BTreeSet<Word> {
    placed(ANALYZER.tokens(sentence).into_iter().map(|token| {
        let pos: Vec<_> = token.pos.levels().collect();
        (token.surface.to_owned(), pos.join(","))
    }))
}

#[test]
fn of_a_thousand_sentences_99_percent_of_the_words_are_those_of_mecab() {
    let all = manual::sentences().expect("`cargo xtask setup` installs manpages-ja");
    assert!(all.len() > 10 * SENTENCES, "only {} sentences", all.len());
    let chosen: Vec<_> = (0..SENTENCES).map(|n| all[n * all.len() / SENTENCES].as_str()).collect();
    let mecab = of_mecab(&chosen);
    assert_eq!(mecab.len(), SENTENCES);
    let (mut words, mut other, mut listed) = (0, 0, String::new());
    for (sentence, theirs) in chosen.iter().zip(mecab) {
        let ours = of_ours(sentence);
        words += theirs.len();
        let only_theirs: Vec<_> = theirs.difference(&ours).collect();
        if !only_theirs.is_empty() {
            other += only_theirs.len();
            let only_ours: Vec<_> = ours.difference(&theirs).collect();
            writeln!(listed, "{sentence}\n  MeCab: {only_theirs:?}\n  ours:  {only_ours:?}")
                .unwrap();
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests");
    fs::create_dir_all(&folder).unwrap();
    let list = folder.canonicalize().unwrap().join("mecab-differences.txt");
    fs::write(&list, &listed).unwrap();
    let [words, other] = [words, other].map(|count| u32::try_from(count).unwrap());
    let share = 100.0 - 100.0 * f64::from(other) / f64::from(words);
    let summary = format!(
        "{share:.3} % of {words} words in {SENTENCES} sentences agree with MeCab; \
         the other {other} are in {}",
        list.display()
    );
    println!("{summary}\n{listed}");
    assert!(share >= LEAST, "{summary}");
}
