//! Whatever is sent to whatever address, the simulator answers, and never with a failure of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::world::{SAKURA, World};

/// Every address of the control API and of LINE's, with its methods; `{}` stands for an id.
pub(crate) const ROUTES: [(&str, &str); 67] = [
    ("GET", "/control/status"),
    ("GET", "/control/users"),
    ("POST", "/control/users"),
    ("GET", "/control/groups"),
    ("POST", "/control/groups"),
    ("GET", "/control/chats/{}"),
    ("POST", "/control/chats/{}/messages"),
    ("PUT", "/control/chats/{}/messages/{}"),
    ("POST", "/control/chats/{}/media"),
    ("POST", "/control/chats/{}/events"),
    ("PUT", "/control/chats/{}/mode"),
    ("GET", "/control/chats/{}/transcript"),
    ("POST", "/control/script"),
    ("GET", "/control/openapi.json"),
    ("GET", "/control/ledger"),
    ("GET", "/control/log"),
    ("POST", "/control/webhooks/raw"),
    ("POST", "/control/webhooks/{}/redeliver"),
    ("GET", "/control/faults"),
    ("POST", "/control/faults"),
    ("DELETE", "/control/faults"),
    ("GET", "/control/settings"),
    ("POST", "/control/settings"),
    ("GET", "/control/clock"),
    ("POST", "/control/clock"),
    ("POST", "/control/reset"),
    ("GET", "/media/{}"),
    ("POST", "/v2/bot/message/reply"),
    ("POST", "/v2/bot/message/push"),
    ("POST", "/v2/bot/message/multicast"),
    ("POST", "/v2/bot/message/broadcast"),
    ("POST", "/v2/bot/message/narrowcast"),
    ("GET", "/v2/bot/message/progress/narrowcast"),
    ("POST", "/v2/bot/message/validate/push"),
    ("POST", "/v2/bot/message/validate/{}"),
    ("GET", "/v2/bot/message/quota"),
    ("GET", "/v2/bot/message/quota/consumption"),
    ("GET", "/v2/bot/message/delivery/{}"),
    ("GET", "/v2/bot/message/{}/content"),
    ("GET", "/v2/bot/message/{}/content/preview"),
    ("GET", "/v2/bot/message/{}/content/transcoding"),
    ("GET", "/v2/bot/profile/{}"),
    ("GET", "/v2/bot/followers/ids"),
    ("GET", "/v2/bot/group/{}/summary"),
    ("GET", "/v2/bot/group/{}/members/count"),
    ("GET", "/v2/bot/room/{}/members/ids"),
    ("GET", "/v2/bot/{}/{}/member/{}"),
    ("POST", "/v2/bot/group/{}/leave"),
    ("GET", "/v2/bot/info"),
    ("POST", "/v2/bot/chat/loading/start"),
    ("POST", "/v2/bot/chat/markAsRead"),
    ("GET", "/v2/bot/channel/webhook/endpoint"),
    ("PUT", "/v2/bot/channel/webhook/endpoint"),
    ("POST", "/v2/bot/channel/webhook/test"),
    ("POST", "/v2/{}"),
    ("POST", "/oauth2/v3/token"),
    ("POST", "/oauth2/v2.1/token"),
    ("GET", "/oauth2/v2.1/tokens/kid"),
    ("GET", "/oauth2/v2.1/verify"),
    ("POST", "/oauth2/v2.1/revoke"),
    ("POST", "/v2/oauth/accessToken"),
    ("POST", "/v2/oauth/verify"),
    ("POST", "/v2/oauth/revoke"),
    ("DELETE", "/v2/bot/message/push"),
    ("PATCH", "/control/{}"),
    ("GET", "/{}"),
    ("GET", "/"),
];

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) route: usize,
    pub(crate) id: String,
    pub(crate) query: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

/// How long one answer is waited for: some requests ask for none, or for a late one.
const PATIENCE: Duration = Duration::from_millis(300);

/// Sends it, and then asks whether the simulator is well.
pub(crate) async fn send(world: &World, sent: &Sent) {
    let (method, path) = ROUTES[sent.route % ROUTES.len()];
    let path = format!("{}?{}", path.replace("{}", &escaped(&sent.id)), escaped_query(&sent.query));
    let request = world
        .request(method, &path)
        .header("authorization", "Bearer the access token")
        .header("content-type", sent.content_type)
        .body(sent.body.clone());
    match request.timeout(PATIENCE).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            assert!(status < 500, "{method} {path} is answered with {status}");
        }
        // A connection that is closed without an answer is a panic.
        Err(error) => assert!(error.is_timeout(), "{method} {path}: {error:?}"),
    }
    assert_eq!(world.delete("/control/faults").await.status, 200);
    for seen in ["/control/status", "/control/ledger", "/control/log", "/control/settings", "/"] {
        assert_eq!(world.get(seen).await.status, 200, "{seen} after {method} {path}");
    }
}

