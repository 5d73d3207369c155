//! The whole timer bot, as its users build and start it.

use std::time::Duration;

use crate::{
    figures::{Figure, shown},
    fresh::Fresh,
    punctuality::millis,
    topic::Bench,
};

pub(crate) mod body;
mod conversation;
pub(crate) mod line;
pub(crate) mod process;
pub(crate) mod webhooks;

use process::Bot;

/// The bot's name, by which it finds its own in a store.
pub(crate) const BOT: &str = "timer-bot";
/// The secret with which webhooks are signed.
const SECRET: &str = "a-secret-of-the-benchmark";
/// How long the bot rests before its memory is measured.
pub(crate) const REST: Duration = Duration::from_secs(3);

/// Measures all of it.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let rest = bench.size(REST, Duration::from_millis(200));
    bench.note_all(at_rest(&bench.fresh()?, rest).await?);
    let n = bench.size(20_000, 1000);
    bench.note_all(webhooks::measure(&bench.fresh()?, n, rest).await?);
    let sizes = bench.size(conversation::FULL, conversation::QUICK);
    bench.note_all(conversation::measure(&bench.fresh()?, sizes).await?);
    Ok(())
}

/// Measures how fast the whole bot starts, and how much memory it takes after some rest.
async fn at_rest(fresh: &Fresh, rest: Duration) -> anyhow::Result<[Figure; 2]> {
    let bot = Bot::start("all", fresh, None).await?;
    tokio::time::sleep(rest).await;
    let setting = format!("`{BOT} all`, new store, {} s after its start", rest.as_secs_f64());
    Ok([
        Figure::new("start to /ready", millis(bot.start), "ms", format!("`{BOT} all`, new store")),
        Figure::new("resident memory at rest", bot.memory()?, "MiB", setting),
    ])
}

/// Measures how much memory the whole bot takes whose store has so many timers pending.
pub(crate) async fn memory_beside(
    fresh: &Fresh,
    pending: u32,
    rest: Duration,
) -> anyhow::Result<Figure> {
    let bot = Bot::start("all", fresh, None).await?;
    tokio::time::sleep(rest).await;
    let setting = format!("`{BOT} all`, {} s after its start", rest.as_secs_f64());
    let what = format!("resident memory of the bot beside {} pending", shown(pending.into()));
    Ok(Figure::new(what, bot.memory()?, "MiB", setting))
}
