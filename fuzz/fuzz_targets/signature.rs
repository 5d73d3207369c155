//! Any text as the header of a signed body: the body comes first, then a zero, then the header.
#![no_main]

#[path = "../../crates/yamabiko-line/tests/events/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (body, header) = input.split_at(end);
    checks::header("the channel's secret", body, &String::from_utf8_lossy(header));
});
