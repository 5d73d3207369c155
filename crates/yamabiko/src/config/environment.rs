//! What holds for the variables and flags of all settings.

use std::env;

use anyhow::bail;
use clap::{Arg, ArgMatches, Command, builder, builder::Resettable, parser::ValueSource};

use crate::Result;

/// Makes variables that are blank the same as ones that are not set, whatever the setting.
///
/// A line like `LINE_API_URL=` in a file of variables says that nothing was filled in.
///
/// # Errors
/// If a variable is not text; the error names it.
pub(crate) fn without_blank_variables(command: Command) -> Result<Command> {
    for name in command.get_arguments().filter_map(Arg::get_env) {
        if read(name).is_some_and(|value| value.to_str().is_none()) {
            bail!("{} is not text in UTF-8", name.display());
        }
    }
    Ok(command.mut_args(|argument| match argument.get_env().map(ToOwned::to_owned) {
        Some(name) if read(&name).is_some_and(|value| is_blank(&value)) => {
            // Without its variable, the help would not name it any more.
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let help = format!("{help} [env: {}=]", name.display());
            argument.env(Resettable::<builder::OsStr>::Reset).help(help)
        }
        _ => argument,
    }))
}

#[expect(clippy::disallowed_methods, reason = "this is where settings are read")]
fn read(name: &std::ffi::OsStr) -> Option<std::ffi::OsString> {
    env::var_os(name)
}

fn is_blank(value: &std::ffi::OsStr) -> bool {
    value.to_str().is_some_and(|value| value.trim().is_empty())
}

/// Finds a flag that was given without a value, like `--line-api-url ""`.
pub(crate) fn blank_flag(command: &Command, matches: &ArgMatches) -> Option<String> {
    let is_given_blank = |argument: &&Arg| {
        let id = argument.get_id().as_str();
        matches.value_source(id) == Some(ValueSource::CommandLine)
            && matches.get_raw(id).is_some_and(|mut values| values.any(is_blank))
    };
    let argument = command.get_arguments().filter(|argument| argument.get_env().is_some());
    argument.filter(is_given_blank).find_map(Arg::get_long).map(|long| format!("--{long}"))
}
