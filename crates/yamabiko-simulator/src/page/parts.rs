//! Small parts that many others are made of.

use maud::{Markup, html};
use serde_json::Value;

/// Draws a small line picture.
pub(crate) fn icon(path: &str) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" aria-hidden="true" { path d=(path) {} }
    }
}

/// Shows what the page does not know how to draw.
pub(crate) fn json(name: &str, value: &Value) -> Markup {
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    html! {
        details.json data-testid="json" { summary { (name) } pre { (pretty) } }
    }
}

/// Makes anything do what its action says: attributes for a tap, none without an action.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) action: Option<String>,
    pub(crate) deed: Option<&'static str>,
    pub(crate) role: Option<&'static str>,
    pub(crate) tabindex: Option<&'static str>,
    pub(crate) hook: Option<&'static str>,
    pub(crate) label: Option<String>,
}

impl Tap {
    /// Reads the action of a part of a message.
    pub(crate) fn of(action: &Value) -> Self {
        let is = action.is_object();
        Self {
            action: is.then(|| action.to_string()),
            deed: is.then_some("tap"),
            role: is.then_some("button"),
            tabindex: is.then_some("0"),
            hook: is.then_some("action"),
            label: action["label"].as_str().map(str::to_owned),
        }
    }
}

/// Draws a dialog with a form; `page.js` opens it, and says what its sending does.
pub(crate) fn dialog(name: &str, title: &str, cancel: &str, ok: &str, fields: &Markup) -> Markup {
    html! {
        dialog #{ "dialog-" (name) } aria-label=(title) data-testid={ "dialog-" (name) } {
            form method="dialog" data-form=(name) {
                h2 { (title) }
                (fields)
                div.answers {
                    button.quiet type="button" data-do="close" data-testid={ (name) "-cancel" } { (cancel) }
                    @if !ok.is_empty() {
                        button.main type="submit" data-testid={ (name) "-ok" } { (ok) }
                    }
                }
            }
        }
    }
}

/// Draws a labelled field of a form.
pub(crate) fn field(label: &str, input: &Markup) -> Markup {
    html! { label.field { span { (label) } (input) } }
}
