//! Running other programs, saying which.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Instant,
};

use anyhow::{Context as _, bail};

/// Returns the root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace").to_owned()
}

/// Runs a program in the workspace's root; an exit code other than 0 is an error.
pub(crate) fn run(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> anyhow::Result<()> {
    run_with(Command::new(program).args(arguments).current_dir(root()))
}

/// Runs a prepared command; an exit code other than 0 is an error.
pub(crate) fn run_with(command: &mut Command) -> anyhow::Result<()> {
    let status = status_of(command)?;
    if !status.success() {
        bail!("{}: {status}", show(command));
    }
    Ok(())
}

/// Runs a prepared command to its end, however that is.
pub(crate) fn status_of(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let shown = show(command);
    forget_package(command);
    say(&format!("$ {shown}"));
    let started = Instant::now();
    let status = command.status().with_context(|| format!("cannot run {shown}"))?;
    say(&format!("  {:.1} s", started.elapsed().as_secs_f32()));
    Ok(status)
}

/// Takes away what cargo told of this package: some build scripts would see a change in it, and build all anew.
fn forget_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let is_package =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(is_package) {
            command.env_remove(name);
        }
    }
}

/// Says whether a program can be found.
pub(crate) fn exists(program: &str) -> bool {
    let found = |folder: PathBuf| folder.join(program).is_file();
    path().iter().cloned().any(found)
}

#[expect(clippy::disallowed_methods, reason = "a build tool finds programs where the shell does")]
fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Tells the person at the terminal.
#[expect(clippy::print_stderr, reason = "this is a command for a terminal")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
