//! The analysis by itself, on the command line and over HTTP.

use std::io::{BufRead, Write};

use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use yamabiko::Result;

use crate::analysis::{Analyzer, analyze_lines};

/// How many characters a sentence may have that comes over HTTP.
const MAX_CHARS: usize = 10_000;

/// A request to `POST /analyze`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    sentence: String,
}

/// Its answer.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// The words, as [`crate::analysis::Token`] has them.
    tokens: Value,
}

/// Returns the words of a sentence.
///
/// # Errors
/// If the sentence is too long.
pub(crate) fn answer(analyzer: &Analyzer, Asked { sentence }: Asked) -> Result<Answer> {
    let chars = sentence.chars().count();
    if chars > MAX_CHARS {
        bail!("the sentence has {chars} characters: send at most {MAX_CHARS} at a time");
    }
    Ok(Answer { tokens: serde_json::to_value(analyzer.tokens(&sentence))? })
}

/// Writes the words of each line of `input` as a line of JSON.
///
/// # Errors
/// If `input` cannot be read or `output` cannot be written.
pub(crate) fn lines(input: impl BufRead, output: impl Write) -> Result {
    Ok(analyze_lines(&Analyzer::new()?, input, output)?)
}
