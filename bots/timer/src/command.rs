//! What a text asks the bot to do.

/// The longest timer: one year.
pub(crate) const LIMIT_SECONDS: u64 = 365 * 24 * 60 * 60;

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// A timer of this many seconds.
    Seconds(u64),
    /// A timer of over a year.
    TooLong,
    /// The pending timers.
    List,
    /// An end to a pending timer.
    Cancel(Which),
    /// Something that the bot does not understand.
    Unknown,
}

/// Which timer to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one that was set last.
    Newest,
    /// The one with this number in the list, from 1.
    Number(usize),
    /// All of them.
    All,
}

impl Command {
    /// Reads a message's plain text.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.to_lowercase();
        seconds(&text).or_else(|| word(&text)).unwrap_or(Self::Unknown)
    }
}

fn seconds(text: &str) -> Option<Command> {
    let text = text.strip_prefix('+').unwrap_or(text);
    // As in program texts, an underscore may stand between two digits: 1_000.
    let parts: Vec<_> = text.split('_').collect();
    let all_digits =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(all_digits) {
        return None;
    }
    match parts.concat().parse() {
        Ok(seconds) if seconds <= LIMIT_SECONDS => Some(Command::Seconds(seconds)),
        _ => Some(Command::TooLong),
    }
}

fn word(text: &str) -> Option<Command> {
    if matches!(text, "list" | "一覧" | "リスト") {
        return Some(Command::List);
    }
    if matches!(text, "cancel all" | "全部取消" | "すべて取消" | "取消 全部") {
        return Some(Command::Cancel(Which::All));
    }
    let rest = ["cancel", "取消", "取り消し", "キャンセル"]
        .iter()
        .find_map(|word| text.strip_prefix(word))?
        .trim();
    match rest {
        "" => Some(Command::Cancel(Which::Newest)),
        number => number.parse().ok().map(|number| Command::Cancel(Which::Number(number))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_seconds() {
        for (text, seconds) in [
            ("180", 180),
            ("+5", 5),
            ("0", 0),
            ("007", 7),
            ("1_000", 1000),
            ("31536000", 31_536_000),
        ] {
            assert_eq!(Command::parse(text), Command::Seconds(seconds), "{text:?}");
        }
    }

    #[test]
    fn over_a_year_is_too_long_however_large() {
        for text in ["31536001", "99999999999999999999999999999999999999999999", "+31536001"] {
            assert_eq!(Command::parse(text), Command::TooLong, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_not_understood() {
        for text in [
            "hello",
            "-5",
            "1.5",
            "3分",
            "",
            " ",
            "+",
            "++5",
            "1__0",
            "_1",
            "5 5",
            "٣",
            "1e3",
            "½",
            "cancel pizza",
            "listing",
        ] {
            assert_eq!(Command::parse(text), Command::Unknown, "{text:?}");
        }
    }

    #[test]
    fn list_and_cancel_work_in_both_languages() {
        assert_eq!(Command::parse("List"), Command::List);
        assert_eq!(Command::parse("一覧"), Command::List);
        for text in ["cancel", "CANCEL", "取消", "キャンセル"] {
            assert_eq!(Command::parse(text), Command::Cancel(Which::Newest), "{text:?}");
        }
        assert_eq!(Command::parse("cancel 2"), Command::Cancel(Which::Number(2)));
        assert_eq!(Command::parse("取消2"), Command::Cancel(Which::Number(2)));
        assert_eq!(Command::parse("cancel all"), Command::Cancel(Which::All));
        assert_eq!(Command::parse("全部取消"), Command::Cancel(Which::All));
    }
}
