//! The control API: users, long polls, faults, settings, log and ledger.

use serde_json::json;
use yamabiko_line::secret::{AccessToken, ChannelSecret};
use yamabiko_simulator::{Error, Simulator, SimulatorConfig};

use crate::world::{ALICE, SAKURA, World};

#[tokio::test]
async fn a_long_poll_ends_with_the_message_it_waits_for() {
    let world = World::new().await;
    let path = format!("/control/chats/{SAKURA}?after=1&wait_ms=60000");
    world.push(SAKURA, "one", &[]).await;
    let (chat, _) = tokio::join!(world.get(&path), world.push(SAKURA, "two", &[]));
    assert_eq!(chat.body["count"], 2);
    assert_eq!(chat.body["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(chat.body["messages"][0]["text"], "two");
    let at_once = world.get(&path).await;
    assert_eq!(at_once.body["count"], 2);
}

#[tokio::test]
async fn a_long_poll_without_news_ends_with_its_time() {
    let world = World::new().await;
    let chat = world.get(&format!("/control/chats/{SAKURA}?after=0&wait_ms=1")).await;
    assert_eq!((chat.status, &chat.body["count"]), (200, &json!(0)));
    assert_eq!(world.get("/control/chats/Unobody?wait_ms=60000").await.status, 404);
}

#[tokio::test]
async fn a_user_is_added_once_and_with_a_proper_id() {
    let world = World::new().await;
    let id = format!("U{}", "a".repeat(32));
    let user = json!({ "userId": id, "displayName": "Mia", "language": "en" });
    assert_eq!(world.post("/control/users", user.clone()).await.status, 200);
    assert_eq!(world.post("/control/users", user).await.status, 409);
    let nameless = json!({ "displayName": "" });
    assert_eq!(world.post("/control/users", nameless).await.status, 400);
    let odd = json!({ "userId": "Mia", "displayName": "Mia" });
    assert_eq!(world.post("/control/users", odd).await.status, 400);
    let random = world.post("/control/users", json!({ "displayName": "Leo" })).await.body;
    assert_eq!((&random["language"], &random["friend"]), (&json!("ja"), &json!(true)));
    let users = world.get("/control/users").await.body;
    assert_eq!(users["users"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_message_without_its_fields_is_refused() {
    let world = World::new().await;
    let path = format!("/control/chats/{SAKURA}/messages");
    for wrong in [json!({}), json!({ "type": "text" }), json!({ "type": "sticker" }), json!([])] {
        let answer = world.post(&path, wrong).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body["error"].is_string());
    }
    let said = json!({ "type": "text", "text": "hi" });
    assert_eq!(world.post("/control/chats/Unobody/messages", said).await.status, 404);
}

#[tokio::test]
async fn a_form_of_another_site_cannot_speak_for_a_user() {
    let world = World::new().await;
    let path = format!("/control/chats/{SAKURA}/messages");
    let body = json!({ "type": "text", "text": "hi" }).to_string();
    let request = world.request("POST", &path).header("content-type", "text/plain").body(body);
    assert_eq!(world.send(request).await.status, 400);
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn a_fault_hits_as_often_as_it_says() {
    let world = World::new().await;
    let fault = json!({ "endpoint": "push", "status": 500, "count": 1 });
    assert_eq!(world.post("/control/faults", fault).await.status, 200);
    assert_eq!(world.push(SAKURA, "a", &[]).await.status, 500);
    assert_eq!(world.push(SAKURA, "b", &[]).await.status, 200);
    assert_eq!(world.transcript(SAKURA).await.len(), 1);

    let fault = json!({ "endpoint": "profile", "status": 429 });
    world.post("/control/faults", fault).await;
    let path = format!("/v2/bot/profile/{SAKURA}");
    let answer = world.call("GET", &path, None).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("x-line-request-id").len(), 36);
    world.delete("/control/faults").await;
    assert_eq!(world.call("GET", &path, None).await.status, 200);
    assert_eq!(world.post("/control/faults", json!({ "endpoint": "push" })).await.status, 400);
}

#[tokio::test]
async fn an_answer_lost_after_acceptance_leaves_the_message_said() {
    let world = World::new().await;
    let fault = json!({ "endpoint": "push", "timeout": "after", "count": 1 });
    world.post("/control/faults", fault).await;
    let path = format!("/control/chats/{SAKURA}?after=0&wait_ms=60000");
    let key = [("x-line-retry-key", "123e4567-e89b-12d3-a456-426614174000")];
    tokio::select! {
        answer = world.push(SAKURA, "hello", &key) => panic!("answered: {answer:?}"),
        chat = world.get(&path) => assert_eq!(chat.body["messages"][0]["text"], "hello"),
    }
    assert_eq!(world.push(SAKURA, "hello", &key).await.status, 409);
    assert_eq!(world.transcript(SAKURA).await.len(), 1);
}

#[tokio::test]
async fn settings_change_one_by_one_and_unknown_ones_are_refused() {
    let world = World::new().await;
    let settings = world.post("/control/settings", json!({ "replyTokenSeconds": 5 })).await.body;
    assert_eq!(settings["replyTokenSeconds"], 5);
    assert_eq!(settings["webhookTimeoutMs"], 2_000);
    assert_eq!(world.post("/control/settings", json!({ "replyToken": 5 })).await.status, 400);
    let event = world.says(SAKURA, "a").await;
    world.post("/control/clock", json!({ "advanceSeconds": 6 })).await;
    assert_eq!(world.reply(&event, "late").await.status, 400);
}

#[tokio::test]
async fn the_ledger_and_the_log_tell_what_happened_in_order() {
    let world = World::new().await;
    world.says(ALICE, "hi").await;
    world.push(SAKURA, "hello", &[]).await;
    let ledger = world.get("/control/ledger").await.body;
    let users: Vec<_> = (0..2).map(|at| ledger["messages"][at]["userId"].clone()).collect();
    assert_eq!(users, [ALICE, SAKURA]);

    let log = world.get("/control/log").await.body;
    let entries = log["entries"].as_array().expect("has entries");
    assert_eq!(
        (&entries[0]["direction"], &entries[0]["what"]),
        (&json!("webhook"), &json!("message text"))
    );
    assert_eq!(entries[1]["what"], "POST /v2/bot/message/push");
    assert_eq!(entries[1]["request"]["to"], SAKURA);
    assert_eq!((&entries[1]["status"], &entries[1]["direction"]), (&json!(200), &json!("api")));
    let newer = world.get("/control/log?after=1").await.body;
    assert_eq!(newer["entries"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_first_users() {
    let world = World::new().await;
    world.post("/control/users", json!({ "displayName": "Leo" })).await;
    world.push(SAKURA, "hello", &[]).await;
    world.post("/control/reset", json!({})).await;
    let status = world.get("/control/status").await.body;
    assert_eq!((&status["users"], &status["log"]), (&json!(3), &json!(0)));
    assert!(world.transcript(SAKURA).await.is_empty());
}

#[tokio::test]
async fn a_simulator_without_a_proper_bot_does_not_start() {
    let secret = ChannelSecret::new("s".to_owned());
    let config = SimulatorConfig::new("ftp://bot", secret, AccessToken::new("t".to_owned()));
    assert!(matches!(Simulator::start(config).await, Err(Error::BotUrl { .. })));
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_address() {
    let world = World::new().await;
    let addr = world.simulator.addr();
    world.simulator.stop().await;
    assert!(tokio::net::TcpListener::bind(addr).await.is_ok());
}
