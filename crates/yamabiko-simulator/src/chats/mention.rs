//! Mentions: who is meant by the `@name`s of a text that a user wrote.

use serde_json::{Map, Value, json};

/// Somebody who can be mentioned.
#[derive(Debug)]
pub(crate) struct Name<'a> {
    pub(crate) name: &'a str,
    /// The user; `None` means everybody.
    pub(crate) user_id: Option<&'a str>,
    pub(crate) is_bot: bool,
}

/// LINE tells a bot of at most so many mentions.
const MOST: usize = 20;

/// Adds LINE's `mention` object for the `@name`s of a text, unless it has one or there are none.
pub(crate) fn add(content: &mut Map<String, Value>, names: &[Name<'_>]) {
    let Some(text) = content.get("text").and_then(Value::as_str) else { return };
    if content.contains_key("mention") {
        return;
    }
    let mentionees: Vec<Value> = text
        .match_indices('@')
        .filter_map(|(at, _)| mentionee(text, at, names))
        .take(MOST)
        .collect();
    if !mentionees.is_empty() {
        content.insert("mention".into(), json!({ "mentionees": mentionees }));
    }
}

fn mentionee(text: &str, at: usize, names: &[Name<'_>]) -> Option<Value> {
    let rest = &text[at + 1..];
    // Of two names that fit, the longer one is meant.
    let name = names
        .iter()
        .filter(|name| !name.name.is_empty() && rest.starts_with(name.name))
        .max_by_key(|name| name.name.len())?;
    let (index, length) = (utf16(&text[..at]), 1 + utf16(name.name));
    let mut mentionee = json!({ "index": index, "length": length });
    match name.user_id {
        None => mentionee["type"] = "all".into(),
        Some(user_id) => {
            mentionee["type"] = "user".into();
            mentionee["userId"] = user_id.into();
            mentionee["isSelf"] = name.is_bot.into();
        }
    }
    Some(mentionee)
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentioned(text: &str) -> Value {
        let names = [
            Name { name: "Bot", user_id: Some("Ubot"), is_bot: true },
            Name { name: "Al", user_id: Some("Ual"), is_bot: false },
            Name { name: "Alice", user_id: Some("Ualice"), is_bot: false },
            Name { name: "All", user_id: None, is_bot: false },
        ];
        let mut content = Map::new();
        content.insert("text".into(), text.into());
        add(&mut content, &names);
        content.remove("mention").unwrap_or_default()
    }

    #[test]
    fn places_are_counted_in_utf_16_units() {
        let expected = json!({ "mentionees": [
            { "index": 3, "length": 4, "type": "user", "userId": "Ubot", "isSelf": true },
        ]});
        assert_eq!(mentioned("🍎 @Bot 180"), expected);
    }

    #[test]
    fn the_longest_name_is_meant_and_all_is_everybody() {
        let both = mentioned("@Alice @All");
        assert_eq!(both["mentionees"][0]["userId"], "Ualice");
        assert_eq!(both["mentionees"][1], json!({ "index": 7, "length": 4, "type": "all" }));
    }

    #[test]
    fn a_text_that_means_nobody_has_no_mention() {
        assert_eq!(mentioned("mail me @ home, @Bob"), Value::Null);
    }
}
