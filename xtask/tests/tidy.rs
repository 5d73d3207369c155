//! Rules of the tree that no compiler checks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Who may import whom, and nobody else; test kits and simulators stand in dev-dependencies.
const EDGES: [(&str, &[&str]); 9] = [
    ("yamabiko-line", &[]),
    ("yamabiko-queue", &[]),
    ("yamabiko-simulator", &["yamabiko-line"]),
    ("yamabiko", &["yamabiko-line", "yamabiko-queue", "yamabiko-simulator"]),
    ("timer-bot", &["yamabiko"]),
    ("keyword-bot", &["yamabiko"]),
    ("yamabiko-bench", &["yamabiko-line", "yamabiko-queue"]),
    ("yamabiko-chaos", &["yamabiko", "yamabiko-line", "yamabiko-queue", "yamabiko-simulator"]),
    ("xtask", &[]),
];
/// Lines that a source file may have.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns all files that git would commit, relative to the root.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().map(str::to_owned).filter(|name| root().join(name).exists()).collect()
}

fn sources() -> Vec<String> {
    let sources: Vec<_> = files().into_iter().filter(|name| name.ends_with(".rs")).collect();
    assert!(sources.len() > 50, "the tree has sources");
    sources
}

#[test]
fn packages_import_only_what_the_design_allows() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<_> =
        packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut found = BTreeMap::new();
    for package in packages {
        let normal = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"].is_null());
        let imports: BTreeSet<_> = normal
            .map(|one| one["name"].as_str().unwrap())
            .filter(|name| ours.contains(name))
            .collect();
        found.insert(package["name"].as_str().unwrap(), imports);
    }
    let allowed: BTreeMap<_, BTreeSet<_>> =
        EDGES.iter().map(|(name, imports)| (*name, imports.iter().copied().collect())).collect();
    assert_eq!(found, allowed);
}

#[test]
fn the_architecture_map_names_every_module_and_no_other() {
    let is_module = |name: &String| {
        let parts: Vec<_> = name.split('/').collect();
        matches!(parts[..], ["crates" | "bots", _, "src", file] if !matches!(file, "lib.rs" | "main.rs"))
            || matches!(parts[..], ["bench" | "chaos" | "xtask", "src", file] if !matches!(file, "lib.rs" | "main.rs"))
    };
    let modules: BTreeSet<_> = sources().into_iter().filter(is_module).collect();
    let text = read("ARCHITECTURE.md");
    let map = text
        .split("## 4. ")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("section 4 is the map");
    let mut folder = String::new();
    let mut named = BTreeSet::new();
    for line in map.lines() {
        if let Some(heading) = line.strip_prefix("### `") {
            heading.split('`').next().unwrap().clone_into(&mut folder);
        } else if let Some(item) = line.strip_prefix("- `") {
            named.insert(format!("{folder}/src/{}.rs", item.split('`').next().unwrap()));
        }
    }
    let missing: Vec<_> = modules.difference(&named).collect();
    let gone: Vec<_> = named.difference(&modules).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in the map: {missing:#?}; in the map only: {gone:#?}"
    );
}

#[test]
fn every_source_file_says_what_it_is_for_and_is_not_too_long() {
    for name in sources() {
        let text = read(&name);
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 12,
            "{name} does not begin with what it is for"
        );
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{name} has {lines} lines, more than {MAX_LINES}");
    }
}

/// Returns the Rust blocks of a document.
fn samples(document: &str) -> Vec<String> {
    let blocks = document.split("```rust\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Returns a tested file as a document shows it: without what the head says.
fn as_shown(path: &str) -> String {
    let tested = read(path);
    let lines = tested.lines().skip_while(|line| line.starts_with("//!") || line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_readme_sample_is_the_one_that_is_tested() {
    let shown = samples(&read("README.md")).join("\n");
    assert_eq!(shown, as_shown("crates/yamabiko/tests/echo_timer.rs"));
}

#[test]
fn the_samples_of_the_testing_guide_are_those_that_are_tested() {
    let tested = ["first", "time", "chats", "line", "deploys"]
        .map(|name| as_shown(&format!("crates/yamabiko/tests/guide/{name}.rs")));
    assert_eq!(samples(&read("docs/testing.md")), tested);
}

/// Returns what is between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Returns the names of all functions in tests, and of the rules that a suite runs.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources() {
        let text = read(&source);
        let tests = if source.contains("/tests/") || source.ends_with("/tests.rs") {
            &text[..]
        } else {
            text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
        };
        let functions = tests.split("fn ").skip(1);
        names.extend(functions.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
    }
    names
}

#[test]
fn every_fault_of_the_reliability_page_names_tests_that_are_there() {
    let (page, tests) = (read("docs/reliability.md"), tests());
    let tables = page.split("\n## ").find(|part| part.starts_with("From fault to guard to test"));
    let tables = tables.expect("the page has its tables");
    let mut faults = 0;
    for row in tables.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fault"))
    {
        let [fault, guard, named] = row.trim_matches('|').split(" | ").collect::<Vec<_>>()[..]
        else {
            panic!("not three cells: {row}")
        };
        assert!(!guard.trim().is_empty(), "nothing guards against {fault}");
        let named = quoted(named);
        assert!(!named.is_empty(), "no test shows {fault}");
        for name in named {
            assert!(tests.contains(name), "there is no test {name}");
        }
        faults += 1;
    }
    assert!(faults > 40, "the tables have only {faults} faults");
}

#[test]
fn the_newest_heading_of_the_changelog_is_the_version() {
    let changelog = read("CHANGELOG.md");
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    let manifest = read("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .unwrap()
        .trim_matches('"');
    assert!(newest.starts_with(version), "CHANGELOG.md says {newest}, Cargo.toml {version}");
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_to_do() {
    let marks = [
        concat!("#[", "ignore"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
    ];
    for name in sources() {
        let text = read(&name);
        for mark in marks {
            assert!(!text.contains(mark), "{name} contains {mark}");
        }
    }
}
