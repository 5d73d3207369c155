//! Webhooks: their form, their order, their deadline, their redelivery.

use std::collections::HashSet;
use std::net::TcpListener;

use serde_json::json;
use yamabiko_line::signature;
use yamabiko_simulator::Clock;

use crate::world::{ALICE, SAKURA, SILENCE, World};

#[tokio::test]
async fn a_text_arrives_as_a_signed_webhook() {
    let world = World::new().await;
    let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
    let said = world.post(&path, json!({ "type": "text", "text": "180" })).await.body;
    assert_eq!(said["webhook"]["status"], 200);
    let heard = world.hears().await;
    let header = heard.signature.as_deref().expect("is signed");
    assert!(signature::verify(&world.secret, &heard.body, header));

    let body = heard.json();
    assert_eq!(body["destination"].as_str().map(str::len), Some(33));
    let event = &body["events"][0];
    assert_eq!((&event["type"], &event["mode"]), (&json!("message"), &json!("active")));
    assert_eq!(event["timestamp"], 1_790_000_000_000_i64);
    assert_eq!(event["source"], json!({ "type": "user", "userId": SAKURA }));
    assert_eq!(event["deliveryContext"], json!({ "isRedelivery": false }));
    assert_eq!(event["webhookEventId"], said["webhookEventId"]);
    assert_eq!(event["webhookEventId"].as_str().map(str::len), Some(26));
    assert_eq!(event["replyToken"].as_str().map(str::len), Some(32));
    let message = &event["message"];
    assert_eq!((&message["type"], &message["text"]), (&json!("text"), &json!("180")));
    assert_eq!(message["id"], said["messageId"]);
    assert!(message["quoteToken"].is_string() && message["markAsReadToken"].is_null());
    assert_eq!(world.transcript(SAKURA).await[0]["read"], true);
}

#[tokio::test]
async fn a_users_quote_names_the_quoted_message() {
    let world = World::new().await;
    let pushed = world.push(SAKURA, "hello", &[]).await.body;
    let id = &pushed["sentMessages"][0]["id"];
    let path = format!("/control/chats/{SAKURA}/messages");
    world.post(&path, json!({ "type": "text", "text": "hi", "quotedMessageId": id })).await;
    assert_eq!(&world.hears_event().await["message"]["quotedMessageId"], id);
    let unknown = json!({ "type": "text", "text": "hi", "quotedMessageId": "1" });
    assert_eq!(world.post(&path, unknown).await.status, 404);
}

#[tokio::test]
async fn other_events_are_completed_as_line_does() {
    let world = World::new().await;
    let postback = world.happens(SAKURA, json!({ "type": "postback", "data": "x=1" })).await;
    assert_eq!(postback["postback"], json!({ "data": "x=1" }));
    assert!(postback["replyToken"].is_string());
    let unfollow = world.happens(SAKURA, json!({ "type": "unfollow" })).await;
    assert!(unfollow.get("replyToken").is_none());
    let follow = world.happens(SAKURA, json!({ "type": "follow" })).await;
    assert_eq!(follow["follow"], json!({ "isUnblocked": true }));
    let group = json!({ "type": "group", "groupId": format!("C{}", "1".repeat(32)) });
    let join = world.happens(SAKURA, json!({ "type": "join", "source": group })).await;
    assert_eq!(join["source"], group);
    let future = world.happens(SAKURA, json!({ "type": "teleport", "teleport": [1] })).await;
    assert_eq!(future["teleport"], json!([1]));
    assert_eq!(future["source"]["userId"], SAKURA);
}

