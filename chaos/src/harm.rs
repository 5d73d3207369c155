//! What breaks, how often and for how long.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use crate::{
    clocks::{WallClock, now_ms},
    herd::{Herd, KILLED, LEASE},
    line::Line,
    place::{Kind, Place},
    refusals::UsedUp,
    tally::Tally,
    wire::Wire,
};

/// By how many seconds a clock is set ahead, or back.
const CLOCK_STEPS: RangeInclusive<i64> = 60..=2 * 60 * 60;
/// How often an endpoint of the bot is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// The keys of a Redis that are overwritten: what they hold can be known without them, and until it is, no chat sees a difference
/// but in time. Without `lanes`, the order of a lane may change; without `timers`, a list lacks some.
const KEYS: [&str; 4] = ["lease", "queues", "ready:events", "ready:outbox"];

/// All that can be broken.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    pub(crate) herd: Herd,
    pub(crate) place: Arc<Place>,
    /// The bot's processes'.
    pub(crate) clock: Arc<WallClock>,
    /// Between LINE and the processes that take webhooks.
    pub(crate) web: Wire,
    pub(crate) line: Line,
    pub(crate) tally: Arc<Tally>,
}

/// A way of breaking something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Kill,
    KillInCommit,
    FreezeInCommit,
    Stop,
    Freeze,
    LoseWebhookAnswers,
    CutStore,
    LoseStoreRequests,
    LoseStoreAnswers,
    SwallowStoreAnswers,
    DelayStoreAnswers,
    TakeStoreAway,
    FillDisk,
    UseUpMonth,
    Beset,
    StallLog,
    CloseLog,
    StepClock,
    StepStoreClock,
    OverwriteKey,
    FailOver,
}

impl Harm {
    const ALL: [Self; 21] = [
        Self::Kill,
        Self::KillInCommit,
        Self::Stop,
        Self::Freeze,
        Self::LoseWebhookAnswers,
        Self::CutStore,
        Self::LoseStoreAnswers,
        Self::TakeStoreAway,
        Self::FillDisk,
        Self::FreezeInCommit,
        Self::SwallowStoreAnswers,
        Self::DelayStoreAnswers,
        Self::UseUpMonth,
        Self::Beset,
        Self::StallLog,
        Self::CloseLog,
        Self::StepClock,
        Self::StepStoreClock,
        Self::FailOver,
        Self::OverwriteKey,
        Self::LoseStoreRequests,
    ];

    /// Returns how often it happens, in times a minute; what cannot happen here does not.
    fn per_minute(self, place: &Place) -> f64 {
        let on_redis = matches!(place.kind, Kind::Redis(_));
        match self {
            Self::Kill => 26.0,
            Self::KillInCommit | Self::FreezeInCommit if on_redis => 0.0,
            Self::CutStore
            | Self::LoseStoreRequests
            | Self::LoseStoreAnswers
            | Self::SwallowStoreAnswers
            | Self::DelayStoreAnswers
            | Self::StepStoreClock
            | Self::OverwriteKey
                if !on_redis =>
            {
                0.0
            }
            Self::FailOver if !place.fails_over => 0.0,
            Self::FillDisk if !place.disk.can_be_full() => 0.0,
            // Now and then no process is found in the middle of a commit.
            Self::KillInCommit => 12.0,
            Self::Stop => 8.0,
            Self::Freeze => 10.0,
            Self::LoseWebhookAnswers
            | Self::CutStore
            | Self::LoseStoreRequests
            | Self::LoseStoreAnswers => 8.0,
            Self::TakeStoreAway | Self::FillDisk | Self::UseUpMonth => 6.0,
            Self::Beset | Self::StallLog | Self::CloseLog => 4.0,
            // Each costs all processes a time-out.
            Self::SwallowStoreAnswers => 3.0,
            Self::OverwriteKey => 3.0,
            // Each is an outage of several seconds.
            Self::FreezeInCommit
            | Self::DelayStoreAnswers
            | Self::StepClock
            | Self::StepStoreClock
            | Self::FailOver => 2.0,
        }
    }

