//! The whole page, and the parts of it around the chat.

use maud::{DOCTYPE, Markup, html};

use super::words::Words;
use super::{chat, log, stickers};
use crate::chats::Chat;
use crate::platform::Memory;

/// So many messages and log entries are shown at first.
const SHOWN: usize = 200;

/// Is what all parts need to know to be drawn.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) words: &'static Words,
    /// The bot's name.
    pub(crate) bot: &'a str,
    pub(crate) now: i64,
}

/// Draws the page of one user.
pub(crate) fn page(memory: &Memory, current: &Chat, look: &Look<'_>) -> Markup {
    let words = look.words;
    let cursor = format!("{}-{}", memory.epoch, memory.revision());
    let skip = current.messages.len().saturating_sub(SHOWN);
    let log_skip = memory.log.iter().count().saturating_sub(SHOWN);
    html! {
        (DOCTYPE)
        html lang=(words.code) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content";
                meta name="color-scheme" content="light dark";
                title { (look.bot) " · " (words.title) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page.css";
                script type="module" src="/page.js" {}
            }
            body data-user=(current.id) data-cursor=(cursor) data-view="chat" {
                nav.people aria-label=(words.users) {
                    header.brand { span.mark { (stickers::mascot()) } h1 { (words.title) } }
                    div #users {
                        @for one in memory.chats.iter() { (person(one, current, look)) }
                    }
                    footer {
                        (status(memory, look))
                        a.lang href={ "/?user=" (current.id) "&lang=" (words.other.0) } { (words.other.1) }
                    }
                }
                main.phone {
                    header.bar {
                        span.avatar aria-hidden="true" { (stickers::mascot()) }
                        h2 { (look.bot) }
                        (friendship(current, words))
                    }
                    div.scroll tabindex="0" {
                        p.empty { (words.empty) }
                        ol #messages {
                            @for message in current.messages.iter().skip(skip) {
                                (chat::message(current, message, look))
                            }
                        }
                        (chat::loading(current, look))
                    }
                    (chat::quick_replies(current))
                    (composer(words))
                }
                aside.log aria-label=(words.log_hint) {
                    header.bar { h2 { (words.log) } span.hint { (words.log_hint) } }
                    div #log .entries tabindex="0" {
                        @for entry in memory.log.iter().skip(log_skip) { (log::entry(entry, words)) }
                    }
                }
                div.tabs role="group" {
                    button type="button" data-show="chat" data-testid="tab-chat" { (words.chat) }
                    button type="button" data-show="log" data-testid="tab-log" { (words.log) }
                }
                p #notice role="alert" hidden data-offline=(words.offline) data-refused=(words.refused) {}
            }
        }
    }
}

/// Draws a user with the last thing said.
pub(crate) fn person(one: &Chat, current: &Chat, look: &Look<'_>) -> Markup {
    let initial: String = one.name.chars().take(1).collect();
    let hue = one.id.bytes().fold(0, |sum: u32, byte| sum + u32::from(byte)) % 6;
    let here = one.id == current.id;
    html! {
        a #{ "user-" (one.id) } .person .current[here] data-into="users"
            data-testid={ "user-" (one.id) } aria-current=[here.then_some("page")]
            href={ "/?user=" (one.id) "&lang=" (look.words.code) } {
            span.face .{ "hue-" (hue) } aria-hidden="true" { (initial) }
            span.about {
                span.name { (one.name) }
                @if let Some(last) = one.messages.back() {
                    span.last { (chat::summary(last, look)) }
                }
            }
            @if let Some(last) = one.messages.back() { time data-at=(last.at) {} }
        }
    }
}

/// Draws the button that blocks the bot, or ends that.
pub(crate) fn friendship(current: &Chat, words: &Words) -> Markup {
    html! {
        span #friendship .friendship .blocked[!current.open] {
            @if !current.open { span.note { (words.blocked) } }
            button type="button" data-event=(if current.open { "unfollow" } else { "follow" })
                data-testid="friendship" {
                (if current.open { words.block } else { words.unblock })
            }
        }
    }
}

/// Draws what is left of the month's pushes, and where the bot is.
pub(crate) fn status(memory: &Memory, look: &Look<'_>) -> Markup {
    let used = memory.quota.used(look.now);
    html! {
        p #status .status {
            span { (look.words.pushes) " " b { (used) }
                @if let Some(limit) = memory.settings.monthly_limit { " / " (limit) } }
            code title=(memory.bot_url) { (memory.bot_url) }
        }
    }
}

fn composer(words: &Words) -> Markup {
    html! {
        form #composer .composer {
            div #quoting .quoting hidden {
                span.what {}
                button type="button" data-unquote aria-label=(words.close) { "×" }
            }
            div #stickers .stickers hidden { (stickers::picker()) }
            div.row {
                button type="button" data-testid="sticker-open" aria-label=(words.stickers)
                    title=(words.stickers) aria-expanded="false" aria-controls="stickers" {
                    (chat::icon("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.500 10v.5M15.500 10v.5M8 14.500q4 4 8 0"))
                }
                textarea name="text" rows="1" maxlength="10000" data-testid="composer"
                    placeholder=(words.write) aria-label=(words.write) autofocus {}
                button type="submit" data-testid="send" aria-label=(words.send) title=(words.send) {
                    (chat::icon("M4 12l16-8-6 16-3-6z"))
                }
            }
        }
    }
}
