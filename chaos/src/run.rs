//! One run from start to end: the bot and its surroundings, the harm, the calm, and the reckoning.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use yamabiko_chaos::Place as BotPlace;
use yamabiko_queue::JobRecord;
use yamabiko_simulator::Simulator;

use crate::{
    aftermath::{Aftermath, describe, left_over, untold},
    book::Book,
    case,
    check::{self, Finding, Wrong},
    clocks::WallClock,
    conversation::Conversation,
    disk::Disk,
    evidence::{self, Evidence},
    faults::{self, Faults},
    harm::{self, Harms, Targets},
    herd::Herd,
    line::{self, Line},
    media,
    options::{DiskFull, Options},
    place::{Kind, Place},
    process::Setup,
    report::Report,
    tally::Tally,
    users::{self, Users},
    webhooks::Follower,
    wire::Wire,
};

/// How often to look whether the bot has finished.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often each of the bot's own places must have panicked in a minute at least.
const PANICS_A_MINUTE: f64 = 0.5;
/// How often a chat must have ended very many timers in a minute at least.
const HOARDS_A_MINUTE: f64 = 1.0;
/// How often a job's record must have been damaged in each way in a minute at least.
const DAMAGES_A_MINUTE: f64 = 1.0;
/// For how long the bot must have nothing to do: a webhook may still be held back for that long.
const QUIET: Duration = Duration::from_secs(4);

/// A bot in several processes, and all that is around it.
#[derive(Debug)]
pub(crate) struct Run<C: Conversation> {
    options: Options,
    targets: Targets,
    simulator: Simulator,
    line: Line,
    follower: Follower,
    book: Arc<Book<C>>,
    /// Goes last: what is mounted in it must be gone first.
    folder: TempDir,
}

