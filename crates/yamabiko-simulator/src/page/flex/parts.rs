//! The components of a flex message: boxes and what is in them.

use maud::{Markup, html};
use serde_json::Value;

use super::values::{
    Style, among, border, colour, font, gradient, length, one_of, picture, radius, ratio, space,
};
use crate::page::look::web;
use crate::page::parts::{Tap, json};

const JUSTIFY: [(&str, &str); 6] = [
    ("flex-start", "flex-start"),
    ("center", "center"),
    ("flex-end", "flex-end"),
    ("space-between", "space-between"),
    ("space-around", "space-around"),
    ("space-evenly", "space-evenly"),
];
const ALIGN: [(&str, &str); 3] =
    [("flex-start", "flex-start"), ("center", "center"), ("flex-end", "flex-end")];
const TEXT_ALIGN: [(&str, &str); 3] = [("start", "start"), ("center", "center"), ("end", "end")];
const SELF_ALIGN: [(&str, &str); 3] =
    [("start", "flex-start"), ("center", "center"), ("end", "flex-end")];
const GRAVITY: [(&str, &str); 3] =
    [("top", "flex-start"), ("center", "center"), ("bottom", "flex-end")];

/// Says where a component stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    layout: &'a str,
    spacing: &'a Value,
    is_first: bool,
}

/// Draws a component that is a block of its own.
pub(crate) fn first(value: &Value) -> Markup {
    component(value, Place { layout: "vertical", spacing: &Value::Null, is_first: true })
}

fn component(value: &Value, place: Place<'_>) -> Markup {
    let style = placed(value, place);
    match value["type"].as_str().unwrap_or_default() {
        "box" => container(value, style),
        "text" => text(value, place, style),
        "image" => image(value, style),
        "icon" => icon(value, style),
        "button" => button(value, style),
        "separator" => separator(value, style),
        "filler" => html! { span data-style=[style.text()] {} },
        "video" => video(value, style),
        kind => json(kind, value),
    }
}

/// The share of room, the margin and the offsets, which all components have in common.
fn placed(value: &Value, place: Place<'_>) -> Style {
    let mut style = Style::default();
    let kind = value["type"].as_str().unwrap_or_default();
    let across = place.layout != "vertical";
    let sized = if across { &value["width"] } else { &value["height"] };
    let usual = match kind {
        "filler" => 1,
        "icon" | "separator" => 0,
        _ if !sized.is_null() => 0,
        _ => u64::from(across),
    };
    let share = match (value["flex"].as_u64().unwrap_or(usual), across) {
        (0, _) => "none".to_owned(),
        (share, true) => format!("{share} 0 0"),
        (share, false) => format!("{share} 0 auto"),
    };
    style.set("flex", Some(share));
    let margin = space(&value["margin"]).or_else(|| space(place.spacing));
    let side = if across { "margin-inline-start" } else { "margin-top" };
    style.set(side, margin.filter(|_| !place.is_first));
    if value["position"] == "absolute" {
        style.set("position", Some("absolute".into()));
    }
    for (property, field) in [
        ("top", "offsetTop"),
        ("bottom", "offsetBottom"),
        ("inset-inline-start", "offsetStart"),
        ("inset-inline-end", "offsetEnd"),
    ] {
        style.set(property, space(&value[field]));
    }
    if across && place.layout != "baseline" {
        style.set("align-self", one_of(&value["gravity"], &GRAVITY));
    }
    style
}

fn container(value: &Value, mut style: Style) -> Markup {
    let layout = among(&value["layout"], &["horizontal", "baseline"]).unwrap_or("vertical");
    for property in ["width", "height"] {
        style.set(property, length(&value[property]));
    }
    style.set("max-width", length(&value["maxWidth"]));
    style.set("max-height", length(&value["maxHeight"]));
    style.set("background-color", colour(&value["backgroundColor"]));
    style.set("border-color", colour(&value["borderColor"]));
    style.set("border-width", border(&value["borderWidth"]));
    style.set("border-radius", radius(&value["cornerRadius"]));
    style.set("padding", space(&value["paddingAll"]));
    for (property, field) in [
        ("padding-top", "paddingTop"),
        ("padding-bottom", "paddingBottom"),
        ("padding-inline-start", "paddingStart"),
        ("padding-inline-end", "paddingEnd"),
    ] {
        style.set(property, space(&value[field]));
    }
    style.set("justify-content", one_of(&value["justifyContent"], &JUSTIFY));
    if layout != "baseline" {
        style.set("align-items", one_of(&value["alignItems"], &ALIGN));
    }
    if value["background"]["type"] == "linearGradient" {
        style.set("background-image", gradient(&value["background"]));
    }
    let tap = Tap::of(&value["action"]);
    html! {
        div.fx-box .(layout) data-style=[style.text()] data-do=[tap.deed] data-action=[tap.action]
            role=[tap.role] tabindex=[tap.tabindex] data-testid=[tap.hook] aria-label=[tap.label] {
            @for (at, one) in value["contents"].as_array().into_iter().flatten().enumerate() {
                (component(one, Place { layout, spacing: &value["spacing"], is_first: at == 0 }))
            }
        }
    }
}

