//! Texts: with mentions, emojis and addresses.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::look::Look;

/// Draws a text; what it mentions, its emojis and its addresses stand out.
pub(crate) fn plain(content: &Map<String, Value>) -> Markup {
    let text = content.get("text").and_then(Value::as_str).unwrap_or_default();
    let units: Vec<u16> = text.encode_utf16().collect();
    let part = |from: usize, to: usize| String::from_utf16_lossy(&units[from..to]);
    let mut at = 0;
    html! {
        @for (index, end, mark) in marks(content, &units) {
            @if index >= at {
                (linked(&part(at, index)))
                @match mark {
                    Mark::Mention => b.mention data-testid="mention" { (part(index, end)) },
                    Mark::Emoji(name) => span.emoji title=(name) data-testid="emoji" { "☺" },
                }
                ({ at = end; "" })
            }
        }
        (linked(&part(at, units.len())))
    }
}

enum Mark {
    Mention,
    Emoji(String),
}

/// The places that mean more than their letters, in UTF-16 units, as LINE counts.
fn marks(content: &Map<String, Value>, units: &[u16]) -> Vec<(usize, usize, Mark)> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    let mention = content.get("mention").and_then(|mention| mention.get("mentionees"));
    let mentions = list(mention).into_iter().filter_map(|one| {
        let index = number(&one["index"])?;
        // Of an edited text, the old mentions may be told still.
        let at_sign = units.get(index) == Some(&u16::from(b'@'));
        at_sign.then_some((index, index + number(&one["length"])?, Mark::Mention))
    });
    let emojis = list(content.get("emojis")).into_iter().filter_map(|one| {
        let index = number(&one["index"])?;
        Some((index, index + 1, Mark::Emoji(emoji_name(&one))))
    });
    let mut marks: Vec<_> =
        mentions.chain(emojis).filter(|(_, end, _)| *end <= units.len()).collect();
    marks.sort_by_key(|(index, ..)| *index);
    marks
}

fn emoji_name(emoji: &Value) -> String {
    let field = |name: &str| emoji[name].as_str().unwrap_or_default();
    format!("{}/{}", field("productId"), field("emojiId"))
}

/// Draws a text whose `{keys}` stand for mentions and emojis; `{{` is a brace.
pub(crate) fn v2(content: &Map<String, Value>, look: &Look<'_>) -> Markup {
    let mut rest = content.get("text").and_then(Value::as_str).unwrap_or_default();
    let substitution = content.get("substitution").unwrap_or(&Value::Null);
    let mut parts: Vec<Markup> = Vec::new();
    while let Some(at) = rest.find(['{', '}']) {
        parts.push(linked(&rest[..at]));
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if after.starts_with(brace) {
            parts.push(html! { (brace) });
            rest = &after[1..];
        } else if let Some((key, behind)) = after.split_once('}').filter(|_| brace == "{") {
            parts.push(substitute(key, &substitution[key], look));
            rest = behind;
        } else {
            parts.push(html! { (brace) });
            rest = after;
        }
    }
    parts.push(linked(rest));
    html! { @for part in &parts { (part) } }
}

fn substitute(key: &str, value: &Value, look: &Look<'_>) -> Markup {
    let mentionee = &value["mentionee"];
    match (value["type"].as_str(), mentionee["type"].as_str()) {
        (Some("mention"), Some("all")) => html! { b.mention data-testid="mention" { "@All" } },
        (Some("mention"), _) => {
            let id = mentionee["userId"].as_str().unwrap_or_default();
            html! { b.mention data-testid="mention" { "@" (look.user_name(id)) } }
        }
        (Some("emoji"), _) => {
            html! { span.emoji title=(emoji_name(value)) data-testid="emoji" { "☺" } }
        }
        _ => html! { "{" (key) "}" },
    }
}

/// Draws a text with links where it has addresses of the web.
fn linked(text: &str) -> Markup {
    let start = ["https://", "http://"].iter().filter_map(|scheme| text.find(scheme)).min();
    let Some(start) = start else { return html! { (text) } };
    let (before, rest) = text.split_at(start);
    let ends = |c: char| c.is_whitespace() || "<>\"、。「」（）".contains(c);
    let (address, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    html! {
        (before)
        a.address href=(address) target="_blank" rel="noreferrer" { (address) }
        (linked(after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(content: Value) -> String {
        let Value::Object(content) = content else { panic!("tests give objects") };
        plain(&content).into_string()
    }

    #[test]
    fn markup_of_a_text_is_never_markup_of_the_page() {
        assert_eq!(drawn(json!({ "text": "<b>&" })), "&lt;b&gt;&amp;");
    }

    #[test]
    fn mentions_are_found_by_utf_16_units() {
        let mentionees = json!([{ "index": 3, "length": 4, "type": "all" }]);
        let html = drawn(json!({ "text": "🍎 @All hi", "mention": { "mentionees": mentionees } }));
        assert_eq!(html, "🍎 <b class=\"mention\" data-testid=\"mention\">@All</b> hi");
    }

    #[test]
    fn a_mark_beyond_the_text_is_left_out() {
        let emojis = json!([{ "index": 7, "productId": "p", "emojiId": "1" }]);
        assert_eq!(drawn(json!({ "text": "$", "emojis": emojis })), "$");
    }

    #[test]
    fn an_address_of_the_web_becomes_a_link() {
        let html = drawn(json!({ "text": "see https://a.example/x。javascript:alert(1)" }));
        assert!(html.contains("href=\"https://a.example/x\""), "{html}");
        assert!(!html.contains("href=\"javascript"), "{html}");
    }
}