impl<C: Conversation> Run<C> {
    /// Starts everything, and waits until the bot is ready.
    pub(crate) async fn start(options: Options) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("chaos-").tempdir()?;
        let place = Arc::new(
            Place::start(&options, C::BOT, disk(&options, &folder)?, folder.path()).await?,
        );
        let clock = Arc::new(WallClock::start(folder.path(), "clock-of-the-bot")?);
        let tally = Arc::new(Tally::default());
        let (ports, web_ports) = Herd::ports()?;
        let web = Wire::start(web_ports).await?;
        let (simulator, line) = Line::start(web.port()).await?;
        let setup = Setup {
            program: options.program()?,
            store_url: place.url(),
            line_url: line.url().to_owned(),
            secret: line::SECRET.to_owned(),
            token: line::TOKEN.to_owned(),
            settings: C::settings(web.port(), folder.path()),
            clock: clock.shared_environment().into(),
            tally: Arc::clone(&tally),
            logs: folder.path().to_owned(),
        };
        let herd = Herd::start(&setup, &ports, &tally)?;
        let http = line.http().clone();
        herd.measure_return(&http, Instant::now(), || true).await;
        let misdeeds = tally.get().misdeeds;
        if !misdeeds.is_empty() {
            bail!("the bot does not start: {misdeeds:?}");
        }
        tally.forget_returns();
        let follower = Follower::start(line.clone());
        let targets = Targets { herd, place, clock, web, line: line.clone(), tally };
        let book = Arc::new(Book::new());
        Ok(Self { options, folder, targets, simulator, line, follower, book })
    }

    /// Lets users write while everything breaks, for as long as was asked for.
    pub(crate) async fn break_everything(&self) -> anyhow::Result<()> {
        let seed = self.options.seed;
        let users = Users::start(&self.targets, &self.book, seed).await?;
        let chats: Vec<_> = self.book.read().into_iter().map(|page| page.user).collect();
        let faults = Faults::switch_on(&self.line, seed, C::LOAD.faults, &chats).await?;
        let mut harms = Harms::start(&self.targets, seed, C::endpoint());
        tokio::select! {
            () = tokio::time::sleep(self.options.time()) => {}
            error = harms.failed() => return Err(error),
        }
        // What is being broken is broken to its end.
        drop(harms);
        users.stop().await?;
        self.targets.herd.calm().await;
        self.targets.place.calm().await;
        faults.switch_off(&self.line, &self.targets.tally).await
    }

    /// Lets the bot finish, stops it, and reckons.
    pub(crate) async fn end(self) -> anyhow::Result<Report> {
        let place = &self.targets.place;
        let calm_since = Instant::now();
        let aftermath = Aftermath::open(place, C::BOT).await?;
        // What LINE delivers again may pile up timers once more.
        while self.follower.is_waiting() && calm_since.elapsed() < self.options.patience() {
            self.targets.herd.look_after();
            tokio::time::sleep(LOOK_EVERY).await;
        }
        users::end_piles(&self.line, &self.book).await?;
        self.finish(&aftermath, calm_since).await?;
        users::last_words(&self.line, &self.book).await?;
        self.finish(&aftermath, calm_since).await?;
        let finished_after = calm_since.elapsed();
        let (live, outliving) = aftermath.live::<C>().await?;
        let ledger = self.line.get("ledger").await?;
        let messages = ledger["messages"].as_array().context("a ledger has messages")?;
        let (pictures, missing) = media::look(self.line.http(), messages).await?;
        self.targets.herd.end().await;
        aftermath.end(&outliving).await?;

        let pages = self.book.read();
        let traffic = self.follower.end().await?;
        let clock_steps = match &place.kind {
            Kind::Sqlite(_) => self.targets.clock.steps(),
            Kind::Redis(redis) => redis.clock.steps(),
        };
        let set_aside = place.set_aside().await?;
        let used_up = self.targets.tally.get().used_up;
        let facts = aftermath
            .facts::<C>(
                &pages,
                &traffic.refusals,
                &clock_steps,
                &set_aside,
                &used_up,
                &place.losses(),
            )
            .await?;
        self.simulator.stop().await;
        let Evidence { chats, strays } = evidence::gather(
            &pages,
            &traffic.events,
            messages,
            &facts,
            &clock_steps,
            &place.losses(),
        )?;
        let mut verdict = check::all(&chats);
        verdict.findings.extend(strays.into_iter().chain(missing));
        verdict.findings.extend(facts.wrongly_marked.iter().map(wrongly_marked));
        verdict.findings.extend(C::forgotten(&live).into_iter().map(forgotten));
        let untold = untold(place, C::BOT, &set_aside).await;
        verdict.findings.extend(untold.map(|text| Finding {
            wrong: Wrong::HalfDone,
            user: String::new(),
            text,
        }));
        case::write_timeline(self.folder.path(), &self.targets.tally.get())?;
        case::write(self.folder.path(), &verdict, &chats, &traffic, &aftermath).await?;
        drop(aftermath);
        let asked = chats.iter().flat_map(|chat| &chat.asked);
        let faults = faults::names().into_iter().map(|name| (name, C::LOAD.faults_a_minute));
        let panics = C::endpoint().is_some().then_some(BotPlace::ALL).into_iter().flatten();
        let panics = panics.map(|place| (place.name(), PANICS_A_MINUTE));
        self.targets.tally.add(users::REVOKED, verdict.revoked);
        let of_chats = [users::STANDBY, users::REVOKED].map(|name| (name, C::LOAD.faults_a_minute));
        let by_users =
            of_chats.into_iter().chain(C::pile().map(|_| (users::HOARD, HOARDS_A_MINUTE)));
        let bulky = C::bulky(&mut fastrand::Rng::new());
        let damages = place.damages().iter().filter(|_| bulky.is_some());
        let damages = damages.map(|damage| (damage.name(), DAMAGES_A_MINUTE));
        let needed = harm::needed(place)
            .into_iter()
            .chain(faults)
            .chain(by_users)
            .chain(damages)
            .chain(panics);
        let report = Report {
            verdict,
            counts: self.targets.tally.get(),
            needed: needed.collect(),
            chats: chats.len(),
            requests: asked.clone().count(),
            timers: asked.filter(|asked| C::due(&asked.ask, asked.at).is_some()).count(),
            load: C::LOAD,
            pictures,
            messages: chats.iter().map(|chat| chat.heard.len()).sum(),
            left_over: if live.is_empty() {
                left_over(place, C::BOT, &set_aside, &pages).await?
            } else {
                live.iter().map(describe).collect()
            },
            dead: facts.dead,
            finished_after,
            disk_was_full: place.disk.can_be_full(),
            options: self.options,
        };
        if !report.passed() {
            keep(self.folder)?;
        }
        Ok(report)
    }

    /// Waits until the bot has nothing left to do for a while, or patience is over.
    async fn finish(&self, aftermath: &Aftermath, since: Instant) -> anyhow::Result<()> {
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < QUIET && since.elapsed() < self.options.patience() {
            self.targets.herd.look_after();
            if !aftermath.is_over::<C>().await? || self.follower.is_waiting() {
                quiet_since = Instant::now();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

fn forgotten(record: &JobRecord) -> Finding {
    Finding {
        wrong: Wrong::HalfDone,
        user: record.job.chat.clone().unwrap_or_default(),
        text: format!("should have ended with another job: {}", describe(record)),
    }
}

fn wrongly_marked(record: &JobRecord) -> Finding {
    Finding {
        wrong: Wrong::InStandby,
        user: record.job.chat.clone().unwrap_or_default(),
        text: format!("should carry the mode of its event: {}", describe(record)),
    }
}

fn disk(options: &Options, folder: &TempDir) -> anyhow::Result<Disk> {
    match Disk::mount(folder.path()) {
        Err(_) if options.disk_full == DiskFull::IfPossible => Disk::plain(folder.path()),
        disk => disk.context(
            "no small file system can be mounted, so the disk cannot get full: \
             run as root, or in `unshare --map-root-user --mount`, or leave it out by `--disk-full if-possible`",
        ),
    }
}

/// Keeps the logs of the processes for whoever looks for the reason.
fn keep(folder: TempDir) -> anyhow::Result<()> {
    let kept = folder.keep();
    writeln!(std::io::stderr(), "the logs are in {}", kept.display())?;
    Ok(())
}
