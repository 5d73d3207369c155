//! Everything of LINE's API that is not a message.

use std::time::Duration;

use serde_json::json;

use crate::world::{ALICE, SAKURA, World};

#[tokio::test]
async fn a_profile_tells_name_and_language_of_friends_only() {
    let world = World::new().await;
    let path = format!("/v2/bot/profile/{ALICE}");
    let profile = world.call("GET", &path, None).await;
    let expected = json!({ "userId": ALICE, "displayName": "Alice", "language": "en" });
    assert_eq!((profile.status, profile.body), (200, expected));
    world.happens(ALICE, json!({ "type": "unfollow" })).await;
    assert_eq!(world.call("GET", &path, None).await.status, 404);
    assert_eq!(world.call("GET", "/v2/bot/profile/Unobody", None).await.status, 404);
}

#[tokio::test]
async fn a_call_without_the_right_token_is_refused_and_has_an_id() {
    let world = World::new().await;
    for token in ["Bearer wrong", "the access token"] {
        let headers = [("authorization", token)];
        let answer = world.call_with("GET", "/v2/bot/info", None, &headers).await;
        assert_eq!(answer.status, 401);
        assert!(answer.body["message"].as_str().is_some_and(|m| m.starts_with("Authentication")));
        assert_eq!(answer.header("x-line-request-id").len(), 36);
    }
    assert_eq!(world.call("GET", "/v2/bot/info", None).await.status, 200);
}

#[tokio::test]
async fn an_unknown_endpoint_is_404_in_lines_format() {
    let world = World::new().await;
    let answer = world.call("GET", "/v2/bot/nothing", None).await;
    assert_eq!((answer.status, answer.body), (404, json!({ "message": "Not found" })));
}

#[tokio::test]
async fn a_stateless_token_is_issued_for_id_and_secret_and_lives_15_minutes() {
    let world = World::new().await;
    let form = |secret: &str| {
        format!("grant_type=client_credentials&client_id=1234567890&client_secret={secret}")
    };
    let ask = |body: String| {
        let request = world.request("POST", "/oauth2/v3/token").body(body);
        world.send(request.header("content-type", "application/x-www-form-urlencoded"))
    };
    assert_eq!(ask(form("wrong")).await.status, 400);
    let answer = ask(form("the+channel%27s+secret")).await;
    assert_eq!((answer.status, &answer.body["expires_in"]), (200, &json!(900)));
    let token = answer.body["access_token"].as_str().expect("has a token");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(world.call_with("GET", "/v2/bot/info", None, &headers).await.status, 200);
    world.simulator.clock().advance(Duration::from_secs(900));
    assert_eq!(world.call_with("GET", "/v2/bot/info", None, &headers).await.status, 401);

    let other = ask(form("the+channel%27s+secret")).await.body["access_token"].take();
    let bearer = format!("Bearer {}", other.as_str().expect("has a token"));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(world.call_with("GET", "/v2/bot/info", None, &headers).await.status, 200);
    assert_eq!(world.delete("/control/access-tokens").await.status, 200);
    assert_eq!(world.call_with("GET", "/v2/bot/info", None, &headers).await.status, 401);
    assert_eq!(
        world.call("GET", "/v2/bot/info", None).await.status,
        200,
        "the configured one stays"
    );

    let log = world.get("/control/log").await.body.to_string();
    assert!(!log.contains(token) && !log.contains("client_secret"), "no credentials in the log");
}

#[tokio::test]
async fn the_loading_animation_runs_until_its_time_or_the_next_message() {
    let world = World::new().await;
    let start = |body| world.call("POST", "/v2/bot/chat/loading/start", Some(body));
    let loading =
        async || world.get(&format!("/control/chats/{SAKURA}")).await.body["loading"].take();

    let answer = start(json!({ "chatId": SAKURA, "loadingSeconds": 5 })).await;
    assert_eq!((answer.status, answer.body), (202, json!({})));
    assert!(loading().await.is_object());
    world.simulator.clock().advance(Duration::from_secs(5));
    assert!(loading().await.is_null());

    start(json!({ "chatId": SAKURA })).await;
    assert!(loading().await.is_object());
    world.push(SAKURA, "done", &[]).await;
    assert!(loading().await.is_null());
}