#[tokio::test]
async fn an_event_of_nobody_is_answered_in_the_chat_that_caused_it() {
    let world = World::new().await;
    let message = json!({ "type": "text", "id": "1", "text": "180" });
    for source in [json!(null), json!({ "type": "user" }), json!({ "type": "planet" })] {
        let event = json!({ "type": "message", "message": message, "source": source });
        assert_eq!(world.happens(SAKURA, event).await["source"], source);
    }
    let without = json!(["source", "webhookEventId", "timestamp", "mode", "deliveryContext"]);
    let event = json!({ "type": "message", "message": message, "without": without });
    let heard = world.happens(SAKURA, event).await;
    let names: Vec<_> = heard.as_object().expect("is an event").keys().collect();
    assert_eq!(names, ["message", "replyToken", "type"]);
    assert_eq!(world.reply(&heard, "hello").await.status, 200);
    assert_eq!(world.transcript(SAKURA).await[0]["text"], "hello");
    let without = json!(["replyToken"]);
    let event = json!({ "type": "message", "message": message, "without": without });
    assert!(world.happens(SAKURA, event).await.get("replyToken").is_none());
    let path = format!("/control/chats/{SAKURA}/events");
    let wrong = json!({ "type": "follow", "without": "source" });
    assert_eq!(world.post(&path, wrong).await.status, 400);
}

#[tokio::test]
async fn a_chat_that_another_channel_has_taken_over_is_in_standby_until_it_is_given_back() {
    let world = World::new().await;
    let mode = async |chat: &str, mode: &str| {
        let path = format!("/control/chats/{chat}/mode");
        world.send(world.request("PUT", &path).json(&json!({ "mode": mode }))).await
    };
    assert_eq!(mode(SAKURA, "standby").await.body, json!({ "mode": "standby" }));
    let chat = world.get(&format!("/control/chats/{SAKURA}")).await.body;
    assert_eq!(chat["mode"], "standby");
    for event in
        [world.says(SAKURA, "180").await, world.happens(SAKURA, json!({ "type": "follow" })).await]
    {
        assert_eq!((&event["mode"], event.get("replyToken")), (&json!("standby"), None));
    }
    let other = world.says(ALICE, "180").await;
    assert_eq!((&other["mode"], other["replyToken"].is_string()), (&json!("active"), true));
    assert_eq!(mode(SAKURA, "active").await.status, 200);
    let event = world.says(SAKURA, "180").await;
    assert_eq!((&event["mode"], event["replyToken"].is_string()), (&json!("active"), true));
    let by_hand = json!({ "type": "follow", "mode": "standby" });
    assert!(world.happens(SAKURA, by_hand).await.get("replyToken").is_none());
    assert_eq!(mode(SAKURA, "asleep").await.status, 400);
    assert_eq!(mode("Unobody", "standby").await.status, 404);
}

#[tokio::test]
async fn an_unsent_message_loses_its_text() {
    let world = World::new().await;
    let id = world.says(SAKURA, "a secret").await["message"]["id"].take();
    let event = world.happens(SAKURA, json!({ "type": "unsend", "messageId": id })).await;
    assert_eq!(event["unsend"], json!({ "messageId": id }));
    let transcript = world.transcript(SAKURA).await;
    assert_eq!(transcript[0]["unsent"], true);
    assert!(transcript[0].get("text").is_none());
}

#[tokio::test]
async fn a_postbacks_display_text_is_shown_but_not_told() {
    let world = World::new().await;
    let event = json!({ "type": "postback", "data": "cancel", "displayText": "Cancel" });
    let heard = world.happens(SAKURA, event).await;
    assert_eq!(heard["type"], "postback");
    assert_eq!(world.transcript(SAKURA).await[0]["text"], "Cancel");
}

#[tokio::test]
async fn webhooks_of_one_chat_arrive_in_order() {
    let world = World::new().await;
    let path = format!("/control/chats/{SAKURA}/messages");
    for n in 0..30 {
        world.post(&path, json!({ "type": "text", "text": n.to_string() })).await;
    }
    for n in 0..30 {
        assert_eq!(world.hears_event().await["message"]["text"], n.to_string());
    }
}

#[tokio::test]
async fn a_bot_that_does_not_answer_gets_the_next_webhook_all_the_same() {
    let world = World::with(|config| config.settings.webhook_timeout_ms = 60_000).await;
    world.bot_answers(SILENCE);
    assert_eq!(world.says(SAKURA, "one").await["message"]["text"], "one");
    assert_eq!(world.says(SAKURA, "two").await["message"]["text"], "two");
}

