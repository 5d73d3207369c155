//! The words of a line: names, texts, times and fields, read and written.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::lines::Line;

/// Words that a name would be taken for.
const TAKEN: [&str; 14] = [
    "Bot", "users", "groups", "rooms", "within", "nothing", "in", "repeat", "wait", "clock",
    "fault", "faults", "settings", "reset",
];

/// Takes a name off the front of a line: what is in quotes, or all before the first of `stops`.
///
/// The stop stays in the rest; a line without one is a name as a whole.
pub(crate) fn name<'a>(text: &'a str, stops: &[&str]) -> Result<(String, &'a str), String> {
    if let Some((name, rest)) = in_quotes(text) {
        return Ok((name, rest));
    }
    let stop = |stop: &&str| match stop.strip_suffix(' ') {
        // The stop may be the line's last word.
        Some(word) if text.ends_with(word) && !text.contains(*stop) => {
            Some(text.len() - word.len())
        }
        _ => text.find(*stop),
    };
    let end = stops.iter().filter_map(stop).min().unwrap_or(text.len());
    let name = text[..end].trim();
    if name.is_empty() {
        return Err(format!("a name is missing before {:?}", text[end..].trim()));
    }
    Ok((name.to_owned(), &text[end..]))
}

/// Takes a JSON string off the front of a line.
fn in_quotes(text: &str) -> Option<(String, &str)> {
    let mut read = text
        .starts_with('"')
        .then(|| serde_json::Deserializer::from_str(text).into_iter::<String>())?;
    let name = read.next()?.ok()?;
    Some((name, &text[read.byte_offset()..]))
}

/// Reads names with commas between them.
pub(crate) fn names(mut text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    loop {
        let (one, rest) = name(text.trim(), &[","])?;
        all.push(one);
        match rest.trim().strip_prefix(',') {
            Some(rest) => text = rest,
            None if rest.trim().is_empty() => return Ok(all),
            None => return Err(format!("a comma is missing before {:?}", rest.trim())),
        }
    }
}

/// Reads a text: as it stands, in quotes, or on lines of its own that begin with `|`.
pub(crate) fn text(rest: &str, line: &Line) -> Result<String, String> {
    let rest = rest.trim();
    if line.more.is_empty() {
        return match in_quotes(rest) {
            Some((text, "")) => Ok(text),
            _ if rest.is_empty() => Err("a text is missing".into()),
            _ => Ok(rest.to_owned()),
        };
    }
    let first = (!rest.is_empty()).then_some(rest);
    Ok(first.into_iter().chain(line.more.iter().map(String::as_str)).collect::<Vec<_>>().join("\n"))
}

/// Reads a span of time, such as `500 ms`, `5 s` or `1 h 30 min`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = |_| format!("{:?} is no time such as 500 ms, 5 s or 2 min", text.trim());
    let span: SignedDuration = text.trim().parse().map_err(wrong)?;
    Duration::try_from(span).map_err(wrong)
}

/// Reads a JSON object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("is no JSON object: {error}"))
}

/// Reads fields such as `status=500 count=2`, or a JSON object.
pub(crate) fn fields(text: &str) -> Result<Map<String, Value>, String> {
    if text.starts_with('{') {
        return object(text);
    }
    text.split_whitespace()
        .map(|field| {
            let (name, value) =
                field.split_once('=').ok_or_else(|| format!("{field:?} is not name=value"))?;
            let json = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            Ok((name.to_owned(), json))
        })
        .collect()
}

/// Writes a name so that it is read as one.
pub(crate) fn write_name(name: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.chars().all(is_word) && !TAKEN.contains(&name) {
        return name.to_owned();
    }
    write_quoted(name)
}

/// Writes a text behind the start of its line, on lines of its own if it has several.
pub(crate) fn write_text(start: &str, text: &str) -> String {
    if text.contains('\n') && !text.contains(|c: char| c.is_control() && c != '\n') {
        let lines = text.split('\n').map(|line| format!("\n  | {line}"));
        return format!("{start}{}", lines.collect::<String>());
    }
    write_line(start, text)
}

/// Writes a text on one line, in quotes where it would not be read as it is.
pub(crate) fn write_line(start: &str, text: &str) -> String {
    let is_plain = !text.is_empty()
        && text.trim() == text
        && !text.starts_with('"')
        && !text.contains("  #")
        && !text.contains(char::is_control);
    if is_plain { format!("{start} {text}") } else { format!("{start} {}", write_quoted(text)) }
}

/// Writes a JSON string in which nothing looks like a comment.
pub(crate) fn write_quoted(text: &str) -> String {
    Value::from(text).to_string().replace('#', "\\u0023")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_before_the_first_stop_or_with_its_quotes() {
        let stops = [":", " sends ", " follows "];
        assert_eq!(name("Alice: she sends", &stops), Ok(("Alice".into(), ": she sends")));
        assert_eq!(name("Al Ice follows", &stops), Ok(("Al Ice".into(), " follows")));
        assert_eq!(name(r#""a: b" sends x"#, &stops), Ok(("a: b".into(), " sends x")));
        assert!(name(": x", &stops).is_err());
        assert_eq!(
            names(r#"Alice, "b, c",さくら"#),
            Ok(vec!["Alice".into(), "b, c".into(), "さくら".into()])
        );
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for said in ["hi", " hi ", "a  # b", "\"x\"", "# a", "a\n b  # c\n", "tab\there", "a\r\nb"]
        {
            let written = write_text("Alice:", said);
            let lines = super::super::lines::tree(&written).expect("is well formed");
            let rest = lines[0].text.strip_prefix("Alice:").expect("begins so");
            assert_eq!(text(rest, &lines[0]).as_deref(), Ok(said), "{written}");
        }
        for who in ["Alice", "Bot", "a b", "さくら", "\"", "#1", ""] {
            assert_eq!(name(&write_name(who), &[":"]), Ok((who.into(), "")));
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500 ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration(" 2 min"), Ok(Duration::from_secs(120)));
        assert!(duration("5").is_err() && duration("-5 s").is_err());
    }
}