#[tokio::test]
async fn the_loading_animation_wants_a_user_and_a_multiple_of_5_up_to_60() {
    let world = World::new().await;
    let group = format!("C{}", "1".repeat(32));
    for wrong in [
        json!({ "chatId": SAKURA, "loadingSeconds": 4 }),
        json!({ "chatId": SAKURA, "loadingSeconds": 7 }),
        json!({ "chatId": SAKURA, "loadingSeconds": 65 }),
        json!({ "chatId": group, "loadingSeconds": 5 }),
    ] {
        let answer = world.call("POST", "/v2/bot/chat/loading/start", Some(wrong)).await;
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn a_webhook_that_is_off_or_not_set_is_told_and_hears_nothing() {
    let world = World::new().await;
    let endpoint = async || world.call("GET", "/v2/bot/channel/webhook/endpoint", None).await;
    let test = async || world.call("POST", "/v2/bot/channel/webhook/test", Some(json!({}))).await;
    world.post("/control/settings", json!({ "webhook": "off" })).await;
    assert_eq!(endpoint().await.body["active"], false);
    let message = json!({ "type": "text", "text": "hello" });
    let said = world.post(&format!("/control/chats/{ALICE}/messages"), message).await;
    assert_eq!((said.status, &said.body["webhookEventId"]), (200, &json!(null)));
    assert_eq!(test().await.body["success"], true);
    assert_eq!(world.hears().await.json()["events"], json!([]), "the test is all that it hears");

    world.post("/control/settings", json!({ "webhook": "unset" })).await;
    assert_eq!((endpoint().await.status, test().await.status), (404, 404));
    let body = json!({ "endpoint": "https://example.com/callback" });
    world.call("PUT", "/v2/bot/channel/webhook/endpoint", Some(body.clone())).await;
    let told = endpoint().await.body;
    assert_eq!((&told["endpoint"], &told["active"]), (&body["endpoint"], &json!(false)));
}

#[tokio::test]
async fn answers_tell_the_date_by_the_simulators_clock() {
    let world = World::new().await;
    let date = async || {
        let answer = world.call("GET", "/v2/bot/info", None).await;
        httpdate::parse_http_date(answer.header("date")).expect("is a date")
    };
    let before = date().await;
    world.simulator.clock().advance(Duration::from_secs(3_600));
    assert_eq!(date().await.duration_since(before).ok(), Some(Duration::from_secs(3_600)));
}

#[tokio::test]
async fn the_webhook_endpoint_is_told_tested_and_changed() {
    let world = World::new().await;
    let told = world.call("GET", "/v2/bot/channel/webhook/endpoint", None).await.body;
    assert_eq!(told["active"], true);
    let tested = world.call("POST", "/v2/bot/channel/webhook/test", Some(json!({}))).await.body;
    assert_eq!((&tested["success"], &tested["statusCode"]), (&json!(true), &json!(200)));
    let heard = world.hears().await;
    assert_eq!(heard.json()["events"], json!([]));

    let elsewhere = told["endpoint"].as_str().expect("is told").replace("callback", "elsewhere");
    let body = json!({ "endpoint": elsewhere });
    world.call("PUT", "/v2/bot/channel/webhook/endpoint", Some(body)).await;
    let tested = world.call("POST", "/v2/bot/channel/webhook/test", Some(json!({}))).await.body;
    assert_eq!((&tested["success"], &tested["statusCode"]), (&json!(false), &json!(404)));
    assert_eq!(tested["reason"], "ERROR_STATUS_CODE");
}
