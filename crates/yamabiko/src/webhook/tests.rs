//! Any request gets one of four answers, and the events that are fine are stored whatever stands beside them.

use axum::http::{HeaderName, HeaderValue};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use yamabiko_queue::{
    Store, StoreOptions,
    store::{self},
};

use super::*;

const SECRET: &str = "the channel's secret";

/// A server of webhooks on a store of its own.
struct Web {
    port: u16,
    store: Arc<dyn Store>,
    _folder: TempDir,
}

impl Web {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store = store::open(&url, StoreOptions::new("test")).await.unwrap();
        let queue = Arc::new(SetOnce::new_with(Some(Queue::new(Arc::clone(&store)))));
        let routes = routes(Webhook::new(ChannelSecret::new(SECRET), queue, Arc::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { port, store, _folder: folder }
    }

    /// Posts a body with these bytes as its signature, and returns the status.
    async fn answers(&self, signature: &[u8], body: &[u8]) -> u16 {
        let mut request = b"POST /callback HTTP/1.1\r\nhost: bot\r\nconnection: close\r\n".to_vec();
        request.extend(format!("content-length: {}\r\nx-line-signature: ", body.len()).bytes());
        request.extend(signature);
        request.extend(b"\r\n\r\n");
        request.extend(body);
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        // A server that has answered before it has read all closes the connection.
        stream.write_all(&request).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        let status = answer.get(9..12).expect("there is an answer");
        std::str::from_utf8(status).unwrap().parse().unwrap()
    }

    async fn takes(&self, body: &[u8]) -> u16 {
        let signature = signature::sign(&ChannelSecret::new(SECRET), body);
        self.answers(signature.as_bytes(), body).await
    }

    /// Returns the event that is stored under this id.
    async fn stored(&self, id: &str) -> Option<Value> {
        let record = self.store.get(JobId::of_key(&format!("Ubot/{id}"))).await.unwrap()?;
        Some(StoredEvent::read(&record.job.payload).expect("what is stored can be read").event)
    }
}

fn good(id: &str) -> Value {
    json!({"type": "message", "webhookEventId": id, "timestamp": 1, "mode": "active",
        "source": {"type": "user", "userId": "Ualice"},
        "message": {"type": "text", "id": "1", "text": "hi"}})
}

/// An event, as text: any JSON, and what writers of JSON avoid.
fn any_event() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        (1..200_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
        "-?[1-9][0-9]{0,330}",
        Just("1e999".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(format!("{:?}", "x".repeat(300))),
        Just(format!("{:?}", "x".repeat(66_000))),
        Just(r#"{"type":"user","userId":"Ubob","userId":null}"#.to_owned()),
        any::<String>().prop_map(|text| Value::from(text).to_string()),
    ];
    let part = prop::sample::select(vec![
        "",
        "type",
        "webhookEventId",
        "timestamp",
        "mode",
        "replyToken",
        "source",
        "message",
        "deliveryContext",
        "userId",
        "text",
    ]);
    (odd, part, any::<u32>()).prop_map(|(odd, part, n)| {
        if part.is_empty() {
            return odd;
        }
        let mut event = good(&format!("odd-{n}"));
        let place = match part {
            "userId" => &mut event["source"][part],
            "text" => &mut event["message"][part],
            _ => &mut event[part],
        };
        *place = json!("the odd one");
        event.to_string().replace("\"the odd one\"", &odd)
    })
}

fn search<T: std::fmt::Debug>(cases: u32, input: impl Strategy<Value = T>, check: impl Fn(T)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&input, |input| {
        check(input);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{}", error.to_string().chars().take(3_000).collect::<String>());
    }
}

#[test]
fn i3_events_that_are_fine_are_stored_whatever_stands_beside_them() {
    let runtime = Runtime::new().unwrap();
    let web = runtime.block_on(Web::start());
    let number = std::cell::Cell::new(0);
    search(60, vec(any_event(), 0..5), |events| {
        number.set(number.get() + 1);
        let names = ["first", "last"].map(|name| format!("{name}-{}", number.get()));
        let [first, last] = [&names[0], &names[1]].map(|name| good(name).to_string());
        let all: Vec<_> = [first].into_iter().chain(events).chain([last]).collect();
        let body = format!(r#"{{"destination":"Ubot","events":[{}]}}"#, all.join(","));
        runtime.block_on(async {
            assert_eq!(web.takes(body.as_bytes()).await, 200);
            for name in names {
                assert_eq!(web.stored(&name).await, Some(good(&name)));
            }
        });
    });
}

#[test]
fn any_bytes_get_one_of_four_answers() {
    let runtime = Runtime::new().unwrap();
    let web = runtime.block_on(Web::start());
    let body = json!({"destination": "Ubot", "events": [good("1"), good("2")]}).to_string();
    let changed = (any::<prop::sample::Index>(), 0..30_usize, vec(any::<u8>(), 0..6));
    let changed = changed.prop_map(|(at, left_out, other)| {
        let mut bytes = body.clone().into_bytes();
        let at = at.index(bytes.len());
        let end = (at + left_out).min(bytes.len());
        bytes.splice(at..end, other);
        bytes
    });
    search(100, prop_oneof![vec(any::<u8>(), 0..200), changed], |body| {
        let status = runtime.block_on(web.takes(&body));
        assert!(matches!(status, 200 | 400), "{status}");
        assert_eq!(status == 200, Envelope::parse(&body).is_ok());
    });
    assert_eq!(runtime.block_on(web.takes(&vec![b' '; MAX_BODY + 1])), 413);
}

#[test]
fn any_header_but_the_right_one_is_refused() {
    let runtime = Runtime::new().unwrap();
    let web = runtime.block_on(Web::start());
    let body = json!({"destination": "Ubot", "events": [good("never")]}).to_string();
    search(100, vec(any::<u8>(), 0..60), |header| {
        let status = runtime.block_on(web.answers(&header, body.as_bytes()));
        // What is no header at all is refused before anybody looks at it.
        assert!(matches!(status, 400 | 401), "{status}");
    });
    assert_eq!(runtime.block_on(web.stored("never")), None);
}

#[test]
fn an_event_can_be_read_again_however_deeply_it_is_nested() {
    let runtime = Runtime::new().unwrap();
    let web = runtime.block_on(Web::start());
    for depth in 120..130 {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let name = format!("deep-{depth}");
        let event = good(&name).to_string().replacen('{', &format!(r#"{{"deep":{deep},"#), 1);
        let body = format!(r#"{{"destination":"Ubot","events":[{event}]}}"#);
        runtime.block_on(async {
            assert_eq!(web.takes(body.as_bytes()).await, 200);
            // Beyond 127 it is kept as a text, which has no id.
            assert!(web.stored(&name).await.is_some() || depth > 126, "{depth}");
        });
    }
}

#[tokio::test]
async fn a_webhook_that_comes_while_a_bot_starts_waits_for_the_store() {
    let web = Web::start().await;
    let webhook = Webhook::new(ChannelSecret::new(SECRET), Arc::default(), Arc::default());
    let body = json!({"destination": "Ubot", "events": [good("early")]}).to_string();
    let signature = signature::sign(&ChannelSecret::new(SECRET), body.as_bytes());
    let headers = HeaderMap::from_iter([(
        HeaderName::from_static("x-line-signature"),
        HeaderValue::from_str(&signature).unwrap(),
    )]);
    let taken = webhook.take(&headers, body.as_bytes());
    let opens = async {
        tokio::task::yield_now().await;
        assert!(webhook.queue.set(Queue::new(Arc::clone(&web.store))).is_ok());
    };
    assert_eq!(tokio::join!(biased; taken, opens).0, StatusCode::OK);
    assert!(web.stored("early").await.is_some());
}
