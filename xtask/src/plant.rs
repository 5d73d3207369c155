//! Puts known mistakes into a copy of the tree one at a time: the store's suite must find each.

use std::{path::Path, process::Command};

use anyhow::bail;

use crate::{
    command::{root, say},
    defect::{self, Copy, Store},
};

/// The mistakes.
pub(crate) const LIST: &str = "xtask/defects.txt";

/// Plants the defects of `store` (or of both) whose names contain `only`, and fails if the suite misses one.
pub(crate) fn run_all(store: Option<Store>, only: Option<&str>) -> anyhow::Result<()> {
    let defects = defect::read(LIST)?;
    let copy = Copy::refresh(root().join("target/plant"))?;
    let chosen = |one: &&Store| store.is_none_or(|store| store == **one);
    // What fails without a mistake would pass for a mistake that was found.
    for store in Store::ALL.iter().filter(chosen) {
        if copy.sound(|tree| is_found(tree, *store))? != Some(false) {
            bail!("the suite fails on {store} without any defect");
        }
    }
    let (mut planted, mut missed) = (0, Vec::new());
    for defect in defects.iter().filter(|defect| only.is_none_or(|only| defect.name.contains(only)))
    {
        for store in defect.stores.iter().filter(chosen) {
            let Some(found) = copy.with(defect, |tree| is_found(tree, *store))? else {
                bail!("{}: the tree does not compile with it", defect.name);
            };
            say(&format!("{} {store}: {}", if found { "found " } else { "MISSED" }, defect.name));
            planted += 1;
            if !found {
                missed.push(&defect.name);
            }
        }
    }
    say(&format!("{} of {planted} defects found", planted - missed.len()));
    if missed.is_empty() { Ok(()) } else { bail!("the suite misses {missed:?}") }
}

/// Runs the suite of a store; none if it does not compile.
fn is_found(tree: &Path, store: Store) -> anyhow::Result<Option<bool>> {
    if !suite(tree, &["--no-run"])? {
        return Ok(None);
    }
    // The rules take seconds and find most; the random runs, the killed stores and the stores' own tests have the last word.
    let passed = suite(tree, &[&format!("on_{store}::")])? && suite(tree, &[store.name()])?;
    Ok(Some(!passed))
}

fn suite(tree: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    let status = Command::new("cargo")
        .args(["test", "--quiet", "--package", "yamabiko-queue", "--lib", "--test", "store"])
        .args(arguments)
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", root().join("target/plant-build"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()?;
    Ok(status.success())
}
