//! The lines of a script as a tree: what is indented belongs to the line above.

use super::Malformed;

/// How deep lines may stand below each other; whoever reads them goes as deep.
const MAX_DEPTH: usize = 32;

/// Is a line with what belongs to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counts the lines of the script from 1.
    pub(crate) number: usize,
    /// The line without its indentation and its comment.
    pub(crate) text: String,
    /// The lines below that begin with `|`, as they stand after it.
    pub(crate) more: Vec<String>,
    /// The lines that are indented below it.
    pub(crate) below: Vec<Self>,
    indent: usize,
}

/// Reads a script as a tree of lines; comments and empty lines are left out.
pub(crate) fn tree(script: &str) -> Result<Vec<Line>, Malformed> {
    // The lines from the top down to the newest, each the last one below the one before.
    let mut open: Vec<Line> = vec![Line::default()];
    for (index, raw) in script.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = index + 1;
        let bare = raw.trim_start();
        let indent = 1 + raw.len() - bare.len();
        if let Some(more) = bare.strip_prefix('|') {
            let above = open.last_mut().filter(|line| line.number > 0);
            let above = above.ok_or_else(|| Malformed::new(number, "no line above to go on"))?;
            above.more.push(more.strip_prefix(' ').unwrap_or(more).to_owned());
            continue;
        }
        let text = without_comment(bare).trim_end();
        if text.is_empty() {
            continue;
        }
        close(&mut open, indent);
        if open.len() > MAX_DEPTH {
            let problem = format!("at most {MAX_DEPTH} lines may stand below each other");
            return Err(Malformed::new(number, problem));
        }
        open.push(Line { number, text: text.to_owned(), indent, ..Line::default() });
    }
    close(&mut open, 1);
    Ok(open.pop().map(|root| root.below).unwrap_or_default())
}

/// Puts the lines that are indented as deep or deeper below those that they belong to.
fn close(open: &mut Vec<Line>, indent: usize) {
    while open.last().is_some_and(|last| last.indent >= indent) {
        let (Some(done), Some(parent)) = (open.pop(), open.last_mut()) else { return };
        parent.below.push(done);
    }
}

/// A comment begins at the line's start, or after two spaces, so that `#1` can be said.
fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    let starts = text.match_indices("  #").map(|(at, _)| at);
    let comment = |at: &usize| matches!(text[at + 3..].chars().next(), None | Some(' '));
    starts.filter(comment).map(|at| &text[..at]).next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(lines: &[Line]) -> String {
        let one = |line: &Line| {
            let below = outline(&line.below);
            let below = if below.is_empty() { below } else { format!("({below})") };
            format!("{}{}{below}", line.text, line.more.concat())
        };
        lines.iter().map(one).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn what_is_indented_belongs_to_the_line_above() {
        let lines = tree("a\n  b\n    c\n  d\n\n# no\ne\n").expect("is well formed");
        assert_eq!(outline(&lines), "a(b(c),d),e");
        assert_eq!((lines[0].below[1].number, lines[1].number), (4, 7));
    }

    #[test]
    fn a_comment_stands_after_two_spaces() {
        let lines = tree("# all\na  # b\nc #1\nd  #e").expect("is well formed");
        assert_eq!(outline(&lines), "a,c #1,d  #e");
    }

    #[test]
    fn a_bar_goes_on_with_the_line_above_as_it_stands() {
        let lines = tree("a\n  |  x  # y\n  |\n  b\n").expect("is well formed");
        assert_eq!(lines[0].more, [" x  # y", ""]);
        assert_eq!(lines[0].below.len(), 1);
        assert_eq!(tree("| x").map_err(|error| error.line), Err(1));
    }
}
