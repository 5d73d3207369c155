//! A million jobs of one chat that are over, and as many ids that are remembered.

use std::time::Duration;

use yamabiko_queue::{
    NewJob, Outcome, State,
    store::{Effect, Query},
};

use super::{BULK, CHAT, LONG, Stage, TIMES, end_with, id, job, turn};
use crate::topic::Bench;

pub(super) async fn measure(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let mut stage = Stage::open(bench, |options| {
        options.keep_completed = LONG;
        options.keep_completed_max = u32::MAX;
        options.keep_dead = LONG;
    })
    .await?;
    let of_chat = |_| NewJob {
        chat: Some(CHAT.to_owned()),
        origin: Some("origin".to_owned()),
        remember: Duration::from_secs(60 * 60),
        ..job()
    };
    let half = stage.jobs / 2;
    let all = std::mem::replace(&mut stage.jobs, half);
    stage.fill(of_chat).await?;
    stage.drain(Outcome::Complete).await?;
    stage.jobs = all;
    stage.fill(of_chat).await?;
    stage.drain(Outcome::Dead { error: "no hope".to_owned() }).await?;
    for time in 0..TIMES {
        let dead: Vec<_> = (half..).skip(time * BULK).take(BULK).map(id).collect();
        stage
            .step("retry, dead jobs", "1,000 jobs", async |store| store.retry(&dead).await)
            .await?;
        stage.drain(Outcome::Dead { error: "no hope".to_owned() }).await?;
        let runner = stage.make(1, of_chat);
        stage.store.insert(&runner).await?;
        let run = stage.claim(1).await?.remove(0);
        let commit = [end_with(
            &run,
            Outcome::Dead { error: "no hope".to_owned() },
            vec![Effect::Scrub { origin: "origin".to_owned() }],
        )];
        stage
            .step("turn, effect: scrub", "1,000,000 jobs of the chat are kept", async |store| {
                turn(store, &commit, 0).await
            })
            .await?;
        stage.step("tick, scrubbing", "", async |store| store.tick().await).await?;
        stage
            .step("delete, dead jobs", "1,000 jobs", async |store| store.delete(&dead).await)
            .await?;
    }
    for state in [State::Dead, State::Completed] {
        let mut query = Query { kind: Some("none".to_owned()), ..Query::new(state) };
        for _ in 0..TIMES {
            let what = format!("list, {state}");
            let page = stage
                .step(&what, "10,000 looked at", async |store| store.list(&query).await)
                .await?;
            query.after = page.next;
        }
    }
    stage.clock.advance(2 * LONG);
    for _ in 0..TIMES {
        stage
            .step("tick, jobs and ids are too old", "1,000,000 of each are", async |store| {
                store.tick().await
            })
            .await?;
    }
    Ok(())
}
