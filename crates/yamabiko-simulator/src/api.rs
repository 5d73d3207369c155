//! LINE's API as the bot calls it: who may call, what goes wrong on purpose, what is logged.

mod account;
mod answer;
mod content;
mod messages;
mod people;
mod quota;
mod tokens;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use self::answer::Refused;
use crate::faults::{Call, CallEffect, CallFault, Moment};
use crate::id;
use crate::limits::EXCEEDED;
use crate::listener::Reset;
use crate::log::{Answer, Direction, Entry};
use crate::platform::{Memory, Platform};
use crate::validate::Problem;

/// LINE takes requests up to 2 MB.
const MAX_REQUEST: usize = 2 * 1024 * 1024;
/// A call whose answer is lost holds its connection so long.
const NEVER: Duration = Duration::from_secs(120);

/// Only these take a retry key.
const WITH_RETRY_KEY: [&str; 4] = [
    "/v2/bot/message/push",
    "/v2/bot/message/multicast",
    "/v2/bot/message/broadcast",
    "/v2/bot/message/narrowcast",
];

/// Names a call in its answer, in the log and in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Serves LINE's API.
pub(crate) fn router(platform: &Arc<Platform>) -> Router<Arc<Platform>> {
    let guarded = Router::new()
        .route("/v2/bot/message/reply", post(messages::reply))
        .route("/v2/bot/message/push", post(messages::push))
        .route("/v2/bot/message/multicast", post(messages::multicast))
        .route("/v2/bot/message/broadcast", post(messages::broadcast))
        .route("/v2/bot/message/narrowcast", post(messages::narrowcast))
        .route("/v2/bot/message/progress/narrowcast", get(messages::progress))
        .route("/v2/bot/message/validate/{kind}", post(messages::validate))
        .route("/v2/bot/message/quota", get(quota::quota))
        .route("/v2/bot/message/quota/consumption", get(quota::consumption))
        .route("/v2/bot/message/delivery/{kind}", get(quota::delivery))
        .route("/v2/bot/message/{messageId}/content", get(content::content))
        .route("/v2/bot/message/{messageId}/content/preview", get(content::preview))
        .route("/v2/bot/message/{messageId}/content/transcoding", get(content::transcoding))
        .route("/v2/bot/profile/{userId}", get(people::profile))
        .route("/v2/bot/followers/ids", get(people::followers))
        .route("/v2/bot/group/{groupId}/summary", get(people::summary))
        .route("/v2/bot/{kind}/{chatId}/members/count", get(people::count))
        .route("/v2/bot/{kind}/{chatId}/members/ids", get(people::members))
        .route("/v2/bot/{kind}/{chatId}/member/{userId}", get(people::member))
        .route("/v2/bot/{kind}/{chatId}/leave", post(people::leave))
        .route("/v2/bot/info", get(account::info))
        .route("/v2/bot/chat/loading/start", post(account::loading))
        .route("/v2/bot/chat/markAsRead", post(account::mark_as_read))
        .route(
            "/v2/bot/channel/webhook/endpoint",
            get(account::endpoint).put(account::set_endpoint),
        )
        .route("/v2/bot/channel/webhook/test", post(account::test_endpoint))
        .route("/v2/{*rest}", axum::routing::any(not_found))
        .layer(middleware::from_fn(keep_retry_keys_to_their_endpoints))
        .layer(middleware::from_fn_with_state(Arc::clone(platform), authorize));
    Router::new()
        .route("/oauth2/v3/token", post(tokens::stateless))
        .route("/oauth2/v2.1/token", post(tokens::by_jwt))
        .route("/oauth2/v2.1/tokens/kid", get(tokens::key_ids))
        .route("/oauth2/v2.1/verify", get(tokens::verify))
        .route("/oauth2/v2.1/revoke", post(tokens::revoke_by_client))
        .route("/v2/oauth/accessToken", post(tokens::short_lived))
        .route("/v2/oauth/verify", post(tokens::verify))
        .route("/v2/oauth/revoke", post(tokens::revoke))
        .merge(guarded)
        .layer(middleware::from_fn_with_state(Arc::clone(platform), observe))
        .layer(middleware::from_fn_with_state(Arc::clone(platform), see_through))
}