    /// Returns whether the bot, or a role of it, cannot use the store meanwhile, or finds its time out of joint.
    const fn is_outage(self) -> bool {
        matches!(
            self,
            Self::CutStore
                | Self::LoseStoreRequests
                | Self::LoseStoreAnswers
                | Self::SwallowStoreAnswers
                | Self::DelayStoreAnswers
                | Self::TakeStoreAway
                | Self::FillDisk
                | Self::FreezeInCommit
                | Self::StepClock
                | Self::StepStoreClock
                | Self::FailOver
        )
    }

    /// Returns what the ledger calls it, and how often it must happen in a minute at least.
    fn row(self, place: &Place) -> (&'static str, f64) {
        match self {
            Self::Kill => (KILLED, 5.0),
            Self::KillInCommit => ("process killed in the middle of a commit", 5.0),
            Self::FreezeInCommit => {
                ("process frozen in the middle of a commit for longer than a lease", 1.0)
            }
            Self::Stop => ("process stopped (SIGTERM)", 5.0),
            Self::Freeze => ("process frozen for longer than its lease (SIGSTOP)", 5.0),
            Self::LoseWebhookAnswers => ("answers to webhooks lost", 5.0),
            Self::CutStore => ("connections to the store cut", 5.0),
            Self::LoseStoreRequests => ("requests to the store lost", 5.0),
            Self::LoseStoreAnswers => ("answers of the store lost", 5.0),
            Self::SwallowStoreAnswers => ("answers of the store swallowed, connections open", 2.0),
            Self::DelayStoreAnswers => ("answers of the store delayed past a lease", 1.0),
            Self::TakeStoreAway => match place.kind {
                Kind::Sqlite(_) => ("file locked by another program", 4.0),
                Kind::Redis(_) => ("Redis killed and started again", 4.0),
            },
            Self::FillDisk => ("disk full", 3.0),
            Self::Beset => ("crowd of silent clients on the public port", 1.0),
            Self::StallLog => ("reader of a log stalled", 2.0),
            Self::CloseLog => ("reader of a log gone", 2.0),
            Self::StepClock => ("wall clock of the processes set by up to 2 h, and back", 1.0),
            Self::StepStoreClock => ("wall clock of Redis set by up to 2 h, and back", 1.0),
            Self::OverwriteKey => ("key of the bot on Redis overwritten with another type", 1.0),
            Self::FailOver => ("replica of Redis promoted without the last second", 1.0),
            Self::UseUpMonth => ("the month's messages used up, and free again", 5.0),
        }
    }
}

/// For how long outages follow each other.
const BURST: Duration = Duration::from_secs(25);
/// For how long none begins then.
///
/// The claim of a process that died ends only once there was no outage for a lease (C3). A chat must not have to wait for that
/// so long that what comes late cannot be told from what is lost.
const CALM: Duration = Duration::from_secs(15);

/// Breaks things until dropped.
#[derive(Debug)]
pub(crate) struct Harms {
    running: JoinSet<anyhow::Result<()>>,
}

impl Harms {
    /// Begins to break things; the seed says when.
    ///
    /// The endpoint is the bot's, if it has one, and is asked all the time.
    pub(crate) fn start(targets: &Targets, seed: u64, endpoint: Option<&'static str>) -> Self {
        let mut running = JoinSet::new();
        for (number, harm) in (0..).zip(Harm::ALL) {
            let rate = harm.per_minute(&targets.place);
            if rate > 0.0 {
                let dice = fastrand::Rng::with_seed(seed.wrapping_mul(7919) + number);
                running.spawn(repeat(harm, rate, targets.clone(), dice));
            }
        }
        running.spawn(look_after(targets.herd.clone()));
        if let Some(endpoint) = endpoint {
            running.spawn(ask(targets.clone(), endpoint));
        }
        Self { running }
    }

