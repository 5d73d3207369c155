//! Takes texts apart into words by the dictionary IPADIC, and finds what they are about.

use anyhow::anyhow;
use lindera_dictionary::{
    dictionary::Dictionary,
    mode::{Mode, Penalty},
    viterbi::{Lattice, LatticeOptions, WordId},
};

mod dictionary;
mod lines;
mod stretch;
mod token;

pub(crate) use lines::analyze_lines;
pub(crate) use token::Token;

/// Words that the dictionary does not have are at most this much longer than one character, as in MeCab.
const LONGEST_UNKNOWN: usize = 24;

/// Takes texts apart; threads share one, and a copy costs next to nothing.
#[derive(Clone)]
pub(crate) struct Analyzer {
    dictionary: Dictionary,
    mode: Mode,
}

impl Analyzer {
    /// Reads the dictionary, which is part of the program: that takes about a millisecond.
    ///
    /// # Errors
    ///
    /// If the program was built with a dictionary that it cannot read.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let dictionary = dictionary::load().map_err(|error| anyhow!("{error}"))?;
        // lindera's normal mode looks for no word within a word that the dictionary does not have; MeCab does, as does this mode, whose penalties are 0 here.
        let mode = Mode::Decompose(Penalty {
            kanji_penalty_length_threshold: usize::MAX,
            kanji_penalty_length_penalty: 0,
            other_penalty_length_threshold: usize::MAX,
            other_penalty_length_penalty: 0,
        });
        Ok(Self { dictionary, mode })
    }

    /// Returns the words of a text in order.
    ///
    /// Together they are the text without its white space (spaces, tabs and ends of lines; a full-width space is a word).
    pub(crate) fn tokens<'a>(&'a self, text: &'a str) -> Vec<Token<'a>> {
        let (mut tokens, mut session) = (Vec::new(), Session::default());
        let mut rest = text;
        while !rest.is_empty() {
            let (stretch, after) = rest.split_at(stretch::length(rest));
            tokens.extend(session.tokens(self, stretch));
            rest = after;
        }
        tokens
    }
}

/// What is used again from stretch to stretch.
#[derive(Default)]
struct Session {
    lattice: Lattice,
    starts: Vec<(usize, WordId)>,
}

impl Session {
    /// Returns the words of a stretch.
    fn tokens<'a>(
        &mut self,
        Analyzer { dictionary, mode }: &'a Analyzer,
        stretch: &'a str,
    ) -> impl Iterator<Item = Token<'a>> {
        let stretch = stretch.trim_matches(is_space);
        let mut options = LatticeOptions::new(mode);
        options.max_grouping_len = Some(LONGEST_UNKNOWN);
        options.unknown_word_ladder = true;
        self.lattice.set_text_with_options(
            &dictionary.prefix_dictionary,
            &None,
            &dictionary.character_definition,
            &dictionary.unknown_dictionary,
            &dictionary.connection_cost_matrix,
            stretch,
            &options,
        );
        self.lattice.tokens_offset_into(&mut self.starts);
        let ends = self.starts.iter().skip(1).map(|(start, _)| *start).chain([stretch.len()]);
        self.starts
            .iter()
            .zip(ends)
            .map(|((start, word), end)| (&stretch[*start..end], *word))
            .filter(|(surface, _)| !surface.chars().all(is_space))
            .map(|(surface, word)| token(dictionary, surface, word))
    }
}

/// Tells whether a character only stands between words.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

fn token<'a>(dictionary: &'a Dictionary, surface: &'a str, word: WordId) -> Token<'a> {
    let id = word.id() as usize;
    let fields = if word.is_unknown() {
        dictionary.unknown_word_details_iter(id)
    } else {
        dictionary.word_details_iter(id)
    };
    Token::new(surface, fields)
}

#[cfg(test)]
mod tests;
