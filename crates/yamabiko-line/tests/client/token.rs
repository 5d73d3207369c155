//! Access tokens: given, or fetched.

use serde_json::{Value, json};
use uuid::Uuid;
use yamabiko_line::{
    client::{Client, Credentials},
    error::{Error, ErrorKind, Reached},
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

fn refused() -> Answer {
    Answer::json(401, &json!({"message": "Authentication failed"}))
}

/// Starts a LINE that issues `token-1`, `token-2` and so on, and refuses the first so many of them.
async fn refusing(first: usize) -> Line {
    let mut fetches = 0;
    Line::deciding(move |asked| {
        if asked.path == "/oauth2/v3/token" {
            fetches += 1;
            return issued(&format!("token-{fetches}"));
        }
        let token = asked.header("authorization").strip_prefix("Bearer token-").unwrap();
        if token.parse::<usize>().unwrap() <= first { refused() } else { ok() }
    })
    .await
}

fn fetches(line: &Line) -> usize {
    line.asked().iter().filter(|asked| asked.path == "/oauth2/v3/token").count()
}

/// Makes sixty calls at once, as sixty chats do at a start, and returns how many went well.
async fn sixty_calls(client: &Client) -> Vec<Result<(), Error>> {
    let call = |n: u32| {
        let client = client.clone();
        async move { client.loading_start(&ChatId::new(format!("U{n}")), 20).await }
    };
    futures_util::future::join_all((0..60).map(call)).await
}

#[tokio::test]
async fn a_refused_token_is_fetched_anew_and_the_call_is_made_again_at_once() {
    let line = refusing(1).await;
    stateless(&line).push(&ChatId::new("U1"), &["hi".into()], Uuid::nil()).await.unwrap();
    let asked = line.asked();
    let paths: Vec<_> = asked.iter().map(|asked| asked.path.rsplit('/').next().unwrap()).collect();
    assert_eq!(paths, ["token", "push", "token", "push"]);
    assert_eq!(asked[3].header("authorization"), "Bearer token-2");
    assert_eq!(
        (&asked[1].body, asked[1].header("x-line-retry-key")),
        (&asked[3].body, asked[3].header("x-line-retry-key"))
    );
}

#[tokio::test]
async fn a_token_that_is_refused_as_well_is_an_error_and_the_next_call_begins_anew() {
    let line = refusing(2).await;
    let client = stateless(&line);
    let error = client.loading_start(&ChatId::new("U1"), 20).await.unwrap_err();
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Unauthorized, Reached::Refused));
    assert_eq!((fetches(&line), line.asked().len()), (2, 4));
    client.loading_start(&ChatId::new("U1"), 20).await.unwrap();
    assert_eq!(fetches(&line), 3);
}

#[tokio::test]
async fn sixty_calls_at_a_start_fetch_one_token() {
    let line = refusing(0).await;
    assert!(sixty_calls(&stateless(&line)).await.iter().all(Result::is_ok));
    assert_eq!(fetches(&line), 1);
}

#[tokio::test]
async fn sixty_calls_whose_token_is_refused_fetch_one_more_and_all_go_well() {
    let line = refusing(1).await;
    assert!(sixty_calls(&stateless(&line)).await.iter().all(Result::is_ok));
    assert_eq!(fetches(&line), 2);
}

#[tokio::test]
async fn sixty_calls_whose_tokens_are_all_refused_fetch_no_third() {
    let line = refusing(usize::MAX).await;
    let refused = |called: &Result<(), Error>| {
        called.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unauthorized)
    };
    assert!(sixty_calls(&stateless(&line)).await.iter().all(refused));
    assert_eq!(fetches(&line), 2);
}

#[tokio::test]
async fn calls_that_wait_for_the_same_token_share_its_failure() {
    let line = Line::deciding(|_| Answer::json(500, &Value::Null)).await;
    for called in sixty_calls(&stateless(&line)).await {
        let error = called.unwrap_err();
        assert_eq!((error.kind(), error.reached()), (ErrorKind::Server, Reached::No));
    }
    assert_eq!((fetches(&line), line.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_token_that_was_given_is_not_fetched_when_it_is_refused() {
    let line = Line::answering([refused()]).await;
    let error = line.client().loading_start(&ChatId::new("U1"), 20).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(line.asked().len(), 1);
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
