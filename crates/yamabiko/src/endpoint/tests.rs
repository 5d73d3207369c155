//! A bot's own endpoints over HTTP: what they answer, and to how many at once.

use std::sync::mpsc;

use anyhow::bail;
use tokio::net::TcpListener;

use super::*;

/// Serves `POST /half`, which waits for `gate` first, and returns its address.
async fn half(bounds: &Bounds, gate: Option<mpsc::Receiver<()>>) -> String {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut endpoints = Endpoints::default();
    let gate = gate.map(std::sync::Mutex::new);
    endpoints.add("/half", move |number: u32| {
        if let Some(gate) = &gate {
            gate.lock().unwrap().recv().unwrap();
        }
        match number % 2 {
            0 => Ok([number / 2]),
            _ => bail!("{number} is odd: send an even number"),
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/half", listener.local_addr().unwrap());
    let routes = endpoints.routes(bounds).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn ask(url: &str, body: &str, header: Option<&str>) -> (u16, String) {
    let mut request = reqwest::Client::new().post(url).body(body.to_owned());
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_request_is_answered_and_a_wrong_one_hears_what_is_wrong() {
    let url = half(&Bounds::new(1, None), None).await;
    assert_eq!(ask(&url, "8", None).await, (200, "[4]".to_owned()));
    let odd = r#"{"error":"7 is odd: send an even number"}"#;
    assert_eq!(ask(&url, "7", None).await, (400, odd.to_owned()));
    let (status, error) = ask(&url, "eight", None).await;
    assert!(status == 400 && error.contains("expected value at line 1"), "{error}");
    assert_eq!(ask(&url, &" ".repeat(MAX_BODY + 1), None).await.0, 413);
}

#[tokio::test]
async fn requests_over_the_bound_are_refused_and_those_that_wait_are_answered() {
    let (opens, gate) = mpsc::channel();
    let url = half(&Bounds { waiting: 2, ..Bounds::new(1, None) }, Some(gate)).await;
    let asks = (0..10).map(|_| ask(&url, "8", None));
    let mut answers: futures_util::stream::FuturesUnordered<_> = asks.collect();
    use futures_util::StreamExt as _;
    for _ in 0..7 {
        let busy = (503, r#"{"error":"too many requests wait"}"#.to_owned());
        assert_eq!(answers.next().await, Some(busy));
    }
    for _ in 0..3 {
        opens.send(()).unwrap();
        assert_eq!(answers.next().await, Some((200, "[4]".to_owned())));
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_and_keeps_its_place_until_it_ends() {
    let (opens, gate) = mpsc::channel();
    let deadline = Duration::from_millis(50);
    let bounds = Bounds { waiting: 0, deadline, ..Bounds::new(1, None) };
    let url = half(&bounds, Some(gate)).await;
    let late = (503, r#"{"error":"no answer within 50ms"}"#.to_owned());
    let busy = (503, r#"{"error":"too many requests wait"}"#.to_owned());
    // A request may be too late before its work has begun, which is then left.
    let mut answer = ask(&url, "8", None).await;
    while answer == late {
        answer = ask(&url, "8", None).await;
    }
    assert_eq!(answer, busy, "its work goes on");
    // For that one, and for as many more as may be too late.
    for _ in 0..10_000 {
        opens.send(()).unwrap();
    }
    while ask(&url, "8", None).await.0 != 200 {
        // Nobody tells when the thread is free; this only sets how often we look.
        time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn with_a_token_only_requests_that_show_it_are_answered() {
    let url = half(&Bounds::new(1, Some(" geheim\n")), None).await;
    for right in ["Bearer geheim", "bearer geheim"] {
        assert_eq!(ask(&url, "8", Some(right)).await.0, 200, "{right}");
    }
    for wrong in ["Bearer geheimer", "Bearer geheiM", "Bearer", "Basic geheim", "geheim", ""] {
        let (status, error) = ask(&url, "8", Some(wrong)).await;
        assert!(status == 401 && error.contains("ENDPOINT_TOKEN"), "{wrong}: {error}");
    }
    let large = " ".repeat(MAX_BODY + 1);
    assert_eq!(ask(&url, &large, None).await.0, 401, "the body is not read");
    // What is no endpoint stays what it is.
    assert_eq!(ask(&format!("{url}/more"), "8", None).await.0, 404);
}

/// A number whose reading and writing panics for some values, as does the text of an error about it.
#[derive(Debug)]
struct Brittle(u32);

impl<'de> serde::Deserialize<'de> for Brittle {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(from)?;
        assert_ne!(number, 1, "an author's mistake");
        Ok(Self(number))
    }
}

impl Serialize for Brittle {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, 2, "an author's mistake");
        self.0.serialize(to)
    }
}

impl fmt::Display for Brittle {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("an author's mistake")
    }
}

impl std::error::Error for Brittle {}

#[tokio::test]
async fn a_panic_is_a_failure_of_its_request_and_of_no_other() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut endpoints = Endpoints::default();
    endpoints.add("/echo", |brittle: Brittle| match brittle.0 {
        3 => panic!("an author's mistake"),
        4 => Err(brittle.into()),
        _ => Ok(brittle),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/echo", listener.local_addr().unwrap());
    let routes = endpoints.routes(&Bounds::new(1, None)).unwrap();
    // As the server has it.
    let routes = routes.layer(tower_http::catch_panic::CatchPanicLayer::new());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let ask = async |number: u32| {
        let ask = reqwest::Client::new().post(&url).body(number.to_string());
        ask.send().await.unwrap().status().as_u16()
    };
    for number in 1..=4 {
        assert_eq!((ask(number).await, ask(5).await), (500, 200), "{number}");
    }
}
