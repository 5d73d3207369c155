//! What breaks, how often and for how long.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use crate::{
    herd::{Herd, LEASE},
    place::{Kind, Place},
    tally::Tally,
    wire::Wire,
};

/// All that can be broken.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    pub(crate) herd: Herd,
    pub(crate) place: Arc<Place>,
    /// Between LINE and the processes that take webhooks.
    pub(crate) web: Wire,
    pub(crate) tally: Arc<Tally>,
    pub(crate) http: reqwest::Client,
}

/// A way of breaking something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Kill,
    KillInCommit,
    Stop,
    Freeze,
    LoseWebhookAnswers,
    CutStore,
    LoseStoreAnswers,
    TakeStoreAway,
    FillDisk,
}

impl Harm {
    /// Returns how often it happens, in times a minute; what cannot happen here does not.
    fn per_minute(self, place: &Place) -> f64 {
        let on_redis = matches!(place.kind, Kind::Redis(_));
        match self {
            Self::Kill => 26.0,
            Self::KillInCommit if on_redis => 0.0,
            Self::CutStore | Self::LoseStoreAnswers if !on_redis => 0.0,
            Self::FillDisk if !place.disk.can_be_full() => 0.0,
            // Now and then nobody is found in the middle of a commit.
            Self::KillInCommit => 12.0,
            Self::Stop => 8.0,
            Self::Freeze => 10.0,
            Self::LoseWebhookAnswers | Self::CutStore | Self::LoseStoreAnswers => 8.0,
            Self::TakeStoreAway | Self::FillDisk => 6.0,
        }
    }
}

/// Breaks things until dropped.
#[derive(Debug)]
pub(crate) struct Harms {
    running: JoinSet<anyhow::Result<()>>,
}

impl Harms {
    /// Begins to break things; the seed says when.
    pub(crate) fn start(targets: &Targets, seed: u64) -> Self {
        let all = [
            Harm::Kill,
            Harm::KillInCommit,
            Harm::Stop,
            Harm::Freeze,
            Harm::LoseWebhookAnswers,
            Harm::CutStore,
            Harm::LoseStoreAnswers,
            Harm::TakeStoreAway,
            Harm::FillDisk,
        ];
        let mut running = JoinSet::new();
        for (number, harm) in (0..).zip(all) {
            let rate = harm.per_minute(&targets.place);
            if rate > 0.0 {
                let dice = fastrand::Rng::with_seed(seed.wrapping_mul(7919) + number);
                running.spawn(repeat(harm, rate, targets.clone(), dice));
            }
        }
        running.spawn(look_after(targets.herd.clone()));
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
    let mean = Duration::from_secs_f64(60.0 / per_minute);
    let mut next = Instant::now();
    loop {
        next += mean.mul_f64(0.5 + dice.f64());
        tokio::time::sleep_until(next).await;
        let (time, gap) = (outage(&mut dice), Duration::from_millis(dice.u64(0..1500)));
        let targets = targets.clone();
        tokio::spawn(async move { targets.harm(harm, time, gap).await }).await??;
    }
}

async fn look_after(herd: Herd) -> anyhow::Result<()> {
    loop {
        herd.look_after();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Draws how long something is away: mostly a moment, sometimes longer than a lease.
fn outage(dice: &mut fastrand::Rng) -> Duration {
    let ms = if dice.u32(0..8) == 0 { dice.u64(2_500..8_000) } else { dice.u64(50..1_200) };
    Duration::from_millis(ms)
}

impl Targets {
    async fn harm(&self, harm: Harm, time: Duration, gap: Duration) -> anyhow::Result<()> {
        match harm {
            Harm::Kill => self.herd.kill(gap).await,
            Harm::KillInCommit => {
                if let Some(lock) = self.place.write_lock() {
                    self.herd.kill_in_commit(&lock, gap).await;
                }
            }
            Harm::Stop => self.herd.stop(gap).await,
            Harm::Freeze => self.herd.freeze(LEASE + 2 * gap + Duration::from_secs(1)).await,
            Harm::LoseWebhookAnswers => {
                self.web.lose_answers();
                self.tally.broke("answers to webhooks lost");
            }
            Harm::CutStore => {
                if let Kind::Redis(redis) = &self.place.kind {
                    redis.wire.cut();
                    self.tally.broke("connections to the store cut");
                }
            }
            Harm::LoseStoreAnswers => {
                if let Kind::Redis(redis) = &self.place.kind {
                    redis.wire.lose_answers();
                    self.tally.broke("answers of the store lost");
                }
            }
            Harm::TakeStoreAway => {
                self.place.take_away(time).await?;
                self.tally.outage(match self.place.kind {
                    Kind::Sqlite(_) => "file locked by another program",
                    Kind::Redis(_) => "Redis killed and started again",
                });
                self.measure_return();
            }
            Harm::FillDisk => {
                self.place.fill_disk(time).await?;
                self.tally.outage("disk full");
                self.measure_return();
            }
        }
        Ok(())
    }

    fn measure_return(&self) {
        let (herd, http, place) = (self.herd.clone(), self.http.clone(), Arc::clone(&self.place));
        let (since, outages) = (std::time::Instant::now(), place.outages());
        let is_there = move || place.outages() == outages;
        tokio::spawn(async move { herd.measure_return(&http, since, is_there).await });
    }
}

/// Returns the names of what must have been broken often enough.
pub(crate) fn names(place: &Place) -> Vec<&'static str> {
    let mut names = vec![
        "process killed (SIGKILL)",
        "process stopped (SIGTERM)",
        "process frozen for longer than its lease (SIGSTOP)",
        "answers to webhooks lost",
    ];
    match place.kind {
        Kind::Sqlite(_) => names
            .extend(["process killed in the middle of a commit", "file locked by another program"]),
        Kind::Redis(_) => names.extend([
            "connections to the store cut",
            "answers of the store lost",
            "Redis killed and started again",
        ]),
    }
    if place.disk.can_be_full() {
        names.push("disk full");
    }
    names
}
