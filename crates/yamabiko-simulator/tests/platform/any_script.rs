//! Any text is a script, or an error that names its line.

use proptest::prelude::*;
use proptest::sample::select;
use yamabiko_simulator::Script;

/// Reads a text as a script.
pub(crate) fn read(text: &str) {
    if let Err(error) = Script::read(text) {
        let lines = text.lines().count().max(1);
        assert!((1..=lines).contains(&error.line), "{error} of {lines} lines");
        assert!(error.to_string().contains(&error.line.to_string()), "{error}");
    }
}

/// Lines that mean something, and parts of them.
const PARTS: [&str; 61] = [
    "users",
    "groups",
    "rooms",
    "in any order",
    "repeat 2 times",
    "repeat -1 times",
    "wait 1 s",
    "wait 99999999999 h",
    "within 5 s",
    "within",
    "nothing to Alice within 1 s",
    "nothing within",
    "clock forward 1 h",
    "clock forward 0.5 s",
    "clock {",
    "fault push status=500",
    "fault {\"endpoint\":\"push\"}",
    "faults off",
    "settings a=1",
    "settings {}",
    "reset",
    "Alice",
    "Alice: hi",
    "Alice:",
    ": hi",
    "Bot: hi",
    "Bot to Alice: *",
    "Alice follows",
    "follows",
    " follows",
    "Alice sends sticker 1 2",
    "Alice sends image a.png",
    "Alice taps \"x\"",
    "Alice edits 1: x",
    "Alice unsends 1",
    "Bot shows loading",
    "Bot leaves",
    "Bot stands by in Alice",
    "| x",
    "|",
    "# a",
    "  # a",
    "\"a\\u0041\": x",
    "\"",
    "\"\"",
    "\\",
    "*",
    "\\*",
    "ja",
    "en",
    ",",
    "=",
    "{",
    "}",
    "🍎",
    "\u{feff}",
    "\u{3000}",
    "\t",
    "quick reply",
    "buttons",
    "picks 2027-01-01",
];

fn any_script() -> impl Strategy<Value = String> {
    let line = (0..6_usize, proptest::collection::vec(select(PARTS.to_vec()), 1..4), " {0,2}")
        .prop_map(|(indent, parts, between)| " ".repeat(indent) + &parts.join(&between));
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

/// The scripts of the tree, as a start.
const SCRIPT: &str = include_str!("../../../../bots/timer/tests/conversation.script");

proptest! {
    #[test]
    fn any_text_is_a_script_or_an_error_with_its_line(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn lines_in_any_order_are_a_script_or_an_error_with_its_line(text in any_script()) {
        read(&text);
    }

    #[test]
    fn a_script_with_other_characters_in_it_is_one_or_an_error_with_its_line(
        at in any::<prop::sample::Index>(), left_out in 0..20_usize, other in any_script(),
    ) {
        let signs: Vec<_> = SCRIPT.chars().collect();
        let at = at.index(signs.len());
        let end = (at + left_out).min(signs.len());
        let text: String = signs[..at].iter().copied().chain(other.chars()).chain(signs[end..].iter().copied()).collect();
        read(&text);
    }
}

#[test]
fn a_script_of_any_depth_is_read_or_refused() {
    for word in ["in any order", "repeat 2 times", "Alice: hi", "users"] {
        let line = |depth: usize| format!("{}{word}\n", " ".repeat(depth));
        let script: String = (0..3_000).map(line).collect();
        read(&script);
    }
}
