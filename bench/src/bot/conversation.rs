//! The whole way: from what a user writes, over a signed webhook, to what the user sees.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{
    BOT,
    line::{Line, User},
    process::Bot,
};
use crate::{
    adapter::pause,
    figures::{Figure, rate},
    fresh::Fresh,
    punctuality::millis,
};

/// What users write: a timer that does not end here, so that each answer is a reply.
const LONG_TIMER: &str = "86400";
/// A timer that ends soon, with a push.
const SHORT_TIMER: &str = "1";
/// The same in milliseconds.
const SHORT: i64 = 1000;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// What one user writes, one after the other.
    one: u64,
    /// Users who write at the same time.
    users: u64,
    /// What each of them writes.
    each: u64,
}

pub(super) const FULL: Sizes = Sizes { one: 200, users: 64, each: 50 };
pub(super) const QUICK: Sizes = Sizes { one: 20, users: 8, each: 5 };

/// Measures replies to one user and to many, and pushes at the ends of timers.
pub(super) async fn measure(fresh: &Fresh, sizes: Sizes) -> anyhow::Result<Vec<Figure>> {
    let line = Line::start().await?;
    let _bot = Bot::start("all", fresh, Some(&line)).await?;
    let mut figures = one(&line, sizes).await?;
    figures.extend(many(&line, sizes).await?);
    figures.extend(pushes(&line, sizes).await?);
    Ok(figures)
}

async fn one(line: &Line, Sizes { one, .. }: Sizes) -> anyhow::Result<Vec<Figure>> {
    let mut user = newcomer(line).await?;
    let mut took = Vec::new();
    for _ in 0..one {
        took.push(ask(&mut user).await?);
        tokio::time::sleep(pause()).await;
    }
    let setting = format!("`{BOT} all` and the simulator, 1 user writes {one} times");
    Ok(percentiles("text to reply", &took, &setting))
}

async fn many(line: &Line, Sizes { users, each, .. }: Sizes) -> anyhow::Result<Vec<Figure>> {
    let mut all = Vec::new();
    for _ in 0..users {
        all.push(newcomer(line).await?);
    }
    let began = Instant::now();
    let mut talking = JoinSet::new();
    for mut user in all {
        talking.spawn(async move {
            let mut took = Vec::new();
            for _ in 0..each {
                took.push(ask(&mut user).await?);
            }
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::new();
    for one in talking.join_all().await {
        took.extend(one?);
    }
    let per_second = rate(users * each, began.elapsed());
    let setting = format!(
        "`{BOT} all` and the simulator, {users} users write {each} times, each after a reply"
    );
    let mut figures =
        vec![Figure::new("texts replied to", per_second, "texts/s", setting.as_str())];
    figures.extend(percentiles(&format!("text to reply, {users} users"), &took, &setting));
    Ok(figures)
}

/// Measures how long after the end of a timer its push arrives, by the simulator's clock.
async fn pushes(line: &Line, Sizes { users, .. }: Sizes) -> anyhow::Result<Vec<Figure>> {
    let mut waiting = JoinSet::new();
    for _ in 0..users {
        let mut user = newcomer(line).await?;
        waiting.spawn(async move {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..1000))).await;
            user.says(SHORT_TIMER).await?;
            user.hears().await?;
            user.hears().await?;
            // A newcomer has written once and got an answer; then came the text, the reply and the push.
            anyhow::Ok(user.time_of(5).await? - user.time_of(3).await? - SHORT)
        });
    }
    let mut late = Vec::new();
    for one in waiting.join_all().await {
        late.push(f64::from(i32::try_from(one?)?));
    }
    let setting = format!(
        "`{BOT} all` and the simulator, {users} timers of 1 s within a second, in whole ms"
    );
    Ok(percentiles("timer's end to push", &late, &setting))
}

/// Makes a user of whom the bot knows the profile already.
async fn newcomer(line: &Line) -> anyhow::Result<User> {
    let mut user = line.user().await?;
    ask(&mut user).await?;
    Ok(user)
}

async fn ask(user: &mut User) -> anyhow::Result<f64> {
    let began = Instant::now();
    user.says(LONG_TIMER).await?;
    user.hears().await?;
    Ok(millis(began.elapsed()))
}

fn percentiles(what: &str, took: &[f64], setting: &str) -> Vec<Figure> {
    Figure::percentiles(what, took, &[("p50", 50.0), ("p99", 99.0)], setting)
}
