//! All other calls.

use std::time::{Duration, UNIX_EPOCH};

use axum::{body::Body, http::Method};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use yamabiko_line::{
    client::Content,
    error::ErrorKind,
    id::{ChatId, MessageId, UserId},
};

use crate::server::{Answer, Line};

fn user() -> UserId {
    UserId::new("U1")
}

#[tokio::test]
async fn a_profile_is_read_whatever_else_it_holds() {
    let line = Line::answers(
        200,
        json!({"userId": "U1", "displayName": "山彦", "language": "ja", "pictureUrl": 5, "age": 7}),
    )
    .await;
    let profile = line.client().profile(&user()).await.unwrap();
    assert_eq!((profile.user_id, &*profile.display_name), (user(), "山彦"));
    assert_eq!(profile.language.as_deref(), Some("ja"));
    assert_eq!((profile.picture_url, profile.status_message), (None, None));
    let asked = line.asked_once();
    assert_eq!((asked.method, &*asked.path), (Method::GET, "/v2/bot/profile/U1"));
}

#[tokio::test]
async fn members_of_groups_and_rooms_have_profiles() {
    let answer = || Answer::json(200, &json!({"userId": "U1", "displayName": "a"}));
    let line = Line::answering([answer(), answer()]).await;
    let client = line.client();
    client.group_member_profile(&ChatId::new("C1"), &user()).await.unwrap();
    client.room_member_profile(&ChatId::new("R1"), &user()).await.unwrap();
    let paths: Vec<_> = line.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/v2/bot/group/C1/member/U1", "/v2/bot/room/R1/member/U1"]);
}

#[tokio::test]
async fn an_answer_that_is_not_understood_is_an_error() {
    for body in [Value::Null, json!([]), json!({"displayName": "a"})] {
        let error = Line::answers(200, body).await.client().profile(&user()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn the_months_messages_are_limited_or_not() {
    let line = Line::answering([
        Answer::json(200, &json!({"type": "limited", "value": 200})),
        Answer::json(200, &json!({"type": "none"})),
        Answer::json(200, &json!({"type": "limited"})),
        Answer::json(200, &json!({"totalUsage": 57})),
    ])
    .await;
    let client = line.client();
    assert_eq!(client.quota().await.unwrap().limit, Some(200));
    assert_eq!(client.quota().await.unwrap().limit, None);
    assert_eq!(client.quota().await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(client.quota_used().await.unwrap(), 57);
    assert_eq!(line.asked()[3].path, "/v2/bot/message/quota/consumption");
}

#[tokio::test]
async fn content_is_downloaded_up_to_a_limit() {
    let content = || Answer(200, vec![("content-type", "image/png".into())], Body::from("12345"));
    let line = Line::answering([content(), content(), Answer::json(202, &json!({}))]).await;
    let (client, id) = (line.client(), MessageId::new("77"));
    let ready = Content::Ready { content_type: "image/png".into(), bytes: b"12345".to_vec() };
    assert_eq!(client.content(&id, 5).await.unwrap(), ready);
    assert_eq!(client.content(&id, 4).await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(client.content(&id, 5).await.unwrap(), Content::Preparing);
    assert_eq!(line.asked()[0].path, "/data/v2/bot/message/77/content");
}

#[tokio::test]
async fn content_without_an_end_is_cut_at_the_limit_and_content_that_breaks_off_is_none() {
    let parts = |parts| Answer(200, Vec::new(), Body::from_stream(parts));
    let part = || Ok::<_, std::io::Error>("12345");
    let endless = futures_util::stream::repeat_with(part);
    let broken = futures_util::stream::iter([part(), Err(std::io::Error::other("broken"))]);
    let line = Line::answering([parts(endless.boxed()), parts(broken.boxed())]).await;
    let (client, id) = (line.client(), MessageId::new("77"));
    let kind = async || client.content(&id, 1000).await.unwrap_err().kind();
    assert_eq!(kind().await, ErrorKind::TooLarge);
    assert_eq!(kind().await, ErrorKind::Network);
}

#[tokio::test]
async fn content_that_was_taken_back_is_gone() {
    let line = Line::answers(410, json!({"message": "The content is gone"})).await;
    let error = line.client().content(&MessageId::new("77"), 5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
}

#[tokio::test]
async fn the_loading_animation_and_marking_as_read_are_asked_for() {
    let line =
        Line::answering([Answer::json(202, &json!({})), Answer::json(200, &json!({}))]).await;
    let client = line.client();
    client.loading_start(&ChatId::new("U1"), 20).await.unwrap();
    client.mark_as_read("m").await.unwrap();
    let [loading, read] = &line.asked()[..] else { panic!("{:?}", line.asked()) };
    assert_eq!(loading.path, "/v2/bot/chat/loading/start");
    assert_eq!(loading.json(), json!({"chatId": "U1", "loadingSeconds": 20}));
    assert_eq!(read.path, "/v2/bot/chat/markAsRead");
    assert_eq!(read.json(), json!({"markAsReadToken": "m"}));
}

#[tokio::test]
async fn the_bot_and_its_webhook_are_described() {
    let test = json!({
        "success": false, "timestamp": "2027-01-15T08:00:00Z", "statusCode": 503,
        "reason": "error_status_code", "detail": "503",
    });
    let line = Line::answering([
        Answer::json(200, &json!({"userId": "Ubot", "basicId": "@bot", "chatMode": "bot"}))
            .with("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
        Answer::json(200, &json!({"endpoint": "https://example.com/callback", "active": true})),
        Answer::json(200, &test),
        Answer::json(200, &test),
        Answer::json(200, &json!({})),
    ])
    .await;
    let client = line.client();
    let bot = client.bot_info().await.unwrap();
    assert_eq!((bot.user_id, &*bot.basic_id), (UserId::new("Ubot"), "@bot"));
    let answered_at = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    assert_eq!(bot.answered_at, Some(answered_at));
    let endpoint = client.webhook_endpoint().await.unwrap();
    assert_eq!((&*endpoint.endpoint, endpoint.active), ("https://example.com/callback", true));
    let found = client.test_webhook_endpoint(None).await.unwrap();
    assert_eq!((found.success, found.status_code), (false, Some(503)));
    assert_eq!((&*found.reason, &*found.detail), ("error_status_code", "503"));
    client.test_webhook_endpoint(Some("https://example.com/b")).await.unwrap();
    client.set_webhook_endpoint("https://example.com/c").await.unwrap();
    let asked = line.asked();
    assert_eq!((asked[2].json(), &*asked[2].path), (json!({}), "/v2/bot/channel/webhook/test"));
    assert_eq!(asked[3].json(), json!({"endpoint": "https://example.com/b"}));
    assert_eq!(
        (&asked[4].method, asked[4].json()["endpoint"].as_str()),
        (&Method::PUT, Some("https://example.com/c"))
    );
}
