//! What a failed call says about whether LINE has acted.

use std::{error::Error as _, time::Duration};

use axum::body::Body;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use yamabiko_line::{
    client::{Client, Credentials},
    error::{Error, ErrorKind, Limit, Reached},
    secret::{AccessToken, ReplyToken},
};

use crate::server::{Answer, Line, TOKEN, config};

async fn reply(client: &Client) -> Error {
    client.reply(&ReplyToken::new("geheim-reply"), &["geheim-text".into()]).await.unwrap_err()
}

fn client_of(url: &str, timeout: Duration) -> Client {
    let mut config = config(url, Credentials::Token(AccessToken::new(TOKEN)));
    config.timeout = timeout;
    Client::new(config).unwrap()
}

#[test]
fn o9_a_400_tells_whether_it_refuses_a_message_or_an_ornament_of_it() {
    let told = |message: &str, property: Option<&str>| {
        let details = property.map(|property| json!([{"message": "no", "property": property}]));
        let body = json!({"message": message, "details": details}).to_string();
        let error = Error::refused(400, None, None, body.as_bytes());
        (error.refuses_message(), error.refuses_ornament())
    };
    let errors = "The request body has 1 error(s)";
    for (message, property, expected) in [
        ("Invalid reply token", None, (false, false)),
        (errors, Some("replyToken"), (false, false)),
        ("Failed to send messages", None, (false, false)),
        (errors, Some("messages[0].text"), (true, false)),
        (errors, Some("messages[1].quoteToken"), (true, true)),
        (errors, Some("messages[0].quickReply.items[0].action.label"), (true, true)),
        ("A message (messages[0]) in the request body is invalid", Some("/body"), (true, false)),
        ("Invalid quote token", None, (true, true)),
    ] {
        assert_eq!(told(message, property), expected, "{message} {property:?}");
    }
    let elsewhere = Error::refused(500, None, None, br#"{"message": "messages[0]"}"#);
    assert!(!elsewhere.refuses_message(), "a 500 refuses nothing");
}

#[test]
fn a_429_tells_its_limit_by_its_text() {
    let limit = |status, message: &str| {
        let body = json!({"message": message}).to_string();
        Error::refused(status, None, None, body.as_bytes()).limit()
    };
    for (message, expected) in [
        ("You have reached your monthly limit.", Limit::Month),
        ("The API rate limit has been exceeded. Try again later.", Limit::Rate),
        ("A large number of messages were sent to the same user.", Limit::User),
        ("Too Many Requests", Limit::Unclear),
        ("", Limit::Unclear),
    ] {
        assert_eq!(limit(429, message), Some(expected), "{message}");
    }
    assert_eq!(limit(400, "You have reached your monthly limit."), None);
}

#[tokio::test]
async fn every_status_says_what_it_means() {
    for (status, kind, reached) in [
        (400, ErrorKind::BadRequest, Reached::Refused),
        (401, ErrorKind::Unauthorized, Reached::Refused),
        (403, ErrorKind::Forbidden, Reached::Refused),
        (404, ErrorKind::NotFound, Reached::Refused),
        (408, ErrorKind::Timeout, Reached::Unknown),
        (409, ErrorKind::Conflict, Reached::Refused),
        (410, ErrorKind::Gone, Reached::Refused),
        (413, ErrorKind::TooLarge, Reached::Refused),
        (415, ErrorKind::Other, Reached::Refused),
        (429, ErrorKind::TooManyRequests, Reached::Refused),
        (500, ErrorKind::Server, Reached::Unknown),
        (503, ErrorKind::Server, Reached::Unknown),
        (302, ErrorKind::Other, Reached::Unknown),
    ] {
        let line = Line::answers(status, json!({"message": "no"})).await;
        let error = reply(&line.client()).await;
        assert_eq!((error.kind(), error.reached()), (kind, reached), "{status}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.to_string(), format!("LINE answered {status}: no"));
        assert_eq!(error.request_id(), Some("request-1"));
    }
}

#[tokio::test]
async fn lines_remarks_are_passed_on() {
    let body = json!({"message": "The request body has 1 error(s)", "details": [
        {"message": "May not be empty", "property": "messages[0].text"}, {"message": "x"}, 5,
    ]});
    let answer = Answer::json(400, &body).with("retry-after", "7");
    let line = Line::answering([answer]).await;
    let error = reply(&line.client()).await;
    assert_eq!(error.message(), "The request body has 1 error(s)");
    assert_eq!(error.details()[0].property, "messages[0].text");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let text = "LINE answered 400: The request body has 1 error(s); \
        messages[0].text: May not be empty; x; ";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_refusal_that_is_not_json_is_still_a_refusal() {
    let line = Line::answering([Answer(400, Vec::new(), Body::from("<html>"))]).await;
    let error = reply(&line.client()).await;
    assert_eq!((error.kind(), error.reached()), (ErrorKind::BadRequest, Reached::Refused));
    assert_eq!((error.message(), error.request_id()), ("", None));
    assert_eq!(error.to_string(), "LINE answered 400");
}

#[tokio::test]
async fn a_redirect_is_not_followed_since_the_token_would_go_with_it() {
    let elsewhere = Line::answering([]).await;
    let answer = Answer::json(307, &json!({})).with("location", &elsewhere.url);
    let line = Line::answering([answer]).await;
    let error = reply(&line.client()).await;
    assert_eq!((error.status(), error.reached()), (Some(307), Reached::Unknown));
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn o3_a_refused_connection_surely_never_reached_line() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = reply(&client_of(&url, Duration::from_secs(5))).await;
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Network, Reached::No));
    assert_eq!((error.status(), error.to_string()), (None, "LINE was not reached".to_owned()));
}

#[tokio::test]
async fn o3_nobody_can_tell_about_a_connection_that_breaks_after_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 16]).await.unwrap() > 0);
    });
    let error = reply(&client_of(&url, Duration::from_secs(5))).await;
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Network, Reached::Unknown));
}

