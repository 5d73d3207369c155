//! Where a user writes, and all else that a user can send.

use maud::{Markup, html};

use super::look::Look;
use super::parts::icon;
use super::words::Words;
use super::{people, stickers};

/// Draws the composer.
pub(crate) fn composer(look: &Look<'_>) -> Markup {
    let words = look.words;
    let opener = |what: &str, label: &str, path: &str| {
        html! {
            button type="button" data-do="panel" data-panel=(what) data-testid={ (what) "-open" }
                aria-label=(label) title=(label) aria-expanded="false" aria-controls=(what) {
                (icon(path))
            }
        }
    };
    html! {
        form #composer .composer {
            div #quoting .quoting hidden data-editing=(words.editing) {
                span.what {}
                button type="button" data-do="unquote" data-testid="unquote" aria-label=(words.close) { "×" }
            }
            (people::mentions(look))
            div #sticker .stickers hidden { (stickers::picker()) }
            div #attach .attach hidden { (attachments(look)) }
            (people::speaker(look))
            div.row {
                (opener("attach", words.more, "M12 5v14M5 12h14"))
                (opener("sticker", words.stickers, "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.500 10v.5M15.500 10v.5M8 14.500q4 4 8 0"))
                textarea name="text" rows="1" maxlength="10000" data-testid="composer"
                    placeholder=(words.write) aria-label=(words.write) autofocus {}
                button type="submit" data-testid="send" aria-label=(words.send) title=(words.send) {
                    (icon("M4 12l16-8-6 16-3-6z"))
                }
            }
        }
    }
}

fn attachments(look: &Look<'_>) -> Markup {
    let words = look.words;
    let transcript = format!("/control/chats/{}/transcript", look.chat.id);
    html! {
        (media("image", "image/*", words.picture, "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9h.010"))
        (camera(words))
        (media("video", "video/*", words.video, "M3 6h12v12H3zM15 10l6-3v10l-6-3"))
        (media("audio", "audio/*", words.audio, "M12 3v11M9 17a3 3 0 1 0 6 0 3 3 0 1 0-6 0M12 3q1 4 6 4"))
        (media("file", "", words.file, "M6 3h8l4 4v14H6zM14 3v4h4"))
        (ask("location", words.location, "M12 21q7-7 7-12a7 7 0 0 0-14 0q0 5 7 12zM12 9h.010"))
        (ask("beacon", words.beacon, "M12 12h.010M8 16a6 6 0 0 1 0-8M16 8a6 6 0 0 1 0 8M5 19a10 10 0 0 1 0-14M19 5a10 10 0 0 1 0 14"))
        (ask("event", words.raw_event, "M8 4q-3 0-3 3v2q0 3-2 3 2 0 2 3v2q0 3 3 3M16 4q3 0 3 3v2q0 3 2 3-2 0-2 3v2q0 3-3 3"))
        a.tool href=(transcript) download data-testid="transcript-save" {
            (icon("M12 4v11M8 11l4 4 4-4M5 19h14")) span { (words.save) }
        }
        label.tool {
            (icon("M7 5l11 7-11 7z")) span { (words.replay_chat) }
            input.unseen type="file" accept=".script,.txt,text/plain"
                data-change="script" data-testid="transcript-replay";
        }
    }
}

/// A button that chooses a file and sends it.
fn media(kind: &str, accept: &str, label: &str, path: &str) -> Markup {
    html! {
        label.tool {
            (icon(path)) span { (label) }
            input.unseen type="file" accept=(accept) data-change="media" data-kind=(kind)
                data-testid={ "attach-" (kind) };
        }
    }
}

fn camera(words: &Words) -> Markup {
    html! {
        label.tool {
            (icon("M3 8h4l2-3h6l2 3h4v11H3zM9 13a3 3 0 1 0 6 0 3 3 0 1 0-6 0")) span { (words.camera) }
            input.unseen type="file" accept="image/*" capture="environment" data-change="media"
                data-kind="image" data-testid="attach-camera";
        }
    }
}

/// A button that opens a dialog.
fn ask(dialog: &str, label: &str, path: &str) -> Markup {
    html! {
        button.tool type="button" data-do="open" data-dialog=(dialog) data-testid={ "attach-" (dialog) } {
            (icon(path)) span { (label) }
        }
    }
}
