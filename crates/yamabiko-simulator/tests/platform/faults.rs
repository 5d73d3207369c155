//! Faults of the bot's calls: what each does, whom it hits, and in what order.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{ALICE, SAKURA, World};

const PUSH: &str = "/v2/bot/message/push";
const KEY: &str = "123e4567-e89b-42d3-a456-426614174000";

async fn on(world: &World, fault: Value) {
    let answer = world.post("/control/faults", fault).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Sends a push on a connection of its own.
async fn push_on_a_new_connection(world: &World) -> TcpStream {
    let body = json!({ "to": SAKURA, "messages": [{ "type": "text", "text": "hi" }] }).to_string();
    let length = body.len();
    let request = format!(
        "POST {PUSH} HTTP/1.1\r\nhost: simulator\r\nauthorization: Bearer the access token\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(world.simulator.addr()).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it takes the request");
    stream
}

/// Pushes on a connection of its own and tells how it ended.
async fn end_of_push(world: &World) -> std::io::Result<usize> {
    push_on_a_new_connection(world).await.read(&mut [0; 1_024]).await
}

#[tokio::test]
async fn a_status_is_answered_with_lines_text_or_a_given_one() {
    let world = World::new().await;
    for (status, text) in [
        (500, "Internal Server Error"),
        (401, "Authentication failed due to the following reason: invalid access token."),
        (403, "Access to this API is not available for your account"),
    ] {
        on(&world, json!({ "endpoint": "push", "status": status, "count": 1 })).await;
        let answer = world.push(SAKURA, "hi", &[]).await;
        assert_eq!((answer.status, answer.body), (status, json!({ "message": text })));
    }
    on(&world, json!({ "endpoint": "*", "status": 400, "message": "No", "count": 1 })).await;
    let answer = world.push(SAKURA, "hi", &[]).await;
    assert_eq!((answer.status, answer.body), (400, json!({ "message": "No" })));
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn each_kind_of_429_has_its_text() {
    let world = World::new().await;
    for (limit, text) in [
        ("rate", "The API rate limit has been exceeded. Try again later."),
        ("user", "A large number of messages were sent to the same user."),
        ("quota", "You have reached your monthly limit."),
    ] {
        on(&world, json!({ "endpoint": "push", "limit": limit, "count": 1 })).await;
        let answer = world.push(SAKURA, "hi", &[]).await;
        assert_eq!((answer.status, answer.body), (429, json!({ "message": text })));
    }
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn a_call_that_times_out_before_acceptance_does_nothing() {
    let world = World::new().await;
    on(&world, json!({ "endpoint": "push", "timeout": "before", "count": 1 })).await;
    let withheld = async {
        let mut log = world.get("/control/log").await.body;
        while log["entries"][0]["reason"] != "answer withheld" {
            log = world.get("/control/log").await.body;
        }
    };
    tokio::select! {
        answer = world.push(SAKURA, "hi", &[]) => panic!("answered: {answer:?}"),
        () = withheld => {}
    }
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn a_reset_connection_is_really_reset_and_the_call_took_effect_or_not() {
    for (moment, said) in [("before", 0), ("after", 1)] {
        let world = World::new().await;
        on(&world, json!({ "endpoint": "push", "reset": moment, "count": 1 })).await;
        let end = end_of_push(&world).await;
        assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset), "{moment}");
        assert_eq!(world.transcript(SAKURA).await.len(), said, "{moment}");
        let log = world.get("/control/log").await.body;
        assert_eq!(log["entries"][0]["reason"], "connection reset");
        assert!(end_of_push(&world).await.is_ok_and(|length| length > 0));
    }
}

#[tokio::test]
async fn a_slow_answer_takes_as_long_as_it_shall_and_has_its_effect() {
    let world = World::new().await;
    on(&world, json!({ "endpoint": "push", "delayMs": 30, "count": 1 })).await;
    on(&world, json!({ "endpoint": "push", "delayMs": 20, "delayMaxMs": 40, "count": 1 })).await;
    for least in [30, 20] {
        let start = Instant::now();
        assert_eq!(world.push(SAKURA, "hi", &[]).await.status, 200);
        assert!(start.elapsed() >= Duration::from_millis(least));
    }
    on(&world, json!({ "endpoint": "push", "delayMs": 10, "status": 503 })).await;
    let start = Instant::now();
    assert_eq!(world.push(SAKURA, "hi", &[]).await.status, 503);
    assert!(start.elapsed() >= Duration::from_millis(10));
    assert_eq!(world.transcript(SAKURA).await.len(), 2);
}

#[tokio::test]
async fn a_call_takes_effect_though_the_bot_hangs_up_on_a_slow_answer() {
    let world = World::new().await;
    on(&world, json!({ "endpoint": "push", "delayMs": 300, "count": 1 })).await;
    let connection = push_on_a_new_connection(&world).await;
    while world.get("/control/log").await.body["entries"][0].is_null() {}
    drop(connection);
    let path = format!("/control/chats/{SAKURA}?after=0&wait_ms=10000");
    assert_eq!(world.get(&path).await.body["count"], 1);
}

#[tokio::test]
async fn a_reset_of_the_simulator_ends_calls_that_wait() {
    for fault in [
        json!({ "endpoint": "push", "delayMs": 60_000 }),
        json!({ "endpoint": "push", "timeout": "before" }),
    ] {
        let world = World::new().await;
        on(&world, fault).await;
        let mut connection = push_on_a_new_connection(&world).await;
        while world.get("/control/log").await.body["entries"][0].is_null() {}
        world.post("/control/reset", json!({})).await;
        let end = connection.read(&mut [0; 1_024]).await;
        assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    }
}

#[tokio::test]
async fn the_same_seed_hits_the_same_calls() {
    let world = World::new().await;
    let statuses = async |seed: u64| {
        let fault = json!({ "endpoint": "push", "status": 500, "rate": 0.5, "seed": seed });
        on(&world, fault).await;
        let mut statuses = Vec::new();
        for _ in 0..32 {
            statuses.push(world.push(SAKURA, "hi", &[]).await.status);
        }
        world.delete("/control/faults").await;
        statuses
    };
    let seven = statuses(7).await;
    assert!(seven.contains(&200) && seven.contains(&500));
    assert_eq!(statuses(7).await, seven);
    assert_ne!(statuses(8).await, seven);
}

#[tokio::test]
async fn a_fault_of_one_chat_hits_its_replies_and_pushes_and_no_other_chats() {
    let world = World::new().await;
    on(&world, json!({ "endpoint": "*", "status": 403, "chat": SAKURA })).await;
    for (user, status) in [(SAKURA, 403), (ALICE, 200)] {
        let event = world.says(user, "hello").await;
        let (reply, push) = (world.reply(&event, "hi").await, world.push(user, "hi", &[]).await);
        assert_eq!((reply.status, push.status), (status, status), "{user}");
    }
}

#[tokio::test]
async fn a_refused_property_is_named_and_costs_neither_the_reply_token_nor_the_retry_key() {
    let world = World::new().await;
    on(&world, json!({ "endpoint": "*", "refuse": "quoteToken" })).await;
    let event = world.says(SAKURA, "hello").await;
    let quote = &event["message"]["quoteToken"];
    let call = async |endpoint: &str, to: (&str, &Value), message: Value| {
        let body = json!({ to.0: to.1, "messages": [{ "type": "text", "text": "a" }, message] });
        let key: &[_] = if endpoint == "push" { &[("x-line-retry-key", KEY)] } else { &[] };
        world.call_with("POST", &format!("/v2/bot/message/{endpoint}"), Some(body), key).await
    };
    for (endpoint, to) in
        [("reply", ("replyToken", &event["replyToken"])), ("push", ("to", &json!(SAKURA)))]
    {
        let quoting = json!({ "type": "text", "text": "b", "quoteToken": quote });
        let refused = call(endpoint, to, quoting).await;
        let property = &refused.body["details"][0]["property"];
        assert_eq!((refused.status, property), (400, &json!("messages[1].quoteToken")));
        let bare = json!({ "type": "text", "text": "b" });
        assert_eq!(call(endpoint, to, bare).await.status, 200);
    }
}

#[tokio::test]
async fn a_used_retry_key_with_another_body_is_refused_where_the_settings_say_so() {
    let world = World::new().await;
    let key: &[_] = &[("x-line-retry-key", KEY)];
    let answers = async || {
        let mut statuses = Vec::new();
        for text in ["one", "another", "one"] {
            statuses.push(world.push(SAKURA, text, key).await.status);
        }
        statuses
    };
    assert_eq!(answers().await, [200, 409, 409]);
    world.post("/control/reset", json!({})).await;
    world.post("/control/settings", json!({ "usedRetryKey": "refused" })).await;
    assert_eq!(answers().await, [200, 400, 409]);
}

#[tokio::test]
async fn of_several_faults_the_first_that_hits_counts() {
    let world = World::new().await;
    on(&world, json!({ "endpoint": "push", "status": 500, "rate": 0.0 })).await;
    on(&world, json!({ "endpoint": "reply", "status": 501 })).await;
    on(&world, json!({ "endpoint": "push", "status": 502, "count": 1 })).await;
    on(&world, json!({ "endpoint": "*", "status": 503, "count": 1 })).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.push(SAKURA, "hi", &[]).await.status);
    }
    assert_eq!(statuses, [502, 503, 200]);
    let left = world.get("/control/faults").await.body;
    let first = json!({ "endpoint": "push", "status": 500, "rate": 0.0, "seed": 1 });
    assert_eq!((left["faults"].as_array().map(Vec::len), &left["faults"][0]), (Some(2), &first));
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_with_a_reason() {
    let world = World::new().await;
    for wrong in [
        json!({ "endpoint": "push" }),
        json!({ "endpoint": "push", "status": 500, "rate": 2 }),
        json!({ "endpoint": "push", "timeout": "between" }),
        json!({ "endpoint": "push", "duplicate": 1 }),
        json!({ "endpoint": "callback", "reset": "after" }),
    ] {
        let answer = world.post("/control/faults", wrong.clone()).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.body["error"].is_string());
    }
}
