//! The page: what it shows, in which language, and how it hears of changes.

use serde_json::json;

use crate::world::{ALICE, SAKURA, World};

/// The group of the defaults.
const GROUP: &str = "C11111111111111111111111111111111";

async fn html(world: &World, path: &str) -> String {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200);
    answer.body.as_str().expect("is no JSON").to_owned()
}

#[tokio::test]
async fn the_page_shows_a_chat_and_never_a_users_markup() {
    let world = World::new().await;
    world.says(SAKURA, "<script>alert(1)</script>").await;
    let page = html(&world, "/").await;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script>alert"));
    assert!(page.contains(&format!("data-testid=\"user-{ALICE}\"")));
    for hook in ["composer", "send", "sticker-open", "sticker-446-1988", "message", "log-entry"] {
        assert!(page.contains(&format!("data-testid=\"{hook}\"")), "{hook}");
    }
    let policy = world.get("/").await;
    assert!(policy.header("content-security-policy").starts_with("default-src 'self'"));
}

#[tokio::test]
async fn the_page_speaks_japanese_and_english() {
    let world = World::new().await;
    assert!(html(&world, "/?lang=en").await.contains("Write a message"));
    assert!(html(&world, "/?lang=ja").await.contains("メッセージを入力"));
    let request = world.request("GET", "/").header("accept-language", "en-US,en;q=0.9");
    let answer = world.send(request).await;
    assert!(answer.body.as_str().is_some_and(|page| page.contains("<html lang=\"en\">")));
}

#[tokio::test]
async fn quick_replies_are_shown_with_the_last_message_only() {
    let world = World::new().await;
    let items = json!([{ "type": "action",
        "action": { "type": "message", "label": "list", "text": "list" } }]);
    let message = json!({ "type": "text", "text": "ok", "quickReply": { "items": items } });
    let body = json!({ "to": SAKURA, "messages": [message] });
    world.call("POST", "/v2/bot/message/push", Some(body)).await;
    let hook = "data-testid=\"quick-reply\"";
    assert!(html(&world, "/").await.contains(hook));
    world.push(SAKURA, "later", &[]).await;
    assert!(!html(&world, "/").await.contains(hook));
}

#[tokio::test]
async fn an_open_page_hears_of_new_messages_and_of_a_reset() {
    let world = World::new().await;
    let page = html(&world, "/").await;
    let (_, cursor) = page.split_once("data-cursor=\"").expect("tells what it has");
    let (cursor, _) = cursor.split_once('"').expect("ends");
    let path = format!("/events/{SAKURA}?lang=en&after={cursor}");
    let mut stream = world.request("GET", &path).send().await.expect("the stream opens");
    let mut heard = String::new();
    world.push(SAKURA, "hello there", &[]).await;
    while !heard.contains("hello there") {
        let chunk = stream.chunk().await.expect("the stream goes on").expect("it has not ended");
        heard.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(heard.contains("event: update") && heard.contains("data-testid=\"message\""));
    world.post("/control/reset", json!({})).await;
    while !heard.contains("event: reload\ndata: ") {
        let chunk = stream.chunk().await.expect("the stream goes on").expect("it has not ended");
        heard.push_str(&String::from_utf8_lossy(&chunk));
    }
}

#[tokio::test]
async fn styles_and_scripts_come_from_the_simulator_itself() {
    let world = World::new().await;
    let css = world.get("/page.css").await;
    assert!(css.header("content-type").starts_with("text/css"));
    let js = world.get("/page.js").await;
    assert!(js.header("content-type").starts_with("text/javascript"));
    assert!(world.get("/icon.svg").await.header("content-type").starts_with("image/svg"));
    assert!(!html(&world, "/").await.contains("https://"));
}

#[tokio::test]
async fn in_a_group_the_page_is_that_of_the_member_who_speaks() {
    let world = World::new().await;
    let message = json!({ "type": "text", "text": "@Bot 180", "userId": ALICE });
    world.post(&format!("/control/chats/{GROUP}/messages"), message).await;
    let page = async |member: &str| html(&world, &format!("/?user={GROUP}&as={member}")).await;
    assert!(page(ALICE).await.contains("class=\"message mine\""));
    let other = page(SAKURA).await;
    assert!(other.contains("class=\"message theirs\"") && other.contains("@Bot</b> 180"));
    assert!(page("Unobody").await.contains(&format!("data-me=\"{SAKURA}\"")), "the first speaks");
}

#[tokio::test]
async fn what_users_sent_is_shown_only_if_nothing_can_run_in_it() {
    let world = World::new().await;
    for (given, served) in [
        ("image/png", "image/png"),
        ("IMAGE/PNG;x=y", "image/png"),
        ("image/svg%2Bxml", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
    ] {
        let path = format!("/control/chats/{ALICE}/media?type=image&contentType={given}");
        let request = world.request("POST", &path);
        let request = request.header("content-type", "application/octet-stream").body("bytes");
        let sent = world.send(request).await.body;
        let id = sent["messageId"].as_str().unwrap_or_default();
        let answer = world.get(&format!("/media/{id}")).await;
        assert_eq!((answer.header("content-type"), &answer.body), (served, &json!("bytes")));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        world.hears_event().await;
    }
    assert_eq!(world.get("/media/1").await.status, 404);
}
