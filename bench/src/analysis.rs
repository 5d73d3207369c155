//! How fast the keyword bot takes texts apart, beside `MeCab` with the same dictionary.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use wait4::Wait4 as _;

use crate::{figures::Figure, fresh::beside_us, manual, punctuality::millis, topic::Bench};

/// The names of the two programs.
const PROGRAMS: [&str; 2] = ["keyword-bot", "MeCab"];
/// The source of the dictionary, from Debian's package `mecab-ipadic`.
const SOURCE: &str = "/usr/share/mecab/dic/ipadic";
/// What makes `MeCab`'s form of it.
const DICTIONARY_MAKER: &str = "/usr/lib/mecab/mecab-dict-index";
/// How many times each program is started on one word.
const STARTS: [u32; 2] = [50, 5];
/// How many sentences are taken apart for `--quick`.
const FEW: usize = 2000;

/// What a run of a program took.
#[derive(Clone, Copy, Debug)]
struct Run {
    wall: Duration,
    user: Duration,
    /// The most resident memory, in MiB.
    peak: f64,
}

/// Measures both programs once, by turns.
pub(crate) fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let analysis = Analysis::prepare(bench)?;
    for (program, figure) in analysis.figures()? {
        bench.note_of(program, figure);
    }
    Ok(())
}

/// What both programs read, and `MeCab`'s dictionary.
#[derive(Debug)]
struct Analysis {
    folder: tempfile::TempDir,
    text: String,
    starts: u32,
}

impl Analysis {
    /// Writes the texts and makes the dictionary.
    fn prepare(bench: &Bench<'_>) -> anyhow::Result<Self> {
        let hint = "`cargo xtask setup` installs mecab, mecab-ipadic and manpages-ja";
        let mut sentences = manual::sentences().context(hint)?;
        sentences.truncate(bench.size(usize::MAX, FEW));
        let text = sentences.join("\n") + "\n";
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("text"), &text)?;
        fs::write(folder.path().join("word"), "東京\n")?;
        let made = Command::new(DICTIONARY_MAKER)
            .args(["-d", SOURCE, "-f", "euc-jp", "-t", "utf-8", "-o"])
            .arg(folder.path())
            .output()
            .context(hint)?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::copy(Path::new(SOURCE).join("dicrc"), folder.path().join("dicrc"))?;
        let [full, quick] = STARTS;
        Ok(Self { folder, text, starts: bench.size(full, quick) })
    }

    /// Measures both programs once; returns each figure with its program.
    fn figures(&self) -> anyhow::Result<Vec<(&'static str, Figure)>> {
        let [ours, mecab] = both(|program| self.run(program, "text"))?;
        let bytes = f64::from(u32::try_from(self.text.len())?);
        let setting = format!(
            "{:.1} MB of manual pages, {} lines; all that is known of each word to /dev/null",
            bytes / 1e6,
            self.text.lines().count()
        );
        let speed = |time: Duration| bytes / 1e6 / time.as_secs_f64();
        let mut figures = Vec::new();
        let mut note = |what: &str, unit, setting: &str, [ours, mecab]: [f64; 2]| {
            for (program, value) in PROGRAMS.into_iter().zip([ours, mecab]) {
                let mut figure = Figure::new(what, value, unit, setting);
                if program == PROGRAMS[0] {
                    figure = figure.of_limit(mecab);
                }
                figures.push((program, figure));
            }
        };
        note("text a second", "MB/s", &setting, [ours.wall, mecab.wall].map(speed));
        note("text a second of user time", "MB/s", &setting, [ours.user, mecab.user].map(speed));
        note("peak memory", "MiB", &setting, [ours.peak, mecab.peak]);
        let [ours, mecab] = both(|program| self.starts(program))?;
        let setting = format!("one word; mean of {} starts", self.starts);
        note("start to end", "ms", &setting, [ours, mecab].map(|run| millis(run.wall)));
        note("peak memory of a start", "MiB", &setting, [ours.peak, mecab.peak]);
        Ok(figures)
    }

    /// Runs a program on one word many times; returns the mean times and the most memory.
    fn starts(&self, program: &str) -> anyhow::Result<Run> {
        let mut sum = Run { wall: Duration::ZERO, user: Duration::ZERO, peak: 0.0 };
        for _ in 0..self.starts {
            let run = self.run(program, "word")?;
            sum.wall += run.wall;
            sum.user += run.user;
            sum.peak = sum.peak.max(run.peak);
        }
        Ok(Run { wall: sum.wall / self.starts, user: sum.user / self.starts, ..sum })
    }

    /// Runs a program on a file.
    fn run(&self, program: &str, file: &str) -> anyhow::Result<Run> {
        let mut command = if program == PROGRAMS[0] {
            let mut command = Command::new(beside_us(program)?);
            command.arg("analyze");
            command
        } else {
            let mut command = Command::new("mecab");
            // Without the settings of the machine, and with lines as long as they come.
            command.args(["-r", "/dev/null", "-b", "65536", "-d"]).arg(self.folder.path());
            command
        };
        let input = File::open(self.folder.path().join(file))?;
        command.env_clear().stdin(input).stdout(Stdio::null());
        let began = Instant::now();
        let ended = command.spawn().with_context(|| program.to_owned())?.wait4()?;
        let wall = began.elapsed();
        ensure!(ended.status.success(), "{program} failed: {}", ended.status);
        let peak = f64::from(u32::try_from(ended.rusage.maxrss / 1024)?) / 1024.0;
        Ok(Run { wall, user: ended.rusage.utime, peak })
    }
}

/// Measures both programs.
fn both(run: impl Fn(&str) -> anyhow::Result<Run>) -> anyhow::Result<[Run; 2]> {
    let [ours, mecab] = PROGRAMS;
    Ok([run(ours)?, run(mecab)?])
}
