//! Names and words of text in Latin script, by their capital letters.

use std::collections::{HashMap, HashSet};

use super::Tally;

/// Words that say nothing of what a text is about, dates among them.
const STOP: &str = "a about above after again all also although am an and another any are around as at \
    be because been before being below between both but by can could did do does doing down during each \
    few first for from further had has have having he her here hers herself him himself his how however \
    i if in into is it its itself just last many may me might more most much must my myself new next no \
    nor not now of off on once one only or other our ours ourselves out over own per please same she \
    should since so some such than that the their theirs them themselves then there these they this \
    those though through thus to today together tomorrow too two under until up upon us very was we \
    were what when where whether which while who whom whose why will with within without would yes \
    yesterday yet you your yours yourself \
    january february march april june july august september october november december \
    monday tuesday wednesday thursday friday saturday sunday \
    wikipedia http https www html pdf website page menu login";
/// Words that stand within names without a capital letter, each with what stands before it there.
const WITHIN: [(&str, &str); 11] = [
    ("", "of"),
    (" of", "the"),
    ("", "de"),
    (" de", "la"),
    (" de", "los"),
    ("", "da"),
    ("", "du"),
    ("", "von"),
    ("", "van"),
    (" van", "der"),
    (" van", "de"),
];
/// What a word that no dictionary has says, in nats; all are alike, so that only their number matters.
const INFORMATION: f64 = 14.0;

/// A word where it stands.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    text: &'a str,
    /// Whether a sentence begins with it.
    is_first: bool,
    /// Whether only a space stands between it and the word before.
    is_joined: bool,
}

impl Word<'_> {
    fn is_capital(&self) -> bool {
        self.text.contains(char::is_uppercase) && !is_stop(self.text)
    }

    /// Tells whether all of it is in capitals, as in no other word at the beginning of a sentence.
    fn is_acronym(&self) -> bool {
        self.text.chars().count() > 1 && self.text.chars().all(char::is_uppercase)
    }
}

/// Counts the names of texts: words with capital letters that stand together, and what connects them ("University of Tokyo").
///
/// The first word of a sentence belongs to a name only if it has its capital letter within a sentence too.
pub(super) fn names(texts: &[&str], tally: &mut Tally) {
    let texts: Vec<Vec<_>> = texts.iter().map(|text| split(text).collect()).collect();
    let all = texts.iter().flatten();
    let within: HashSet<_> =
        all.filter(|word| word.is_capital() && !word.is_first).map(|word| word.text).collect();
    let is_part = |word: &Word<'_>| {
        word.is_capital() && (!word.is_first || word.is_acronym() || within.contains(word.text))
    };
    let names: Vec<_> = texts.iter().flat_map(|words| runs(words, is_part)).collect();
    let full = full_names(&names);
    for name in &names {
        let name = full.get(name).unwrap_or(name);
        if name.chars().count() > 1 {
            let words = u32::try_from(name.split(' ').count()).unwrap_or(u32::MAX);
            tally.add(name, f64::from(words) * INFORMATION);
        }
    }
}

/// Counts the words of a text that say something.
pub(super) fn words(text: &str, tally: &mut Tally) {
    let words = split(text).map(|word| word.text);
    words
        .filter(|word| word.chars().count() > 2 && !is_stop(word))
        .for_each(|word| tally.add(word, INFORMATION));
}

/// Returns the names among words, each with single spaces.
fn runs<'a>(words: &[Word<'a>], is_part: impl Fn(&Word<'a>) -> bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // What stands between the last name and here, if it may be within a name.
    let mut between: Option<String> = None;
    for word in words {
        let inner = between.take().filter(|_| word.is_joined);
        if is_part(word) {
            match (inner, names.last_mut()) {
                (Some(inner), Some(name)) => name.extend([&inner, " ", word.text]),
                _ => names.push(word.text.to_owned()),
            }
            between = Some(String::new());
        } else if let Some(inner) = inner
            && WITHIN.contains(&(inner.as_str(), word.text))
        {
            between = Some(format!("{inner} {}", word.text));
        }
    }
    names
}

/// Returns for single words that end a longer name ("Einstein") that name, if there is only one.
fn full_names(names: &[String]) -> HashMap<String, String> {
    let mut full: HashMap<&str, HashSet<&str>> = HashMap::new();
    for name in names {
        if let Some((_, last)) = name.rsplit_once(' ') {
            full.entry(last).or_default().insert(name);
        }
    }
    let only =
        full.into_iter().filter_map(|(last, names)| match *names.iter().collect::<Vec<_>>() {
            [only] => Some((last.to_owned(), (*only).to_owned())),
            _ => None,
        });
    only.collect()
}

/// Splits a text into words of letters, with apostrophes and hyphens within them; digits separate.
fn split(text: &str) -> impl Iterator<Item = Word<'_>> {
    let is_inner =
        |c: char| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '\u{300}'..='\u{36f}');
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(char::is_alphabetic)?;
        let gap = &text[from..start];
        let length = text[start..].find(|c| !is_inner(c)).unwrap_or(text.len() - start);
        let whole = &text[start..start + length];
        let is_first = from == 0 && gap.trim().is_empty()
            || gap.contains(['.', '!', '?', ':', '\n', '"', '“', '「', '。', '•']);
        let is_joined = gap == " ";
        from = start + length;
        let text = ["'s", "’s"].iter().find_map(|end| whole.strip_suffix(end)).unwrap_or(whole);
        let text = text.trim_end_matches(['\'', '’', '-']);
        Some(Word { text, is_first, is_joined })
    })
}

fn is_stop(word: &str) -> bool {
    let word = word.to_lowercase();
    STOP.split(' ').any(|stop| stop == word)
}
