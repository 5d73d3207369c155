//! Finds what texts are about: the names that stand out in them.

use std::collections::HashMap;

use super::Analyzer;
use crate::{kana::folded, language::Language};

mod japanese;
mod latin;

/// A word, or a name of several words, and how much it stands out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// The word in its base form; a name as it is written.
    pub(crate) word: String,
    /// How often it occurs.
    pub(crate) count: usize,
    /// How often it occurs, times what one occurrence says.
    pub(crate) weight: f64,
}

impl Analyzer {
    /// Returns the names that stand out in texts, best first; `own_text` is what the user wrote, whose words are no news.
    ///
    /// A name's weight is how often it occurs times how rare its words are.
    /// How rare a word is the dictionary knows: a word's cost there is 800 times the negative logarithm of its probability among words of its kind,
    /// so cost over 800 is what one occurrence says, in the terms of information theory, and a name says what its words say together.
    /// A word that the dictionary does not have costs what it takes for such a word to occur, which is more than almost all that it has.
    /// Text in Latin script has no costs: there each word of a name counts as one that the dictionary does not have.
    /// Of names with the same weight, the one that comes first in the texts goes first.
    pub(crate) fn key_terms(
        &self,
        texts: &[&str],
        own_text: &str,
        language: Language,
    ) -> Vec<Term> {
        let mut tally = Tally::default();
        match language {
            Language::Japanese => {
                texts.iter().for_each(|text| japanese::names(self, text, &mut tally));
            }
            Language::English => latin::names(texts, &mut tally),
        }
        let own = self.own_words(own_text);
        tally.into_terms(|word| own.contains(&folded(word)))
    }

    /// Returns the words of the user's own text that say what it is about, best first: for texts in which there is no name.
    ///
    /// In Japanese these are its nouns, where several that stand together are one; in Latin script its words but for stop words.
    pub(crate) fn own_nouns(&self, own_text: &str) -> Vec<Term> {
        let mut tally = Tally::default();
        match Language::of(own_text).unwrap_or(Language::Japanese) {
            Language::Japanese => japanese::nouns(self, own_text, &mut tally),
            Language::English => latin::words(own_text, &mut tally),
        }
        tally.into_terms(|_| false)
    }

    /// Returns all that the user wrote: the whole, each word, and each name.
    fn own_words(&self, own_text: &str) -> Vec<String> {
        let mut names = Tally::default();
        japanese::nouns(self, own_text, &mut names);
        japanese::names(self, own_text, &mut names);
        latin::names(&[own_text], &mut names);
        let names = names.occurred.into_keys();
        let tokens = self.tokens(own_text);
        let words = tokens.iter().flat_map(|token| [token.surface, token.base]).map(folded);
        words.chain(names.map(|name| folded(&name))).chain([folded(own_text.trim())]).collect()
    }
}

/// What occurred, and how often.
#[derive(Debug, Default)]
struct Tally {
    occurred: HashMap<String, Occurred>,
}

#[derive(Debug)]
struct Occurred {
    /// How many others occurred before it.
    order: usize,
    count: usize,
    information: f64,
}

impl Tally {
    /// Counts an occurrence of a word that says so much.
    fn add(&mut self, word: &str, information: f64) {
        let order = self.occurred.len();
        let new = || Occurred { order, count: 0, information };
        self.occurred.entry(word.to_owned()).or_insert_with(new).count += 1;
    }

    /// Returns all but what shall be left out, best first.
    fn into_terms(self, is_left_out: impl Fn(&str) -> bool) -> Vec<Term> {
        let weighed = self.occurred.into_iter().filter(|(word, _)| !is_left_out(word));
        let mut terms: Vec<_> = weighed
            .map(|(word, Occurred { order, count, information })| {
                let times = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
                (order, Term { word, count, weight: times * information })
            })
            .collect();
        terms.sort_by(|(order, one), (other_order, other)| {
            other.weight.total_cmp(&one.weight).then(order.cmp(other_order))
        });
        terms.into_iter().map(|(_, term)| term).collect()
    }
}

#[cfg(test)]
mod tests;
