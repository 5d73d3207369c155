//! A million timers of one chat.

use std::time::Duration;

use yamabiko_queue::{
    Due, NewJob, Outcome, State,
    store::{Effect, Group, MAX_EFFECTS, Query},
};

use super::{BULK, CHAT, Stage, TIMES, end_with, job, turn};
use crate::topic::Bench;

const DAY: u64 = 24 * 60 * 60;

pub(super) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let mut stage = Stage::open(bench, |_| {}).await?;
    let timer = |n: u32| {
        let due = Duration::from_secs(DAY)
            + Duration::from_micros(u64::from(n) * 7919 % (DAY * 1_000_000));
        NewJob { chat: Some(CHAT.to_owned()), due: Due::In(due), ..job() }
    };
    stage.fill(timer).await?;
    for _ in 0..TIMES {
        let jobs = stage.make(BULK, timer);
        stage
            .step("insert, timers of one chat", "1,000 jobs", async |store| {
                store.insert(&jobs).await
            })
            .await?;
        stage
            .step("live, of one chat", "1,000,000 there, 10,000 shown", async |store| {
                store.live(CHAT).await
            })
            .await?;
        let tail = stage.newest(BULK);
        stage
            .step("cancel, timers of one chat", "1,000 jobs", async |store| {
                store.cancel(&tail).await
            })
            .await?;
        let runner = stage.make(1, |_| NewJob { chat: Some(CHAT.to_owned()), ..job() });
        stage.store.insert(&runner).await?;
        let run = stage.claim(1).await?.remove(0);
        let new = stage.make(MAX_EFFECTS, timer).into_iter().map(Effect::Insert).collect();
        let commit = [end_with(&run, Outcome::Complete, new)];
        stage
            .step("turn, effects: insert, timers of one chat", "320 effects", async |store| {
                turn(store, &commit, 0).await
            })
            .await?;
        let tail = stage.newest(BULK);
        stage.step("retry, timers", "1,000 jobs", async |store| store.retry(&tail).await).await?;
        stage.drain(Outcome::Complete).await?;
    }
    cancel_all(&mut stage).await?;
    let mut query = Query { kind: Some("none".to_owned()), ..Query::new(State::Scheduled) };
    for _ in 0..TIMES {
        let page = stage
            .step("list, scheduled", "10,000 looked at", async |store| store.list(&query).await)
            .await?;
        query.after = page.next;
    }
    stage.clock.advance(Duration::from_secs(3 * DAY));
    for _ in 0..TIMES {
        stage
            .step("tick, timers fall due", "1,000,000 are", async |store| store.tick().await)
            .await?;
    }
    Ok(())
}

/// Cancels a kind of jobs that every thousandth timer is of, and waits until it is looked for among all.
async fn cancel_all(stage: &mut Stage<'_, '_>) -> anyhow::Result<()> {
    let runner = stage.make(1, |_| NewJob { chat: Some(CHAT.to_owned()), ..job() });
    stage.store.insert(&runner).await?;
    let run = stage.claim(1).await?.remove(0);
    let group = Group::Origin("origin".to_owned());
    let of_group = stage.make(BULK, |_| NewJob {
        chat: Some(CHAT.to_owned()),
        origin: Some("origin".to_owned()),
        due: Due::In(Duration::from_secs(60 * 60)),
        ..job()
    });
    stage.store.insert(&of_group).await?;
    let all =
        [end_with(&run, Outcome::Complete, vec![Effect::CancelAll { group, origin_by: None }])];
    let asked = "1,000,000 timers of the chat";
    stage
        .step("turn, effect: cancel all of a group", asked, async |store| {
            turn(store, &all, 0).await
        })
        .await?;
    for _ in 0..50 {
        stage.step("tick, taking out a group", asked, async |store| store.tick().await).await?;
    }
    Ok(())
}
