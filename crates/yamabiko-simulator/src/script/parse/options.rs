//! What is indented below a step: each option once, and none that the step does not know.

use serde_json_path::JsonPath;

use super::super::Malformed;
use super::super::lines::Line;
use super::super::step::{Has, Which};

/// Holds the options that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Options<'a> {
    line: &'a Line,
    left: Vec<&'a Line>,
}

impl<'a> Options<'a> {
    pub(super) fn of(line: &'a Line) -> Self {
        Self { line, left: line.below.iter().collect() }
    }

    /// Takes the option that begins with a word, and reads what stands behind it.
    pub(super) fn take<T>(
        &mut self,
        word: &str,
        read: impl FnOnce(&str, &Line) -> Result<T, String>,
    ) -> Result<Option<T>, Malformed> {
        let found = self.left.iter().position(|line| behind(line, word).is_some());
        let Some(line) = found.map(|at| self.left.remove(at)) else { return Ok(None) };
        let rest = behind(line, word).unwrap_or_default();
        read(rest, line).map(Some).map_err(|problem| Malformed::new(line.number, problem))
    }

    /// Takes a word that names something.
    pub(super) fn word(&mut self, word: &str) -> Result<Option<String>, Malformed> {
        self.take(word, |rest, _| match rest {
            "" => Err(format!("something is missing behind {word}")),
            rest => Ok(rest.to_owned()),
        })
    }

    /// Takes the label of a message.
    pub(super) fn label(&mut self) -> Result<Option<String>, Malformed> {
        self.word("as")
    }

    /// Takes the message that a user quotes.
    pub(super) fn quotes(&mut self) -> Result<Option<Which>, Malformed> {
        Ok(self.word("quotes")?.map(|word| which(&word)))
    }

    /// Takes all fields that are expected.
    pub(super) fn has(&mut self) -> Result<Vec<Has>, Malformed> {
        let mut all = Vec::new();
        while let Some(has) = self.take("has", |rest, _| has(rest))? {
            all.push(has);
        }
        Ok(all)
    }

    /// Refuses what is left.
    pub(super) fn end(self) -> Result<(), Malformed> {
        match self.left.first() {
            None => Ok(()),
            Some(option) => {
                let problem = format!("{:?} does not go with {:?}", option.text, self.line.text);
                Err(Malformed::new(option.number, problem))
            }
        }
    }
}

fn behind<'a>(line: &'a Line, word: &str) -> Option<&'a str> {
    let rest = line.text.strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
}

/// Reads which message is meant.
pub(super) fn which(word: &str) -> Which {
    if word == "last" { Which::Last } else { Which::Label(word.to_owned()) }
}

fn has(rest: &str) -> Result<Has, String> {
    let (path, value) = rest.split_once(" = ").ok_or("write: has $.altText = Menu*")?;
    let path = JsonPath::parse(path.trim())
        .map_err(|error| format!("{:?} is no JSON path: {error}", path.trim()))?;
    Ok(Has { path, value: value.trim().to_owned() })
}
