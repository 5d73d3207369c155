//! The breaker: starts a bot in several processes, breaks everything around it, and counts.

use std::{
    io::Write as _,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser as _;

mod aftermath;
mod book;
mod check;
mod disk;
mod evidence;
mod faults;
mod harm;
mod herd;
#[path = "../../crates/yamabiko-queue/tests/store/leftovers.rs"]
#[expect(clippy::unwrap_used, reason = "a test's file, where what cannot be read is a failure")]
mod leftovers;
mod line;
mod locks;
mod options;
mod place;
mod ports;
mod report;
mod tally;
mod users;
mod webhooks;
mod wire;

use aftermath::{Aftermath, left_over};
use book::Book;
use disk::Disk;
use harm::{Harms, Targets};
use herd::{Herd, Setup};
use line::Line;
use options::{DiskFull, Options};
use place::Place;
use report::Report;
use tally::Tally;
use users::Users;
use webhooks::Follower;
use wire::Wire;

/// How often to look whether the bot has finished.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// For how long the bot must have nothing to do: a webhook may still be held back for that long.
const QUIET: Duration = Duration::from_secs(4);

/// The exit code of a run in which something was lost, said twice, or the like.
const BROKEN: u8 = 1;
/// The exit code of a run that could not be made.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match report() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => BROKEN.into(),
        Err(error) => {
            writeln!(std::io::stderr(), "the breaker could not do its work: {error:#}").ok();
            FAILED.into()
        }
    }
}

/// Prints the ledger and says whether all is as it should be.
fn report() -> anyhow::Result<bool> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(run(options))?;
    std::io::stdout().write_all(report.to_markdown().as_bytes())?;
    Ok(report.passed())
}

async fn run(options: Options) -> anyhow::Result<Report> {
    // A provider other than the default one is in use, since reqwest brings none.
    rustls::crypto::ring::default_provider().install_default().ok();
    let folder = tempfile::Builder::new().prefix("chaos-").tempdir()?;
    let disk = match Disk::mount(folder.path()) {
        Ok(disk) => disk,
        Err(_) if options.disk_full == DiskFull::IfPossible => Disk::plain(folder.path())?,
        Err(error) => {
            return Err(error.context("no small file system can be mounted, so the disk cannot get full: run as root, or in `unshare --map-root-user --mount`, or leave it out by `--disk-full if-possible`"));
        }
    };
    let place = Arc::new(Place::start(options.store, disk).await?);
    let tally = Arc::new(Tally::default());
    let (ports, web_ports) = Herd::ports()?;
    let web = Wire::start(web_ports).await?;
    let (simulator, line) = Line::start(web.port()).await?;
    let setup = Setup {
        program: options.bot()?,
        store_url: place.url(),
        line_url: line.url().to_owned(),
        secret: line::SECRET.to_owned(),
        token: line::TOKEN.to_owned(),
        logs: folder.path().to_owned(),
    };
    let herd = Herd::start(&setup, &ports, &tally)?;
    let http = line.http().clone();
    herd.measure_return(&http, Instant::now()).await;
    // What the start took is no return.
    let tally_of_start = tally.get();
    if !tally_of_start.misdeeds.is_empty() {
        bail!("the bot does not start: {:?}", tally_of_start.misdeeds);
    }
    tally.forget_returns();
    let follower = Follower::start(line.clone());
    let book = Arc::new(Book::default());
    faults::switch_on(&line, options.seed).await?;
    let users = Users::start(&line, &book, options.seed).await?;
    let targets = Targets {
        herd: herd.clone(),
        place: Arc::clone(&place),
        web,
        tally: Arc::clone(&tally),
        http,
    };
    let mut harms = Harms::start(&targets, options.seed);
    tokio::select! {
        () = tokio::time::sleep(options.time()) => {}
        error = harms.failed() => return Err(error),
    }

    // What is being broken is broken to its end.
    drop(harms);
    users.stop().await?;
    herd.calm().await;
    place.calm().await;
    faults::switch_off(&line, &tally).await?;
    let calm_since = Instant::now();
    let aftermath = Aftermath::open(&place).await?;
    let calm = Calm { herd: &herd, aftermath: &aftermath, follower: &follower, since: calm_since };
    calm.finish(options.patience()).await?;
    users::last_words(&line, &book).await?;
    calm.finish(options.patience()).await?;
    let finished_after = calm_since.elapsed();

    let mut left = aftermath.describe_live().await?;
    herd.end().await;
    let pages = book.read();
    let facts = aftermath.facts(&pages).await?;
    let webhooks = follower.end().await?;
    let ledger = line.get("ledger").await?;
    let messages = ledger["messages"].as_array().context("a ledger has messages")?;
    let chats = evidence::chats(&pages, &webhooks, messages, &facts)?;
    drop(aftermath);
    if left.is_empty() {
        left = left_over(&place).await?;
    }
    let mut verdict = check::all(&chats);
    verdict.findings.extend(evidence::strays(messages));
    let report = Report {
        verdict,
        counts: tally.get(),
        kinds: [harm::names(&place), faults::names()].concat(),
        chats: chats.len(),
        requests: chats.iter().map(|chat| chat.asked.len()).sum(),
        timers: chats
            .iter()
            .flat_map(|chat| &chat.asked)
            .filter(|asked| matches!(asked.ask, yamabiko_chaos::Ask::Timer(_)))
            .count(),
        messages: chats.iter().map(|chat| chat.heard.len()).sum(),
        left_over: left,
        dead: facts.dead,
        finished_after,
        disk_was_full: place.disk.can_be_full(),
        options,
    };
    simulator.stop().await;
    if !report.passed() {
        keep(folder)?;
    }
    Ok(report)
}

/// The time after the last harm.
struct Calm<'a> {
    herd: &'a Herd,
    aftermath: &'a Aftermath,
    follower: &'a Follower,
    since: Instant,
}

impl Calm<'_> {
    /// Waits until the bot has nothing left to do for a while, or patience is over.
    async fn finish(&self, patience: Duration) -> anyhow::Result<()> {
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < QUIET && self.since.elapsed() < patience {
            self.herd.look_after();
            if self.aftermath.live().await? > 0 || self.follower.is_waiting() {
                quiet_since = Instant::now();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

/// Keeps the logs of the processes for whoever looks for the reason.
fn keep(folder: tempfile::TempDir) -> anyhow::Result<()> {
    let kept = folder.keep();
    writeln!(std::io::stderr(), "the logs are in {}", kept.display())?;
    Ok(())
}
