//! Stickers of the page's own drawing, under ids of LINE's standard ones.

use maud::{Markup, PreEscaped, html};

/// The package of LINE's that all stickers of the picker belong to.
pub(crate) const PACKAGE: &str = "446";

/// Is one sticker: what face, what colour, what beside it.
struct Sticker {
    id: &'static str,
    /// Says in a word what it shows, as LINE's keywords do.
    word: &'static str,
    colour: &'static str,
    eyes: &'static str,
    mouth: &'static str,
    extra: &'static str,
}

const DOTS: &str = r##"<circle cx="46" cy="66" r="4.5" fill="#2b3542"/><circle cx="74" cy="66" r="4.5" fill="#2b3542"/>"##;
const ARCS: &str = r##"<path d="M39 69q7-10 14 0M67 69q7-10 14 0" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const SHUT: &str = r##"<path d="M39 65q7 7 14 0M67 65q7 7 14 0" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const WINK: &str = r##"<circle cx="46" cy="66" r="4.5" fill="#2b3542"/><path d="M67 67q7-8 14 0" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const HEARTS: &str = r##"<path d="M46 74l-8-8a4.6 4.6 0 0 1 8-5 4.6 4.6 0 0 1 8 5zM74 74l-8-8a4.6 4.6 0 0 1 8-5 4.6 4.6 0 0 1 8 5z" fill="#f0486a"/>"##;
const WIDE: &str = r##"<circle cx="46" cy="65" r="8" fill="#fff"/><circle cx="74" cy="65" r="8" fill="#fff"/><circle cx="46" cy="65" r="4" fill="#2b3542"/><circle cx="74" cy="65" r="4" fill="#2b3542"/>"##;
const CROSS: &str = r##"<path d="M38 59l14 6-14 5M82 59l-14 6 14 5" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>"##;

const SMILE: &str = r##"<path d="M50 79q10 10 20 0" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const LAUGH: &str = r##"<path d="M46 77h28q-1 19-14 19T46 77z" fill="#8c2f3f"/><path d="M52 91q8-6 16 0-4 5-8 5t-8-5z" fill="#ff8fa3"/>"##;
const SAD: &str = r##"<path d="M51 88q9-9 18 0" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const ROUND: &str = r##"<ellipse cx="60" cy="85" rx="6" ry="7.500" fill="#8c2f3f"/>"##;
const FLAT: &str =
    r##"<path d="M52 84h16" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const WAVE: &str = r##"<path d="M46 85q5-6 9 0t9 0 9 0" fill="none" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;

const NOTHING: &str = "";
const TEARS: &str = r##"<path d="M41 75q-6 12 0 13t0-13M79 75q6 12 0 13t0-13" fill="#57b8ff" stroke="#57b8ff" stroke-width="3"/>"##;
const HEART: &str = r##"<path d="M100 44L87 31a8 8 0 0 1 13-9 8 8 0 0 1 13 9z" fill="#f0486a"/>"##;
const SLEEP: &str = r##"<path d="M86 22h10L86 34h10M101 6h13l-13 15h13" fill="none" stroke="#5b7fd1" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>"##;
const QUESTION: &str = r##"<path d="M92 18q0-10 9-10t9 9q0 6-6 9-3 2-3 7" fill="none" stroke="#f08a24" stroke-width="6" stroke-linecap="round"/><circle cx="101" cy="43" r="4" fill="#f08a24"/>"##;
const SURPRISE: &str = r##"<path d="M98 8v20M110 12l-6 17" stroke="#f0486a" stroke-width="6" stroke-linecap="round"/><circle cx="98" cy="39" r="3.500" fill="#f0486a"/><circle cx="102" cy="40" r="0"/>"##;
const ANGER: &str = r##"<path d="M92 14q6 6 0 13M106 14q-6 6 0 13M90 30q7-5 14 0" fill="none" stroke="#e23b3b" stroke-width="4.500" stroke-linecap="round"/><path d="M38 56l13 5M82 56l-13 5" stroke="#2b3542" stroke-width="4" stroke-linecap="round"/>"##;
const SWEAT: &str = r##"<path d="M94 40q-9 15 0 16t0-16z" fill="#57b8ff" stroke="#57b8ff" stroke-width="3" stroke-linejoin="round"/>"##;
const CONFETTI: &str = r##"<g stroke-width="5" stroke-linecap="round"><path d="M14 20l6 6" stroke="#f0486a"/><path d="M30 8v7" stroke="#f6b92f"/><path d="M94 10l-4 7" stroke="#3e9bea"/><path d="M108 24l-7 4" stroke="#2fb66c"/><path d="M10 46h6" stroke="#3e9bea"/><path d="M106 48l6 2" stroke="#f0486a"/></g>"##;
const THUMB: &str = r##"<path d="M92 46V34q8-6 8-16 7 0 6 14h8q3 2 1 7l-4 12q-2 4-7 4h-9z" fill="#ffd9b0" stroke="#2b3542" stroke-width="3" stroke-linejoin="round"/>"##;

