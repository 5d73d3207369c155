//! Texts with `*`, which stands for anything.

/// Is what a text has to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What stands between the stars.
    parts: Vec<String>,
}

impl Pattern {
    /// Reads a pattern; `\*` is a star and `\\` a backslash.
    pub(crate) fn new(source: &str) -> Self {
        let mut parts = vec![String::new()];
        let mut signs = source.chars().peekable();
        while let Some(sign) = signs.next() {
            match sign {
                '*' => parts.push(String::new()),
                '\\' => {
                    let escaped = signs.next_if(|next| matches!(next, '*' | '\\'));
                    parts.last_mut().unwrap_or(&mut String::new()).push(escaped.unwrap_or(sign));
                }
                _ => parts.last_mut().unwrap_or(&mut String::new()).push(sign),
            }
        }
        Self { parts }
    }

    /// Writes a text as the pattern that only it fits.
    pub(crate) fn exactly(text: &str) -> String {
        text.replace('\\', "\\\\").replace('*', "\\*")
    }

    /// Tells whether a whole text fits.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let (first, rest) = match self.parts.split_first() {
            Some((only, [])) => return only == text,
            Some(parts) => parts,
            None => return text.is_empty(),
        };
        let Some((last, middle)) = rest.split_last() else { return first == text };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            // The earliest place leaves most for what follows.
            let Some((_, after)) = text.split_once(part.as_str()) else { return false };
            text = after;
        }
        text.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).fits(text)
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("a*c", "abc") && fits("a*c", "ac") && fits("a*c", "a\nc"));
        assert!(fits("*b*", "abc") && fits("*", "") && fits("a*b*c", "a-b-b-c"));
        assert!(!fits("a*c", "abd") && !fits("a", "ab") && !fits("ab*ba", "aba"));
    }

    #[test]
    fn a_star_that_is_meant_is_written_with_a_backslash() {
        assert!(fits(r"2 \* 3", "2 * 3") && !fits(r"2 \* 3", "2 x 3") && fits(r"\o/", r"\o/"));
        for text in [r"a*b\c\*", "plain", ""] {
            assert!(fits(&Pattern::exactly(text), text), "{text}");
        }
    }
}
