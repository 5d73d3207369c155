//! What is measured while the bot does something else, or nothing: webhooks, timers and replies, each at a steady rate.
//!
//! All are planned before, and each time counts from the planned one, so that what comes late makes nothing else look faster.
//!
//! A timer here is a job of the bot's own that was started for later, the one that keeps the loading animation going; it waited for so long that it ends at once.
//! The store remembers when it was claimed and when it was over, so nothing of the measurement stands between a due time and what is noted.
//! A user feels the second: what a timer says is committed with its end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use yamabiko_queue::{Due, JobId, NewJob, Queue, State, Store, Timestamp};

use super::BOT;
use crate::{
    adapter::{BULK, not_before, store_all},
    bot::{
        body,
        line::{Line, User},
        process::Bot,
        webhooks::signed,
    },
    fresh::Fresh,
    http::Connection,
    punctuality::millis,
    record,
};

/// Webhooks a second.
pub(super) const WEBHOOKS: u32 = 30;
/// Connections that they take turns on.
const CONNECTIONS: u32 = 10;
/// Timers a second.
pub(super) const TIMERS: u32 = 20;
/// Texts a second.
pub(super) const TEXTS: u32 = 10;
/// Users who take turns to write them.
const USERS: u32 = 10;
/// What they write: nothing that can be looked up, so the reply is a hint.
const TEXT: &str = "😀";
/// How long the end of a timer is waited for that was due before.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between the preparation and the first of all.
const LEAD: Duration = Duration::from_millis(500);

/// What is needed to measure.
#[derive(Debug)]
pub(super) struct Probes<'a> {
    bot: &'a Bot,
    fresh: &'a Fresh,
    users: Vec<User>,
    /// The number of the next webhook, for its ids.
    next: u64,
}

/// What was measured while something went on; times are in milliseconds.
#[derive(Debug)]
pub(super) struct Felt<T> {
    /// What became of that.
    pub(super) result: T,
    /// How long it went on.
    pub(super) took: Duration,
    /// The processor time of the bot's process meanwhile.
    pub(super) cpu: Duration,
    /// From when a webhook was to be sent to its 200.
    pub(super) webhooks: Vec<f64>,
    /// From when a user was to write to when the user's page would show the reply.
    pub(super) replies: Vec<f64>,
    /// From a timer's due time to the start of its run, by the store's clock.
    pub(super) late: Vec<f64>,
    /// From a timer's due time to when its run was over and committed, by the store's clock.
    pub(super) ended: Vec<f64>,
}

impl<'a> Probes<'a> {
    /// Makes users whom the bot knows already.
    pub(super) async fn prepare(
        bot: &'a Bot,
        fresh: &'a Fresh,
        line: &Line,
    ) -> anyhow::Result<Self> {
        let mut users = Vec::new();
        for _ in 0..USERS {
            let mut user = line.user().await?;
            user.says(TEXT).await?;
            user.hears().await?;
            users.push(user);
        }
        Ok(Self { bot, fresh, users, next: 0 })
    }

