//! Replies and pushes.

use axum::{body::Body, http::Method};
use serde_json::json;
use uuid::Uuid;
use yamabiko_line::{
    error::{ErrorKind, Reached},
    id::{ChatId, MessageId},
    message::Message,
    secret::ReplyToken,
};

use crate::server::{Answer, Line, TOKEN};

#[tokio::test]
async fn a_reply_carries_its_token_and_no_retry_key() {
    let line = Line::answers(200, json!({"sentMessages": [{"id": "461230966842064897"}]})).await;
    let messages = [Message::text("one"), Message::text("two").quote("q")];
    let sent = line.client().reply(&ReplyToken::new("reply-1"), &messages).await.unwrap();
    assert_eq!(sent.messages[0].id, MessageId::new("461230966842064897"));
    assert_eq!(sent.request_id.as_deref(), Some("request-1"));
    assert!(!sent.already_accepted);
    let asked = line.asked_once();
    assert_eq!((asked.method.clone(), &*asked.path), (Method::POST, "/v2/bot/message/reply"));
    assert_eq!(asked.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(asked.header("content-type"), "application/json");
    assert!(!asked.headers.contains_key("x-line-retry-key"), "LINE refuses it here");
    let expected = json!({"replyToken": "reply-1", "messages": [
        {"type": "text", "text": "one"}, {"type": "text", "text": "two", "quoteToken": "q"},
    ]});
    assert_eq!(asked.json(), expected);
}

#[tokio::test]
async fn o4_a_push_carries_its_retry_key() {
    let answer = json!({"sentMessages": [{"id": 461_230, "quoteToken": "q", "new": 1}]});
    let line = Line::answers(200, answer).await;
    let key = Uuid::from_u128(7);
    let sent = line.client().push(&ChatId::new("U1"), &["hi".into()], key).await.unwrap();
    assert_eq!(sent.messages[0].id, MessageId::new("461230"), "LINE's prose calls it a number");
    assert_eq!(sent.messages[0].quote_token.as_deref(), Some("q"));
    let asked = line.asked_once();
    assert_eq!(asked.path, "/v2/bot/message/push");
    assert_eq!(asked.header("x-line-retry-key"), key.to_string());
    let expected = json!({"to": "U1", "messages": [{"type": "text", "text": "hi"}]});
    assert_eq!(asked.json(), expected);
}

#[tokio::test]
async fn o4_what_was_accepted_before_is_a_success() {
    let body = json!({
        "message": "The retry key is already accepted",
        "sentMessages": [{"id": "1", "quoteToken": "q"}],
    });
    let line = Line::answering([
        Answer::json(409, &body).with("x-line-accepted-request-id", "request-0"),
        Answer::json(409, &body),
    ])
    .await;
    let (client, chat) = (line.client(), ChatId::new("U1"));
    let sent = client.push(&chat, &["hi".into()], Uuid::nil()).await.unwrap();
    assert!(sent.already_accepted);
    assert_eq!(sent.accepted_request_id.as_deref(), Some("request-0"));
    assert_eq!(sent.messages[0].id, MessageId::new("1"));
    let error = client.push(&chat, &["hi".into()], Uuid::nil()).await.unwrap_err();
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Conflict, Reached::Refused));
}

#[tokio::test]
async fn messages_that_line_took_are_sent_whatever_else_it_says() {
    for body in ["", "not json", "[]", r#"{"sentMessages":5}"#, r#"{"sentMessages":[7]}"#] {
        let line = Line::answering([Answer(200, Vec::new(), Body::from(body))]).await;
        let sent = line.client().reply(&ReplyToken::new("r"), &["hi".into()]).await;
        assert!(sent.is_ok(), "{body}");
    }
}
