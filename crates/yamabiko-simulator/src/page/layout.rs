//! The whole page, and the parts of it around the chat.

use maud::{DOCTYPE, Markup, html};

use super::look::Look;
use super::{chat, composer, dialogs, log, people, rules, stickers};
use crate::platform::Memory;

/// So many messages and log entries are shown at first.
pub(crate) const SHOWN: usize = 200;

/// Draws the page of one chat with its newest messages.
pub(crate) fn page(memory: &Memory, shown: usize, look: &Look<'_>) -> Markup {
    let words = look.words;
    let cursor = format!("{}-{}", memory.epoch, memory.revision());
    html! {
        (DOCTYPE)
        html lang=(words.code) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content";
                meta name="color-scheme" content="light dark";
                title { (look.bot) " · " (words.title) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                @for sheet in ["/page.css", "/page/said.css", "/page/beside.css"] {
                    link rel="stylesheet" href=(sheet);
                }
                script type="module" src="/page.js" {}
            }
            body data-chat=(look.chat.id) data-kind=(look.chat.kind.word()) data-me=[look.me]
                data-cursor=(cursor) data-view="chat" {
                nav.people aria-label=(words.chats) {
                    header.brand { span.mark { (stickers::mascot()) } h1 { (words.title) } }
                    (people::list(look))
                    footer { (status(memory, look)) (other_language(look)) }
                }
                main.phone {
                    (bar(look))
                    (messages(shown, look))
                    (chat::quick_replies(look))
                    (composer::composer(look))
                }
                (beside(memory, look))
                div.tabs role="group" {
                    (tab("chat", words.chat))
                    (tab("log", words.log))
                    (tab("rules", words.rules))
                }
                (dialogs::all(look))
                p #notice role="alert" hidden data-offline=(words.offline)
                    data-refused=(words.refused) data-copied=(words.copied) data-applied=(words.applied)
                    data-playing=(words.playing) {}
            }
        }
    }
}

fn tab(view: &str, label: &str) -> Markup {
    html! {
        button type="button" data-do="show" data-show=(view) data-testid={ "tab-" (view) } { (label) }
    }
}

fn bar(look: &Look<'_>) -> Markup {
    html! {
        header.bar {
            @if look.in_group() {
                (people::face(look.chat))
            } @else {
                span.avatar aria-hidden="true" { (stickers::mascot()) }
            }
            (people::title(look))
            span.doing {
                @if look.in_group() {
                    button.quiet type="button" data-do="open" data-dialog="members"
                        data-testid="members-open" { (look.words.members) }
                }
                (people::friendship(look))
            }
        }
    }
}

fn messages(shown: usize, look: &Look<'_>) -> Markup {
    let words = look.words;
    let all = &look.chat.messages;
    let skip = all.len().saturating_sub(shown);
    html! {
        div.scroll tabindex="0" aria-label=(words.chat) {
            @if skip > 0 {
                a.earlier href={ (look.link(look.chat)) "&shown=" (shown + 500) }
                    data-testid="earlier" { (words.earlier) }
            }
            p.empty { (words.empty) }
            ol #messages role="log" aria-live="polite" {
                @for message in all.iter().skip(skip) { (chat::message(message, look)) }
            }
            (chat::loading(look))
            button #newest .newest type="button" hidden data-do="newest" data-testid="newest"
                aria-label=(words.newest) title=(words.newest) { "↓" }
        }
    }
}

/// Draws what stands beside the chat: the log, and what rules it.
fn beside(memory: &Memory, look: &Look<'_>) -> Markup {
    let words = look.words;
    let skip = memory.log.iter().count().saturating_sub(SHOWN);
    let filter = |name: &str, label: &str| {
        html! {
            button type="button" data-do="filter" data-filter=(name) aria-pressed=(name == "all")
                data-testid={ "log-filter-" (name) } { (label) }
        }
    };
    html! {
        aside.beside aria-label=(words.log_hint) {
            header.bar {
                div.sides role="group" {
                    button type="button" data-do="show" data-show="log" data-testid="side-log" { (words.log) }
                    button type="button" data-do="show" data-show="rules" data-testid="side-rules" { (words.rules) }
                }
            }
            section.logged {
                div.filters role="group" aria-label=(words.log) {
                    (filter("all", words.all)) (filter("chat", words.this_chat)) (filter("errors", words.errors))
                }
                div #log .entries tabindex="0" data-filter="all" aria-label=(words.log_hint) {
                    @for entry in memory.log.iter().skip(skip) { (log::entry(memory, entry, look)) }
                }
            }
            (rules::panel(memory, look))
        }
    }
}

/// Draws the link to the other language.
pub(crate) fn other_language(look: &Look<'_>) -> Markup {
    html! {
        a.lang href=(look.link_in(look.chat, look.words.other_code)) data-testid="language" {
            (look.words.other_name)
        }
    }
}

/// Draws what is left of the month's pushes, and where the bot is.
pub(crate) fn status(memory: &Memory, look: &Look<'_>) -> Markup {
    html! {
        div #status .status data-testid="status" {
            (quota(memory, look))
            code title=(memory.bot_url) { (memory.bot_url) }
        }
    }
}

/// Draws how many pushes were used and how many are left.
pub(crate) fn quota(memory: &Memory, look: &Look<'_>) -> Markup {
    let used = memory.quota.used(look.now);
    html! {
        span.quota {
            (look.words.pushes) " " b { (used) }
            @if let Some(limit) = memory.settings.monthly_limit {
                " / " (limit) " · " span.rest { (look.words.left) " " b { (limit.saturating_sub(used)) } }
            } @else { " · " (look.words.unlimited) }
        }
    }
}