async fn not_found() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "Not found")
}

/// Refuses a retry key wherever LINE takes none.
async fn keep_retry_keys_to_their_endpoints(request: Request, next: Next) -> Response {
    let takes_one = WITH_RETRY_KEY.contains(&request.uri().path());
    if request.headers().contains_key(messages::RETRY_KEY) && !takes_one {
        return Refused::bad("The retry key is not supported by this endpoint").into_response();
    }
    next.run(request).await
}

/// Lets only calls with a valid access token through.
async fn authorize(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Response {
    let now = platform.now();
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let problem = match given.map(|given| given.strip_prefix("Bearer ")) {
        None => "Authentication failed due to the following reason: missing access token.",
        Some(Some(token))
            if token == platform.config.access_token.expose()
                || platform.read(|memory| memory.access_tokens.until(token, now).is_some()) =>
        {
            return next.run(request).await;
        }
        Some(_) => "Authentication failed due to the following reason: invalid access token.",
    };
    Refused::new(StatusCode::UNAUTHORIZED, problem).into_response()
}

/// Sees a call through to its end, as LINE does, also if the bot has stopped waiting for its answer.
///
/// A reset of the simulator ends it without an answer.
async fn see_through(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Response {
    let connection = request.extensions().get::<ConnectInfo<Reset>>().cloned();
    let mut end = platform.read(|memory| memory.life.subscribe());
    let run = next.run(request);
    let run = tokio::spawn(async move {
        tokio::select! {
            response = run => Some(response),
            _ = end.changed() => None,
        }
    });
    if let Ok(Some(response)) = run.await {
        return response;
    }
    if let Some(ConnectInfo(connection)) = connection {
        connection.instead_of_answer();
    }
    StatusCode::BAD_GATEWAY.into_response()
}

/// Gives every call its id, its faults and its place in the log.
async fn observe(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let request_id = id::request();
    let what = format!("{} {}", request.method(), request.uri().path());
    // The body of a request for a token has the channel's secret in it.
    let secret =
        ["/oauth2", "/v2/oauth"].iter().any(|start| request.uri().path().starts_with(start));
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_REQUEST).await;

    let shown = match &body {
        Ok(bytes) if !secret => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let mut entry = Entry::new(Direction::Api, what, shown, platform.now());
    entry.request_id = Some(request_id.clone());
    let now = platform.now();
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let (n, in_limits, fault) = platform.update(|memory| {
        let revision = memory.touch();
        let n = memory.log.add(entry, revision);
        let in_limits =
            !memory.settings.rate_limits || memory.limits.take(parts.method.as_str(), route, now);
        let fault =
            in_limits.then(|| hit(memory, parts.uri.path(), body.as_deref().unwrap_or_default()));
        (n, in_limits, fault.flatten())
    });
    let reset = parts.extensions.get::<ConnectInfo<Reset>>().cloned();

    let run = async {
        if !in_limits {
            return Ending::Answer(
                Refused::new(StatusCode::TOO_MANY_REQUESTS, EXCEEDED).into_response(),
            );
        }
        let Ok(body) = body else {
            let refused = Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
            return Ending::Answer(refused.into_response());
        };
        let mut request = Request::from_parts(parts, Body::from(body));
        request.extensions_mut().insert(RequestId(request_id.clone()));
        match fault {
            None => Ending::Answer(next.run(request).await),
            Some(fault) => suffer(&platform, fault, request, next).await,
        }
    };
    let response = match run.await {
        Ending::Answer(response) => response,
        Ending::Silence => {
            platform.answered(n, start, None, Some("answer withheld"), String::new());
            tokio::time::sleep(NEVER).await;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Ending::Reset => {
            platform.answered(n, start, None, Some("connection reset"), String::new());
            if let Some(ConnectInfo(reset)) = reset {
                reset.instead_of_answer();
            }
            return StatusCode::BAD_GATEWAY.into_response();
        }
    };
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let shown = if secret { String::new() } else { readable(&parts.headers, &body) };
    platform.answered(n, start, Some(parts.status), None, shown);
    let mut response = Response::from_parts(parts, Body::from(body));
    set_date(response.headers_mut(), platform.now());
    set_request_id(response.headers_mut(), &request_id);
    response
}

/// A body as the log shows it: JSON as it is, of anything else how much there is.
fn readable(headers: &HeaderMap, body: &[u8]) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind {
        Some(kind) if !kind.starts_with("application/json") => {
            format!("{} bytes of {kind}", body.len())
        }
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Is how a call ends for the bot.
enum Ending {
    Answer(Response),
    Silence,
    Reset,
}

/// Finds the fault that hits a call.
fn hit(memory: &mut Memory, path: &str, body: &[u8]) -> Option<CallFault> {
    if memory.faults.is_empty() {
        return None;
    }
    let chat_of = |token: &str| memory.reply_tokens.granted_to(token).map(str::to_owned);
    let call = Call::read(endpoint(path), path, body, chat_of);
    memory.faults.hit_call(&call)
}

/// Runs a call that a fault hits.
async fn suffer(platform: &Platform, fault: CallFault, request: Request, next: Next) -> Ending {
    // Real time: the bot is a real process that waits.
    tokio::time::sleep(fault.delay).await;
    let (moment, ending) = match fault.effect {
        None => return Ending::Answer(next.run(request).await),
        Some(CallEffect::Refuse { status, message }) => {
            let refused = Refused::on_purpose(status, message.as_deref());
            return Ending::Answer(refused.into_response());
        }
        Some(CallEffect::Invalid(places)) => {
            // LINE has read the request, its retry key included.
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, MAX_REQUEST).await.unwrap_or_default();
            if let Err(refused) = messages::use_retry_key(platform, &parts.headers, &body) {
                return Ending::Answer(refused.into_response());
            }
            let problem = |place| Problem::new(place, "The value is invalid");
            let problems: Vec<_> = places.into_iter().map(problem).collect();
            return Ending::Answer(Refused::invalid(&problems).into_response());
        }
        Some(CallEffect::Silence(moment)) => (moment, Ending::Silence),
        Some(CallEffect::Reset(moment)) => (moment, Ending::Reset),
    };
    if moment == Moment::After {
        next.run(request).await;
    }
    ending
}

fn set_request_id(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-line-request-id", value);
    }
}

/// LINE's clock is the simulator's.
fn set_date(headers: &mut HeaderMap, now_ms: i64) {
    let now = Duration::from_millis(now_ms.try_into().unwrap_or_default());
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + now);
    if let Ok(value) = HeaderValue::from_str(&date) {
        headers.insert(header::DATE, value);
    }
}

/// The word by which faults name a call: the telling part of its path.
fn endpoint(path: &str) -> &str {
    if path.contains("/oauth") {
        return "token";
    }
    let mut parts = path.trim_start_matches("/v2/bot/").split('/');
    match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
        ("message", id) if id.bytes().all(|byte| byte.is_ascii_digit()) => "content",
        ("message" | "chat", name) => name,
        ("channel", _) => "webhook",
        (name, _) => name,
    }
}

impl Platform {
    fn answered(
        &self,
        n: u64,
        start: Instant,
        status: Option<StatusCode>,
        reason: Option<&'static str>,
        response: String,
    ) {
        let answer = Answer {
            status: status.map(|status| status.as_u16()),
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            reason,
            response,
        };
        self.update(|memory| {
            let revision = memory.touch();
            memory.log.answered(n, &answer, revision);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_calls_by_the_telling_part_of_their_path() {
        for (path, name) in [
            ("/v2/bot/message/reply", "reply"),
            ("/v2/bot/message/push", "push"),
            ("/v2/bot/message/quota/consumption", "quota"),
            ("/v2/bot/profile/U1", "profile"),
            ("/v2/bot/chat/loading/start", "loading"),
            ("/v2/bot/channel/webhook/test", "webhook"),
            ("/v2/bot/info", "info"),
            ("/v2/bot/message/561000000000000001/content", "content"),
            ("/v2/bot/group/C1/members/ids", "group"),
            ("/v2/oauth/accessToken", "token"),
            ("/oauth2/v3/token", "token"),
        ] {
            assert_eq!(endpoint(path), name, "{path}");
        }
    }
}
