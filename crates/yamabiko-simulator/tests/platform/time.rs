//! The simulator's time: its speed, its standing, and what follows it.

use std::time::Duration;

use serde_json::{Value, json};
use yamabiko_simulator::{Clock, SimulatorConfig};

use crate::world::{ALICE, SAKURA, World};

const START: i64 = 1_790_000_000_000;

fn redelivers(config: &mut SimulatorConfig) {
    config.settings.redelivery_attempts = 5;
}

/// Lets Sakura write, and waits until the bot has answered the webhook.
async fn says_and_waits(world: &World, text: &str) -> Value {
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    let said = world.post(&path, json!({ "type": "text", "text": text })).await;
    assert_eq!(said.status, 200);
    said.body["webhook"].clone()
}

#[tokio::test]
async fn the_clock_is_shown_and_takes_what_is_given() {
    let world = World::new().await;
    let clock = world.get("/control/clock").await.body;
    assert_eq!(clock, json!({ "now": START, "speed": 1, "stands": true }));
    let clock = world.post("/control/clock", json!({ "speed": 60 })).await.body;
    assert_eq!(clock, json!({ "now": START, "speed": 60, "stands": true }));
    let clock = world.post("/control/clock", json!({ "advanceSeconds": 90 })).await.body;
    assert_eq!(clock, json!({ "now": START + 90_000, "speed": 60, "stands": true }));

    let all = json!({ "advanceSeconds": 10, "speed": 1, "stands": false });
    let clock = world.post("/control/clock", all).await.body;
    assert_eq!((&clock["speed"], &clock["stands"]), (&json!(1), &json!(false)));
    assert!(clock["now"].as_i64().is_some_and(|now| now >= START + 100_000));
    for wrong in [
        json!({ "speed": 0 }),
        json!({ "speed": 1_001 }),
        json!({ "speed": -1 }),
        json!({ "advanceSeconds": -1 }),
        json!({ "stand": true }),
    ] {
        assert_eq!(world.post("/control/clock", wrong.clone()).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_clock_that_stands_goes_on_from_there_when_it_runs_again() {
    let world = World::with(|config| config.clock = Clock::system()).await;
    world.post("/control/clock", json!({ "advanceSeconds": 86_400 })).await;
    let stood = world.post("/control/clock", json!({ "stands": true })).await.body["now"].take();
    assert_eq!(world.get("/control/clock").await.body["now"], stood);
    let runs = world.post("/control/clock", json!({ "stands": false })).await.body["now"].take();
    let passed = runs.as_i64().zip(stood.as_i64()).map(|(runs, stood)| runs - stood);
    assert!(passed.is_some_and(|passed| (0..3_600_000).contains(&passed)), "{passed:?} ms");
}

#[tokio::test]
async fn a_standing_clock_holds_a_redelivery_until_it_is_moved() {
    let world = World::with(redelivers).await;
    world.bot_answers(503);
    assert_eq!(says_and_waits(&world, "180").await["status"], 503);
    let first = world.hears_event().await;
    world.bot_answers(200);
    world.simulator.clock().advance(Duration::from_millis(999));
    // Whoever writes now is heard first: the redelivery is not on its way.
    assert_eq!(world.says(ALICE, "hello").await["source"]["userId"], ALICE);
    world.simulator.clock().advance(Duration::from_millis(1));
    let again = world.hears_event().await;
    assert_eq!(again["webhookEventId"], first["webhookEventId"]);
    assert_eq!(again["deliveryContext"]["isRedelivery"], true);
}

#[tokio::test]
async fn at_speed_1000_half_a_minute_of_redeliveries_is_over_at_once() {
    let world = World::with(redelivers).await;
    world.bot_answers(503);
    world.post("/control/clock", json!({ "speed": 1_000, "stands": false })).await;
    let first = world.says(SAKURA, "180").await;
    for _ in 0..5 {
        let again = world.hears_event().await;
        assert_eq!(again["webhookEventId"], first["webhookEventId"]);
        assert_eq!(again["timestamp"], first["timestamp"]);
    }
    let log = world.get("/control/log").await.body;
    let entries = log["entries"].as_array().expect("has entries");
    let sent: Vec<i64> = entries.iter().filter_map(|entry| entry["at"].as_i64()).collect();
    let waits: Vec<i64> = sent.windows(2).map(|two| two[1] - two[0]).collect();
    let least = [1_000, 2_000, 4_000, 8_000, 16_000];
    assert_eq!(waits.len(), least.len());
    assert!(waits.iter().zip(least).all(|(wait, least)| *wait >= least), "{waits:?}");
}

#[tokio::test]
async fn at_speed_1000_a_bot_still_has_its_2_seconds() {
    let world = World::new().await;
    world.post("/control/clock", json!({ "speed": 1_000, "stands": false })).await;
    world.bot_answers_slowly(50);
    assert_eq!(says_and_waits(&world, "180").await["status"], 200);
}

#[tokio::test]
async fn an_open_page_sees_the_loading_animation_end_in_the_simulators_time() {
    let world = World::new().await;
    let body = json!({ "chatId": SAKURA, "loadingSeconds": 60 });
    world.call("POST", "/v2/bot/chat/loading/start", Some(body)).await;
    let page = world.get("/").await.body;
    let (_, cursor) = page.as_str().and_then(|page| page.split_once("data-cursor=\"")).expect("is");
    let (cursor, _) = cursor.split_once('"').expect("ends");
    let path = format!("/events/{SAKURA}?after={cursor}");
    let mut stream = world.request("GET", &path).send().await.expect("the stream opens");
    let mut heard = String::new();
    world.post("/control/clock", json!({ "speed": 1_000, "stands": false })).await;
    let hides = |tag: &str| tag.contains("data-testid=\"loading\"") && tag.contains(" hidden");
    while !heard.split('<').any(hides) {
        let chunk = stream.chunk().await.expect("the stream goes on").expect("it has not ended");
        heard.push_str(&String::from_utf8_lossy(&chunk));
    }
}
