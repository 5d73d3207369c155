//! Runs the breaker on the bot as it is, or on a bot with a known mistake, which it must find.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{
    command::{exists, root, run_with, say, status_of},
    defect::{self, Copy, Defect, Store},
};

/// The mistakes that the breaker must find.
pub(crate) const LIST: &str = "chaos/defects.txt";
/// Where a bot with a mistake is built; all mistakes share it, so that each builds only what it changes.
const PLANTED: &str = "target/chaos-plant";
/// For how many seconds a bot with a mistake may go on working; it need not finish, and three minutes are all it gets.
const PATIENCE: &str = "90";
const BREAKER: &str = "yamabiko-chaos";
/// The breaker's exit code if nothing went wrong.
const SOUND: u8 = 0;
/// The breaker's exit code if something was lost, said twice, or the like; any other means that it could not do its work.
const BROKEN: u8 = 1;

/// A bot that can be broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bot {
    /// The breaker's own.
    #[default]
    ChaosBot,
    KeywordBot,
}

impl Bot {
    /// The name of its program.
    const fn name(self) -> &'static str {
        match self {
            Self::ChaosBot => "chaos-bot",
            Self::KeywordBot => "keyword-bot",
        }
    }
}

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The bot that is broken. Defaults to chaos-bot, with --plant to the one that the mistake is for.
    #[arg(long)]
    bot: Option<Bot>,
    /// Only on this store. Defaults to both, side by side.
    #[arg(long)]
    store: Option<Store>,
    /// For how many minutes things break. Defaults to 10, with --plant to 1.
    #[arg(long)]
    minutes: Option<f64>,
    /// What breaks, and when: the same seed chooses the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Promotes a replica of Redis without the last second, too: it finds what the bot does not stand yet.
    #[arg(long)]
    fail_over: bool,
    /// Builds the bot with this mistake from chaos/defects.txt (`all`: with each in turn), and fails unless it is found.
    #[arg(long, value_name = "NAME")]
    plant: Option<String>,
}

impl Options {
    fn stores(&self) -> Vec<Store> {
        self.store.map_or(Store::ALL.to_vec(), |store| vec![store])
    }
}

/// Builds and runs the breaker; its exit code is the answer, that of the first store that fails.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let stores = options.stores();
    if stores.contains(&Store::Redis) && !exists("redis-server") {
        bail!("redis-server is missing: `cargo xtask setup` installs it");
    }
    let chosen =
        options.plant.as_deref().map(|name| chosen_defects(name, options.bot)).transpose()?;
    build(&root(), &target()?, BREAKER)?;
    match chosen {
        Some(defects) => find_all(options, &defects).map(|()| ExitCode::SUCCESS),
        None => {
            let bot = options.bot.unwrap_or_default();
            build(&root(), &target()?, bot.name())?;
            let ends = side_by_side(options, &stores, bot, &target()?)?;
            Ok(ends
                .into_iter()
                .map(|end| end.code)
                .find(|code| *code != SOUND)
                .unwrap_or(SOUND)
                .into())
        }
    }
}

fn chosen_defects(name: &str, bot: Option<Bot>) -> anyhow::Result<Vec<Defect>> {
    let mut defects = defect::read(LIST)?;
    defects.retain(|defect| bot.is_none_or(|bot| bot == defect.bot));
    let names: Vec<_> = defects.iter().map(|defect| defect.name.clone()).collect();
    defects.retain(|defect| name == "all" || name == defect.name);
    if defects.is_empty() {
        bail!("there is no defect {name:?}: it is one of {}, or all", names.join(", "));
    }
    Ok(defects)
}

