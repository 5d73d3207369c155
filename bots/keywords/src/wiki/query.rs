//! Turns texts of users into what the wiki can be asked.

/// How long a search may be in characters; the search engine refuses longer ones.
const MAX_CHARS: usize = 300;
/// How long a title may be in bytes.
const MAX_TITLE_BYTES: usize = 255;

/// Makes a search for pages with all words of a text.
///
/// What the search engine takes as an operator becomes a space, so that a text cannot ask for more than itself.
pub(super) fn all(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if is_operator(c) { ' ' } else { c }).take(4 * MAX_CHARS).collect();
    let mut query = String::new();
    let mut room = MAX_CHARS;
    for word in plain.split_whitespace() {
        let word = if matches!(word, "AND" | "OR" | "NOT") {
            word.to_lowercase()
        } else {
            word.to_owned()
        };
        let space = usize::from(!query.is_empty());
        let length = word.chars().count();
        if space + length > room {
            if query.is_empty() {
                // A language without spaces.
                query.extend(word.chars().take(room));
            }
            break;
        }
        if space == 1 {
            query.push(' ');
        }
        query.push_str(&word);
        room -= space + length;
    }
    query
}

/// Makes a search for pages with at least one of the words.
///
/// A name of several words is in quotes: the search engine takes `a b OR c` for pages that must have `a`.
pub(super) fn any<S: AsRef<str>>(words: &[S]) -> String {
    let mut query = String::new();
    for word in words {
        let word = all(word.as_ref());
        if word.is_empty() {
            continue;
        }
        let word = if word.contains(' ') { format!("\"{word}\"") } else { word };
        let more = if query.is_empty() { word } else { format!(" OR {word}") };
        if query.chars().count() + more.chars().count() > MAX_CHARS {
            break;
        }
        query.push_str(&more);
    }
    query
}

/// Returns the term as a title, if a page can have it.
pub(super) fn title(term: &str) -> Option<&str> {
    let term = term.trim();
    // "|" would ask for two pages; no title has any of these.
    let impossible =
        |c: char| matches!(c, '#' | '<' | '>' | '[' | ']' | '{' | '}' | '|') || c.is_control();
    let possible = !term.is_empty() && term.len() <= MAX_TITLE_BYTES && !term.contains(impossible);
    possible.then_some(term)
}

fn is_operator(c: char) -> bool {
    c.is_control()
        || matches!(c, '"' | '!' | '~' | '*' | '?' | ':' | '/' | '\\' | '(' | ')' | '[' | ']')
        || matches!(c, '{' | '}' | '^' | '|' | '<' | '>' | '=' | '&' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_the_search_engine_have_no_power() {
        assert_eq!(all("insource:/a.*b/ \"x\" -y A OR B~"), "insource a. b x y A or B");
    }

    #[test]
    fn a_search_has_at_most_300_characters() {
        assert_eq!(all(&"山".repeat(1000)).chars().count(), 300);
        let words = "echo ".repeat(100);
        assert_eq!(all(&words), "echo ".repeat(60).trim_end());
        assert!(any(&vec!["山びこ"; 200]).chars().count() <= 300);
    }

    #[test]
    fn any_word_is_enough_where_that_is_asked() {
        assert_eq!(any(&["富士山", "", "東京"]), "富士山 OR 東京");
        let names = ["Albert Einstein", "Jean-Luc", "\"a b\"", "Kyoto"];
        assert_eq!(any(&names), "\"Albert Einstein\" OR \"Jean Luc\" OR \"a b\" OR Kyoto");
        assert_eq!(any::<&str>(&[]), "");
    }

    #[test]
    fn what_no_page_can_be_called_is_no_title() {
        assert_eq!(title(" 山びこ "), Some("山びこ"));
        for term in ["", "a|b", "a#b", "[x]", "a\nb", "\u{1f}a"] {
            assert_eq!(title(term), None, "{term:?}");
        }
        assert!(title(&"a".repeat(256)).is_none());
        assert!(title(&"a".repeat(255)).is_some());
    }
}
