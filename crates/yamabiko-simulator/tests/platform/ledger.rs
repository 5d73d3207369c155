//! The ledger: after which webhook, and by which call, the bot said something.

use serde_json::{Value, json};

use crate::world::{ALICE, SAKURA, World};

async fn last_of_ledger(world: &World) -> Value {
    let mut ledger = world.get("/control/ledger").await.body;
    ledger["messages"].as_array_mut().and_then(Vec::pop).expect("something was said")
}

#[tokio::test]
async fn a_reply_comes_after_the_event_whose_token_it_used() {
    let world = World::new().await;
    let first = world.says(SAKURA, "one").await;
    world.says(SAKURA, "two").await;
    let answer = world.reply(&first, "to one").await;
    let reply = last_of_ledger(&world).await;
    assert_eq!(reply["afterWebhookEventId"], first["webhookEventId"]);
    assert_eq!(reply["requestId"], answer.header("x-line-request-id"));
    assert_eq!(reply["via"], "reply");
    assert!(reply.get("webhookEventId").is_none());
}

#[tokio::test]
async fn a_push_comes_after_the_last_event_of_its_chat() {
    let world = World::new().await;
    world.push(SAKURA, "before all", &[]).await;
    assert!(last_of_ledger(&world).await.get("afterWebhookEventId").is_none());
    world.says(SAKURA, "one").await;
    let second = world.happens(SAKURA, json!({ "type": "postback", "data": "x" })).await;
    world.says(ALICE, "elsewhere").await;
    world.push(SAKURA, "after all", &[]).await;
    let push = last_of_ledger(&world).await;
    assert_eq!(push["afterWebhookEventId"], second["webhookEventId"]);
    assert_eq!((&push["via"], &push["userId"]), (&json!("push"), &json!(SAKURA)));
}

#[tokio::test]
async fn a_push_does_not_come_after_an_event_that_did_not_reach_the_bot() {
    let world = World::new().await;
    let heard = world.says(SAKURA, "heard").await;
    world
        .post("/control/faults", json!({ "endpoint": "callback", "lose": true, "count": 1 }))
        .await;
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    world.post(&path, json!({ "type": "text", "text": "lost" })).await;
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}/callback", nowhere.local_addr().expect("is bound"));
    drop(nowhere);
    let endpoint = "/v2/bot/channel/webhook/endpoint";
    world.call("PUT", endpoint, Some(json!({ "endpoint": url }))).await;
    let said = world.post(&path, json!({ "type": "text", "text": "nobody is there" })).await.body;
    assert_eq!(said["webhook"]["reason"], "could_not_connect");
    world.push(SAKURA, "hello", &[]).await;
    assert_eq!(last_of_ledger(&world).await["afterWebhookEventId"], heard["webhookEventId"]);
}
