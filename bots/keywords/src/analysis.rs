//! Takes texts apart into words by the dictionary IPADIC, and finds what they are about.

use anyhow::anyhow;
use lindera_dictionary::dictionary::Dictionary;

mod dictionary;
mod json;
mod lattice;
mod lines;
mod stretch;
mod terms;
mod token;

use lattice::{Lattice, Word};
pub(crate) use lines::analyze_lines;
pub(crate) use terms::Term;
pub(crate) use token::Token;

/// Takes texts apart; threads share one, and a copy costs next to nothing.
#[derive(Clone)]
pub(crate) struct Analyzer {
    dictionary: Dictionary,
}

impl Analyzer {
    /// Reads the dictionary, which is part of the program: that takes about a millisecond.
    ///
    /// # Errors
    ///
    /// If the program was built with a dictionary that it cannot read.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let dictionary = dictionary::load().map_err(|error| anyhow!("{error}"))?;
        Ok(Self { dictionary })
    }

    /// Returns the words of a text in order.
    ///
    /// Together they are the text without its white space (spaces, tabs and ends of lines; a full-width space is a word).
    pub(crate) fn tokens<'a>(&'a self, text: &'a str) -> Vec<Token<'a>> {
        let (mut tokens, mut lattice) = (Vec::new(), Lattice::default());
        let mut rest = text;
        while !rest.is_empty() {
            let (stretch, goes_on) = stretch::first(rest);
            let (length, words) = lattice.words(&self.dictionary, stretch, goes_on);
            tokens.extend(words.map(|(surface, word)| self.token(surface, word)));
            rest = &rest[length..];
        }
        tokens
    }

    /// Returns what the dictionary knows of a word.
    fn token<'a>(&'a self, surface: &'a str, word: Word) -> Token<'a> {
        let fields = match word {
            Word::Known(id) => self.dictionary.word_details_iter(id as usize),
            Word::Unknown(id) => self.dictionary.unknown_word_details_iter(id as usize),
        };
        Token::new(surface, word, fields)
    }
}

/// Tells whether a character only stands between words.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

#[cfg(test)]
mod tests;