#[tokio::test]
async fn o3_nobody_can_tell_about_an_answer_that_does_not_come() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        // Ends when the client gives up.
        socket.read_to_end(&mut request).await.ok();
    });
    let error = reply(&client_of(&url, Duration::from_millis(200))).await;
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Timeout, Reached::Unknown));
    assert_eq!(error.to_string(), "LINE did not answer in time");
    silent.await.unwrap();
}

/// Answers one request by these bytes, and hangs up.
async fn raw(answer: &'static str) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert!(socket.read_buf(&mut request).await.unwrap() > 0);
        }
        socket.write_all(answer.as_bytes()).await.unwrap();
    });
    client_of(&url, Duration::from_secs(5))
}

#[tokio::test]
async fn an_answer_that_breaks_off_after_its_status_counts_by_its_status() {
    let taken = raw("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{").await;
    assert!(taken.reply(&ReplyToken::new("r"), &["hi".into()]).await.is_ok());
    let refused = raw("HTTP/1.1 400 Bad Request\r\ncontent-length: 99\r\n\r\n{").await;
    let error = reply(&refused).await;
    assert_eq!((error.kind(), error.reached()), (ErrorKind::BadRequest, Reached::Refused));
}

#[tokio::test]
async fn o3_nobody_can_tell_from_an_answer_that_is_not_http() {
    let error = reply(&raw("sushi\r\n\r\n").await).await;
    assert_eq!((error.kind(), error.reached()), (ErrorKind::Network, Reached::Unknown));
}

#[tokio::test]
async fn an_error_prints_no_secret_and_no_text() {
    let mut errors = Vec::new();
    for status in [400, 401, 500] {
        errors.push(reply(&Line::answers(status, Value::Null).await.client()).await);
    }
    errors.push(reply(&raw("sushi\r\n\r\n").await).await);
    errors.push(reply(&client_of("http://127.0.0.1:1", Duration::from_secs(5))).await);
    for error in errors {
        let mut shown = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(error) = source {
            shown = format!("{shown} {error} {error:?}");
            source = error.source();
        }
        assert!(!shown.contains("geheim"), "{shown}");
    }
}
