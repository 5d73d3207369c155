//! What is felt of timers, webhooks and replies while the keyword bot looks texts up and makes collages on all cores.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use crate::{
    bot::{
        line::{Line, User},
        process::Bot,
    },
    figures::Figure,
    topic::Bench,
};

mod probes;
mod stock;
mod wiki;

use probes::{Felt, Probes, TEXTS, TIMERS, WEBHOOKS};
use stock::Stock;
use wiki::Wiki;

/// The bot's name, by which it finds its own in a store.
const BOT: &str = "keyword-bot";
/// The last line of every answer.
const LAST: &str = "おわた";
/// How long a user waits for an answer before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Users who have a text looked up at the same moment.
    users: u32,
    /// How long the same is measured without them.
    alone: Duration,
    /// The sides of the pictures in pixels.
    picture: (u32, u32),
    /// How many bytes of text a search finds.
    text: usize,
}

const FULL: Sizes =
    Sizes { users: 50, alone: Duration::from_secs(20), picture: (4096, 3072), text: 1_900_000 };
const QUICK: Sizes =
    Sizes { users: 3, alone: Duration::from_millis(500), picture: (240, 160), text: 10_000 };

/// Measures the same twice: while nothing else is to be done, and beside research of many users.
pub(crate) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let sizes = bench.size(FULL, QUICK);
    let Sizes { users, alone, .. } = sizes;
    let fresh = bench.fresh()?;
    let wiki = Wiki::start(Stock::new(sizes.picture, sizes.text)?).await?;
    let line = Line::start().await?;
    let media = format!("file:{}", fresh.media().display());
    let settings = [
        ("MEDIAWIKI_URL", wiki.url()),
        ("MEDIAWIKI_REQUESTS_PER_SECOND", "100"),
        // The store has to remember each timer until the end.
        ("RETENTION_COMPLETED_MAX", "1000000"),
        ("MEDIA_STORE", &media),
        ("MEDIA_URL", "https://bot.example.com/media"),
    ];
    let bot = Bot::start_program(BOT, "all", &fresh, Some(&line), &settings).await?;
    let mut probes = Probes::prepare(&bot, &fresh, &line).await?;

    let rest = probes.during(alone, async { tokio::time::sleep(alone).await }).await?;
    let mut researchers = Vec::new();
    for _ in 0..users {
        researchers.push(line.user().await?);
    }
    let busy = probes.during(PATIENCE, research(researchers)).await?;
    let beside = format!("beside {users} heavy jobs");
    let pairs = felt("alone", &rest).into_iter().zip(felt(&beside, &busy));
    bench.note_all(pairs.flat_map(|(alone, beside)| [alone, beside]));

    let answered = busy.result?;
    let pictures = u64::from(users) * wiki::PICTURES_OF_A_JOB;
    let served = wiki.served();
    ensure!(served == pictures, "{served} pictures were fetched where {pictures} are needed");
    let idle = rest.cpu.as_secs_f64() / rest.took.as_secs_f64();
    let work = busy.cpu.as_secs_f64() - idle * busy.took.as_secs_f64();
    let setting = format!("`{BOT} all`, {users} users write at once");
    let figure = |what: &str, value, unit| Figure::new(what, value, unit, setting.as_str());
    let (width, height) = sizes.picture;
    let job = format!(
        "the process's, less what it takes alone; a job reads {:.1} MB of text, {} pictures of {width} × {height}",
        f64::from(u32::try_from(sizes.text)?) / 1e6,
        wiki::PICTURES_OF_A_JOB,
    );
    bench.note_all([
        Figure::new("CPU of a heavy job", work / f64::from(users), "s", job),
        figure("heavy jobs answered", f64::from(u32::try_from(answered.len())?), "jobs"),
        figure("first answer after", least(&answered), "s"),
        figure("last answer after", busy.took.as_secs_f64(), "s"),
        figure("most resident memory", bot.peak()?, "MiB"),
    ]);
    Ok(())
}

/// Lets each user have a text looked up at the same moment; returns how many seconds each waited.
async fn research(users: Vec<User>) -> anyhow::Result<Vec<f64>> {
    let began = Instant::now();
    let mut waiting = JoinSet::new();
    for (number, mut user) in (0..).zip(users) {
        waiting.spawn(async move {
            user.says(&wiki::question(number)).await?;
            loop {
                let message = user.hears_within(PATIENCE).await?;
                let text = message["text"].as_str().unwrap_or_default();
                if text.ends_with(LAST) {
                    return anyhow::Ok(began.elapsed().as_secs_f64());
                }
            }
        });
    }
    waiting.join_all().await.into_iter().collect::<anyhow::Result<_>>().context("research")
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Returns the figures of all that was felt in one situation.
fn felt<T>(situation: &str, felt: &Felt<T>) -> Vec<Figure> {
    let shown = [("p50", 50.0), ("p99", 99.0), ("max", 100.0)];
    let figures = |what: &str, times: &[f64], how: &str| {
        let setting = format!("{} {how}", times.len());
        Figure::percentiles(&format!("{what} {situation}"), times, &shown, &setting)
    };
    let [webhooks, timers, texts] =
        [(WEBHOOKS, "signed webhooks"), (TIMERS, "timers"), (TEXTS, "texts of users")]
            .map(|(a_second, what)| format!("{what}, {a_second} a second"));
    [
        figures("webhook to 200", &felt.webhooks, &webhooks),
        figures("timer lateness", &felt.late, &timers),
        figures("timer's due time to its end", &felt.ended, &timers),
        figures("text to reply", &felt.replies, &texts),
    ]
    .concat()
}