    /// Fails if something could not be broken.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.running.join_next().await {
            Some(Ok(Err(error))) => error,
            other => anyhow::anyhow!("a harm ended: {other:?}"),
        }
    }
}

/// Does the same harm again and again; each time is done to its end even if this is dropped.
async fn repeat(
    harm: Harm,
    per_minute: f64,
    targets: Targets,
    mut dice: fastrand::Rng,
) -> anyhow::Result<()> {
    let mut mean = Duration::from_secs_f64(60.0 / per_minute);
    if harm.is_outage() {
        mean = mean.mul_f64(BURST.as_secs_f64() / (BURST + CALM).as_secs_f64());
    }
    let (began, mut spent) = (Instant::now(), Duration::ZERO);
    for round in 0_u64.. {
        spent += mean.mul_f64(0.5 + dice.f64());
        let after = if harm.is_outage() { with_calms(spent) } else { spent };
        tokio::time::sleep_until(began + after).await;
        let times = Times::draw(&mut dice, round);
        let targets = targets.clone();
        tokio::spawn(async move { targets.harm(harm, times).await }).await??;
    }
    Ok(())
}

/// Returns when a time has passed that only bursts have a part in.
fn with_calms(spent: Duration) -> Duration {
    let calms = u32::try_from(spent.as_secs() / BURST.as_secs()).unwrap_or(u32::MAX);
    spent + CALM * calms
}

