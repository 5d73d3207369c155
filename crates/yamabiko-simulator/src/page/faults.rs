//! The faults that are on, and the form that switches one on: whom, what, how often.

use maud::{Markup, html};

use super::look::Look;
use super::parts::field;
use super::words::Words;
use crate::faults::{Fault, Limit, Moment, Property};
use crate::platform::Memory;

/// The calls that a fault can hit, by the words of the control API.
const CALLS: [&str; 20] = [
    "*",
    "reply",
    "push",
    "multicast",
    "broadcast",
    "narrowcast",
    "progress",
    "validate",
    "loading",
    "markAsRead",
    "profile",
    "followers",
    "content",
    "group",
    "room",
    "quota",
    "delivery",
    "info",
    "webhook",
    "token",
];
/// What is offered as a status; any other may be written.
const STATUSES: [u16; 9] = [400, 401, 403, 404, 409, 410, 429, 500, 503];

/// Draws the faults that are on, and the form.
pub(crate) fn section(memory: &Memory, look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        section {
            h3 { (words.faults) }
            (on(memory, look))
            form #fault data-form="fault" { (form(words)) }
        }
    }
}

/// Draws the faults that are on.
pub(crate) fn on(memory: &Memory, look: &Look<'_>) -> Markup {
    let words = look.words;
    let faults = memory.faults.list();
    html! {
        div #faults .faults data-testid="faults" {
            @if faults.is_empty() {
                p.hint { (words.no_faults) }
            } @else {
                ul { @for fault in faults { li { code { (whom(fault, words)) } " " (told(fault, words)) } } }
                button.quiet type="button" data-do="clearFaults" data-testid="faults-clear" { (words.clear_faults) }
            }
        }
    }
}

fn whom<'a>(fault: &'a Fault, words: &Words) -> &'a str {
    match fault.endpoint.as_str() {
        "*" => words.all_calls,
        "callback" => words.webhooks,
        endpoint => endpoint,
    }
}

/// Tells a fault in a line.
fn told(fault: &Fault, words: &Words) -> String {
    let mut parts = Vec::new();
    let mut tell = |part: String| parts.push(part);
    if let Some(chat) = &fault.chat {
        tell(chat.clone());
    }
    if let Some(status) = fault.status {
        tell(status.to_string());
    }
    if let Some(limit) = fault.limit {
        tell(format!("429 {}", limit_word(limit, words)));
    }
    if let Some(message) = &fault.message {
        tell(format!("“{message}”"));
    }
    if let Some(property) = fault.refuse {
        tell(format!("400 {}", property.name()));
    }
    for (effect, moment) in [(words.timeout, fault.timeout), (words.reset_connection, fault.reset)]
    {
        if let Some(moment) = moment {
            tell(format!("{effect} {}", moment_word(moment, words)));
        }
    }
    match (fault.delay_ms, fault.delay_max_ms) {
        (None, None) => {}
        (least, Some(most)) => tell(format!("{} {}–{most} ms", words.delay, least.unwrap_or(0))),
        (Some(delay), None) => tell(format!("{} {delay} ms", words.delay)),
    }
    if let Some(copies) = fault.duplicate {
        tell(format!("{} +{copies}", words.duplicate));
    }
    for (is_on, effect) in [(fault.reorder, words.reorder), (fault.lose, words.lose)] {
        if is_on {
            tell(effect.to_owned());
        }
    }
    if fault.rate < 1.0 {
        let percent = (fault.rate * 10_000.0).round() / 100.0;
        tell(format!("{percent}% ({} {})", words.seed, fault.seed));
    }
    if let Some(count) = fault.count {
        tell(format!("{} {count}", words.left));
    }
    parts.join(" · ")
}

fn limit_word(limit: Limit, words: &Words) -> &'static str {
    match limit {
        Limit::Rate => words.limit_rate,
        Limit::User => words.limit_user,
        Limit::Quota => words.limit_quota,
    }
}

fn moment_word(moment: Moment, words: &Words) -> &'static str {
    match moment {
        Moment::Before => words.before,
        Moment::After => words.after,
    }
}