#[tokio::test]
async fn a_refused_webhook_is_sent_again_with_the_same_ids_until_it_is_taken() {
    let world = World::with(|config| {
        config.clock = Clock::system();
        config.settings.redelivery_attempts = 3;
        config.settings.redelivery_first_ms = 1;
    })
    .await;
    world.bot_answers(503);
    let first = world.says(SAKURA, "180").await;
    let second = world.hears_event().await;
    assert_eq!(first["deliveryContext"]["isRedelivery"], false);
    assert_eq!(second["deliveryContext"]["isRedelivery"], true);
    for same in ["webhookEventId", "replyToken", "timestamp", "message", "source"] {
        assert_eq!(first[same], second[same], "{same}");
    }
}

#[tokio::test]
async fn an_event_is_redelivered_on_request_as_often_as_asked() {
    let world = World::new().await;
    let event = world.says(SAKURA, "180").await;
    let id = event["webhookEventId"].as_str().expect("has an id");
    let path = format!("/control/webhooks/{id}/redeliver");
    let answer = world.post(&path, json!({ "times": 3, "concurrent": true })).await.body;
    let statuses: Vec<_> = answer["webhooks"].as_array().expect("has answers").iter().collect();
    assert_eq!(statuses.len(), 3);
    assert!(statuses.iter().all(|answer| answer["status"] == 200));
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let again = world.hears_event().await;
        assert_eq!(again["deliveryContext"]["isRedelivery"], true);
        ids.insert(again["webhookEventId"].to_string());
    }
    assert_eq!(ids.len(), 1);
    let unknown = world.post("/control/webhooks/01AAAA/redeliver", json!({})).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn what_a_bot_did_wrong_is_told_in_lines_words() {
    let world = World::with(|config| config.settings.webhook_timeout_ms = 100).await;
    let result = async || {
        let path = format!("/control/chats/{SAKURA}/messages?wait=webhook");
        let said = world.post(&path, json!({ "type": "text", "text": "hi" })).await.body;
        said["webhook"].clone()
    };
    world.bot_answers(500);
    let error = result().await;
    assert_eq!((&error["status"], &error["reason"]), (&json!(500), &json!("error_status_code")));
    world.bot_answers(SILENCE);
    assert_eq!(result().await["reason"], "request_timeout");
    assert_eq!(world.transcript(SAKURA).await[1]["read"], false);

    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}/callback", listener.local_addr().expect("is bound"));
    drop(listener);
    let body = Some(json!({ "endpoint": url }));
    world.call("PUT", "/v2/bot/channel/webhook/endpoint", body).await;
    assert_eq!(result().await["reason"], "could_not_connect");
}

#[tokio::test]
async fn any_bytes_can_be_sent_with_any_signature() {
    let world = World::new().await;
    let body = "{\"events\": [] }";
    let wrong = json!({ "body": body, "signature": "wrong" });
    assert_eq!(world.post("/control/webhooks/raw", wrong).await.body["status"], 401);
    assert_eq!(world.hears().await.signature.as_deref(), Some("wrong"));
    let missing = json!({ "body": body, "signature": "" });
    assert_eq!(world.post("/control/webhooks/raw", missing).await.body["status"], 401);
    assert!(world.hears().await.signature.is_none());
    let right = world.post("/control/webhooks/raw", json!({ "body": body })).await.body;
    assert_eq!(right["status"], 200);
    assert_eq!(world.hears().await.body, body);
}

#[tokio::test]
async fn a_simulator_that_greets_tells_of_each_user() {
    let world = World::with(|config| config.greet = true).await;
    let mut users = HashSet::new();
    for _ in 0..3 {
        let event = world.hears_event().await;
        assert_eq!(event["type"], "follow");
        users.insert(event["source"]["userId"].to_string());
    }
    assert_eq!(users.len(), 3);
}
