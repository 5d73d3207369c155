//! Replies and pushes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{ALICE, SAKURA, World};

const KEY: &str = "123e4567-e89b-12d3-a456-426614174000";

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["text"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_reply_token_is_good_for_one_reply() {
    let world = World::new().await;
    let event = world.says(SAKURA, "180").await;
    let first = world.reply(&event, "ok").await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body["sentMessages"].as_array().map(Vec::len), Some(1));
    let second = world.reply(&event, "again").await;
    assert_eq!((second.status, second.body), (400, json!({ "message": "Invalid reply token" })));
    let transcript = world.transcript(SAKURA).await;
    assert_eq!(texts(&transcript), ["180", "ok"]);
    assert_eq!(transcript[1]["via"], "reply");
    assert_eq!(transcript[1]["id"], first.body["sentMessages"][0]["id"]);
    assert_eq!(transcript[1]["requestId"], first.header("x-line-request-id"));
}

#[tokio::test]
async fn a_reply_token_expires_after_60_seconds() {
    let world = World::new().await;
    let (early, late) = (world.says(SAKURA, "a").await, world.says(SAKURA, "b").await);
    world.simulator.clock().advance(Duration::from_secs(60));
    assert_eq!(world.reply(&early, "in time").await.status, 200);
    world.simulator.clock().advance(Duration::from_millis(1));
    assert_eq!(world.reply(&late, "too late").await.status, 400);
}

#[tokio::test]
async fn a_redelivery_gives_an_unused_reply_token_another_minute() {
    let world = World::new().await;
    let event = world.says(SAKURA, "a").await;
    world.simulator.clock().advance(Duration::from_secs(300));
    let id = event["webhookEventId"].as_str().expect("has an id");
    world.post(&format!("/control/webhooks/{id}/redeliver"), json!({})).await;
    let again = world.hears_event().await;
    assert_eq!(again["replyToken"], event["replyToken"]);
    world.simulator.clock().advance(Duration::from_secs(59));
    assert_eq!(world.reply(&again, "ok").await.status, 200);
}

#[tokio::test]
async fn a_retry_key_is_said_once_and_answered_409_with_what_was_sent() {
    let world = World::new().await;
    let key = [("x-line-retry-key", KEY)];
    let first = world.push(SAKURA, "hello", &key).await;
    let second = world.push(SAKURA, "hello", &key).await;
    assert_eq!((first.status, second.status), (200, 409));
    assert_eq!(second.header("x-line-accepted-request-id"), first.header("x-line-request-id"));
    assert_ne!(second.header("x-line-request-id"), first.header("x-line-request-id"));
    assert_eq!(second.body["message"], "The retry key is already accepted");
    assert_eq!(second.body["sentMessages"], first.body["sentMessages"]);
    let transcript = world.transcript(SAKURA).await;
    assert_eq!(texts(&transcript), ["hello"]);
    assert_eq!((&transcript[0]["via"], &transcript[0]["retryKey"]), (&json!("push"), &json!(KEY)));

    world.simulator.clock().advance(Duration::from_secs(24 * 3_600));
    assert_eq!(world.push(SAKURA, "hello", &key).await.status, 200, "forgotten after 24 hours");
    assert_eq!(world.transcript(SAKURA).await.len(), 2);
}

#[tokio::test]
async fn a_retry_key_of_a_refused_push_is_not_used_up() {
    let world = World::new().await;
    let key = [("x-line-retry-key", KEY)];
    assert_eq!(world.push(SAKURA, "", &key).await.status, 400);
    assert_eq!(world.push(SAKURA, "hello", &key).await.status, 200);
}

