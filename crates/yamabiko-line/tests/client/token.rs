//! Access tokens: given, or fetched.

use serde_json::{Value, json};
use yamabiko_line::{
    client::{Client, Credentials},
    error::{ErrorKind, Reached},
    id::ChatId,
    secret::{AccessToken, ChannelSecret},
};

use crate::server::{Answer, Line, config};

fn stateless(line: &Line) -> Client {
    let channel_secret = ChannelSecret::new("geheim&=");
    let credentials = Credentials::Stateless { channel_id: "1234".into(), channel_secret };
    Client::new(config(&line.url, credentials)).unwrap()
}

fn issued(token: &str) -> Answer {
    let body = json!({"token_type": "Bearer", "access_token": token, "expires_in": 900});
    Answer::json(200, &body)
}

fn ok() -> Answer {
    Answer::json(202, &json!({}))
}

#[tokio::test]
async fn a_stateless_token_is_fetched_once_and_used_again() {
    let line = Line::answering([issued("token-1"), ok(), ok()]).await;
    let client = stateless(&line);
    client.loading_start(&ChatId::new("U1"), 20).await.unwrap();
    client.clone().loading_start(&ChatId::new("U1"), 20).await.unwrap();
    let [fetch, first, second] = &line.asked()[..] else { panic!("{:?}", line.asked()) };
    assert_eq!(fetch.path, "/oauth2/v3/token");
    assert_eq!(fetch.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(fetch.header("authorization"), "");
    let form = "grant_type=client_credentials&client_id=1234&client_secret=geheim%26%3D";
    assert_eq!(fetch.body, form);
    for call in [first, second] {
        assert_eq!(call.header("authorization"), "Bearer token-1");
    }
}

#[tokio::test]
async fn a_refused_token_is_dropped_and_the_next_call_fetches_another() {
    let refused = Answer::json(401, &json!({"message": "Authentication failed"}));
    let line = Line::answering([issued("token-1"), refused, issued("token-2"), ok()]).await;
    let client = stateless(&line);
    let error = client.loading_start(&ChatId::new("U1"), 20).await.unwrap_err();
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Unauthorized, Reached::Refused));
    client.loading_start(&ChatId::new("U1"), 20).await.unwrap();
    assert_eq!(line.asked()[3].header("authorization"), "Bearer token-2");
}

#[tokio::test]
async fn o3_a_call_whose_token_could_not_be_fetched_never_reached_line() {
    for (status, body, kind) in [
        (400, json!({"error": "invalid_client"}), ErrorKind::Unauthorized),
        (401, Value::Null, ErrorKind::Unauthorized),
        (429, Value::Null, ErrorKind::TooManyRequests),
        (500, Value::Null, ErrorKind::Server),
        (200, json!({"access_token": "not\na token"}), ErrorKind::Invalid),
        (200, json!({}), ErrorKind::Invalid),
    ] {
        let line = Line::answers(status, body).await;
        let error = stateless(&line).loading_start(&ChatId::new("U1"), 20).await.unwrap_err();
        assert_eq!((error.kind(), error.reached()), (kind, Reached::No), "{status}");
        assert_eq!(line.asked_once().path, "/oauth2/v3/token");
    }
}

#[tokio::test]
async fn a_token_that_cannot_stand_in_a_header_is_refused_at_once() {
    for token in ["", "two words", "line\nbreak", "日本"] {
        let credentials = Credentials::Token(AccessToken::new(token));
        let error = Client::new(config("http://127.0.0.1:1", credentials)).unwrap_err();
        assert_eq!((error.kind(), error.reached()), (ErrorKind::Config, Reached::No));
    }
}

#[tokio::test]
async fn a_client_prints_no_secret() {
    let line = Line::answering([issued("geheim-fetched"), ok()]).await;
    let client = stateless(&line);
    client.loading_start(&ChatId::new("U1"), 20).await.unwrap();
    assert!(!format!("{client:?}").contains("geheim"));
    assert!(!format!("{:?}", line.client()).contains("geheim"));
}
