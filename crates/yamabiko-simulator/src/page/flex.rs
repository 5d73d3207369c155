//! Flex messages: bubbles and carousels, and the blocks of a bubble.

mod parts;
pub(crate) mod values;

use maud::{Markup, html};
use serde_json::{Map, Value};

use self::values::{Style, among, colour};
use super::parts::{Tap, json};

/// Draws a flex message.
pub(crate) fn flex(content: &Map<String, Value>) -> Markup {
    let contents = content.get("contents").unwrap_or(&Value::Null);
    let alt = content.get("altText").and_then(Value::as_str).unwrap_or_default();
    let drawn = match contents["type"].as_str() {
        Some("bubble") => bubble(contents),
        Some("carousel") => html! {
            div.carousel tabindex="0" {
                @for one in contents["contents"].as_array().into_iter().flatten() { (bubble(one)) }
            }
        },
        _ => json("flex", contents),
    };
    html! { div.flex data-testid="flex" role="group" aria-label=(alt) { (drawn) } }
}

fn bubble(bubble: &Value) -> Markup {
    let sizes = ["nano", "micro", "deca", "hecto", "kilo", "giga"];
    let size = among(&bubble["size"], &sizes).unwrap_or("mega");
    let tap = Tap::of(&bubble["action"]);
    html! {
        div.fx .{ "fx-" (size) } dir=[(bubble["direction"] == "rtl").then_some("rtl")]
            data-do=[tap.deed] data-action=[tap.action] role=[tap.role] tabindex=[tap.tabindex]
            data-testid=[tap.hook] {
            @for name in ["header", "hero", "body", "footer"] {
                @if bubble[name].is_object() { (block(name, &bubble[name], &bubble["styles"][name])) }
            }
        }
    }
}

fn block(name: &str, part: &Value, styles: &Value) -> Markup {
    let mut style = Style::default();
    style.set("background-color", colour(&styles["backgroundColor"]));
    let mut line = Style::default();
    line.set("background-color", colour(&styles["separatorColor"]));
    html! {
        @if styles["separator"] == true { div.fx-line data-style=[line.text()] {} }
        div .{ "fx-" (name) } data-style=[style.text()] { (parts::first(part)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(parts: &Value) -> String {
        let body = json!({ "type": "box", "layout": "vertical", "contents": parts });
        let content = json!({ "altText": "a", "contents": { "type": "bubble", "body": body } });
        let Value::Object(content) = content else { panic!("it is an object") };
        flex(&content).into_string()
    }

    #[test]
    fn a_flex_message_brings_no_style_and_no_script_of_its_own() {
        let html = drawn(&json!([
            { "type": "text", "text": "<b>", "color": "red;x:y", "size": "xl" },
            { "type": "image", "url": "javascript:alert(1)" },
        ]));
        assert!(html.contains("data-style=\"flex:none;font-size:22px\""), "{html}");
        assert!(html.contains("&lt;b&gt;"), "{html}");
        for wrong in [" style=", "red;x:y", "javascript:", "<b>"] {
            assert!(!html.contains(wrong), "{wrong} in {html}");
        }
    }

    #[test]
    fn a_component_that_is_not_known_is_shown_as_json() {
        let html = drawn(&json!([{ "type": "hologram", "depth": 3 }]));
        assert!(html.contains("<summary>hologram</summary>") && html.contains("depth"), "{html}");
    }
}
