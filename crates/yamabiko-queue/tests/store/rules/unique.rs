//! K5, I2: an id is stored once, and remembered.

use std::{slice::from_ref, time::Duration};

use yamabiko_queue::{
    Effect, NewJob, Outcome,
    store::Inserted::{Duplicate, Stored},
};

use crate::place::{Kind, Place, START, dead, id, in_lane, job, micros, retry, secs};

pub(crate) async fn k5_an_id_that_exists_is_a_duplicate(kind: Kind) {
    let place = Place::open(kind).await;
    let other = NewJob { payload: b"other".to_vec(), queue: "low".to_owned(), ..job("a") };
    assert_eq!(
        place.insert(&[job("a"), other.clone(), job("b")]).await,
        [Stored, Duplicate, Stored]
    );
    assert_eq!(place.insert(from_ref(&other)).await, [Duplicate]);
    let claims = place.claim(9).await;
    assert_eq!((claims.len(), claims[0].job.payload.as_slice()), (2, &b"a"[..]));
    assert_eq!(place.insert(from_ref(&other)).await, [Duplicate], "running");
    place.end(&claims[0], retry(secs(1), false)).await;
    assert_eq!(place.insert(from_ref(&other)).await, [Duplicate], "scheduled");
    place.pass(secs(1)).await;
    place.end(&place.claim_one().await, dead()).await;
    place.pass(Duration::from_secs(7200)).await;
    assert_eq!(place.insert(&[other]).await, [Duplicate], "dead for longer than it is remembered");
}

pub(crate) async fn k5_a_completed_id_is_remembered_for_its_time_and_a_quarter_at_most(kind: Kind) {
    let place = Place::open(kind).await;
    let event = NewJob { remember: secs(100), ..job("event") };
    place.insert(from_ref(&event)).await;
    place.clock.advance(secs(3));
    place.end(&place.claim_one().await, Outcome::Complete).await;
    place.clock.advance(secs(100));
    assert_eq!(place.insert(from_ref(&event)).await, [Duplicate]);
    place.tick().await;
    assert_eq!(place.insert(from_ref(&event)).await, [Duplicate]);
    place.clock.advance(secs(22) - micros(1));
    assert_eq!(place.insert(from_ref(&event)).await, [Duplicate], "until its quarter is over");
    place.clock.advance(micros(1));
    assert_eq!(place.insert(&[event]).await, [Stored], "also before a tick has pruned it");
}

pub(crate) async fn k5_an_id_that_is_not_to_be_remembered_is_free_at_once(kind: Kind) {
    let place = Place::open(kind).await;
    let fleeting = NewJob { remember: Duration::ZERO, ..job("a") };
    for _ in 0..2 {
        assert_eq!(place.insert(from_ref(&fleeting)).await, [Stored]);
        place.end(&place.claim_one().await, Outcome::Complete).await;
    }
}

pub(crate) async fn k5_cancelled_and_deleted_ids_are_remembered(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(9000)).await;
    place.insert(&["own", "person's", "effect's", "dead", "completed", "marked"].map(job)).await;
    place.cancel(id("person's")).await;
    let claims = place.claim(9).await;
    let claim = |name| claims.iter().find(|claim| claim.job.id == id(name)).unwrap();
    place.end_with(claim("own"), Outcome::Cancel, vec![Effect::Cancel(id("effect's"))]).await;
    place.cancel(id("marked")).await;
    for (name, outcome) in [
        ("dead", dead()),
        ("completed", Outcome::Complete),
        ("marked", Outcome::Complete),
        ("effect's", Outcome::Release { unsure: false }),
    ] {
        place.end(claim(name), outcome).await;
    }
    let deleted = place.store.delete(&[id("dead"), id("completed")]).await.unwrap();
    assert_eq!(deleted, [true, true]);
    place.pass(secs(3600) - micros(1)).await;
    for name in ["own", "person's", "effect's", "dead", "completed", "marked"] {
        assert_eq!(place.state(id(name)).await, None, "{name}");
        assert_eq!(place.insert(&[job(name)]).await, [Duplicate], "{name}");
    }
    place.clock.advance(secs(900) + micros(1));
    for name in ["own", "person's", "effect's", "dead", "completed", "marked"] {
        assert_eq!(place.insert(&[job(name)]).await, [Stored], "{name}");
    }
}

pub(crate) async fn k5_a_duplicate_among_effects_changes_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b")]).await;
    let claims = place.claim(2).await;
    let effect = || Effect::Insert(NewJob { payload: b"again".to_vec(), ..job("x") });
    place
        .end_with(
            &claims[0],
            Outcome::Complete,
            vec![Effect::Insert(job("x")), effect(), Effect::Insert(job("a"))],
        )
        .await;
    place.end_with(&claims[1], Outcome::Complete, vec![effect(), Effect::Insert(job("b"))]).await;
    assert_eq!(place.claim_one().await.job.payload, b"x");
}

pub(crate) async fn k5_a_rerun_job_is_remembered_from_its_new_end(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    place.end(&place.claim_one().await, dead()).await;
    place.pass(secs(1800)).await;
    assert!(place.retry(id("a")).await);
    place.end(&place.claim_one().await, Outcome::Complete).await;
    place.pass(secs(3600) - micros(1)).await;
    assert_eq!(place.insert(&[job("a")]).await, [Duplicate]);
    place.pass(secs(900) + micros(1)).await;
    assert_eq!(place.insert(&[job("a")]).await, [Stored]);
}

pub(crate) async fn i2_a_duplicate_refreshes_a_job_that_nobody_has_claimed(kind: Kind) {
    let place = Place::open(kind).await;
    let with = |name: &str, secret: &str| NewJob {
        secret: Some(secret.to_owned()),
        ..in_lane(name, "chat")
    };
    place.insert(&[with("ready", "old"), with("waiting", "old")]).await;
    place.clock.advance(secs(1));
    for name in ["ready", "waiting"] {
        assert_eq!(place.insert(&[in_lane(name, "chat")]).await, [Duplicate]);
        assert_eq!(place.record(id(name)).await.job.arrived, START, "no credential, no change");
        assert_eq!(place.insert(&[with(name, "new")]).await, [Duplicate]);
        let job = place.record(id(name)).await.job;
        assert_eq!((job.secret.as_deref(), job.arrived), (Some("new"), START + secs(1)));
        assert_eq!(job.payload, name.as_bytes());
    }
    let claim = place.claim_one().await;
    assert_eq!(claim.job.secret.as_deref(), Some("new"));
    place.clock.advance(secs(1));
    for again in 0..2 {
        assert_eq!(place.insert(&[with("ready", "newest")]).await, [Duplicate]);
        let job = place.record(id("ready")).await.job;
        assert_eq!(
            (job.secret.as_deref(), job.arrived),
            (Some("new"), START + secs(1)),
            "{again}: claimed"
        );
        if again == 0 {
            place.end(&claim, Outcome::Release { unsure: false }).await;
        }
    }
}
