//! Half a million jobs that wait in one lane, and half a million lanes.

use redis::Value;
use yamabiko_queue::{
    NewJob, Outcome, State,
    store::{Effect, MAX_COMMITS, MAX_EFFECTS, Query},
};

use super::{BULK, CHAT, Stage, TIMES, end, end_with, job, turn};
use crate::topic::Bench;

pub(super) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let mut stage = Stage::open(bench, |options| options.keep_completed = super::LONG).await?;
    let half = stage.jobs / 2;
    let of = |lane: String| NewJob {
        lane: Some(lane),
        chat: Some(CHAT.to_owned()),
        origin: Some("origin".to_owned()),
        ..job()
    };
    let alone = |n: u32| of(format!("lane {n}"));
    let long = |_| of("long".to_owned());
    stage.fill(|n| if n < half { alone(n) } else { long(n) }).await?;
    let mut runs = stage.claim(MAX_COMMITS).await?;
    for _ in 0..TIMES {
        let jobs = stage.make(BULK, alone);
        stage
            .step("insert, a lane and a chat each", "1,000 jobs", async |store| {
                store.insert(&jobs).await
            })
            .await?;
        let commits: Vec<_> = runs.iter().map(|claim| end(claim, Outcome::Complete)).collect();
        runs = stage
            .step(
                "turn, a lane and a chat each, completed ones kept",
                "256 commits, 256 claims",
                async |store| turn(store, &commits, MAX_COMMITS).await,
            )
            .await?
            .claims;
        let new = stage.make(MAX_EFFECTS, alone).into_iter().map(Effect::Insert).collect();
        let run = runs.pop().expect("many were claimed");
        let commit = [end_with(&run, Outcome::Complete, new)];
        stage
            .step("turn, effects: insert, a lane and a chat each", "320 effects", async |store| {
                turn(store, &commit, 0).await
            })
            .await?;
        let jobs = stage.make(BULK, long);
        stage
            .step("insert, into one lane", "1,000 jobs", async |store| store.insert(&jobs).await)
            .await?;
        let tail = stage.newest(BULK);
        stage
            .step("cancel, waiting, at the tail of a lane", "1,000 jobs", async |store| {
                store.cancel(&tail).await
            })
            .await?;
    }
    let mut query = Query { kind: Some("none".to_owned()), ..Query::new(State::Waiting) };
    for _ in 0..TIMES {
        let page = stage
            .step("list, waiting", "10,000 looked at", async |store| store.list(&query).await)
            .await?;
        query.after = page.next;
    }
    damage(&mut stage).await
}

/// Ends a job whose record does not tell its lane any more, and searches for it.
async fn damage(stage: &mut Stage<'_, '_>) -> anyhow::Result<()> {
    let run = stage.claim(1).await?.remove(0);
    let cut = redis::cmd("HSET")
        .arg("yamabiko:{bench}:job")
        .arg(run.job.id.as_bytes())
        .arg("")
        .to_owned();
    cut.query::<Value>(&mut stage.server)?;
    let commit = [end(&run, Outcome::Complete)];
    stage
        .step("turn, of a job whose record is damaged", "1 commit", async |store| {
            turn(store, &commit, 0).await
        })
        .await?;
    for _ in 0..TIMES {
        stage.step("tick, searching for its lane", "", async |store| store.tick().await).await?;
    }
    Ok(())
}
