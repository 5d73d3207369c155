//! Known mistakes, written as texts to replace, and how they get into a copy of the tree.

use std::{
    collections::BTreeMap,
    fmt, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Error, bail, ensure};
use clap::ValueEnum;

use crate::{chaos::Bot, command::root};

/// A store that a mistake concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    Sqlite,
    Redis,
}

impl Store {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Redis];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A mistake that somebody might make.
#[derive(Debug)]
pub(crate) struct Defect {
    pub(crate) name: String,
    pub(crate) stores: Vec<Store>,
    /// The bot that it is for, where a bot is built with it.
    pub(crate) bot: Bot,
    patches: Vec<Patch>,
}

/// One place in one file.
#[derive(Debug)]
struct Patch {
    file: String,
    right: String,
    wrong: String,
}

/// Reads a list of defects, by its path in the tree.
///
/// A defect is a block: `== STORE: NAME`, where STORE is `sqlite`, `redis` or `both`, or `== STORE, BOT: NAME` if it is
/// for another bot than the breaker's own; then for each of its patches the file's path, lines that begin with `-` and
/// lines that begin with `+`. Lines that begin with `#` are remarks.
pub(crate) fn read(list: &str) -> anyhow::Result<Vec<Defect>> {
    let text = fs::read_to_string(root().join(list)).with_context(|| list.to_owned())?;
    parse(&text).with_context(|| list.to_owned())
}

fn parse(text: &str) -> anyhow::Result<Vec<Defect>> {
    let blocks = text.split("\n== ").skip(1);
    blocks.map(|block| Defect::parse(block).with_context(|| format!("== {block}"))).collect()
}

impl Defect {
    fn parse(block: &str) -> anyhow::Result<Self> {
        let mut lines = block.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (place, name) = lines
            .next()
            .and_then(|line| line.split_once(": "))
            .context("a defect begins with `== STORE: NAME`")?;
        let (store, bot) = match place.split_once(", ") {
            Some((store, bot)) => (store, Bot::from_str(bot, false).map_err(Error::msg)?),
            None => (place, Bot::default()),
        };
        let stores = match store {
            "sqlite" => vec![Store::Sqlite],
            "redis" => vec![Store::Redis],
            "both" => Store::ALL.to_vec(),
            _ => bail!("a defect is for sqlite, redis or both, not for {store:?}"),
        };
        let mut lines = lines.peekable();
        let mut patches = Vec::new();
        while let Some(file) = lines.next() {
            let mut side = |sign: char| {
                let mut side = Vec::new();
                while let Some(line) = lines.peek().and_then(|line| line.strip_prefix(sign)) {
                    side.push(line);
                    lines.next();
                }
                ensure!(!side.is_empty(), "{file}: a line that begins with {sign:?} is missing");
                Ok(side.join("\n"))
            };
            let (right, wrong) = (side('-')?, side('+')?);
            patches.push(Patch { file: file.to_owned(), right, wrong });
        }
        ensure!(!patches.is_empty(), "there is nothing to change");
        Ok(Self { name: name.to_owned(), stores, bot, patches })
    }
}

/// A copy of the tree, into which defects are put.
#[derive(Debug)]
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Brings the copy in this folder up to date, which may have been left with a defect.
    ///
    /// Only files that differ are written, so that cargo builds what has changed and nothing else.
    pub(crate) fn refresh(folder: PathBuf) -> anyhow::Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .context("git ls-files")?;
        ensure!(listed.status.success(), "git ls-files: {}", listed.status);
        let names = String::from_utf8(listed.stdout)?;
        for name in names.split_terminator('\0').filter(|name| root().join(name).is_file()) {
            let (text, file) = (fs::read(root().join(name))?, folder.join(name));
            if fs::read(&file).is_ok_and(|there| there == text) {
                continue;
            }
            fs::create_dir_all(file.parent().expect("it lies in the folder"))?;
            fs::write(file, text)?;
        }
        // What tests need beside the tree, as `cargo xtask setup` has installed it.
        let (installed, tests) = (root().join("target/tests"), folder.join("target/tests"));
        if installed.is_dir() && !tests.exists() {
            fs::create_dir_all(folder.join("target"))?;
            symlink(installed, tests)?;
        }
        Ok(Self { folder })
    }

    /// Does some work in the copy as it is.
    pub(crate) fn sound<T>(
        &self,
        work: impl FnOnce(&Path) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        work(&self.folder)
    }

    /// Does some work in the copy while it has this defect.
    pub(crate) fn with<T>(
        &self,
        defect: &Defect,
        work: impl FnOnce(&Path) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut right = BTreeMap::new();
        for patch in &defect.patches {
            let file = self.folder.join(&patch.file);
            let text = fs::read_to_string(&file).with_context(|| patch.file.clone())?;
            ensure!(
                text.matches(&patch.right).count() == 1,
                "{}: the text to change must stand in {} once",
                defect.name,
                patch.file
            );
            fs::write(&file, text.replace(&patch.right, &patch.wrong))?;
            right.entry(file).or_insert(text);
        }
        let done = work(&self.folder);
        for (file, text) in right {
            fs::write(file, text)?;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chaos, plant};

    #[test]
    fn each_defect_fits_its_file_in_one_place() {
        for defect in [plant::LIST, chaos::LIST].iter().flat_map(|list| read(list).unwrap()) {
            for patch in &defect.patches {
                let text = fs::read_to_string(root().join(&patch.file)).unwrap();
                assert_eq!(
                    text.matches(&patch.right).count(),
                    1,
                    "{}: {}",
                    defect.name,
                    patch.right
                );
                assert_ne!(patch.right, patch.wrong, "{}", defect.name);
            }
        }
    }

    #[test]
    fn a_defect_has_stores_and_patches_of_several_lines() {
        let text = "Mistakes.\n\n== both: late\n# A remark.\na.rs\n-one\n+two\n+three\na.rs\n-four\n+five\n\n== redis, keyword-bot: early\nb.lua\n-1\n+2\n";
        let defects = parse(text).unwrap();
        let [late, early] = &defects[..] else { panic!("not two: {defects:?}") };
        assert_eq!((&late.name[..], &late.stores[..]), ("late", &Store::ALL[..]));
        assert_eq!(late.patches[0].wrong, "two\nthree");
        assert_eq!(late.patches[1].right, "four");
        assert_eq!((&early.name[..], &early.stores[..]), ("early", &[Store::Redis][..]));
        assert_eq!((late.bot, early.bot), (Bot::ChaosBot, Bot::KeywordBot));
    }

    #[test]
    fn a_defect_that_changes_nothing_is_refused() {
        assert!(parse("\n== sqlite: idle\n").is_err());
        let error = parse("\n== sqlite: half\na.rs\n-one\n").unwrap_err();
        assert!(format!("{error:#}").contains("begins with '+'"), "{error:#}");
        let error = parse("\n== both, other-bot: other\na.rs\n-one\n+two\n").unwrap_err();
        assert!(format!("{error:#}").contains("other-bot"), "{error:#}");
        let error = parse("\n== mysql: other\na.rs\n-one\n+two\n").unwrap_err();
        assert!(format!("{error:#}").contains("mysql"), "{error:#}");
    }
}
