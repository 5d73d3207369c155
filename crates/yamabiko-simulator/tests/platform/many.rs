//! Messages to many, followers, deliveries of a day, and access tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::world::{ALICE, Answer, SAKURA, World};

const KEY: (&str, &str) = ("x-line-retry-key", "123e4567-e89b-42d3-a456-426614174000");

fn hello(to: Value) -> Option<Value> {
    let mut body = json!({ "messages": [{ "type": "text", "text": "hello" }] });
    if !to.is_null() {
        body["to"] = to;
    }
    Some(body)
}

#[tokio::test]
async fn a_multicast_reaches_friends_alone_and_counts_them() {
    let world = World::new().await;
    world.happens(SAKURA, json!({ "type": "unfollow" })).await;
    let stranger = format!("U{}", "9".repeat(32));
    let to = json!([ALICE, SAKURA, stranger]);
    let path = "/v2/bot/message/multicast";
    let sent = world.call_with("POST", path, hello(to.clone()), &[KEY]).await;
    assert_eq!((sent.status, &sent.body), (200, &json!({})));
    assert_eq!(world.transcript(ALICE).await[0]["via"], "multicast");
    assert!(world.transcript(SAKURA).await.is_empty());
    let used = world.call("GET", "/v2/bot/message/quota/consumption", None).await;
    assert_eq!(used.body["totalUsage"], 1);
    let again = world.call_with("POST", path, hello(to), &[KEY]).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.header("x-line-accepted-request-id"), sent.header("x-line-request-id"));
    assert!(again.body["sentMessages"].is_null(), "LINE tells them of a push alone");
    for wrong in [json!([]), json!(["U1"]), json!(vec![ALICE; 501])] {
        assert_eq!(world.call("POST", path, hello(wrong)).await.status, 400);
    }
}

#[tokio::test]
async fn a_broadcast_reaches_all_friends_and_a_narrowcast_tells_how_it_went() {
    let world = World::new().await;
    assert_eq!(
        world.call("POST", "/v2/bot/message/broadcast", hello(Value::Null)).await.status,
        200
    );
    let narrow = world.call("POST", "/v2/bot/message/narrowcast", hello(Value::Null)).await;
    assert_eq!(narrow.status, 202);
    assert_eq!(world.transcript(SAKURA).await.len(), 2);
    let id = narrow.header("x-line-request-id");
    let progress = format!("/v2/bot/message/progress/narrowcast?requestId={id}");
    let progress = world.call("GET", &progress, None).await.body;
    assert_eq!((&progress["phase"], &progress["successCount"]), (&json!("succeeded"), &json!(3)));
}

#[tokio::test]
async fn followers_are_listed_page_by_page() {
    let world = World::new().await;
    let get = async |query: &str| {
        world.call("GET", &format!("/v2/bot/followers/ids?{query}"), None).await.body
    };
    let first = get("limit=2").await;
    assert_eq!(first["userIds"], json!([SAKURA, ALICE]));
    let next = first["next"].as_str().unwrap_or_default();
    let second = get(&format!("limit=2&start={next}")).await;
    assert_eq!(second["userIds"].as_array().map(Vec::len), Some(1));
    assert!(second["next"].is_null());
}

#[tokio::test]
async fn a_days_deliveries_are_told_when_it_is_over() {
    let world = World::new().await;
    world.push(ALICE, "one", &[]).await;
    let event = world.says(ALICE, "hi").await;
    world.reply(&event, "hello").await;
    let get = async |kind: &str| {
        // The clock stands at 2026-09-21 in Japan.
        world
            .call("GET", &format!("/v2/bot/message/delivery/{kind}?date=20260921"), None)
            .await
            .body
    };
    assert_eq!(get("push").await, json!({ "status": "unready" }));
    world.simulator.clock().advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(get("push").await, json!({ "status": "ready", "success": 1 }));
    assert_eq!(get("reply").await["success"], 1);
    assert_eq!(get("multicast").await["success"], 0);
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({ "alg": "RS256", "typ": "JWT", "kid": "key-1" })),
        part(claims)
    )
}

async fn form(world: &World, path: &str, fields: &[(&str, &str)]) -> Answer {
    world.send(world.request("POST", path).form(fields)).await
}

async fn works(world: &World, token: &Answer) -> bool {
    let bearer = format!("Bearer {}", token.body["access_token"].as_str().unwrap_or_default());
    let info = world.call_with("GET", "/v2/bot/info", None, &[("authorization", &bearer)]).await;
    info.status == 200
}

#[tokio::test]
async fn a_short_lived_token_is_issued_verified_and_revoked() {
    let world = World::new().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "1234567890"),
        ("client_secret", "the channel's secret"),
    ];
    let token = form(&world, "/v2/oauth/accessToken", &fields).await;
    assert_eq!(token.body["expires_in"], 2_592_000);
    assert!(works(&world, &token).await);
    let given = [("access_token", token.body["access_token"].as_str().unwrap_or_default())];
    let verified = form(&world, "/v2/oauth/verify", &given).await;
    assert_eq!(verified.body["client_id"], "1234567890");
    assert_eq!(form(&world, "/v2/oauth/revoke", &given).await.status, 200);
    assert_eq!(form(&world, "/v2/oauth/verify", &given).await.status, 400);
    assert!(!works(&world, &token).await);
}

#[tokio::test]
async fn a_token_of_version_2_1_is_asked_for_with_a_json_web_token() {
    let world = World::new().await;
    let now = world.simulator.clock().now_ms() / 1_000;
    let claims = json!({
        "iss": "1234567890", "sub": "1234567890", "aud": "https://api.line.me/",
        "exp": now + 1_800, "token_exp": 86_400,
    });
    let by = async |claims: &Value| {
        let assertion = jwt(claims);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        (form(&world, "/oauth2/v2.1/token", &fields).await, assertion)
    };
    let (token, assertion) = by(&claims).await;
    assert_eq!(token.body["expires_in"], 86_400);
    assert!(works(&world, &token).await);
    let kids = format!(
        "/oauth2/v2.1/tokens/kid?client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={assertion}"
    );
    let kids = world.call("GET", &kids, None).await;
    assert_eq!(kids.body["kids"], json!([token.body["key_id"]]));
    let verify = format!(
        "/oauth2/v2.1/verify?access_token={}",
        token.body["access_token"].as_str().unwrap_or_default()
    );
    assert_eq!(world.call("GET", &verify, None).await.body["expires_in"], 86_400);
    for (field, wrong) in [("iss", json!("1")), ("exp", json!(now + 1_801)), ("aud", json!("?"))] {
        let mut claims = claims.clone();
        claims[field] = wrong;
        assert_eq!(by(&claims).await.0.status, 400, "{field}");
    }
}
