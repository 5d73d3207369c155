//! Known mistakes, put into a copy of the tree one at a time: the store's suite must find each.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, bail};

use crate::command::{root, run, say};

/// A mistake: one place in one file.
struct Defect {
    store: String,
    name: String,
    file: String,
    right: String,
    wrong: String,
}

/// Plants the defects of `store` (or of both) whose names contain `only`, and fails if the suite misses one.
pub(crate) fn run_all(store: Option<&str>, only: Option<&str>) -> anyhow::Result<()> {
    let defects = read(&fs::read_to_string(root().join("xtask/defects.txt"))?)?;
    let chosen: Vec<_> = defects
        .iter()
        .filter(|defect| {
            store.is_none_or(|store| store == defect.store)
                && only.is_none_or(|only| defect.name.contains(only))
        })
        .collect();
    let copy = root().join("target/plant");
    copy_tree(&copy)?;
    let mut missed = Vec::new();
    for defect in &chosen {
        let found = is_found(&copy, defect)?;
        say(&format!(
            "{} {}: {}",
            if found { "found " } else { "MISSED" },
            defect.store,
            defect.name
        ));
        if !found {
            missed.push(&defect.name);
        }
    }
    say(&format!("{} of {} defects found", chosen.len() - missed.len(), chosen.len()));
    if missed.is_empty() { Ok(()) } else { bail!("the suite misses {missed:?}") }
}

/// Reads blocks of `== STORE: NAME`, a file's path, a line that begins with `-` and one that begins with `+`.
fn read(text: &str) -> anyhow::Result<Vec<Defect>> {
    let blocks = text.split("\n== ").skip(1);
    blocks
        .map(|block| {
            let wrong_form = || format!("not a defect: {block}");
            let mut lines = block.lines();
            let (store, name) =
                lines.next().and_then(|line| line.split_once(": ")).with_context(wrong_form)?;
            let mut next = |sign: &str| {
                lines
                    .next()
                    .and_then(|line| line.strip_prefix(sign))
                    .map(str::to_owned)
                    .with_context(wrong_form)
            };
            let (file, right, wrong) = (next("")?, next("-")?, next("+")?);
            Ok(Defect { store: store.to_owned(), name: name.to_owned(), file, right, wrong })
        })
        .collect()
}

fn copy_tree(copy: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(copy)?;
    let copy = copy.to_string_lossy();
    let tar = format!(
        "git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c | tar -x -C '{copy}'"
    );
    run("sh", ["-c", &tar])
}

/// Plants one defect, runs the suite of its store, and takes the defect out again.
fn is_found(copy: &Path, defect: &Defect) -> anyhow::Result<bool> {
    let path = copy.join(&defect.file);
    let text = fs::read_to_string(&path).with_context(|| defect.file.clone())?;
    if text.matches(&defect.right).count() != 1 {
        bail!("{}: the text to change must stand in {} once", defect.name, defect.file);
    }
    fs::write(&path, text.replace(&defect.right, &defect.wrong))?;
    let built = suite(copy, &["--no-run"])?;
    // The rules take seconds and find most; the random runs and the killed stores have the last word.
    let passed = built
        && suite(copy, &[&format!("on_{}::", defect.store)])?
        && suite(copy, &[&defect.store])?;
    fs::write(&path, text)?;
    if !built {
        bail!("{}: the tree does not compile with it", defect.name);
    }
    Ok(!passed)
}

fn suite(copy: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    let status = Command::new("cargo")
        .args(["test", "--quiet", "--package", "yamabiko-queue", "--test", "store"])
        .args(arguments)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", root().join("target/plant-build"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_defect_fits_its_file_in_one_place() {
        for defect in read(&fs::read_to_string(root().join("xtask/defects.txt")).unwrap()).unwrap()
        {
            let text = fs::read_to_string(root().join(&defect.file)).unwrap();
            assert_eq!(text.matches(&defect.right).count(), 1, "{}: {}", defect.name, defect.right);
            assert_ne!(defect.right, defect.wrong, "{}", defect.name);
        }
    }
}