const STICKERS: [Sticker; 12] = [
    sticker("1988", "smile", "#6cc36a", DOTS, SMILE, NOTHING),
    sticker("1989", "laugh", "#f4b942", ARCS, LAUGH, NOTHING),
    sticker("1990", "love", "#f48fb1", HEARTS, LAUGH, HEART),
    sticker("1991", "wink", "#5cb8c9", WINK, SMILE, HEART),
    sticker("1992", "ok", "#7fb2f0", ARCS, SMILE, THUMB),
    sticker("1993", "party", "#b58de0", ARCS, LAUGH, CONFETTI),
    sticker("1994", "question", "#f2a65a", DOTS, FLAT, QUESTION),
    sticker("1995", "surprise", "#5cb8c9", WIDE, ROUND, SURPRISE),
    sticker("1996", "sorry", "#9fb3c8", SHUT, WAVE, SWEAT),
    sticker("1997", "cry", "#7fb2f0", SHUT, SAD, TEARS),
    sticker("1998", "angry", "#ef7b6c", CROSS, SAD, ANGER),
    sticker("1999", "sleep", "#8a94c8", SHUT, ROUND, SLEEP),
];

const fn sticker(
    id: &'static str,
    word: &'static str,
    colour: &'static str,
    eyes: &'static str,
    mouth: &'static str,
    extra: &'static str,
) -> Sticker {
    Sticker { id, word, colour, eyes, mouth, extra }
}

fn draw(sticker: &Sticker) -> Markup {
    html! {
        svg.art xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" role="img" aria-label=(sticker.word) {
            path fill=(sticker.colour) d="M60 14c6 0 10 4 14 11l34 61c7 12 1 23-13 23H25c-14 0-20-11-13-23l34-61c4-7 8-11 14-11z" {}
            path fill="#eef4fb" d="M46 25c4-7 8-11 14-11s10 4 14 11l10 18q-7 8-13 0-5 10-11 1-6 9-11-1-6 8-13 0z" {}
            circle cx="37" cy="79" r="6" fill="#ff7d8f" opacity=".55" {}
            circle cx="83" cy="79" r="6" fill="#ff7d8f" opacity=".55" {}
            (PreEscaped(sticker.eyes)) (PreEscaped(sticker.mouth)) (PreEscaped(sticker.extra))
        }
    }
}

/// Draws a sticker; all that are not of the picker look the same.
pub(crate) fn art(package: &str, id: &str) -> Markup {
    let known = STICKERS.iter().find(|sticker| package == PACKAGE && sticker.id == id);
    known.map_or_else(mascot, draw)
}

/// Draws the bot's face.
pub(crate) fn mascot() -> Markup {
    draw(&STICKERS[0])
}

/// Draws the buttons of the picker.
pub(crate) fn picker() -> Markup {
    html! {
        @for sticker in &STICKERS {
            button type="button" title=(sticker.word) data-do="sticker" data-sticker=(sticker.id) data-package=(PACKAGE)
                data-testid={ "sticker-" (PACKAGE) "-" (sticker.id) } { (draw(sticker)) }
        }
    }
}
