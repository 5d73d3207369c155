//! Any bytes as the body of a webhook.
#![no_main]

#[path = "../../crates/yamabiko-line/tests/events/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    checks::webhook(body);
});
