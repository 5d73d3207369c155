//! The users, groups and rooms at the left, and who is in the chat that is open.

use maud::{Markup, html};

use super::chat;
use super::look::{Look, web};
use super::parts::icon;
use crate::chats::{Chat, Kind};

/// Draws all chats, and the buttons that make new ones.
pub(crate) fn list(look: &Look<'_>) -> Markup {
    let words = look.words;
    let of = |group: bool| look.chats.iter().filter(move |one| (one.kind != Kind::User) == group);
    html! {
        div.lists {
            (heading(words.users, words.new_user, "user"))
            div #users { @for one in of(false) { (entry(one, look)) } }
            (heading(words.groups, words.new_group, "group"))
            div #groups { @for one in of(true) { (entry(one, look)) } }
        }
    }
}

fn heading(title: &str, add: &str, what: &str) -> Markup {
    html! {
        div.heading {
            h2 { (title) }
            button type="button" data-do="open" data-dialog=(what) data-testid={ "new-" (what) }
                title=(add) aria-label=(add) { (icon("M12 5v14M5 12h14")) }
        }
    }
}

/// Draws a chat with the last thing said.
pub(crate) fn entry(one: &Chat, look: &Look<'_>) -> Markup {
    let here = one.id == look.chat.id;
    let into = if one.kind == Kind::User { "users" } else { "groups" };
    html! {
        a #{ "user-" (one.id) } .person .current[here] data-into=(into)
            data-testid={ "user-" (one.id) } aria-current=[here.then_some("page")]
            href=(look.link(one)) title=(one.name) {
            (face(one))
            span.about {
                span.name {
                    (one.name)
                    @if one.kind != Kind::User { span.size { " " (one.members.len()) } }
                }
                @if let Some(last) = one.messages.back() {
                    span.last { (chat::summary(last, look)) }
                }
            }
            @if let Some(last) = one.messages.back() { time data-at=(last.at) {} }
        }
    }
}

/// Draws a user's or a group's picture, else the first letter of its name.
pub(crate) fn face(one: &Chat) -> Markup {
    let initial: String = one.name.chars().take(1).collect();
    let hue = one.id.bytes().fold(0, |sum: u32, byte| sum + u32::from(byte)) % 6;
    html! {
        span.face .{ "hue-" (hue) } .group[one.kind != Kind::User] aria-hidden="true" {
            @if let Some(url) = one.picture_url.as_deref().and_then(web) {
                img src=(url) alt="" loading="lazy";
            } @else { (initial) }
        }
    }
}

/// Draws whom one talks with, above the chat.
pub(crate) fn title(look: &Look<'_>) -> Markup {
    let count = look.chat.members.len();
    html! {
        h2 #title {
            @if look.in_group() {
                (look.chat.name) span.size { " " (count) " " (look.words.member_count) }
            } @else { (look.bot) }
        }
    }
}

/// Draws the buttons that hand the chat over to another channel and take the bot out of it, or undo that.
pub(crate) fn friendship(look: &Look<'_>) -> Markup {
    let (words, open, standby) = (look.words, look.chat.open, look.chat.standby);
    let (event, label, note, hook) = match (look.in_group(), open) {
        (false, true) => (r#"{"type":"unfollow"}"#, words.block, "", "friendship"),
        (false, false) => {
            let follow = r#"{"type":"follow","follow":{"isUnblocked":true}}"#;
            (follow, words.unblock, words.blocked, "friendship")
        }
        (true, true) => (r#"{"type":"leave"}"#, words.remove_bot, "", "bot-remove"),
        (true, false) => (r#"{"type":"join"}"#, words.invite, words.bot_absent, "bot-invite"),
    };
    html! {
        span #friendship .friendship .blocked[!open] {
            @if !open { span.note { (note) } }
            @else if standby { span.note data-testid="standby-note" { (words.in_standby) } }
            button type="button" data-do="mode" data-mode=(if standby { "active" } else { "standby" })
                aria-pressed=(standby.to_string()) data-testid="standby" { (words.standby) }
            button type="button" data-do="happen" data-event=(event) data-testid=(hook) { (label) }
        }
    }
}

/// Draws the members of a group with the buttons that change them; nothing for one user.
pub(crate) fn members(look: &Look<'_>) -> Markup {
    let words = look.words;
    let members = &look.chat.members;
    let others = look.chats.iter().filter(|one| one.kind == Kind::User);
    let others: Vec<&Chat> = others.filter(|one| !members.contains(&one.id)).collect();
    html! {
        div #members .members {
            @if look.in_group() {
                ul {
                    @for user in members.iter().filter_map(|id| look.chats.user(id)) {
                        li data-testid={ "member-" (user.id) } {
                            (face(user))
                            span.name { (user.name) }
                            button.quiet type="button" data-do="memberLeft" data-user=(user.id)
                                data-testid={ "member-remove-" (user.id) } { (words.remove_member) }
                        }
                    }
                }
                @if !others.is_empty() {
                    div.adding {
                        select #newcomer aria-label=(words.new_user) data-testid="member-choice" {
                            @for user in &others { option value=(user.id) { (user.name) } }
                        }
                        button.main type="button" data-do="memberJoined" data-testid="member-add" {
                            (words.add_member)
                        }
                    }
                }
            }
        }
    }
}

/// Draws the choice of who speaks in a group; nothing for one user.
pub(crate) fn speaker(look: &Look<'_>) -> Markup {
    html! {
        div #speaking {
            @if look.in_group() {
                label {
                    span { (look.words.speaker) }
                    select autocomplete="off" data-testid="speaker" data-change="speaker" {
                        @for id in &look.chat.members {
                            option value=(id) selected[look.me == Some(id.as_str())] {
                                (look.user_name(id))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Draws those who can be mentioned in a group; nothing for one user.
pub(crate) fn mentions(look: &Look<'_>) -> Markup {
    html! {
        div #mentions .mentions role="listbox" aria-label=(look.words.members) hidden {
            @if look.in_group() {
                (mention(look.bot, "bot", look.bot))
                @for id in &look.chat.members {
                    @let name = look.user_name(id);
                    @if look.me != Some(id.as_str()) { (mention(name, id, name)) }
                }
                // What LINE's own apps write for everybody.
                (mention("All", "all", look.words.mention_all))
            }
        }
    }
}

fn mention(name: &str, hook: &str, label: &str) -> Markup {
    html! {
        button type="button" role="option" data-do="mention" data-name=(name)
            data-testid={ "mention-" (hook) } { "@" (label) }
    }
}
