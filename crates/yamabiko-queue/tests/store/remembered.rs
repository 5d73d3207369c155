//! K5: what the ids that are remembered cost on Redis, and their bound.

use yamabiko_queue::{Outcome, store::Inserted};

use crate::place::{Kind, Place, commit, job, secs};

/// Runs so many jobs that are remembered for an hour.
async fn remember(place: &Place, names: std::ops::Range<usize>) {
    let names: Vec<_> = names.collect();
    for part in names.chunks(200) {
        place.insert(&part.iter().map(|n| job(&n.to_string())).collect::<Vec<_>>()).await;
        let ends: Vec<_> = place
            .claim(200)
            .await
            .iter()
            .map(|claim| commit(claim, Outcome::Complete, vec![]))
            .collect();
        place.turn(&ends, 0).await;
    }
}

#[tokio::test]
async fn k5_a_remembered_id_costs_less_than_69_bytes() {
    let place = Place::open(Kind::Redis).await;
    let used = || -> usize {
        let info: String =
            redis::cmd("INFO").arg("memory").query(&mut place.ground.redis()).unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.trim().parse().unwrap()
    };
    remember(&place, 0..200).await;
    let before = used();
    // Between the sizes at which a table doubles.
    remember(&place, 200..24_000).await;
    let each = (used() - before) / 23_800;
    // It was 138, of which half is 69.
    assert!((40..69).contains(&each), "{each} bytes");
}

#[tokio::test]
async fn k5_beyond_the_bound_the_ids_of_the_quarter_that_is_over_first_are_forgotten() {
    let place = Place::with(Kind::Redis, |options| options.remember_max = 250).await;
    remember(&place, 0..150).await;
    place.pass(secs(1800)).await;
    remember(&place, 150..250).await;
    assert_eq!(place.tick().await.forgotten, 0, "as many as may be");
    remember(&place, 250..251).await;
    assert_eq!(place.tick().await.forgotten, 150);
    assert_eq!(place.tick().await.forgotten, 0);
    for (n, answer) in [(0, Inserted::Stored), (149, Inserted::Stored), (150, Inserted::Duplicate)]
    {
        assert_eq!(place.insert(&[job(&n.to_string())]).await, [answer], "{n}");
    }
}
