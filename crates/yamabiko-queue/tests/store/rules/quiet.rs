//! What a store does not do: write where nothing changed, or look at more than it should.

use yamabiko_queue::{
    Due, NewJob, State,
    store::{MAX_SCAN, Query, Sending},
};

use crate::place::{Kind, LEASE, Place, id, job, secs, want};

/// Returns a number that grows with every write to the store.
fn writes(place: &Place, kind: Kind, watch: &rusqlite::Connection) -> i64 {
    if kind == Kind::Sqlite {
        return watch.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap();
    }
    let info: String =
        redis::cmd("INFO").arg("persistence").query(&mut place.ground.redis()).unwrap();
    let changes =
        info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:")).unwrap();
    changes.parse().unwrap()
}

pub(crate) async fn w1_a_turn_a_tick_and_a_look_without_work_write_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[NewJob { due: Due::In(secs(60)), ..job("timer") }, job("a"), job("b")]).await;
    place.store.turn(Sending::once(), &[], &[want(&["default"], 1)]).await.unwrap();
    place.store.pause("default", None).await.unwrap();
    let watch = if kind == Kind::Sqlite {
        place.ground.sqlite()
    } else {
        rusqlite::Connection::open_in_memory().unwrap()
    };
    let before = writes(&place, kind, &watch);
    for _ in 0..3 {
        place.clock.advance(secs(1));
        assert!(place.claim(9).await.is_empty());
        place.tick().await;
        place.get(id("a")).await;
        place.line(State::Ready).await;
        place.store.live("chat").await.unwrap();
        place.store.counts().await.unwrap();
        place.store.state("lane").await.unwrap();
    }
    assert_eq!(writes(&place, kind, &watch), before, "nothing changed, nothing is written");
    place.clock.advance(LEASE);
    place.insert(&[job("c")]).await;
    assert_ne!(writes(&place, kind, &watch), before, "writes are noticed here");
}

pub(crate) async fn q4_a_search_looks_at_10_000_records_and_continues(kind: Kind) {
    let place = Place::open(kind).await;
    let rare = |name: &str| NewJob { kind: "rare".to_owned(), ..job(name) };
    let jobs: Vec<_> = (0..MAX_SCAN + 100).map(|n| job(&format!("{n}"))).collect();
    place.insert(&[rare("first")]).await;
    for jobs in jobs.chunks(1000) {
        place.insert(jobs).await;
    }
    place.insert(&[rare("last")]).await;
    let mut query = Query { kind: Some("rare".to_owned()), ..Query::new(State::Ready) };
    let page = place.store.list(&query).await.unwrap();
    assert_eq!(page.records.iter().map(|record| record.job.id).collect::<Vec<_>>(), [id("first")]);
    query.after = page.next;
    assert!(query.after.is_some(), "there may be more");
    let page = place.store.list(&query).await.unwrap();
    assert_eq!(page.records.iter().map(|record| record.job.id).collect::<Vec<_>>(), [id("last")]);
    assert_eq!(page.next, None);
}
