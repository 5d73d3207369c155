//! The settings that only one bot has, read as all others are.

use std::{fmt::Display, str::FromStr};

use anyhow::anyhow;
use clap::{Arg, ArgMatches};

use crate::{Result, caught::caught, registry::Data};

/// A setting of one bot: a flag and an environment variable of the same name.
///
/// A bot names it by [`App::setting`](crate::App::setting) and reads it by [`Context::data`](crate::Context::data).
/// What cannot be parsed stops the start, with the setting's name, what was given, and the error, which says what would be
/// right.
///
/// ```
/// use std::str::FromStr;
/// use yamabiko::{App, Context, Result, Setting, TextMessage};
///
/// #[derive(Clone)]
/// struct Greeting(String);
///
/// impl Setting for Greeting {
///     const NAME: &'static str = "GREETING";
///     const DEFAULT: &'static str = "Hello";
///     const ABOUT: &'static str = "What the bot says first.";
/// }
///
/// impl FromStr for Greeting {
///     type Err = String;
///
///     fn from_str(text: &str) -> Result<Self, String> {
///         match text.trim() {
///             "" => Err("say at least something, like Hello".to_owned()),
///             text => Ok(Self(text.to_owned())),
///         }
///     }
/// }
///
/// async fn on_text(cx: Context, _message: TextMessage) -> Result {
///     cx.reply(cx.data::<Greeting>()?.0.as_str());
///     Ok(())
/// }
///
/// let app = App::new("greeter").setting::<Greeting>().on_text(on_text);
/// # let _ = app;
/// ```
pub trait Setting: FromStr<Err: Display> + Clone + Send + Sync + 'static {
    /// The environment variable; `TEA_MINUTES` is also the flag `--tea-minutes`.
    const NAME: &'static str;
    /// What counts where nothing is given; it must be a value that can be parsed.
    const DEFAULT: &'static str;
    /// One sentence for `--help`.
    const ABOUT: &'static str;
    /// What the flag means where no value follows it; by default one must follow.
    const WITHOUT_VALUE: Option<&'static str> = None;
}

/// The settings that only this bot has, on the command line.
#[derive(Default)]
pub(crate) struct OwnSettings(Vec<Own>);

struct Own {
    argument: Arg,
    /// Puts the value that was given among what handlers and jobs share.
    read: fn(&ArgMatches, &mut Data) -> Result,
}

impl OwnSettings {
    pub(crate) fn add<T: Setting>(&mut self) {
        let mut argument = Arg::new(T::NAME)
            .long(T::NAME.to_lowercase().replace('_', "-"))
            .env(T::NAME)
            .value_name(T::NAME)
            .default_value(T::DEFAULT)
            .help(T::ABOUT)
            .global(true)
            .value_parser(|text: &str| {
                caught(|| text.parse::<T>().map_err(|error| error.to_string())).flatten()
            });
        if let Some(value) = T::WITHOUT_VALUE {
            // The value stands behind `=`, so that a command may follow the flag.
            argument = argument.num_args(0..=1).require_equals(true).default_missing_value(value);
        }
        let read = |matches: &ArgMatches, data: &mut Data| {
            if let Some(value) = matches.get_one::<T>(T::NAME) {
                let copy = caught(|| value.clone());
                data.insert(copy.map_err(|panic| anyhow!("the setting {} {panic}", T::NAME))?);
            }
            Ok(())
        };
        self.0.push(Own { argument, read });
    }

    pub(crate) fn arguments(&self) -> impl Iterator<Item = Arg> {
        self.0.iter().map(|own| own.argument.clone())
    }

    /// Reads what was given.
    pub(crate) fn read(&self, matches: &ArgMatches, data: &mut Data) -> Result {
        self.0.iter().try_for_each(|own| (own.read)(matches, data))
    }
}
