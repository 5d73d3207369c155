//! What asks for more than a tap: places, times, beacons, events, users and groups.

use maud::{Markup, html};

use super::look::Look;
use super::parts::{dialog, field};
use super::people;
use super::words::Words;
use crate::chats::Kind;

/// Draws all dialogs; each is hidden until it is asked for.
pub(crate) fn all(look: &Look<'_>) -> Markup {
    let words = look.words;
    let ask = |name, title, ok, fields: Markup| dialog(name, title, words.cancel, ok, &fields);
    html! {
        (ask("location", words.location, words.send, location(look)))
        (ask("beacon", words.beacon, words.send, beacon(look)))
        (ask("event", words.raw_event, words.send, event(look)))
        (ask("picker", words.choose, words.ok, html! {
            input name="when" required data-testid="picker-when" aria-label=(words.choose);
        }))
        (ask("user", words.new_user, words.create, user(look)))
        (ask("group", words.new_group, words.create, group(look)))
        (dialog("outcome", words.script, words.close, "", &outcome(words)))
        @if look.in_group() {
            (dialog("members", words.members, words.close, "", &people::members(look)))
        }
    }
}

/// What `scripts.js` fills in when a script was played.
fn outcome(words: &Words) -> Markup {
    let part = |name: &str, title: &str| {
        html! {
            section data-part=(name) { h3 { (title) } pre data-testid={ "outcome-" (name) } {} }
        }
    };
    html! {
        p.verdict data-testid="outcome" data-passed=(words.passed) data-steps=(words.steps)
            data-failed=(words.failed) data-line=(words.line) {}
        (part("expected", words.expected))
        (part("came", words.came))
        (part("chat", words.so_far))
    }
}

fn location(look: &Look<'_>) -> Markup {
    let words = look.words;
    let degree = |name: &str, value: &str, most: &str| {
        html! {
            input name=(name) type="number" step="any" required value=(value)
                min={ "-" (most) } max=(most) data-testid={ "location-" (name) };
        }
    };
    html! {
        (field(words.place_title, &html! {
            input name="title" maxlength="100" value="高尾山" data-testid="location-title";
        }))
        (field(words.address, &html! {
            input name="address" maxlength="100" value="東京都八王子市高尾町" data-testid="location-address";
        }))
        div.pair {
            (field(words.latitude, &degree("latitude", "35.6251", "90")))
            (field(words.longitude, &degree("longitude", "139.2437", "180")))
        }
    }
}

fn beacon(look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        (field("hwid", &html! {
            input name="hwid" required pattern="[0-9a-f]{10}" value="d41d8cd98f" data-testid="beacon-hwid";
        }))
        (field(words.beacon_type, &html! {
            select name="type" data-testid="beacon-type" {
                @for kind in ["enter", "banner", "stay"] { option { (kind) } }
            }
        }))
        (field(words.beacon_message, &html! {
            input name="dm" pattern="[0-9a-f]*" maxlength="26" data-testid="beacon-dm";
        }))
    }
}

fn event(look: &Look<'_>) -> Markup {
    let sample = r#"{"type": "accountLink", "link": {"result": "ok", "nonce": "n"}}"#;
    html! {
        p.hint { (look.words.raw_hint) }
        textarea.code name="json" rows="7" required spellcheck="false" data-testid="event-json"
            data-wrong=(look.words.bad_json) aria-label=(look.words.raw_event) { (sample) }
    }
}

fn user(look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        (field(words.name, &html! {
            input name="displayName" required maxlength="20" data-testid="user-name";
        }))
        (field(words.language, &html! {
            select name="language" data-testid="user-language" {
                option value="ja" { "日本語" }
                option value="en" { "English" }
            }
        }))
    }
}

fn group(look: &Look<'_>) -> Markup {
    let words = look.words;
    html! {
        (field(words.name, &html! {
            input name="groupName" required maxlength="50" data-testid="group-name";
        }))
        fieldset #choices {
            legend { (words.members) }
            @for user in look.chats.iter().filter(|one| one.kind == Kind::User) {
                label.check {
                    input type="checkbox" name="members" value=(user.id)
                        data-testid={ "group-member-" (user.id) };
                    (user.name)
                }
            }
        }
        label.check { input type="checkbox" name="room" data-testid="group-room"; (words.room) }
        label.check { input type="checkbox" name="join" checked data-testid="group-join"; (words.join) }
    }
}
