//! Looking at a store leaves it as it was, and tells what there is.

use yamabiko_queue::{
    Mark, StoreOptions,
    store::{self, Depth, Inspection},
};

use crate::{
    ground::{Ground, Kind},
    place::{Place, job, process},
};

async fn look(ground: &Ground, depth: Depth) -> Inspection {
    store::inspect(&ground.url().unwrap(), &StoreOptions::new("test"), depth).await
}

fn problems(inspection: &Inspection) -> Vec<&str> {
    let bad = inspection.findings.iter().filter(|finding| finding.mark == Mark::Problem);
    bad.map(|finding| finding.topic).collect()
}

#[tokio::test]
async fn an_inspection_makes_no_file() {
    let ground = Ground::new(Kind::Sqlite);
    let inspection = look(&ground, Depth::Thorough).await;
    assert!(inspection.now.is_none() && inspection.counts.is_none());
    let url = ground.url().unwrap();
    assert!(!std::path::Path::new(url.strip_prefix("sqlite:").unwrap()).exists());
}

#[tokio::test]
async fn an_inspection_writes_no_key() {
    for kind in [Kind::Redis, Kind::RedisNewest] {
        let ground = Ground::new(kind);
        let inspection = look(&ground, Depth::Thorough).await;
        assert_eq!(problems(&inspection), ["durability"]);
        assert!(inspection.counts.is_some_and(|counts| counts.processes.is_empty()));
        let keys: u32 = redis::cmd("DBSIZE").query(&mut ground.redis()).unwrap();
        assert_eq!(keys, 0);
    }
}

#[tokio::test]
async fn an_inspection_tells_what_there_is() {
    for kind in [Kind::Sqlite, Kind::Redis] {
        let place = Place::open(kind).await;
        place.insert(&[job("a"), job("b")]).await;
        place.store.beat(&process("worker-1"), &[], &[]).await.unwrap();
        assert!(look(&place.ground, Depth::Glance).await.counts.is_none());
        let counts = look(&place.ground, Depth::Thorough).await.counts.unwrap();
        assert_eq!(counts.states, place.store.counts().await.unwrap().states);
        assert_eq!(counts.queues["default"].ready, 2);
    }
}

#[tokio::test]
async fn a_server_without_info_and_config_is_a_warning() {
    let ground = Ground::new(Kind::Redis);
    let forbid = ["ACL", "SETUSER", "default", "-info", "-config"];
    let mut command = redis::cmd(forbid[0]);
    forbid[1..].iter().for_each(|word| {
        command.arg(word);
    });
    command.exec(&mut ground.redis()).unwrap();
    let inspection = look(&ground, Depth::Thorough).await;
    let mark = |topic| inspection.findings.iter().find(|one| one.topic == topic).unwrap().mark;
    assert_eq!((mark("store"), mark("fsync")), (Mark::Warning, Mark::Note));
    assert!(inspection.now.is_some());
}
