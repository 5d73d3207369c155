//! Template messages: buttons, confirm, carousel, image carousel.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::flex::values::{Style, colour};
use super::look::{Look, web};
use super::parts::{self, Tap};

/// Draws a template.
pub(crate) fn template(content: &Map<String, Value>, look: &Look<'_>) -> Markup {
    let template = content.get("template").unwrap_or(&Value::Null);
    let columns = template["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let drawn = match template["type"].as_str() {
        Some("buttons") => card(template, template),
        Some("confirm") => confirm(template),
        Some("carousel") => html! {
            div.carousel tabindex="0" { @for column in columns { (card(column, template)) } }
        },
        Some("image_carousel") => html! {
            div.carousel tabindex="0" { @for column in columns { (picture_card(column)) } }
        },
        _ => html! {
            span.text { (content.get("altText").and_then(Value::as_str).unwrap_or(look.words.more)) }
            (parts::json("template", template))
        },
    };
    html! { div.template data-testid="template" { (drawn) } }
}

/// One card; the form of its picture is told by the whole template.
fn card(card: &Value, template: &Value) -> Markup {
    let tap = Tap::of(&card["defaultAction"]);
    html! {
        div.card {
            div.top data-do=[tap.deed] data-action=[tap.action] role=[tap.role] tabindex=[tap.tabindex]
                data-testid=[tap.hook] aria-label=[tap.label] {
                @if let Some(url) = card["thumbnailImageUrl"].as_str().and_then(web) {
                    (thumbnail(url, card, template))
                }
                div.words {
                    @if let Some(title) = card["title"].as_str() { b { (title) } }
                    p { (card["text"].as_str().unwrap_or_default()) }
                }
            }
            (actions(&card["actions"]))
        }
    }
}

fn thumbnail(url: &str, card: &Value, template: &Value) -> Markup {
    let square = template["imageAspectRatio"] == "square";
    let contain = template["imageSize"] == "contain";
    let mut style = Style::default();
    style.set("background-color", colour(&card["imageBackgroundColor"]));
    html! { img.thumbnail .square[square] .contain[contain] src=(url) alt="" data-style=[style.text()]; }
}

fn confirm(template: &Value) -> Markup {
    html! {
        div.card.confirm {
            div.words { p { (template["text"].as_str().unwrap_or_default()) } }
            (actions(&template["actions"]))
        }
    }
}

fn picture_card(column: &Value) -> Markup {
    let tap = Tap::of(&column["action"]);
    html! {
        div.card.pictured data-do=[tap.deed] data-action=[tap.action] role=[tap.role]
            tabindex=[tap.tabindex] data-testid="template-action" {
            @if let Some(url) = column["imageUrl"].as_str().and_then(web) {
                img.thumbnail.square src=(url) alt="";
            }
            @if let Some(label) = tap.label { span.label { (label) } }
        }
    }
}

fn actions(actions: &Value) -> Markup {
    html! {
        div.choices {
            @for action in actions.as_array().into_iter().flatten() {
                @let tap = Tap::of(action);
                button type="button" data-do=[tap.deed] data-action=[tap.action]
                    data-testid="template-action" { (tap.label.unwrap_or_default()) }
            }
        }
    }
}
