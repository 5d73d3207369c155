//! Any text as a script of the simulator.
#![no_main]

#[path = "../../crates/yamabiko-simulator/tests/platform/any_script.rs"]
mod any_script;

libfuzzer_sys::fuzz_target!(|text: &str| any_script::read(text));
