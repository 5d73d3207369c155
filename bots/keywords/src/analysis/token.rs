//! A word of a text, and what the dictionary knows of it.

use serde::{Serialize, Serializer, ser::SerializeSeq as _};

use super::lattice::Word;

/// A word as it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Token<'a> {
    /// The word as it is written.
    pub(crate) surface: &'a str,
    /// Its part of speech.
    pub(crate) pos: PartOfSpeech<'a>,
    /// Its base form; what is written where the dictionary has none.
    pub(crate) base: &'a str,
    /// How it is read, in katakana; none for words that the dictionary does not have.
    pub(crate) reading: Option<&'a str>,
    /// Where the dictionary has it.
    #[serde(skip)]
    pub(super) word: Word,
}

/// A part of speech in IPADIC's terms, from the general to the special; as JSON, a list of one to four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartOfSpeech<'a>([&'a str; 4]);

/// Stands in the dictionary where there is nothing to say.
const NOTHING: &str = "*";

impl<'a> PartOfSpeech<'a> {
    /// Returns the levels that say something.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.into_iter().filter(|level| !matches!(*level, NOTHING | ""))
    }

    /// Tells whether it is this one or a special case of it.
    pub(crate) fn is(&self, general: &[&str]) -> bool {
        self.0.iter().zip(general).all(|(level, wanted)| level == wanted)
    }
}

impl Serialize for PartOfSpeech<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for level in self.levels() {
            list.serialize_element(level)?;
        }
        list.end()
    }
}

impl<'a> Token<'a> {
    /// Makes a token of the fields that the dictionary has of a word.
    pub(super) fn new(surface: &'a str, word: Word, fields: impl Iterator<Item = &'a str>) -> Self {
        // Part of speech, two fields on how it is inflected, base form, reading, pronunciation; unknown words end before the reading.
        let mut all = [NOTHING; 8];
        all.iter_mut().zip(fields).for_each(|(place, field)| *place = field);
        let [pos @ .., _, _, base, reading] = all;
        let said = |field: &'a str| (field != NOTHING).then_some(field);
        let base = said(base).unwrap_or(surface);
        Self { surface, pos: PartOfSpeech(pos), base, reading: said(reading), word }
    }
}
