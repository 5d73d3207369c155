//! Imagemap messages: a picture with areas that can be tapped.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::flex::values::Style;
use super::look::web;
use super::parts::{self, Tap};

/// The width of the picture that is asked for; LINE's own apps choose among five.
const WIDTH: &str = "1040";

/// Draws the picture with its areas.
pub(crate) fn imagemap(content: &Map<String, Value>) -> Markup {
    let field = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
    let size = |name: &str| content.get("baseSize").and_then(|size| size[name].as_f64());
    let (Some(base), Some(width), Some(height)) =
        (web(field("baseUrl")), size("width"), size("height"))
    else {
        return parts::json("imagemap", &Value::Object(content.clone()));
    };
    let mut frame = Style::default();
    frame.set("aspect-ratio", Some(format!("{width} / {height}")));
    let actions = content.get("actions").and_then(Value::as_array);
    html! {
        div.imagemap data-testid="imagemap" data-style=[frame.text()] {
            img src={ (base) "/" (WIDTH) } alt=(field("altText"));
            @for action in actions.into_iter().flatten() {
                @let tap = Tap::of(action);
                button.area type="button" data-do=[tap.deed] data-action=[tap.action]
                    data-testid="imagemap-area" data-style=[area(&action["area"], width, height).text()]
                    aria-label=(name(action)) {}
            }
        }
    }
}

fn name(action: &Value) -> &str {
    let named = ["label", "text", "linkUri", "clipboardText"];
    named.iter().find_map(|field| action[*field].as_str()).unwrap_or_default()
}

fn area(area: &Value, width: f64, height: f64) -> Style {
    let mut style = Style::default();
    for (property, field, whole) in [
        ("left", "x", width),
        ("top", "y", height),
        ("width", "width", width),
        ("height", "height", height),
    ] {
        let share = area[field].as_f64().map(|length| format!("{}%", 100.0 * length / whole));
        style.set(property, share);
    }
    style
}
