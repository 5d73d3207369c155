//! A million ready jobs in one queue.

use yamabiko_queue::{
    Outcome, State,
    store::{Effect, MAX_COMMITS, MAX_EFFECTS, Query},
};

use super::{BULK, Stage, TIMES, end, end_with, job, turn};
use crate::topic::Bench;

pub(super) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let mut stage = Stage::open(bench, |_| {}).await?;
    stage.fill(|_| job()).await?;
    let mut runs = stage.claim(MAX_COMMITS).await?;
    for _ in 0..TIMES {
        let jobs = stage.make(BULK, |_| job());
        stage.step("insert, ready", "1,000 jobs", async |store| store.insert(&jobs).await).await?;
        let commits: Vec<_> = runs.iter().map(|claim| end(claim, Outcome::Complete)).collect();
        let asked = "256 commits, 256 claims";
        let turned = stage
            .step("turn", asked, async |store| turn(store, &commits, MAX_COMMITS).await)
            .await?;
        runs = turned.claims;
        let claims = stage
            .step("turn, claims only", "10,000 claims", async |store| {
                turn(store, &[], 10_000).await
            })
            .await?
            .claims;
        for some in claims.chunks(MAX_COMMITS) {
            let back: Vec<_> =
                some.iter().map(|claim| end(claim, Outcome::Release { unsure: false })).collect();
            turn(&*stage.store, &back, 0).await?;
        }
        let tail = stage.newest(BULK);
        stage
            .step("cancel, ready, at the tail", "1,000 jobs", async |store| {
                store.cancel(&tail).await
            })
            .await?;
        let jobs = stage.make(MAX_EFFECTS, |_| job());
        stage.store.insert(&jobs).await?;
        let tail = stage.newest(MAX_EFFECTS);
        let cancels = tail.iter().map(|id| Effect::Cancel(*id)).collect();
        let run = runs.pop().expect("many were claimed");
        let commit = [end_with(&run, Outcome::Complete, cancels)];
        stage
            .step("turn, effects: cancel, ready", "320 effects", async |store| {
                turn(store, &commit, 0).await
            })
            .await?;
    }
    lists(&mut stage).await?;
    for _ in 0..TIMES {
        stage.step("counts", "", async |store| store.counts().await).await?;
        stage.step("tick, nothing to do", "", async |store| store.tick().await).await?;
    }
    Ok(())
}

/// Goes through the line page by page, and searches it for what it has not.
async fn lists(stage: &mut Stage<'_, '_>) -> anyhow::Result<()> {
    let mut query = Query { kind: Some("none".to_owned()), ..Query::new(State::Ready) };
    for _ in 0..2 * TIMES {
        let page = stage
            .step("list, ready", "10,000 looked at", async |store| store.list(&query).await)
            .await?;
        query.after = page.next;
    }
    let mut query = Query { limit: 10_000, ..Query::new(State::Ready) };
    for _ in 0..TIMES {
        let page = stage
            .step("list, ready", "10,000 found", async |store| store.list(&query).await)
            .await?;
        query.after = page.next;
    }
    Ok(())
}
