//! LINE's rate limits, on the simulator's time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Answer, SAKURA, World};

const TEST: &str = "/v2/bot/channel/webhook/test";
const ENDPOINT: &str = "/v2/bot/channel/webhook/endpoint";

async fn load(world: &World) -> Answer {
    let body = json!({ "chatId": SAKURA, "loadingSeconds": 5 });
    world.call("POST", "/v2/bot/chat/loading/start", Some(body)).await
}

/// Makes `calls` calls, all of which must be taken, and one more, which must not.
async fn fills(world: &World, calls: usize, method: &str, path: &str, body: Option<Value>) {
    for n in 0..calls {
        let answer = world.call(method, path, body.clone()).await;
        assert_ne!(answer.status, 429, "call {n}");
    }
    let answer = world.call(method, path, body).await;
    let expected = json!({ "message": "The API rate limit has been exceeded. Try again later." });
    assert_eq!((answer.status, &answer.body), (429, &expected), "{path}");
    assert_eq!(answer.header("x-line-request-id").len(), 36);
}

#[tokio::test]
async fn the_loading_animation_may_be_started_100_times_a_second() {
    let world = World::new().await;
    let body = json!({ "chatId": SAKURA, "loadingSeconds": 5 });
    fills(&world, 100, "POST", "/v2/bot/chat/loading/start", Some(body)).await;
    world.simulator.clock().advance(Duration::from_millis(9));
    assert_eq!(load(&world).await.status, 429);
    world.simulator.clock().advance(Duration::from_millis(1));
    assert_eq!(load(&world).await.status, 202, "one more after a hundredth of a second");
    assert_eq!(load(&world).await.status, 429);
}

#[tokio::test]
async fn the_webhook_may_be_tested_60_times_an_hour() {
    let world = World::new().await;
    fills(&world, 60, "POST", TEST, Some(json!({}))).await;
    world.simulator.clock().advance(Duration::from_secs(60));
    assert_eq!(world.call("POST", TEST, Some(json!({}))).await.status, 200);
    assert_eq!(world.call("POST", TEST, Some(json!({}))).await.status, 429);
}

#[tokio::test]
async fn the_webhook_endpoint_may_be_asked_for_and_set_1000_times_a_minute_each() {
    let world = World::new().await;
    fills(&world, 1_000, "GET", ENDPOINT, None).await;
    let body = json!({ "endpoint": "http://127.0.0.1:1/callback" });
    assert_eq!(world.call("PUT", ENDPOINT, Some(body)).await.status, 200);
    world.simulator.clock().advance(Duration::from_millis(60));
    assert_eq!(world.call("GET", ENDPOINT, None).await.status, 200);
    assert_eq!(world.call("GET", ENDPOINT, None).await.status, 429);
}

#[tokio::test]
async fn everything_else_may_be_called_2000_times_a_second() {
    let world = World::new().await;
    let path = format!("/v2/bot/profile/{SAKURA}");
    fills(&world, 2_000, "GET", &path, None).await;
    let other = world.call("GET", "/v2/bot/profile/Unobody", None).await;
    assert_eq!(other.status, 429, "it is the same endpoint for all users");
    assert_eq!(world.call("GET", "/v2/bot/info", None).await.status, 200);
    world.simulator.clock().advance(Duration::from_secs(1));
    assert_eq!(world.call("GET", &path, None).await.status, 200);
}

#[tokio::test]
async fn a_call_over_the_limit_does_nothing_and_meets_no_fault() {
    let world = World::new().await;
    let fault = json!({ "endpoint": "loading", "status": 503, "count": 101 });
    world.post("/control/faults", fault).await;
    let body = json!({ "chatId": SAKURA, "loadingSeconds": 5 });
    fills(&world, 100, "POST", "/v2/bot/chat/loading/start", Some(body)).await;
    assert!(world.get(&format!("/control/chats/{SAKURA}")).await.body["loading"].is_null());
    assert_eq!(world.get("/control/faults").await.body["faults"][0]["count"], 1);
}

#[tokio::test]
async fn rate_limits_can_be_switched_off() {
    let world = World::with(|config| config.settings.rate_limits = false).await;
    for _ in 0..101 {
        assert_eq!(load(&world).await.status, 202);
    }
    world.post("/control/settings", json!({ "rateLimits": true })).await;
    let body = json!({ "chatId": SAKURA, "loadingSeconds": 5 });
    fills(&world, 100, "POST", "/v2/bot/chat/loading/start", Some(body)).await;
}
