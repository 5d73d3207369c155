//! Any text as a message: split within limits, and taken by LINE or refused with a reason.
#![no_main]

use std::sync::LazyLock;

use tokio::runtime::Runtime;

#[path = "../../crates/yamabiko-simulator/tests/platform/built.rs"]
mod built;
#[path = "../../crates/yamabiko-line/tests/events/checks.rs"]
mod checks;
#[path = "../../crates/yamabiko-simulator/tests/platform/world.rs"]
mod world;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime is built"));
static WORLD: LazyLock<world::World> = LazyLock::new(|| RUNTIME.block_on(world::World::new()));

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (long, short) = text.split_once('\0').unwrap_or((text, "label"));
    checks::split(long, 1 + short.len());
    RUNTIME.block_on(built::build(&WORLD, long, short));
});
