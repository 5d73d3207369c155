//! What was found when something was looked at, in words for people.

use std::{error::Error, fmt, time::Duration};

use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// As it should be.
    Ok,
    /// It could not be told; people may want to look.
    Note,
    /// The bot works, but something will or may go wrong.
    Warning,
    /// The bot does not work, or loses what it promised to keep.
    Problem,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// One thing that was looked at. It never holds a secret or a user's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub mark: Mark,
    /// What was looked at, in a word or two that stay the same.
    pub topic: &'static str,
    /// What was found.
    pub text: String,
    /// What to do, unless all is well.
    pub advice: Option<String>,
}

impl Finding {
    /// Says that something is as it should be.
    pub fn ok(topic: &'static str, text: impl Into<String>) -> Self {
        Self { mark: Mark::Ok, topic, text: text.into(), advice: None }
    }

    /// Says that something cannot be told, and where to look.
    pub fn note(topic: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { mark: Mark::Note, topic, text: text.into(), advice: Some(advice.into()) }
    }

    /// Says that something will or may go wrong, and what to do.
    pub fn warning(
        topic: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { mark: Mark::Warning, ..Self::note(topic, text, advice) }
    }

    /// Says that something is wrong, and what to do.
    pub fn problem(
        topic: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { mark: Mark::Problem, ..Self::note(topic, text, advice) }
    }
}

/// Returns an error with all that caused it, in one line.
pub fn because(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Returns a span of time in its largest unit, rounded down.
#[must_use]
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Returns a number of bytes in its largest unit, rounded down.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.into_iter().find(|(_, shift)| bytes >> shift >= 2);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(name, shift)| format!("{} {name}", bytes >> shift),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_said_in_units_that_people_read() {
        let spans = [5, 119, 120, 7_199, 7_200, 200_000].map(Duration::from_secs).map(span);
        assert_eq!(spans, ["5 s", "119 s", "2 min", "119 min", "2 h", "2 days"]);
        let sizes = [100, 2_048, 1 << 21, (1 << 31) - 1, 1 << 31].map(size);
        assert_eq!(sizes, ["100 bytes", "2 KiB", "2 MiB", "2047 MiB", "2 GiB"]);
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let cause = std::io::Error::other("no route");
        let error = crate::Error::Unavailable(cause.into());
        assert_eq!(because(&error), "the store is unavailable: no route");
    }

    #[test]
    fn marks_are_in_their_order() {
        assert!(
            Mark::Ok < Mark::Note && Mark::Note < Mark::Warning && Mark::Warning < Mark::Problem
        );
    }
}
