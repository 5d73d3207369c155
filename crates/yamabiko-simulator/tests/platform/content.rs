//! What users send beside text, and marks of reading.

use serde_json::{Value, json};

use crate::world::{ALICE, World};
use yamabiko_simulator::MarkAsRead;

async fn sends(world: &World, query: &str, bytes: &'static [u8]) -> Value {
    let path = format!("/control/chats/{ALICE}/media?{query}");
    let request = world.request("POST", &path).header("content-type", "application/octet-stream");
    let answer = world.send(request.body(bytes)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    world.hears_event().await
}

fn path(event: &Value, rest: &str) -> String {
    format!("/v2/bot/message/{}/content{rest}", event["message"]["id"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_picture_is_downloaded_as_it_was_sent() {
    let world = World::new().await;
    let event = sends(&world, "type=image&contentType=image/png", b"a picture").await;
    assert_eq!(event["message"]["contentProvider"], json!({ "type": "line" }));
    let content = world.call("GET", &path(&event, ""), None).await;
    assert_eq!((content.status, &content.body), (200, &json!("a picture")));
    assert_eq!(content.header("content-type"), "image/png");
    let preview = world.call("GET", &path(&event, "/preview"), None).await;
    assert_eq!(preview.header("content-type"), "image/png");
}

#[tokio::test]
async fn a_video_is_prepared_first() {
    let world = World::with(|config| config.settings.preparing_ms = 3_000).await;
    let event = sends(&world, "type=video&durationMs=5000", b"a film").await;
    assert_eq!(event["message"]["duration"], 5_000);
    let get = async |rest: &str| world.call("GET", &path(&event, rest), None).await;
    assert_eq!(get("").await.status, 202);
    assert_eq!(get("/transcoding").await.body["status"], "processing");
    world.simulator.clock().advance(std::time::Duration::from_secs(3));
    assert_eq!(get("").await.body, "a film");
    assert_eq!(get("/transcoding").await.body["status"], "succeeded");
}

#[tokio::test]
async fn a_file_has_a_name_and_a_size() {
    let world = World::new().await;
    let event =
        sends(&world, "type=file&fileName=plan.txt&contentType=text/plain", b"up the hill").await;
    let message = &event["message"];
    assert_eq!((&message["fileName"], &message["fileSize"]), (&json!("plan.txt"), &json!(11)));
    assert!(message["quoteToken"].is_null());
}

#[tokio::test]
async fn content_that_was_taken_back_is_gone_and_what_never_was_is_not_found() {
    let world = World::new().await;
    let event = sends(&world, "type=image", b"a secret").await;
    world.happens(ALICE, json!({ "type": "unsend", "messageId": event["message"]["id"] })).await;
    let gone = world.call("GET", &path(&event, ""), None).await;
    assert_eq!((gone.status, &gone.body["message"]), (410, &json!("The content is gone")));
    let never = world.call("GET", "/v2/bot/message/1/content", None).await;
    assert_eq!(never.status, 404);
}

#[tokio::test]
async fn another_sites_page_cannot_send_content() {
    let world = World::new().await;
    let request = world.request("POST", &format!("/control/chats/{ALICE}/media?type=image"));
    let answer = world.send(request.header("content-type", "text/plain").body("x")).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn where_chat_is_on_a_message_is_read_when_the_bot_says_so() {
    let world = World::with(|config| config.settings.mark_as_read_mode = MarkAsRead::Manual).await;
    let first = world.says(ALICE, "one").await;
    let second = world.says(ALICE, "two").await;
    world.says(ALICE, "three").await;
    assert!(first["message"]["markAsReadToken"].is_string());
    let token = &second["message"]["markAsReadToken"];
    let body = Some(json!({ "markAsReadToken": token }));
    assert_eq!(world.call("POST", "/v2/bot/chat/markAsRead", body).await.status, 200);
    let read: Vec<_> =
        world.transcript(ALICE).await.iter().map(|said| said["read"] == true).collect();
    assert_eq!(read, [true, true, false]);
    let wrong = Some(json!({ "markAsReadToken": "?" }));
    assert_eq!(world.call("POST", "/v2/bot/chat/markAsRead", wrong).await.status, 400);
    assert_eq!(world.call("GET", "/v2/bot/info", None).await.body["markAsReadMode"], "manual");
}

#[tokio::test]
async fn a_download_fails_where_a_fault_says_so() {
    let world = World::new().await;
    let event = sends(&world, "type=image", b"a picture").await;
    for status in [404, 410, 500] {
        let fault = json!({ "endpoint": "content", "status": status, "count": 1 });
        assert_eq!(world.call("POST", "/control/faults", Some(fault)).await.status, 200);
        assert_eq!(world.call("GET", &path(&event, ""), None).await.status, status);
    }
    assert_eq!(world.call("GET", &path(&event, ""), None).await.body, "a picture");
}