/// Plants each defect in turn, and fails if the breaker is content with one of the bots.
fn find_all(options: &Options, defects: &[Defect]) -> anyhow::Result<()> {
    let copy = Copy::refresh(root().join(PLANTED).join("tree"))?;
    let target = root().join(PLANTED).join("build");
    let (mut table, mut missed) = (Vec::new(), 0);
    for defect in defects {
        copy.with(defect, |tree| build(tree, &target, defect.bot.name()))
            .with_context(|| defect.name.clone())?;
        let mut stores = options.stores();
        stores.retain(|store| defect.stores.contains(store));
        for End { store, code, time } in side_by_side(options, &stores, defect.bot, &target)? {
            let found = match code {
                SOUND => "MISSED",
                BROKEN => "found",
                _ => bail!("the breaker could not do its work, it ended with {code}"),
            };
            let (store, seconds) = (store.name(), time.as_secs());
            table.push(format!("{found:6}  {store:6}  {:27}  {seconds:4} s", defect.name));
            missed += usize::from(code == SOUND);
        }
    }
    table.iter().for_each(|line| say(line));
    if missed > 0 {
        bail!("the breaker misses {missed} of {}", table.len());
    }
    Ok(())
}

/// How the breaker ended on a store.
struct End {
    store: Store,
    code: u8,
    time: Duration,
}

/// Runs the breaker on several stores at the same time, on a bot that was built into a folder.
fn side_by_side(
    options: &Options,
    stores: &[Store],
    bot: Bot,
    target: &Path,
) -> anyhow::Result<Vec<End>> {
    std::thread::scope(|scope| {
        let runs: Vec<_> = stores
            .iter()
            .map(|&store| {
                scope.spawn(move || {
                    let began = Instant::now();
                    let code = break_bot(options, store, bot, target)?;
                    Ok(End { store, code, time: began.elapsed() })
                })
            })
            .collect();
        let ended = |run: std::thread::ScopedJoinHandle<'_, _>| {
            run.join().unwrap_or_else(|_| bail!("a run of the breaker panicked"))
        };
        runs.into_iter().map(ended).collect()
    })
}

/// Runs the breaker and returns its exit code.
fn break_bot(options: &Options, store: Store, bot: Bot, built: &Path) -> anyhow::Result<u8> {
    let minutes = options.minutes.unwrap_or(if options.plant.is_some() { 1.0 } else { 10.0 });
    let mut breaker = Command::new(program(&target()?, BREAKER));
    breaker.args(["--store", store.name()]);
    breaker.args(["--minutes", &minutes.to_string(), "--seed", &options.seed.to_string()]);
    breaker.args(["--bot", bot.name()]);
    breaker.arg("--program").arg(program(built, bot.name())).current_dir(root());
    if options.fail_over {
        breaker.arg("--fail-over");
    }
    if options.plant.is_some() {
        // That little was broken in a short time must not pass for a mistake that was found.
        breaker.args(["--any-load", "--patience", PATIENCE]);
    }
    let status = status_of(&mut breaker)?;
    let code = status.code().with_context(|| format!("the breaker was killed: {status}"))?;
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}

fn build(tree: &Path, target: &Path, program: &str) -> anyhow::Result<()> {
    let mut build = Command::new("cargo");
    // Both packages, so that what all programs depend on is built once.
    build.args(["build", "--release", "--package", "yamabiko-chaos", "--package", "keyword-bot"]);
    build.args(["--bin", program]);
    run_with(build.arg("--target-dir").arg(target).current_dir(tree))
}

fn program(target: &Path, name: &str) -> PathBuf {
    target.join("release").join(name)
}

/// Returns the folder with what cargo builds, in which this program lies too.
fn target() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe()?;
    us.ancestors().nth(2).map(Path::to_owned).context("cargo builds into a folder of its own")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_defect_has_a_name_of_its_own_and_can_be_chosen() {
        let all = chosen_defects("all", None).unwrap();
        let names: BTreeSet<_> = all.iter().map(|defect| &defect.name).collect();
        assert_eq!(names.len(), all.len());
        for defect in &all {
            let chosen = chosen_defects(&defect.name, Some(defect.bot)).unwrap();
            assert_eq!(chosen.len(), 1, "{}", defect.name);
        }
    }

    #[test]
    fn an_unknown_defect_is_answered_with_the_known_ones() {
        let error = chosen_defects("no-such", None).unwrap_err().to_string();
        assert!(error.contains("no-fencing") && error.contains("all"), "{error}");
    }
}
