//! Wall clocks that are set while programs run, by libfaketime.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};

/// Where Debian keeps libfaketime, below the folder of an architecture.
const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// How soon a program that is alone with the clock looks again what it is set to.
const CACHED: Duration = Duration::from_secs(1);
/// After how long all programs have looked.
const NOTICED: Duration = Duration::from_secs(3);

/// A wall clock that several programs share.
#[derive(Debug)]
pub(crate) struct WallClock {
    library: PathBuf,
    /// What it is set to, as libfaketime reads it.
    file: PathBuf,
    steps: Mutex<Vec<Step>>,
}

/// A time in which a wall clock was wrong; in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// By how much it was ahead; negative where it was behind.
    pub(crate) ahead: i64,
}

impl WallClock {
    /// Makes a clock that is right, with its file in this folder.
    pub(crate) fn start(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let library =
            library().context("libfaketime is missing: `cargo xtask setup` installs it")?;
        let clock = Self { library, file: folder.join(name), steps: Mutex::default() };
        clock.set(0)?;
        Ok(clock)
    }

    /// Returns the variables that have one of several programs go by this clock: each looks whenever it asks for the time,
    /// since the programs of one machine never disagree about it.
    pub(crate) fn shared_environment(&self) -> [(&'static str, String); 5] {
        self.environment(("FAKETIME_NO_CACHE", "1".to_owned()))
    }

    /// Returns the variables that have a program go by this clock that is alone with it.
    pub(crate) fn own_environment(&self) -> [(&'static str, String); 5] {
        self.environment(("FAKETIME_CACHE_DURATION", CACHED.as_secs().to_string()))
    }

    fn environment(&self, looks: (&'static str, String)) -> [(&'static str, String); 5] {
        [
            // libjemalloc asks for the time before libfaketime knows it, so the C library's allocator goes before it.
            ("LD_PRELOAD", format!("{} libc.so.6", self.library.display())),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            looks,
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }

    /// Sets the clock ahead by so many seconds, or back, for so long.
    pub(crate) async fn step(&self, ahead: i64, time: Duration) -> io::Result<()> {
        let from = now_ms();
        self.set(ahead)?;
        tokio::time::sleep(time).await;
        self.set(0)?;
        tokio::time::sleep(NOTICED).await;
        let step = Step { from, until: now_ms(), ahead: ahead * 1000 };
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
        Ok(())
    }

    /// Returns when the clock was wrong.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, ahead: i64) -> io::Result<()> {
        // Renamed, so that no program reads half of it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{ahead:+}\n"))?;
        fs::rename(new, &self.file)
    }
}

impl Step {
    /// Returns whether a timer may have rung early, at `at`: between `asked` and `at` this clock was ahead, and reached `due`.
    pub(crate) fn brings(&self, due: i64, asked: i64, at: i64) -> bool {
        self.ahead > 0 && self.covers(asked, at) && due - self.ahead <= self.until
    }

    /// Says whether the clock was wrong when something was stored that was sent and stored at these times.
    pub(crate) fn covers(&self, sent: i64, stored: i64) -> bool {
        self.from <= stored && sent <= self.until
    }

    /// Says whether a timer may count from a time that was too early: the clock was behind when the bot took its event.
    pub(crate) fn dates_back(&self, sent: i64, taken: i64) -> bool {
        self.ahead < 0 && self.covers(sent, taken)
    }
}

/// Returns the time by the machine's clock, which is right.
pub(crate) fn now_ms() -> i64 {
    let now = clock_gettime(ClockId::Realtime);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir(LIBRARIES).ok()?.flatten();
    folders.map(|folder| folder.path().join(LIBRARY)).find(|library| library.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_comes_early_while_the_clock_is_ahead_and_no_earlier_than_it_says() {
        let step = Step { from: 1_000, until: 5_000, ahead: 60_000 };
        assert!(step.brings(64_000, 0, 1_500));
        assert!(step.brings(64_000, 4_900, 9_000), "by a late call too");
        assert!(!step.brings(64_000, 0, 900), "before it was set");
        assert!(
            !step.brings(64_000, 5_100, 9_000),
            "it was right again when the timer was asked for"
        );
        assert!(!step.brings(66_000, 0, 4_000), "it was not ahead by that much");
        assert!(!Step { ahead: -60_000, ..step }.brings(64_000, 0, 1_500));
    }

    #[test]
    fn a_timer_counts_from_too_early_where_its_event_is_taken_while_the_clock_is_behind() {
        let step = Step { from: 1_000, until: 5_000, ahead: -60_000 };
        assert!(step.dates_back(900, 1_100) && step.dates_back(4_900, 5_100));
        assert!(!step.dates_back(5_100, 5_200) && !step.dates_back(800, 900));
        assert!(!Step { ahead: 60_000, ..step }.dates_back(900, 1_100));
    }
}
