//! What a Redis server, or what stands before it, may answer that is not about the call: an outage, whatever it says.

use std::{os::unix::net::UnixStream, sync::Arc};

use yamabiko_queue::{
    Error, ErrorKind, ManualClock, Outcome, State, StoreOptions,
    store::{self, Answer, Inserted},
};

use crate::{
    gate::Gate,
    ground::{Ground, Kind},
    on_a_redis::free_port,
    place::{Place, QUEUES, START, commit, id, job, process, want},
    redis_server::RedisServer,
};

/// Answers that are not about the call.
const ANSWERS: [&str; 12] = [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.",
    "ERR max number of clients reached",
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "READONLY You can't write against a read only replica.",
    "CLUSTERDOWN The cluster is down",
    "NOREPLICAS Not enough good replicas to write.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "ERR nothing that any Redis says",
    "UPSTREAM the proxy has lost its server",
];

/// Answers of a server that will never serve this program as it is.
const UNFIT: [&str; 5] = [
    "ERR unknown command 'FCALL', with args beginning with: ",
    "ERR syntax error",
    "ERR AUTH <password> called without any password configured for the default user.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'get' command",
];

/// Returns how every step ends.
async fn every_step(place: &Place) -> Vec<Error> {
    let store = &place.store;
    let ids = [id("a")];
    let ended = [
        store.insert(&[job("new")]).await.map(drop),
        store.turn(place.next_sending(), &[], &[want(&QUEUES, 9)]).await.map(drop),
        store.release(place.next_sending().token).await.map(drop),
        store.beat(&process("worker-1"), &[], &[]).await.map(drop),
        store.tick().await.map(drop),
        store.cancel(&ids).await.map(drop),
        store.retry(&ids).await.map(drop),
        store.delete(&ids).await.map(drop),
        store.pause("low", None).await,
        store.resume("low").await,
        store.state("lane").await.map(drop),
        store.live("chat").await.map(drop),
        store.counts().await.map(drop),
        store.get(ids[0]).await.map(drop),
        store.handle().await.map(drop),
    ];
    ended.into_iter().filter_map(Result::err).collect()
}

#[tokio::test]
async fn an_answer_that_is_not_about_the_call_is_an_outage_of_redis() {
    let port = free_port();
    let _server = RedisServer::start_with_password(&port.to_string(), "geheim");
    let gate = Gate::before(port);
    let url = format!("redis://:geheim@127.0.0.1:{}", gate.port());
    let place = Place::on(Arc::new(Ground::Elsewhere(url)), ManualClock::new(START), |_| {}).await;
    place.insert(&[job("a")]).await;
    let claim = place.claim_one().await;
    for answer in ANSWERS {
        gate.refuse(answer);
        let errors = every_step(&place).await;
        // A handle of the same server opens a connection of its own, which may be refused only when it is used.
        assert!(errors.len() >= 14, "{answer}: {errors:?}");
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{answer}: {error:?}");
        }
        gate.pass();
        assert_eq!(place.state(id("a")).await, Some(State::Running), "{answer}");
    }
    assert_eq!(place.insert(&[job("b")]).await, [Inserted::Stored]);
    let turn = place.turn(&[commit(&claim, Outcome::Complete, vec![])], 0).await;
    assert_eq!(turn.answers, [Answer::Applied]);
}

#[tokio::test]
async fn a_start_waits_while_redis_answers_what_is_not_about_it() {
    let port = free_port();
    let _server = RedisServer::start_with_password(&port.to_string(), "geheim");
    let gate = Gate::before(port);
    for credentials in ["", ":geheim@"] {
        for answer in ANSWERS {
            gate.refuse(answer);
            let url = format!("redis://{credentials}127.0.0.1:{}", gate.port());
            let opening = tokio::spawn(async move {
                store::open_when_there(&url, StoreOptions::new("test")).await
            });
            gate.refuses(2).await;
            assert!(!opening.is_finished(), "{answer}");
            gate.pass();
            let opened = opening.await.unwrap();
            assert_eq!(opened.is_ok(), !credentials.is_empty(), "{answer}: {opened:?}");
            if let Err(error) = opened {
                assert_eq!(error.kind(), ErrorKind::Denied, "now it says that it wants a password");
            }
        }
    }
}

#[tokio::test]
async fn a_start_ends_where_redis_will_never_serve_it() {
    let port = free_port();
    let _server = RedisServer::start_with_password(&port.to_string(), "geheim");
    let gate = Gate::before(port);
    let open = async |end: &str| {
        let url = format!("redis://:geheim@127.0.0.1:{}{end}", gate.port());
        let options = Place::open(Kind::Model).await.options;
        store::open_when_there(&url, options).await.expect_err("it is refused")
    };
    for answer in UNFIT {
        gate.refuse(answer);
        let error = open("").await;
        assert_eq!(error.kind(), ErrorKind::Denied, "{answer}: {error:?}");
    }
    gate.pass();
    let error = open("/99").await;
    assert_eq!(error.kind(), ErrorKind::Denied, "there is no such database: {error:?}");
}

#[tokio::test]
async fn a_redis_with_too_many_clients_is_unavailable_and_no_wrong_password() {
    let port = free_port();
    let server = RedisServer::start_with(&[
        "--port",
        &port.to_string(),
        "--requirepass",
        "geheim",
        "--maxclients",
        "1",
    ]);
    let options = Place::open(Kind::Model).await.options;
    let url = format!("redis://:geheim@127.0.0.1:{port}");
    let only = UnixStream::connect(server.socket()).unwrap();
    let error = store::open(&url, options.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    drop(only);
    store::open_when_there(&url, options).await.unwrap();
}
