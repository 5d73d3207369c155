//! Any body to any address of the simulator: a byte for the route, the id up to a zero, the query up to the next, the body.
#![no_main]

use std::sync::LazyLock;

use tokio::runtime::Runtime;

#[path = "../../crates/yamabiko-simulator/tests/platform/hostile.rs"]
mod hostile;
#[path = "../../crates/yamabiko-simulator/tests/platform/world.rs"]
mod world;

use hostile::Sent;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime is built"));
static WORLD: LazyLock<world::World> = LazyLock::new(|| RUNTIME.block_on(world::World::new()));

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [route, rest @ ..] = input else { return };
    let mut parts = rest.splitn(3, |byte| *byte == 0);
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (id, query) = (text(), text());
    let id = if id.is_empty() { world::SAKURA.to_owned() } else { id };
    let body = parts.next().unwrap_or_default().to_vec();
    let sent =
        Sent { route: usize::from(*route), id, query, content_type: "application/json", body };
    RUNTIME.block_on(hostile::send(&WORLD, &sent));
});
