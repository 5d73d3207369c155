//! The OpenAPI document: it is valid, names every route, and its examples do what they say.

use std::collections::BTreeSet;
use std::path::Path;

use tokio::process::Command;

use crate::world::World;

/// The routes as the router's source has them, such as `get /control/status`.
fn routes() -> BTreeSet<String> {
    let source = include_str!("../../src/control.rs");
    let mut routes = BTreeSet::new();
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).expect("a route has a path");
        let handlers = route.split("\n}").next().unwrap_or_default();
        for method in ["get", "post", "put", "delete", "patch"] {
            if handlers.match_indices(&format!("{method}(")).any(|(at, _)| {
                !handlers[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
            }) {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    assert!(routes.len() > 20, "{routes:?}");
    routes
}

#[tokio::test]
async fn the_document_names_every_route() {
    let world = World::new().await;
    let document = world.get("/control/openapi.json").await.body;
    let paths = document["paths"].as_object().expect("has paths");
    let methods = |path: &String| {
        let item = paths[path].as_object().expect("is an object").keys();
        let methods = item.filter(|name| *name != "parameters");
        methods.map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    };
    let described: BTreeSet<_> = paths.keys().flat_map(methods).collect();
    let missing: Vec<_> = routes().difference(&described).cloned().collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
    let unserved: Vec<_> = described.difference(&routes()).cloned().collect();
    assert!(unserved.is_empty(), "not served: {unserved:?}");
}

#[tokio::test]
async fn the_examples_of_the_document_do_what_they_say() {
    let world = World::new().await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../target/tests/venv/bin/python");
    assert!(python.exists(), "`cargo xtask setup` installs {}", python.display());
    let mut check = Command::new(python);
    check.arg(root.join("tests/openapi.py")).arg(world.simulator.url());
    let checked = check.kill_on_drop(true).output().await.expect("it runs");
    let complaint = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{complaint}");
}
