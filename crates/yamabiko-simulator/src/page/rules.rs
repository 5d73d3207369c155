//! The switches for time and faults.

use maud::{Markup, html};

use super::layout::{other_language, quota};
use super::look::Look;
use super::parts::field;
use super::words::Words;
use crate::platform::Memory;

/// What a fault can hit, by the words of the control API.
const ENDPOINTS: [&str; 17] = [
    "*",
    "reply",
    "push",
    "multicast",
    "broadcast",
    "narrowcast",
    "validate",
    "loading",
    "markAsRead",
    "profile",
    "content",
    "group",
    "room",
    "quota",
    "info",
    "webhook",
    "token",
];

/// Draws the panel; `page.js` fills in what holds at the moment.
pub(crate) fn panel(memory: &Memory, look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        section.rules aria-label=(words.rules) {
            (left(memory, look))
            (clock(words))
            (settings(words))
            (faults(words))
            section {
                h3 { (words.reset) }
                p.hint { (words.reset_hint) }
                button.danger type="button" data-do="reset" data-ask=(words.reset_hint)
                    data-testid="reset" { (words.reset) }
            }
            (other_language(look))
        }
    }
}

/// Draws what is left of the month's pushes.
pub(crate) fn left(memory: &Memory, look: &Look<'_>) -> Markup {
    html! { p #left .left data-testid="quota" { (quota(memory, look)) } }
}

fn number(name: &str, least: &str, hook: &str) -> Markup {
    html! { input type="number" name=(name) min=(least) data-testid=(hook); }
}

fn clock(words: &Words) -> Markup {
    let step = |seconds: &str, label: &str| {
        html! {
            button.quiet type="button" data-do="forward" data-seconds=(seconds)
                data-testid={ "clock-" (seconds) } { (label) }
        }
    };
    html! {
        section {
            h3 { (words.clock) }
            output #now data-testid="clock-now" { "–" }
            p.hint { (words.clock_hint) }
            div.steps { (step("60", words.minute)) (step("3600", words.hour)) (step("86400", words.day)) }
            form.line data-form="forward" {
                (field(words.seconds, &html! {
                    input type="number" name="seconds" min="1" max="4294967295" value="600" required data-testid="clock-seconds";
                }))
                button.main type="submit" data-testid="clock-forward" { (words.forward) }
            }
            form.line #speed hidden data-form="speed" {
                (field(words.speed, &html! {
                    input type="number" name="speed" min="0" step="any" value="1" required data-testid="clock-speed";
                }))
                button.main type="submit" data-testid="clock-speed-ok" { (words.apply) }
                label.check { input type="checkbox" name="stands" data-change="stands" data-testid="clock-stands"; (words.stands) }
            }
        }
    }
}

fn settings(words: &Words) -> Markup {
    let row = |label: &str, name: &str, least: &str| {
        field(label, &number(name, least, &format!("setting-{name}")))
    };
    html! {
        section {
            h3 { (words.settings) }
            form #settings data-form="settings" {
                (row(words.monthly_limit, "monthlyLimit", "0"))
                (row(words.reply_seconds, "replyTokenSeconds", "0"))
                (row(words.webhook_timeout, "webhookTimeoutMs", "1"))
                (row(words.attempts, "redeliveryAttempts", "0"))
                (row(words.first_wait, "redeliveryFirstMs", "0"))
                (field(words.mark_mode, &html! {
                    select name="markAsReadMode" data-testid="setting-markAsReadMode" {
                        option value="auto" { (words.mark_auto) }
                        option value="manual" { (words.mark_manual) }
                    }
                }))
                (row(words.preparing, "preparingMs", "0"))
                button.main type="submit" data-testid="settings-apply" { (words.apply) }
            }
        }
    }
}

fn faults(words: &Words) -> Markup {
    let check = |name: &str, label: &str| {
        html! {
            label.check { input type="checkbox" name=(name) data-testid={ "fault-" (name) }; (label) }
        }
    };
    html! {
        section {
            h3 { (words.faults) }
            ul #faults data-empty=(words.no_faults) data-testid="faults" {}
            button.quiet type="button" data-do="clearFaults" data-testid="faults-clear" { (words.clear_faults) }
            form data-form="fault" {
                (field(words.endpoint, &html! {
                    select name="endpoint" data-testid="fault-endpoint" {
                        @for endpoint in ENDPOINTS {
                            option value=(endpoint) selected[endpoint == "push"] {
                                @if endpoint == "*" { "* " (words.all) } @else { (endpoint) }
                            }
                        }
                    }
                }))
                div.pair {
                    (field(words.status, &html! {
                        input type="number" name="status" min="400" max="599" value="500" list="statuses" data-testid="fault-status";
                    }))
                    (field(words.timeout, &html! {
                        select name="timeout" data-testid="fault-timeout" {
                            option value="" { (words.timeout_none) }
                            option value="before" { (words.timeout_before) }
                            option value="after" { (words.timeout_after) }
                        }
                    }))
                    (field(words.delay, &number("delayMs", "0", "fault-delayMs")))
                    (field(words.count, &number("count", "1", "fault-count")))
                }
                datalist #statuses { @for status in [400, 401, 403, 404, 409, 410, 429, 500, 503] { option value=(status) {} } }
                details.more {
                    summary data-testid="fault-more" { (words.more_fault) }
                    (field(words.message, &html! { input name="message" data-testid="fault-message"; }))
                    div.pair {
                        (field(words.rate, &html! {
                            input type="number" name="rate" min="0" max="1" step="any" data-testid="fault-rate";
                        }))
                        (field(words.seed, &number("seed", "0", "fault-seed")))
                        (field(words.limit, &number("limit", "0", "fault-limit")))
                    }
                    (check("reset", words.reset_connection))
                    (check("duplicate", words.duplicate))
                    (check("reorder", words.reorder))
                    (check("lose", words.lose))
                    (field(words.fault_json, &html! {
                        textarea.code name="json" rows="2" spellcheck="false" data-testid="fault-json"
                            data-wrong=(words.bad_json) placeholder="{}" {}
                    }))
                }
                button.main type="submit" data-testid="fault-add" { (words.add_fault) }
            }
        }
    }
}
