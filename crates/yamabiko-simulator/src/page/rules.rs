//! The switches for time, faults and rules.

use maud::{Markup, html};

use super::faults;
use super::layout::{other_language, quota};
use super::look::Look;
use super::parts::field;
use super::words::Words;
use crate::clock::Clock;
use crate::platform::Memory;

/// Draws the panel; `rules.js` fills in the settings of the moment.
pub(crate) fn panel(memory: &Memory, look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        section.rules aria-label=(words.rules) {
            (left(memory, look))
            (clock(look))
            (faults::section(memory, look))
            (settings(words))
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

/// Draws the time; the page lets it go on from there.
pub(crate) fn now(look: &Look<'_>) -> Markup {
    let clock = look.clock;
    let speed = if clock.stands() { 0 } else { clock.speed() };
    html! { time #now data-now=(clock.now_ms()) data-speed=(speed) data-testid="clock-now" {} }
}

/// Draws how the time goes on, and the button that stops it or lets it go on.
pub(crate) fn pace(look: &Look<'_>) -> Markup {
    let (words, clock) = (look.words, look.clock);
    let (pace, change) = if clock.stands() {
        (words.stands.to_owned(), words.run)
    } else {
        (format!("×{}", clock.speed()), words.stand)
    };
    html! {
        span #pace .pace {
            span.tag data-testid="clock-pace" { (pace) }
            button.quiet type="button" data-do="stand" data-stands=(!clock.stands())
                data-testid="clock-stands" { (change) }
        }
    }
}

/// Draws the field for the speed.
pub(crate) fn speed(look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        form #speed .line data-form="speed" {
            (field(words.speed, &html! {
                input type="number" name="speed" min="1" max=(Clock::MAX_SPEED) value=(look.clock.speed())
                    autocomplete="off" required data-testid="clock-speed";
            }))
            button.main type="submit" data-testid="clock-speed-ok" { (words.apply) }
        }
    }
}

fn clock(look: &Look<'_>) -> Markup {
    let words = look.words;
    let step = |seconds: &str, label: &str| {
        html! {
            button.quiet type="button" data-do="forward" data-seconds=(seconds)
                data-testid={ "clock-" (seconds) } { (label) }
        }
    };
    html! {
        section {
            div.clock { h3 { (words.clock) } (pace(look)) }
            (now(look))
            p.hint { (words.clock_hint) }
            div.steps { (step("60", words.minute)) (step("3600", words.hour)) (step("86400", words.day)) }
            form.line data-form="forward" {
                (field(words.seconds, &html! {
                    input type="number" name="seconds" min="1" max="4294967295" value="600" required data-testid="clock-seconds";
                }))
                button.main type="submit" data-testid="clock-forward" { (words.forward) }
            }
            (speed(look))
        }
    }
}

fn settings(words: &Words) -> Markup {
    let row = |label: &str, name: &str, least: &str| {
        let hook = format!("setting-{name}");
        let is_needed = name != "monthlyLimit";
        field(
            label,
            &html! {
                input type="number" name=(name) min=(least) required[is_needed] data-testid=(hook);
            },
        )
    };
    html! {
        section {
            h3 { (words.settings) }
            form #settings data-form="settings" {
                (row(words.monthly_limit, "monthlyLimit", "0"))
                (row(words.consumption_lag, "consumptionLag", "0"))
                (row(words.reply_seconds, "replyTokenSeconds", "0"))
                (row(words.webhook_timeout, "webhookTimeoutMs", "1"))
                (row(words.attempts, "redeliveryAttempts", "0"))
                (row(words.first_wait, "redeliveryFirstMs", "0"))
                (row(words.preparing, "preparingMs", "0"))
                (field(words.mark_mode, &html! {
                    select name="markAsReadMode" data-testid="setting-markAsReadMode" {
                        option value="auto" { (words.mark_auto) }
                        option value="manual" { (words.mark_manual) }
                    }
                }))
                (field(words.used_key, &html! {
                    select name="usedRetryKey" data-testid="setting-usedRetryKey" {
                        option value="accepted" { (words.used_key_accepted) }
                        option value="refused" { (words.used_key_refused) }
                    }
                }))
                (field(words.webhook_use, &html! {
                    select name="webhook" data-testid="setting-webhook" {
                        option value="on" { (words.webhook_on) }
                        option value="off" { (words.webhook_off) }
                        option value="unset" { (words.webhook_unset) }
                    }
                }))
                label.check {
                    input type="checkbox" name="rateLimits" data-testid="setting-rateLimits";
                    (words.rate_limits)
                }
                button.main type="submit" data-testid="settings-apply" { (words.apply) }
            }
        }
    }
}
