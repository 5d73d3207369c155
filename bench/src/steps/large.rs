//! Jobs with the largest payloads.

use std::time::Duration;

use yamabiko_queue::{
    Due, NewJob, Outcome, State,
    job::MAX_PAYLOAD_BYTES,
    store::{Effect, MAX_COMMITS, Query},
};

use super::{CHAT, LONG, Stage, TIMES, end, end_with, job, turn};
use crate::topic::Bench;

/// Jobs that are stored in one call, of which none may have more than a mebibyte.
const EACH: usize = 15;

pub(super) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let mut stage = Stage::open(bench, |options| {
        options.keep_completed = LONG;
        options.keep_completed_max = u32::MAX;
    })
    .await?;
    let large = |due| NewJob {
        chat: Some(CHAT.to_owned()),
        origin: Some("origin".to_owned()),
        payload: vec![b' '; MAX_PAYLOAD_BYTES],
        due,
        ..job()
    };
    let asked = "payloads of 64 KiB";
    let soon = Due::In(Duration::from_secs(60));
    for _ in 0..TIMES {
        for _ in 0..20 {
            let jobs = stage.make(EACH, |_| large(soon));
            stage
                .step("insert, large", &format!("{EACH} jobs, {asked}"), async |store| {
                    store.insert(&jobs).await
                })
                .await?;
        }
        let ids = stage.newest(EACH * 20);
        stage
            .step("live, large", &format!("300 jobs, {asked}"), async |store| {
                store.live(CHAT).await
            })
            .await?;
        let again: Vec<_> = ids
            .iter()
            .map(|id| NewJob { id: *id, secret: Some("token".to_owned()), ..job() })
            .collect();
        stage
            .step("insert, duplicates of large ones", "300 jobs", async |store| {
                store.insert(&again).await
            })
            .await?;
        stage.clock.advance(Duration::from_secs(61));
        while stage
            .step("tick, large timers fall due", &format!("300 are, {asked}"), async |store| {
                store.tick().await
            })
            .await?
            .promoted
            > 0
        {}
        stage
            .step("insert, duplicates of large ones", "300 jobs", async |store| {
                store.insert(&again).await
            })
            .await?;
        let mut query = Query { limit: 1000, ..Query::new(State::Ready) };
        query.kind = Some("kind".to_owned());
        stage
            .step("list, large", &format!("300 found, {asked}"), async |store| {
                store.list(&query).await
            })
            .await?;
        let mut runs = Vec::new();
        loop {
            let claims = stage
                .step(
                    "turn, claims of large ones",
                    &format!("256 claims, {asked}"),
                    async |store| turn(store, &[], MAX_COMMITS).await,
                )
                .await?
                .claims;
            if claims.is_empty() {
                break;
            }
            runs.extend(claims);
        }
        for some in runs[20..].chunks(MAX_COMMITS) {
            let commits: Vec<_> = some.iter().map(|claim| end(claim, Outcome::Complete)).collect();
            stage
                .step(
                    "turn, commits of large ones",
                    &format!("256 commits, {asked}"),
                    async |store| turn(store, &commits, 0).await,
                )
                .await?;
        }
        let checkpoints: Vec<_> = runs[1..15]
            .iter()
            .map(|claim| end(claim, Outcome::Checkpoint { payload: vec![b'x'; MAX_PAYLOAD_BYTES] }))
            .collect();
        stage
            .step("turn, large checkpoints", &format!("14 commits, {asked}"), async |store| {
                turn(store, &checkpoints, 0).await
            })
            .await?;
        let scrub = [end_with(
            &runs[0],
            Outcome::Complete,
            vec![Effect::Scrub { origin: "origin".to_owned() }],
        )];
        stage
            .step(
                "turn, effect: scrub, large",
                &format!("280 jobs of the chat are kept, {asked}"),
                async |store| turn(store, &scrub, 0).await,
            )
            .await?;
        for _ in 0..3 {
            stage.step("tick, scrubbing large ones", "", async |store| store.tick().await).await?;
        }
        let left: Vec<_> = runs[1..20].iter().map(|claim| end(claim, Outcome::Complete)).collect();
        turn(&*stage.store, &left, 0).await?;
        for _ in 0..18 {
            let jobs = stage.make(EACH, |_| large(Due::Now));
            stage.store.insert(&jobs).await?;
        }
        stage.drain(Outcome::Complete).await?;
        stage.clock.advance(2 * LONG);
        for _ in 0..4 {
            stage
                .step("tick, large jobs are too old", &format!("570 are, {asked}"), async |store| {
                    store.tick().await
                })
                .await?;
        }
    }
    Ok(())
}