/// Draws the form; `faults.js` leaves only what belongs to what is chosen.
fn form(words: &Words) -> Markup {
    html! {
        (choice("whom", words.whom, &[("call", words.calls), ("webhook", words.webhooks)]))
        (part("call", &html! {
            (field(words.endpoint, &html! {
                select name="endpoint" data-testid="fault-endpoint" {
                    @for call in CALLS {
                        option value=(call) selected[call == "push"] {
                            @if call == "*" { (words.all_calls) } @else { (call) }
                        }
                    }
                }
            }))
            (choice("call", words.what, &[
                ("status", words.refusal),
                ("limit", words.limit),
                ("refuse", words.refused_property),
                ("timeout", words.timeout),
                ("reset", words.reset_connection),
                ("delay", words.delay),
            ]))
        }))
        (part("webhook", &html! {
            input type="hidden" name="endpoint" value="callback";
            (choice("webhook", words.what, &[
                ("duplicate", words.duplicate),
                ("delay", words.delay),
                ("reorder", words.reorder),
                ("lose", words.lose),
            ]))
        }))
        (effects(words))
        (part("status limit refuse timeout reset delay duplicate reorder", &html! {
            div.pair {
                (field(words.delay_least, &number("delayMs", "0")))
                (field(words.delay_most, &number("delayMaxMs", "0")))
            }
        }))
        (field(words.of_chat, &html! {
            input name="chat" placeholder=(words.all_chats) autocomplete="off" data-testid="fault-chat";
        }))
        div.often {
            (field(words.count, &html! {
                input type="number" name="count" min="1" placeholder=(words.until_cleared) data-testid="fault-count";
            }))
            (field(words.rate, &html! {
                input type="number" name="rate" min="0" max="1" step="any" placeholder="1" data-testid="fault-rate";
            }))
            (field(words.seed, &html! {
                input type="number" name="seed" min="0" max="9007199254740991" placeholder="1" data-testid="fault-seed";
            }))
        }
        button.main type="submit" data-testid="fault-add" { (words.add_fault) }
    }
}

/// Draws what there is to say about each effect.
fn effects(words: &Words) -> Markup {
    let moments = |name: &str| {
        field(
            words.moment,
            &html! {
                select name=(name) data-testid={ "fault-" (name) } {
                    option value="before" { (words.before) }
                    option value="after" { (words.after) }
                }
            },
        )
    };
    let hint = |hint: &str| html! { p.hint { (hint) } };
    html! {
        (part("status", &field(words.status, &html! {
            input type="number" name="status" min="400" max="599" value="500" required list="statuses" data-testid="fault-status";
            datalist #statuses { @for status in STATUSES { option value=(status) {} } }
        })))
        (part("limit", &field(words.limit_which, &html! {
            select name="limit" data-testid="fault-limit" {
                option value="rate" { (words.limit_rate) }
                option value="user" { (words.limit_user) }
                option value="quota" { (words.limit_quota) }
            }
        })))
        (part("refuse", &field(words.property, &html! {
            select name="refuse" data-testid="fault-refuse" {
                @for property in Property::ALL { option value=(property.name()) { (property.name()) } }
            }
        })))
        (part("status limit", &field(words.message, &html! {
            input name="message" placeholder=(words.usual) data-testid="fault-message";
        })))
        (part("timeout", &moments("timeout")))
        (part("reset", &moments("reset")))
        (part("duplicate", &html! {
            (hint(words.duplicate_hint))
            (field(words.copies, &html! {
                input type="number" name="duplicate" min="1" max="100" value="1" required data-testid="fault-duplicate";
            }))
        }))
        (part("reorder", &hint(words.reorder_hint)))
        (part("lose", &hint(words.lose_hint)))
    }
}

/// Draws a part of the form that belongs to some choices; what is hidden is not sent.
fn part(of: &str, fields: &Markup) -> Markup {
    html! { fieldset data-of=(of) hidden disabled { (fields) } }
}

/// Draws a choice of one; the first is chosen.
fn choice(name: &str, title: &str, all: &[(&str, &str)]) -> Markup {
    html! {
        div.choice role="radiogroup" aria-label=(title) {
            span { (title) }
            div.chips {
                @for (at, (value, label)) in all.iter().enumerate() {
                    label.chip data-testid={ "fault-" (name) "-" (value) } {
                        input.unseen type="radio" name=(name) value=(value) checked[at == 0] data-change="fault";
                        (label)
                    }
                }
            }
        }
    }
}

fn number(name: &str, least: &str) -> Markup {
    html! {
        input type="number" name=(name) min=(least) data-change="fault" data-testid={ "fault-" (name) };
    }
}
