//! Faults of webhooks: copies, delays, changed order, loss.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{ALICE, SAKURA, World};

async fn on(world: &World, mut fault: Value) {
    fault["endpoint"] = "callback".into();
    let answer = world.post("/control/faults", fault).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Lets a user write, without waiting for anything.
async fn writes(world: &World, user: &str, text: &str) {
    let message = json!({ "type": "text", "text": text });
    let answer = world.post(&format!("/control/chats/{user}/messages"), message).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn hears_texts(world: &World, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        let event = world.hears_event().await;
        texts.push(event["message"]["text"].as_str().unwrap_or_default().to_owned());
    }
    texts
}

#[tokio::test]
async fn a_duplicated_webhook_comes_several_times_and_never_as_a_redelivery() {
    let world = World::new().await;
    on(&world, json!({ "duplicate": 2, "count": 1 })).await;
    writes(&world, SAKURA, "180").await;
    let first = world.hears_event().await;
    assert_eq!(first["deliveryContext"]["isRedelivery"], false);
    for _ in 0..2 {
        assert_eq!(world.hears_event().await, first);
    }
    assert_eq!(world.says(SAKURA, "once").await["message"]["text"], "once");
    writes(&world, SAKURA, "end").await;
    assert_eq!(hears_texts(&world, 1).await, ["end"]);
}

#[tokio::test]
async fn a_delayed_webhook_waits_in_the_simulators_time_and_holds_its_chat_up() {
    let world = World::new().await;
    on(&world, json!({ "delayMs": 3_000, "count": 1 })).await;
    writes(&world, SAKURA, "slow").await;
    writes(&world, SAKURA, "after it").await;
    writes(&world, ALICE, "elsewhere").await;
    assert_eq!(hears_texts(&world, 1).await, ["elsewhere"]);
    world.simulator.clock().advance(Duration::from_millis(2_999));
    writes(&world, ALICE, "still elsewhere").await;
    assert_eq!(hears_texts(&world, 1).await, ["still elsewhere"]);
    world.simulator.clock().advance(Duration::from_millis(1));
    assert_eq!(hears_texts(&world, 2).await, ["slow", "after it"]);
}

#[tokio::test]
async fn a_random_delay_lies_between_its_bounds() {
    let world = World::new().await;
    on(&world, json!({ "delayMs": 1_000, "delayMaxMs": 2_000, "count": 1 })).await;
    writes(&world, SAKURA, "slow").await;
    world.simulator.clock().advance(Duration::from_millis(999));
    writes(&world, ALICE, "elsewhere").await;
    assert_eq!(hears_texts(&world, 1).await, ["elsewhere"]);
    world.simulator.clock().advance(Duration::from_millis(1_001));
    assert_eq!(hears_texts(&world, 1).await, ["slow"]);
}

#[tokio::test]
async fn reordered_webhooks_change_places_with_the_next_of_their_chat() {
    let world = World::new().await;
    on(&world, json!({ "reorder": true })).await;
    for text in ["1", "2", "3", "4"] {
        writes(&world, SAKURA, text).await;
    }
    assert_eq!(hears_texts(&world, 4).await, ["2", "1", "4", "3"]);
}

#[tokio::test]
async fn a_reordered_webhook_without_a_next_one_comes_after_a_second() {
    let world = World::new().await;
    on(&world, json!({ "reorder": true, "count": 1 })).await;
    writes(&world, SAKURA, "alone").await;
    world.simulator.clock().advance(Duration::from_millis(999));
    writes(&world, ALICE, "of another chat").await;
    assert_eq!(hears_texts(&world, 1).await, ["of another chat"]);
    world.simulator.clock().advance(Duration::from_millis(1));
    assert_eq!(hears_texts(&world, 1).await, ["alone"]);
}

#[tokio::test]
async fn a_lost_webhook_never_comes_without_redelivery() {
    let world = World::new().await;
    on(&world, json!({ "lose": true, "count": 1 })).await;
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    let said = world.post(&path, json!({ "type": "text", "text": "lost" })).await.body;
    assert_eq!(said["webhook"], json!({ "status": null, "durationMs": 0, "reason": "lost" }));
    world.simulator.clock().advance(Duration::from_secs(3_600));
    assert_eq!(world.says(SAKURA, "next").await["message"]["text"], "next");
    let log = world.get("/control/log").await.body;
    assert_eq!(log["entries"][0]["reason"], "lost");
    let id = said["webhookEventId"].as_str().expect("has an id");
    world.post(&format!("/control/webhooks/{id}/redeliver"), json!({})).await;
    assert_eq!(hears_texts(&world, 1).await, ["lost"], "it can be sent by hand");
}

#[tokio::test]
async fn a_lost_webhook_comes_as_a_redelivery_if_that_is_on() {
    let world = World::with(|config| config.settings.redelivery_attempts = 1).await;
    on(&world, json!({ "lose": true, "count": 1 })).await;
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    world.post(&path, json!({ "type": "text", "text": "180" })).await;
    world.simulator.clock().advance(Duration::from_secs(1));
    let event = world.hears_event().await;
    assert_eq!(event["deliveryContext"]["isRedelivery"], true);
    assert_eq!(world.reply(&event, "ok").await.status, 200);
}

#[tokio::test]
async fn an_unsend_arrives_before_a_message_that_was_lost() {
    let world = World::with(|config| config.settings.redelivery_attempts = 1).await;
    on(&world, json!({ "lose": true, "count": 1 })).await;
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    let said = world.post(&path, json!({ "type": "text", "text": "180" })).await.body;
    let unsend = json!({ "type": "unsend", "messageId": said["messageId"] });
    let event = world.happens(SAKURA, unsend).await;
    assert_eq!(event["unsend"]["messageId"], said["messageId"]);
    world.simulator.clock().advance(Duration::from_secs(1));
    let event = world.hears_event().await;
    assert_eq!(
        (&event["message"]["id"], &event["message"]["text"]),
        (&said["messageId"], &json!("180"))
    );
    assert_eq!(event["deliveryContext"]["isRedelivery"], true);
}

#[tokio::test]
async fn the_same_seed_loses_the_same_webhooks() {
    let lost = async |seed: u64| {
        let world = World::new().await;
        on(&world, json!({ "lose": true, "rate": 0.5, "seed": seed })).await;
        for _ in 0..32 {
            let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
            world.post(&path, json!({ "type": "text", "text": "hi" })).await;
        }
        let log = world.get("/control/log").await.body;
        let entries = log["entries"].as_array().expect("has entries").clone();
        entries.iter().map(|entry| entry["reason"] == "lost").collect::<Vec<_>>()
    };
    let seven = lost(7).await;
    assert!(seven.len() == 32 && seven.contains(&true) && seven.contains(&false));
    assert_eq!(lost(7).await, seven);
    assert_ne!(lost(8).await, seven);
}

#[tokio::test]
async fn a_reset_ends_what_waits_to_be_sent_or_to_be_sent_again() {
    let world = World::with(|config| config.settings.redelivery_attempts = 1).await;
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    on(&world, json!({ "lose": true, "count": 1 })).await;
    world.post(&path, json!({ "type": "text", "text": "lost" })).await;
    on(&world, json!({ "delayMs": 1_000, "count": 1 })).await;
    writes(&world, SAKURA, "slow").await;
    world.post("/control/reset", json!({})).await;
    world.simulator.clock().advance(Duration::from_secs(1));
    world.post(&path, json!({ "type": "text", "text": "anew" })).await;
    assert_eq!(hears_texts(&world, 1).await, ["anew"]);
}
