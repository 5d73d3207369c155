//! How a play went: passed, or what was expected and what came.

use std::fmt;

use serde::Serialize;

/// Tells how a script went.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Whether all that was expected came.
    pub passed: bool,
    /// How many steps were done.
    pub steps: usize,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Tells what was expected and what came instead.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The line of the step in its script.
    pub line: usize,
    /// The step as it stands in the script.
    pub expected: String,
    /// What came instead.
    pub came: String,
    /// The chat since the script began, in the words of a script.
    pub chat: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "expected:\n{}", indented(&self.expected))?;
        write!(f, "came:\n{}", indented(&self.came))?;
        if !self.chat.is_empty() {
            write!(f, "\nthe chat so far:\n{}", indented(&self.chat.join("\n")))?;
        }
        Ok(())
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Is what went wrong with a step, and in which chat.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) came: String,
    pub(crate) chat_id: Option<String>,
}

impl From<String> for Problem {
    fn from(came: String) -> Self {
        Self { came, chat_id: None }
    }
}

/// Says why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Malformed {
    /// The line that is not understood.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl Malformed {
    pub(crate) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}
