//! D3: what is kept of a job that has ended, and for how long.

use yamabiko_queue::{Hold, NewJob, Outcome, State};

use crate::place::{Kind, Place, dead, id, in_lane, job, micros, retry, secs};

pub(crate) async fn d3_a_dead_job_keeps_payload_and_history_until_retention(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_dead = secs(3000)).await;
    place.insert(&[in_lane("a", "chat")]).await;
    let claim = place.claim_one().await;
    place.end(&claim, retry(secs(0), false)).await;
    place.pass(secs(1)).await;
    let died = place.now();
    place.end(&place.claim_one().await, dead()).await;
    place.pass(secs(3000) - micros(1)).await;
    let record = place.record(id("a")).await;
    assert_eq!((record.state, record.time, record.job.failures), (State::Dead, Some(died), 2));
    assert_eq!(record.job.payload, b"a");
    let errors: Vec<_> = record.history.iter().map(|line| line.error.as_str()).collect();
    assert_eq!(errors, ["it went wrong", "no hope"]);
    place.pass(micros(1)).await;
    assert_eq!(place.state(id("a")).await, None);
}

pub(crate) async fn d3_completed_jobs_are_kept_within_both_limits(kind: Kind) {
    let place = Place::with(kind, |options| {
        options.keep_completed = secs(100);
        options.keep_completed_max = 3;
    })
    .await;
    let names = ["a", "b", "c", "d", "e"];
    place.insert(&names.map(job)).await;
    for _ in names {
        place.clock.advance(secs(1));
        let claim = place.claim(1).await.remove(0);
        place.end(&claim, Outcome::Complete).await;
    }
    place.tick().await;
    assert_eq!(place.line(State::Completed).await, ["e", "d", "c"].map(id), "the newest");
    place.pass(secs(98)).await;
    assert_eq!(place.line(State::Completed).await, ["e", "d"].map(id), "not too old");
    place.pass(secs(2)).await;
    assert_eq!(place.line(State::Completed).await, []);

    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    place.end(&place.claim_one().await, Outcome::Complete).await;
    assert_eq!(place.state(id("a")).await, None, "unless asked for, none is kept");
}

pub(crate) async fn d3_dead_jobs_are_kept_up_to_a_number_the_newest_of_them(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_dead_max = 3).await;
    for part in 0..6 {
        place.insert(&(0..50).map(|n| job(&format!("{part} {n}"))).collect::<Vec<_>>()).await;
    }
    let mut died = Vec::new();
    for claim in place.claim(300).await {
        place.clock.advance(micros(1));
        place.end(&claim, Outcome::Dead { error: "no hope".to_owned() }).await;
        died.push(claim.job.id);
    }
    let dead = place.store.counts().await.unwrap().states[&State::Dead];
    assert_eq!(dead, 300, "a turn removes none");
    for dropped in [128, 128, 41] {
        let tick = place.tick().await;
        assert_eq!(tick.dropped, dropped);
        assert_eq!(tick.next == Some(tick.now), dropped == 128, "it goes on at once");
    }
    died.reverse();
    assert_eq!(place.line(State::Dead).await, died[..3]);
    assert_eq!(place.tick().await.dropped, 0);
    place.forget().await;
    place.pass(secs(3)).await;
}

pub(crate) async fn d3_credentials_are_erased_when_a_job_ends(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(100)).await;
    let with = |name: &str| NewJob { secret: Some("reply token".to_owned()), ..job(name) };
    place.insert(&[with("completed"), with("dead"), with("failed")]).await;
    let claims = place.claim(9).await;
    assert!(claims.iter().all(|claim| claim.job.secret.as_deref() == Some("reply token")));
    for (claim, outcome) in claims.iter().zip([Outcome::Complete, dead(), retry(secs(0), false)]) {
        place.end(claim, outcome).await;
    }
    assert_eq!(place.record(id("completed")).await.job.secret, None);
    assert_eq!(place.record(id("dead")).await.job.secret, None);
    assert_eq!(place.record(id("failed")).await.job.secret.as_deref(), Some("reply token"));
    assert!(place.retry(id("dead")).await);
    assert_eq!(place.record(id("dead")).await.job.secret, None);
}

pub(crate) async fn d3_history_keeps_the_newest_4096_bytes(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    for n in 0..9 {
        let claim = place.claim_one().await;
        let error = format!("{n}{}\nand more", "山".repeat(400));
        place
            .end(&claim, Outcome::Retry { after: secs(0), hold: Hold::No, error, unsure: false })
            .await;
        place.pass(secs(1)).await;
    }
    let record = place.record(id("a")).await;
    assert_eq!(record.job.failures, 9);
    let kept: Vec<_> = record.history.iter().map(|line| line.error.as_str()).collect();
    assert!((3..=4).contains(&kept.len()), "{} lines", kept.len());
    for (error, n) in kept.iter().rev().zip((0..9).rev()) {
        assert_eq!(
            **error,
            format!("{n}{}", "山".repeat(333)),
            "cut to 1,000 bytes, between characters"
        );
    }
    place.end(&place.claim_one().await, Outcome::Dead { error: "two\nlines".to_owned() }).await;
    let history = place.record(id("a")).await.history;
    assert_eq!(
        history.last().map(|line| line.error.as_str()),
        Some("two lines"),
        "each is one line"
    );
}
