//! Groups and rooms: sources, mentions, members, pushes, and what they cost.

use serde_json::json;

use crate::world::{ALICE, SAKURA, World};

/// The group of the defaults.
const GROUP: &str = "C11111111111111111111111111111111";

async fn says(world: &World, text: &str) -> serde_json::Value {
    let message = json!({ "type": "text", "text": text, "userId": ALICE });
    let answer = world.post(&format!("/control/chats/{GROUP}/messages"), message).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    world.hears_event().await
}

#[tokio::test]
async fn a_group_message_names_the_group_and_the_user_and_is_answered_there() {
    let world = World::new().await;
    let event = says(&world, "hello").await;
    assert_eq!(event["source"], json!({ "type": "group", "groupId": GROUP, "userId": ALICE }));
    assert!(event["message"]["mention"].is_null());
    assert_eq!(world.reply(&event, "hi all").await.status, 200);
    let said = world.transcript(GROUP).await;
    assert_eq!((&said[0]["userId"], &said[1]["text"]), (&json!(ALICE), &json!("hi all")));
    assert!(world.transcript(ALICE).await.is_empty());
}

#[tokio::test]
async fn a_mention_of_the_bot_says_that_it_is_meant() {
    let world = World::new().await;
    let event = says(&world, "@Bot 180").await;
    let mentionee = &event["message"]["mention"]["mentionees"][0];
    assert_eq!((&mentionee["isSelf"], &mentionee["index"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn in_a_group_it_must_be_said_who_acts() {
    let world = World::new().await;
    let message = json!({ "type": "text", "text": "who am I?" });
    let answer = world.post(&format!("/control/chats/{GROUP}/messages"), message).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"].as_str().is_some_and(|error| error.contains("userId")));
}

#[tokio::test]
async fn a_push_to_a_group_counts_each_member() {
    let world = World::with(|config| config.settings.monthly_limit = Some(5)).await;
    assert_eq!(world.push(GROUP, "one", &[]).await.status, 200);
    let used = world.call("GET", "/v2/bot/message/quota/consumption", None).await;
    assert_eq!(used.body["totalUsage"], 3);
    let second = world.push(GROUP, "two", &[]).await;
    assert_eq!(second.status, 429, "three more would be six");
    assert_eq!(second.body["message"], "You have reached your monthly limit.");
}

#[tokio::test]
async fn a_group_and_its_members_can_be_looked_up() {
    let world = World::new().await;
    let get =
        async |path: &str| world.call("GET", &format!("/v2/bot/group/{GROUP}/{path}"), None).await;
    assert_eq!(get("summary").await.body["groupName"], "山の会");
    assert_eq!(get("members/count").await.body["count"], 3);
    assert_eq!(get("members/ids").await.body["memberIds"][1], ALICE);
    let member = get(&format!("member/{SAKURA}")).await.body;
    assert_eq!(member, json!({ "userId": SAKURA, "displayName": "さくら" }));
    assert_eq!(get(&format!("member/U{}", "9".repeat(32))).await.status, 404);
    let room = format!("/v2/bot/room/{GROUP}/members/count");
    assert_eq!(world.call("GET", &room, None).await.status, 404, "it is no room");
}

#[tokio::test]
async fn members_come_and_go_and_the_bot_hears_of_it() {
    let world = World::new().await;
    let mia =
        world.post("/control/users", json!({ "displayName": "Mia" })).await.body["userId"].clone();
    let event = world.happens(GROUP, json!({ "type": "memberJoined", "userIds": [mia] })).await;
    assert_eq!(event["joined"]["members"], json!([{ "type": "user", "userId": mia }]));
    assert_eq!(event["source"], json!({ "type": "group", "groupId": GROUP }));
    assert!(event["replyToken"].is_string());
    let event = world.happens(GROUP, json!({ "type": "memberLeft", "userIds": [ALICE] })).await;
    assert_eq!(event["left"]["members"][0]["userId"], ALICE);
    assert!(event["replyToken"].is_null());
    let group = world.get("/control/groups").await.body["groups"][0].clone();
    assert_eq!(group["members"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_bot_that_leaves_a_group_hears_so_and_can_push_no_more() {
    let world = World::new().await;
    let left = world.call("POST", &format!("/v2/bot/group/{GROUP}/leave"), None).await;
    assert_eq!(left.status, 200);
    let event = world.hears_event().await;
    assert_eq!((&event["type"], event["replyToken"].is_null()), (&json!("leave"), true));
    assert_eq!(world.push(GROUP, "still there?", &[]).await.status, 400);
    let message = json!({ "type": "text", "text": "it is gone", "userId": ALICE });
    let said = world.post(&format!("/control/chats/{GROUP}/messages"), message).await;
    assert!(said.body["webhookEventId"].is_null(), "the bot hears nothing of it");
    let event = world.happens(GROUP, json!({ "type": "join" })).await;
    assert!(event["replyToken"].is_string());
    assert_eq!(world.push(GROUP, "back", &[]).await.status, 200);
}

#[tokio::test]
async fn a_room_is_made_and_joined() {
    let world = World::new().await;
    let room = json!({ "groupName": "three", "members": [ALICE, SAKURA], "room": true });
    let room = world.post("/control/groups", room).await.body;
    let event = world.hears_event().await;
    assert_eq!(event["type"], "join");
    assert_eq!(event["source"], json!({ "type": "room", "roomId": room["roomId"] }));
    let unknown = json!({ "groupName": "?", "members": ["Unobody"] });
    assert_eq!(world.post("/control/groups", unknown).await.status, 404);
}

#[tokio::test]
async fn an_edited_message_is_an_event_of_its_own() {
    let world = World::new().await;
    let said = says(&world, "helo").await;
    let path = format!(
        "/control/chats/{GROUP}/messages/{}",
        said["message"]["id"].as_str().unwrap_or_default()
    );
    let edit = world.request("PUT", &path).json(&json!({ "text": "hello" }));
    assert_eq!(world.send(edit).await.status, 200);
    let event = world.hears_event().await;
    assert_eq!(
        (&event["type"], &event["message"]["text"]),
        (&json!("messageEdited"), &json!("hello"))
    );
    assert_eq!(event["message"]["id"], said["message"]["id"]);
    assert!(event["replyToken"].is_string() && event["message"]["markAsReadToken"].is_null());
}
