//! The bot's own settings beside those of the wiki.

use std::str::FromStr;

use yamabiko::Setting;

/// Whether the bot looks at the user's text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offline(pub(crate) bool);

impl FromStr for Offline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        yes_or_no(text).map(Self)
    }
}

impl Setting for Offline {
    const NAME: &'static str = "OFFLINE";
    const DEFAULT: &'static str = "false";
    const ABOUT: &'static str = "Look nothing up: work on the user's text alone, and say so.";
    const WITHOUT_VALUE: Option<&'static str> = Some("true");
}

/// Whether texts are looked up in the sample that comes with the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demonstration(pub(crate) bool);

impl FromStr for Demonstration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        yes_or_no(text).map(Self)
    }
}

impl Setting for Demonstration {
    const NAME: &'static str = "DEMO";
    const DEFAULT: &'static str = "false";
    const ABOUT: &'static str =
        "Look things up in a small sample on this machine instead of Wikipedia, and say so.";
    const WITHOUT_VALUE: Option<&'static str> = Some("true");
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err("say true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!("Yes".parse(), Ok(Offline(true)));
        assert_eq!("0".parse(), Ok(Demonstration(false)));
        assert!("maybe".parse::<Offline>().unwrap_err().contains("true or false"));
    }
}