#[tokio::test]
async fn a_retry_key_with_a_reply_or_not_a_uuid_is_refused() {
    let world = World::new().await;
    let event = world.says(SAKURA, "a").await;
    let body = json!({ "replyToken": event["replyToken"],
        "messages": [{ "type": "text", "text": "ok" }] });
    let key = [("x-line-retry-key", KEY)];
    let answer = world.call_with("POST", "/v2/bot/message/reply", Some(body), &key).await;
    assert_eq!(answer.status, 400);
    assert_eq!(world.push(SAKURA, "x", &[("x-line-retry-key", "not a uuid")]).await.status, 400);
    assert_eq!(texts(&world.transcript(SAKURA).await), ["a"]);
    assert_eq!(world.reply(&event, "ok").await.status, 200, "the token is still good");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_in_lines_format() {
    let world = World::new().await;
    let messages = json!([{ "type": "text", "text": "" }, { "type": "sticker", "packageId": "1" }]);
    let body = json!({ "to": SAKURA, "messages": messages });
    for path in ["/v2/bot/message/push", "/v2/bot/message/validate/push"] {
        let answer = world.call("POST", path, Some(body.clone())).await;
        assert_eq!(answer.status, 400);
        let expected = json!({
            "message": "The request body has 2 error(s)",
            "details": [
                { "message": "May not be empty", "property": "messages[0].text" },
                { "message": "May not be empty", "property": "messages[1].stickerId" },
            ],
        });
        assert_eq!(answer.body, expected);
    }
    let good = json!({ "messages": [{ "type": "text", "text": "ok" }] });
    let answer = world.call("POST", "/v2/bot/message/validate/reply", Some(good)).await;
    assert_eq!((answer.status, answer.body), (200, json!({})));
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_json_is_told_with_its_place() {
    let world = World::new().await;
    let request = world.request("POST", "/v2/bot/message/push").body("{");
    let answer = world.send(request.header("authorization", "Bearer the access token")).await;
    assert_eq!(answer.status, 400);
    let expected = "The request body could not be parsed as JSON (line: 1, column: 1)";
    assert_eq!(answer.body["message"], expected);
}

#[tokio::test]
async fn what_line_cannot_read_is_told_alone() {
    let world = World::new().await;
    let good = json!([{ "type": "text", "text": "ok" }]);
    for (body, property) in [
        (json!({ "to": "somebody", "messages": [] }), "to"),
        (
            json!({ "to": SAKURA, "messages": good, "notificationDisabled": 1 }),
            "notificationDisabled",
        ),
        (
            json!({ "to": SAKURA, "messages": [{ "type": "text", "text": 180 }] }),
            "messages[0].text",
        ),
    ] {
        let answer = world.call("POST", "/v2/bot/message/push", Some(body)).await;
        let text = format!(
            "The property, '{property}', in the request body is invalid (line: -, column: -)"
        );
        assert_eq!((answer.status, answer.body), (400, json!({ "message": text })));
    }
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn messages_are_validated_for_the_call_that_shall_send_them() {
    let world = World::new().await;
    let mention = json!({ "messages": [{ "type": "textV2", "text": "{you}", "substitution":
        { "you": { "type": "mention", "mentionee": { "type": "user", "userId": ALICE } } } }] });
    for (call, status) in [
        ("reply", 200),
        ("push", 200),
        ("multicast", 400),
        ("narrowcast", 400),
        ("broadcast", 400),
        ("singcast", 404),
    ] {
        let path = format!("/v2/bot/message/validate/{call}");
        assert_eq!(world.call("POST", &path, Some(mention.clone())).await.status, status, "{call}");
    }
}

#[tokio::test]
async fn what_is_wrong_deep_inside_a_message_is_told_with_its_place() {
    let world = World::new().await;
    let button = json!({ "type": "button", "action": { "type": "uri", "uri": "https://a.jp/" } });
    let body = json!({ "type": "box", "layout": "vertical", "contents": [button] });
    let flex = json!({ "type": "flex", "altText": "?",
        "contents": { "type": "bubble", "body": body } });
    let push = json!({ "to": SAKURA, "messages": [flex] });
    let answer = world.call("POST", "/v2/bot/message/push", Some(push)).await;
    let expected = json!({
        "message": "The request body has 1 error(s)",
        "details": [{
            "message": "must be specified",
            "property": "messages[0].contents.body.contents[0].action.label",
        }],
    });
    assert_eq!((answer.status, answer.body), (400, expected));
}

#[tokio::test]
async fn a_quote_names_its_message_and_is_refused_in_another_chat() {
    let world = World::new().await;
    let event = world.says(SAKURA, "180").await;
    let quote = |to: &str| {
        json!({ "to": to, "messages": [{ "type": "text", "text": "ok",
            "quoteToken": event["message"]["quoteToken"] }] })
    };
    let answer = world.call("POST", "/v2/bot/message/push", Some(quote(SAKURA))).await;
    assert_eq!(answer.status, 200);
    let transcript = world.transcript(SAKURA).await;
    assert_eq!(transcript[1]["quotedMessageId"], event["message"]["id"]);

    let answer = world.call("POST", "/v2/bot/message/push", Some(quote(ALICE))).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["details"][0]["property"], "messages[0].quoteToken");
    assert!(world.transcript(ALICE).await.is_empty());
}

#[tokio::test]
async fn a_push_to_nobody_is_refused_and_one_to_who_blocked_the_bot_is_not_shown() {
    let world = World::new().await;
    let nobody = format!("U{}", "0".repeat(32));
    let answer = world.push(&nobody, "hello", &[]).await;
    let expected = json!({ "message": "Failed to send messages" });
    assert_eq!((answer.status, answer.body), (400, expected));
    assert_eq!(world.push("somebody", "hello", &[]).await.status, 400);

    world.happens(ALICE, json!({ "type": "unfollow" })).await;
    assert_eq!(world.push(ALICE, "hello", &[]).await.status, 200);
    assert!(world.transcript(ALICE).await.is_empty());
    let used = world.call("GET", "/v2/bot/message/quota/consumption", None).await;
    assert_eq!(used.body["totalUsage"], 0, "who has blocked the bot is not counted");
}

#[tokio::test]
async fn a_month_has_as_many_pushes_as_the_limit_says_and_replies_are_free() {
    let world = World::with(|config| config.settings.monthly_limit = Some(1)).await;
    let event = world.says(SAKURA, "a").await;
    assert_eq!(world.reply(&event, "free").await.status, 200);
    assert_eq!(world.push(SAKURA, "counted", &[]).await.status, 200);
    let answer = world.push(SAKURA, "too much", &[]).await;
    let expected = json!({ "message": "You have reached your monthly limit." });
    assert_eq!((answer.status, answer.body), (429, expected));
    let quota = world.call("GET", "/v2/bot/message/quota", None).await.body;
    assert_eq!(quota, json!({ "type": "limited", "value": 1 }));
    let used = world.call("GET", "/v2/bot/message/quota/consumption", None).await.body;
    assert_eq!(used, json!({ "totalUsage": 1 }));
    world.post("/control/settings", json!({ "consumptionLag": 2 })).await;
    let used = world.call("GET", "/v2/bot/message/quota/consumption", None).await.body;
    assert_eq!(used, json!({ "totalUsage": 0 }), "it lags behind");
    assert_eq!(world.push(SAKURA, "too much", &[]).await.status, 429);
}