fn escaped(text: &str) -> String {
    let byte = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.as_bytes().iter().map(byte).collect()
}

fn escaped_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", escaped(name), escaped(value)),
        None => escaped(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Returns right bodies with the routes that take them: those of the document, and some of LINE's.
fn known() -> Vec<(usize, Value)> {
    let messages = json!([{ "type": "text", "text": "hi", "quickReply": { "items": [
        { "type": "action", "action": { "type": "message", "label": "a", "text": "b" } }] } }]);
    let of_line = [
        ("/v2/bot/message/push", json!({ "to": SAKURA, "messages": messages })),
        ("/v2/bot/message/multicast", json!({ "to": [SAKURA], "messages": messages })),
        ("/v2/bot/message/reply", json!({ "replyToken": "x", "messages": messages })),
        ("/v2/bot/message/broadcast", json!({ "messages": messages })),
        (
            "/v2/bot/message/narrowcast",
            json!({ "messages": messages, "recipient": {}, "filter": {}, "limit": { "max": 1 } }),
        ),
        ("/v2/bot/message/validate/push", json!({ "messages": messages })),
        ("/v2/bot/chat/loading/start", json!({ "chatId": SAKURA, "loadingSeconds": 5 })),
        ("/v2/bot/chat/markAsRead", json!({ "markAsReadToken": "x" })),
        ("/v2/bot/channel/webhook/endpoint", json!({ "endpoint": "https://a.jp/callback" })),
        ("/v2/bot/channel/webhook/test", json!({ "endpoint": "http://127.0.0.1:1/callback" })),
    ];
    let of_line = of_line.map(|(path, body)| (path.to_owned(), body));
    let known = of_line.into_iter().chain(documented()).map(|(path, body)| {
        let route = ROUTES.iter().position(|(method, known)| *known == path && *method != "GET");
        (route.expect("it is a route"), body)
    });
    known.collect()
}

/// Returns the addresses of the document with the bodies that it shows for them.
fn documented() -> Vec<(String, Value)> {
    let document: Value =
        serde_json::from_str(include_str!("../../src/control/openapi.json")).expect("is JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("has paths") {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        for method in methods.as_object().expect("has methods").values() {
            let shown = &method["requestBody"]["content"]["application/json"]["examples"];
            let shown = shown.as_object().into_iter().flat_map(|shown| shown.values());
            found.extend(shown.map(|example| (path.clone(), example["value"].clone())));
        }
    }
    assert!(found.len() > 20, "the document has examples");
    found
}

/// Puts a value in the place of the `at`th value within another, counted from the outside.
fn replace(value: &mut Value, at: &mut usize, new: &Value) {
    if *at == 0 {
        value.clone_from(new);
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, new)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, at, new)),
        _ => {}
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        select(vec![0_i64, 1, -1, 500, 599, 1 << 31, 1 << 32]).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![SAKURA, "callback", "*", "push", "before", "user", "", "\u{0}", "🍎"])
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z]{0,6}", inner, 0..4).prop_map(|all| json!(all)),
        ]
    })
}

fn any_request() -> impl Strategy<Value = Sent> {
    let ids = || {
        prop_oneof![
            6 => Just(SAKURA.to_owned()),
            1 => select(vec!["1".to_owned(), String::new(), "..".to_owned()]),
            1 => any::<String>(),
        ]
    };
    let right = (select(known()), 0..12_usize, any_value(), ids());
    // A body that is nearly right; beyond its end nothing is changed.
    let right = right.prop_map(|((route, mut body), at, new, id)| {
        replace(&mut body, &mut at.clone(), &new);
        let (content_type, body) = ("application/json", body.to_string().into_bytes());
        Sent { route, id, query: String::new(), content_type, body }
    });
    let queries = prop_oneof![
        "(after|wait_ms|limit|start|date|requestId|wait|userId)=-?[0-9]{0,20}",
        "[a-z]{0,5}=\\PC{0,9}",
    ];
    let types =
        select(vec!["application/json", "application/x-www-form-urlencoded", "image/png", ""]);
    let bodies = prop_oneof![
        any_value().prop_map(|value| value.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..60),
        "(grant_type|client_id|client_secret|access_token|refresh_token)=\\PC{0,9}"
            .prop_map(String::into_bytes),
    ];
    let wrong = (0..ROUTES.len(), ids(), queries, types, bodies).prop_map(
        |(route, id, query, content_type, body)| Sent { route, id, query, content_type, body },
    );
    prop_oneof![right, wrong]
}

#[test]
fn no_request_makes_the_simulator_fail() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime is built");
    let world = runtime.block_on(World::new());
    let config = Config { cases: 250, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&any_request(), |sent| {
        let sending = AssertUnwindSafe(|| runtime.block_on(send(&world, &sent)));
        catch_unwind(sending).map_err(|_| TestCaseError::fail("see above"))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