async fn look_after(herd: Herd) -> anyhow::Result<()> {
    loop {
        herd.look_after();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Asks an endpoint of the bot all the time: it answers, or fails by itself.
async fn ask(targets: Targets, endpoint: &str) -> anyhow::Result<()> {
    loop {
        targets.herd.ask(targets.line.http(), endpoint).await;
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// How long something lasts.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// Of an outage: each length is as likely as another.
    outage: Duration,
    /// Of something that happens often beside the outages.
    moment: Duration,
    /// Until what was ended begins again.
    gap: Duration,
    /// Longer than a lease.
    past_a_lease: Duration,
    /// Whether a log's reader that stalls goes on before the process is started again.
    is_brief: bool,
    /// Which of the keys is overwritten.
    key: usize,
    /// By how many seconds a clock is set ahead, or back.
    clock_step: i64,
}

impl Times {
    /// Draws the times of a round, from 0; a clock is set ahead and back by turns.
    fn draw(dice: &mut fastrand::Rng, round: u64) -> Self {
        let clock_step = dice.i64(CLOCK_STEPS);
        Self {
            outage: Duration::from_millis(dice.u64(100..8_000)),
            moment: Duration::from_millis(dice.u64(50..1_200)),
            gap: Duration::from_millis(dice.u64(0..1_500)),
            past_a_lease: LEASE + Duration::from_millis(dice.u64(200..3_000)),
            is_brief: dice.bool(),
            key: dice.usize(..KEYS.len()),
            clock_step: if round.is_multiple_of(2) { clock_step } else { -clock_step },
        }
    }
}

impl Targets {
    async fn harm(&self, harm: Harm, times: Times) -> anyhow::Result<()> {
        let (name, _) = harm.row(&self.place);
        match harm {
            Harm::Kill => self.herd.kill(times.gap).await,
            Harm::KillInCommit => {
                if let Some(lock) = self.place.write_lock()
                    && self.herd.kill_in_commit(&lock, times.gap).await
                {
                    self.tally.broke(name);
                }
            }
            Harm::FreezeInCommit => {
                if let Some(lock) = self.place.write_lock()
                    && self.herd.freeze_in_commit(&lock, times.past_a_lease).await
                {
                    self.tally.outage(name, times.past_a_lease);
                    self.measure_return();
                }
            }
            Harm::Stop => {
                if self.herd.stop(times.gap).await {
                    self.tally.broke(name);
                }
            }
            Harm::Freeze => {
                let time = LEASE + 2 * times.gap + Duration::from_secs(1);
                if self.herd.freeze(time).await {
                    self.tally.broke(name);
                }
            }
            Harm::LoseWebhookAnswers => {
                self.web.lose_answers();
                self.tally.broke(name);
            }
            Harm::CutStore => self.on_wire(name, Wire::cut),
            Harm::LoseStoreRequests => self.on_wire(name, Wire::lose_requests),
            Harm::LoseStoreAnswers => self.on_wire(name, Wire::lose_answers),
            Harm::SwallowStoreAnswers => self.on_wire(name, Wire::swallow_answers),
            Harm::DelayStoreAnswers => {
                if let Kind::Redis(redis) = &self.place.kind {
                    redis.wire.delay_answers(times.past_a_lease).await;
                    self.tally.outage(name, times.past_a_lease);
                    self.measure_return();
                }
            }
            Harm::TakeStoreAway => {
                self.place.take_away(times.outage).await?;
                self.tally.outage(name, times.outage);
                self.measure_return();
            }
            Harm::FillDisk => {
                self.place.fill_disk(times.moment).await?;
                self.tally.outage(name, times.moment);
                self.measure_return();
            }
            Harm::Beset => {
                if self.herd.beset(times.past_a_lease).await {
                    self.tally.broke(name);
                }
            }
            Harm::StallLog => {
                self.herd.stall_log(Some(times.outage).filter(|_| times.is_brief)).await;
                self.tally.broke(name);
            }
            Harm::CloseLog => {
                self.herd.close_log();
                self.tally.broke(name);
            }
            Harm::StepClock => {
                self.clock.step(times.clock_step, times.outage).await?;
                self.tally.broke(name);
            }
            Harm::StepStoreClock => {
                if let Kind::Redis(redis) = &self.place.kind {
                    redis.clock.step(times.clock_step, times.outage).await?;
                    self.tally.broke(name);
                }
            }
            Harm::OverwriteKey => {
                let key = KEYS[times.key];
                let what = format!("{key} was overwritten");
                self.tally.note(what.clone());
                if !self.place.overwrite_key(key).await? {
                    self.tally.misdeed(format!("{what}, and the bot does not set it aside"));
                }
                self.tally.broke(name);
            }
            Harm::FailOver => {
                self.place.fail_over(times.moment).await?;
                self.tally.broke(name);
                self.measure_return();
            }
            Harm::UseUpMonth => {
                let from = now_ms();
                self.line.use_up_month(true).await?;
                tokio::time::sleep(times.moment).await;
                self.line.use_up_month(false).await?;
                self.tally.used_up(UsedUp { from, until: now_ms() });
                self.tally.broke(name);
            }
        }
        Ok(())
    }

    /// Breaks the connections to the store, where they can be broken.
    fn on_wire(&self, name: &'static str, harm: impl FnOnce(&Wire)) {
        if let Kind::Redis(redis) = &self.place.kind {
            harm(&redis.wire);
            self.tally.broke(name);
        }
    }

    fn measure_return(&self) {
        let (herd, http, place) =
            (self.herd.clone(), self.line.http().clone(), Arc::clone(&self.place));
        let (since, outages) = (std::time::Instant::now(), place.outages());
        let is_there = move || place.outages() == outages;
        tokio::spawn(async move { herd.measure_return(&http, since, is_there).await });
    }
}

/// Returns the names of what must be broken, with how often in a minute at least.
pub(crate) fn needed(place: &Place) -> Vec<(&'static str, f64)> {
    let possible = Harm::ALL.into_iter().filter(|harm| harm.per_minute(place) > 0.0);
    possible.map(|harm| harm.row(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_come_in_bursts_with_a_calm_behind_each() {
        let seconds = |spent| with_calms(Duration::from_secs(spent)).as_secs();
        assert_eq!([0, 24, 25, 49, 50].map(seconds), [0, 24, 40, 64, 80]);
    }
}