/// What texts and spans have in common.
fn lettered(value: &Value, style: &mut Style) {
    style.set("font-size", font(&value["size"]));
    style.set("color", colour(&value["color"]));
    style.set("font-weight", one_of(&value["weight"], &[("bold", "700"), ("regular", "400")]));
    style.set("font-style", one_of(&value["style"], &[("italic", "italic"), ("normal", "normal")]));
    let lines = [("underline", "underline"), ("line-through", "line-through"), ("none", "none")];
    style.set("text-decoration", one_of(&value["decoration"], &lines));
}

fn text(value: &Value, place: Place<'_>, mut style: Style) -> Markup {
    lettered(value, &mut style);
    style.set("text-align", one_of(&value["align"], &TEXT_ALIGN));
    if place.layout == "vertical" {
        style.set("align-content", one_of(&value["gravity"], &GRAVITY));
    }
    let lines = value["maxLines"].as_u64().filter(|lines| *lines > 0);
    let wraps = value["wrap"] == true;
    if wraps {
        style.set("-webkit-line-clamp", lines.map(|lines| lines.to_string()));
    }
    // A text that takes what it needs may still not be wider than its box.
    let narrow = place.layout != "vertical";
    let tap = Tap::of(&value["action"]);
    html! {
        div.fx-text .wraps[wraps] .clamped[wraps && lines.is_some()] .narrow[narrow]
            data-style=[style.text()] data-do=[tap.deed] data-action=[tap.action] role=[tap.role]
            tabindex=[tap.tabindex] data-testid=[tap.hook] {
            @if let Some(spans) = value["contents"].as_array() {
                @for span in spans { (spanned(span)) }
            } @else { (value["text"].as_str().unwrap_or_default()) }
        }
    }
}

fn spanned(span: &Value) -> Markup {
    let mut style = Style::default();
    lettered(span, &mut style);
    html! { span data-style=[style.text()] { (span["text"].as_str().unwrap_or_default()) } }
}

fn image(value: &Value, mut style: Style) -> Markup {
    style.set("justify-content", one_of(&value["align"], &SELF_ALIGN));
    let mut frame = Style::default();
    frame.set("width", Some(picture(&value["size"])));
    frame.set("aspect-ratio", Some(ratio(&value["aspectRatio"]).unwrap_or_else(|| "1 / 1".into())));
    frame.set("background-color", colour(&value["backgroundColor"]));
    let cover = value["aspectMode"] == "cover";
    let tap = Tap::of(&value["action"]);
    html! {
        div.fx-image data-style=[style.text()] data-do=[tap.deed] data-action=[tap.action]
            role=[tap.role] tabindex=[tap.tabindex] data-testid=[tap.hook] aria-label=[tap.label] {
            @if let Some(url) = value["url"].as_str().and_then(web) {
                img .cover[cover] src=(url) alt="" data-style=[frame.text()];
            }
        }
    }
}

fn icon(value: &Value, mut style: Style) -> Markup {
    style.set("height", font(&value["size"]).or_else(|| Some("16px".into())));
    style.set("aspect-ratio", Some(ratio(&value["aspectRatio"]).unwrap_or_else(|| "1 / 1".into())));
    html! {
        @if let Some(url) = value["url"].as_str().and_then(web) {
            img.fx-icon src=(url) alt="" data-style=[style.text()];
        }
    }
}

fn button(value: &Value, mut style: Style) -> Markup {
    let kind = among(&value["style"], &["primary", "secondary"]).unwrap_or("link");
    let painted = if kind == "link" { "color" } else { "background-color" };
    style.set(painted, colour(&value["color"]));
    let tap = Tap::of(&value["action"]);
    html! {
        button.fx-button .(kind) .sm[value["height"] == "sm"] type="button" data-style=[style.text()]
            data-do=[tap.deed] data-action=[tap.action] data-testid="flex-button" {
            (tap.label.unwrap_or_default())
        }
    }
}

fn separator(value: &Value, mut style: Style) -> Markup {
    style.set("background-color", colour(&value["color"]));
    html! { div.fx-line data-style=[style.text()] {} }
}

fn video(value: &Value, mut style: Style) -> Markup {
    style.set("aspect-ratio", ratio(&value["aspectRatio"]));
    let address = |field: &str| value[field].as_str().and_then(web);
    html! {
        @if let Some(url) = address("url") {
            video.fx-video src=(url) poster=[address("previewUrl")] controls preload="none"
                playsinline data-style=[style.text()] {}
        } @else { (first(&value["altContent"])) }
    }
}
