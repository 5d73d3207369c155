//! Writes words as JSON, and remembers how those are written that it wrote last: most words of a text are few.

use std::io::{self, Write};

use super::{Analyzer, lattice::Word};

/// How many words are remembered, each in a place of its own; at some 100 bytes each.
const REMEMBERED: u32 = 1 << 13;

/// How a token begins.
const HEAD: &str = r#"{"surface":"#;

/// What is remembered.
#[derive(Debug)]
pub(super) struct Json {
    /// For each place the number of a word, and what follows its surface.
    remembered: Vec<(u32, Vec<u8>)>,
}

impl Default for Json {
    fn default() -> Self {
        Self { remembered: vec![(u32::MAX, Vec::new()); REMEMBERED as usize] }
    }
}

impl Json {
    /// Writes a word as `serde_json` writes its token.
    pub(super) fn write(
        &mut self,
        analyzer: &Analyzer,
        surface: &str,
        word: Word,
        mut output: impl Write,
    ) -> io::Result<()> {
        // Words that the dictionary does not have are their own base form: they differ in more than the surface.
        let Word::Known(id) = word else {
            return Ok(serde_json::to_writer(output, &analyzer.token(surface, word))?);
        };
        let (remembered, rest) = &mut self.remembered[(id % REMEMBERED) as usize];
        if *remembered != id {
            let empty = serde_json::to_vec(&analyzer.token("", word))?;
            rest.clear();
            rest.extend_from_slice(&empty[HEAD.len() + 2..]);
            *remembered = id;
        }
        output.write_all(HEAD.as_bytes())?;
        serde_json::to_writer(&mut output, surface)?;
        output.write_all(rest)
    }
}