    /// Measures while `work` goes on, `at_most` so long.
    pub(super) async fn during<T>(
        &mut self,
        at_most: Duration,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<Felt<T>> {
        let timers = Timers::store(self.fresh, at_most).await?;
        let is_over = Arc::new(AtomicBool::new(false));
        let first = Instant::now() + LEAD;
        let plan = |a_second, number, of| Plan {
            first: first + Duration::from_secs(1) * number / a_second,
            step: Duration::from_secs(1) * of / a_second,
            is_over: Arc::clone(&is_over),
        };
        let (mut senders, mut writers) = (JoinSet::new(), JoinSet::new());
        for number in 0..CONNECTIONS {
            let connection = Connection::open(self.bot.port).await?;
            let index = self.next + u64::from(number);
            senders.spawn(send(connection, plan(WEBHOOKS, number, CONNECTIONS), index));
        }
        for (number, user) in (0..).zip(self.users.drain(..)) {
            writers.spawn(write(user, plan(TEXTS, number, USERS)));
        }
        tokio::time::sleep_until(first.into()).await;
        let cpu = self.bot.cpu()?.total();
        let result = work.await;
        let (took, end) = (first.elapsed(), not_before(record::wall_clock()));
        let cpu = self.bot.cpu()?.total() - cpu;
        is_over.store(true, Ordering::Relaxed);
        let (mut webhooks, mut replies) = (Vec::new(), Vec::new());
        for sent in senders.join_all().await {
            webhooks.extend(sent?);
        }
        for written in writers.join_all().await {
            let (user, took) = written?;
            self.users.push(user);
            replies.extend(took);
        }
        self.next += u64::try_from(webhooks.len())?.next_multiple_of(CONNECTIONS.into())
            + u64::from(CONNECTIONS);
        let (late, ended) = timers.due_by(end, self.fresh).await?;
        Ok(Felt { result, took, cpu, webhooks, replies, late, ended })
    }
}

/// When something is to be done again and again.
#[derive(Debug)]
struct Plan {
    first: Instant,
    step: Duration,
    is_over: Arc<AtomicBool>,
}

impl Plan {
    /// Waits until it is time for the next; `None` if it is over.
    async fn next(&mut self) -> Option<Instant> {
        let time = self.first;
        self.first += self.step;
        tokio::time::sleep_until(time.into()).await;
        (!self.is_over.load(Ordering::Relaxed)).then_some(time)
    }
}

/// Sends webhooks and returns how long after its time each was answered.
async fn send(
    mut connection: Connection,
    mut plan: Plan,
    mut index: u64,
) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    let mut request = signed(&in_a_group(index));
    while let Some(time) = plan.next().await {
        let status = connection.send(&request).await?.status;
        took.push(millis(time.elapsed()));
        ensure!(status == 200, "a webhook was answered with {status}");
        index += u64::from(CONNECTIONS);
        request = signed(&in_a_group(index));
    }
    Ok(took)
}

/// Returns the body of a webhook: somebody in a group writes a text that is not for the bot, so it is stored and handled, but not answered.
fn in_a_group(index: u64) -> String {
    let mut event = body::text(index, index);
    event["source"] = json!({
        "type": "group",
        "groupId": format!("C{:032x}", index % 100),
        "userId": event["source"]["userId"],
    });
    event["replyToken"] = Value::Null;
    body::of_events(&[event])
}

/// Writes texts and returns how long after its time each was replied to.
async fn write(mut user: User, mut plan: Plan) -> anyhow::Result<(User, Vec<f64>)> {
    let mut took = Vec::new();
    while let Some(time) = plan.next().await {
        user.says(TEXT).await?;
        user.hears().await?;
        took.push(millis(time.elapsed()));
    }
    Ok((user, took))
}

/// Timers in the bot's store.
#[derive(Debug)]
struct Timers(Vec<(JobId, Timestamp)>);

impl Timers {
    /// Stores timers that fall due while something is measured, `at_most` so long.
    async fn store(fresh: &Fresh, at_most: Duration) -> anyhow::Result<Self> {
        let first = record::wall_clock() + u64::try_from(LEAD.as_nanos())?;
        let step = 1_000_000_000 / u64::from(TIMERS);
        let count = u64::try_from(at_most.as_nanos())? / step;
        let timers = (0..count).map(|index| (JobId::new(), not_before(first + index * step)));
        let timers = Self(timers.collect());
        let jobs = timers.0.iter().map(|(id, due)| NewJob {
            id: *id,
            due: Due::At(*due),
            ..NewJob::new("keep_waiting", r#"{"since":0}"#)
        });
        store_all(&Queue::new(fresh.open_as(BOT).await?), jobs, BULK).await?;
        Ok(timers)
    }

    /// Returns of those that were due by then how much later each was claimed, and how much later it was over.
    async fn due_by(self, end: Timestamp, fresh: &Fresh) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
        let store = fresh.open_as(BOT).await?;
        let (mut late, mut ended) = (Vec::new(), Vec::new());
        for (id, due) in self.0.into_iter().filter(|(_, due)| *due <= end) {
            let (claimed, over) = ends(&*store, id).await?;
            late.push(millis(claimed.since(due)));
            ended.push(millis(over.since(due)));
        }
        Ok((late, ended))
    }
}

/// Waits until a job is over and returns when it was claimed, and when it was over.
async fn ends(store: &dyn Store, id: JobId) -> anyhow::Result<(Timestamp, Timestamp)> {
    let began = Instant::now();
    loop {
        let record = store.get(id).await?.context("a timer is lost")?;
        if record.state == State::Completed {
            return record.job.first_claimed.zip(record.time).context("nobody knows when it ran");
        }
        ensure!(began.elapsed() < PATIENCE, "a timer is {}", record.state);
        // A store tells nobody of a job's end; this only sets how often we look.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
