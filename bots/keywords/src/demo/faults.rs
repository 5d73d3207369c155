//! Makes the stand-in fail as the real wiki may, for tests.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use super::Demo;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No answer ever comes.
    Silent,
    /// An answer of this status.
    Status(u16),
    /// An answer of this status with a `Retry-After`.
    RetryAfter(u16, &'static str),
    /// The databases lag: an error in an answer of status 200.
    MaxLag,
    /// A body without end.
    Endless,
    /// The answer says to be HTML.
    OtherType,
    /// JSON that breaks off.
    BrokenJson,
    /// JSON of another shape.
    OtherShape,
    /// Right answers, but for a negative index, and for members that are missing, `null` or of another type.
    OddMembers,
    /// Plain text with status 403, as for bots that are not wanted.
    Forbidden,
    /// A picture that breaks off after its header.
    CorruptPicture,
    /// A picture of 30,000 × 30,000 pixels, by its header.
    HugePicture,
}

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    Api,
    Pictures,
}

/// What goes wrong now, and what was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Arc<Mutex<Now>>);

#[derive(Debug, Default)]
struct Now {
    fault: Option<(Where, Fault)>,
    /// How many requests go well before.
    spared: usize,
    requests: Vec<String>,
}

impl Demo {
    /// Lets all requests of a kind fail from now on.
    pub(crate) fn fail(&self, place: Where, fault: Fault) {
        self.fail_after(0, place, fault);
    }

    /// Lets all requests of a kind fail but for the first so many.
    pub(crate) fn fail_after(&self, spared: usize, place: Where, fault: Fault) {
        let mut now = self.faults.0.lock().unwrap();
        (now.fault, now.spared) = (Some((place, fault)), spared);
    }

    /// Lets nothing fail any longer.
    pub(crate) fn heal(&self) {
        self.faults.0.lock().unwrap().fault = None;
    }

    /// Returns the paths and questions of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.faults.0.lock().unwrap().requests.clone()
    }
}

pub(super) fn layer(router: Router) -> (Router, Faults) {
    let faults = Faults::default();
    (router.layer(middleware::from_fn_with_state(faults.clone(), fail)), faults)
}

async fn fail(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let place = if request.uri().path().contains("/media/") { Where::Pictures } else { Where::Api };
    let fault = {
        let mut now = faults.0.lock().unwrap();
        now.requests.push(request.uri().to_string());
        let fault = now.fault.filter(|(failing, _)| *failing == place).map(|(_, fault)| fault);
        if fault.is_some() && now.spared > 0 {
            now.spared -= 1;
            None
        } else {
            fault
        }
    };
    let Some(fault) = fault else { return next.run(request).await };
    let as_json =
        |text: &'static str| ([("content-type", "application/json")], text).into_response();
    let picture = |bytes: Vec<u8>| ([("content-type", "image/png")], bytes).into_response();
    match fault {
        Fault::Silent => std::future::pending().await,
        Fault::Status(code) => status(code).into_response(),
        Fault::RetryAfter(code, after) => (status(code), [("retry-after", after)]).into_response(),
        Fault::MaxLag => {
            let lag = r#"{"error":{"code":"maxlag","info":"Waiting for db1: 6 seconds lagged"}}"#;
            ([("retry-after", "5")], as_json(lag)).into_response()
        }
        Fault::Endless => {
            let chunk = Ok::<_, Infallible>(Bytes::from_static(&[b' '; 64 * 1024]));
            let kind = if place == Where::Api { "application/json" } else { "image/png" };
            let body = Body::from_stream(stream::repeat(chunk));
            ([("content-type", kind)], body).into_response()
        }
        Fault::OtherType => ([("content-type", "text/html")], "<p>hello</p>").into_response(),
        Fault::BrokenJson => as_json(r#"{"batchcomplete":true,"query":{"pag"#),
        Fault::OtherShape => {
            as_json(r#"{"batchcomplete":true,"query":{"pages":{"1":{"title":7}}}}"#)
        }
        Fault::OddMembers => odd(next.run(request).await).await,
        Fault::Forbidden => {
            let text = "Please set a user-agent and respect our robot policy.\n";
            (status(403), [("content-type", "text/plain")], text).into_response()
        }
        Fault::CorruptPicture => picture(HUGE[..30].to_vec()),
        Fault::HugePicture => picture(HUGE.to_vec()),
    }
}

/// Makes the pages of an answer odd: the first is read for what it has, the second for less, the third not at all.
async fn odd(response: Response) -> Response {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut answer: Value = serde_json::from_slice(&body).unwrap();
    answer["warnings"] = json!([]);
    for (n, page) in answer["query"]["pages"].as_array_mut().into_iter().flatten().enumerate() {
        match n {
            0 => {
                page["index"] = json!(-1);
                page["ns"] = json!(null);
                page["missing"] = json!("");
            }
            1 => {
                page["extract"] = json!(["none"]);
                page["index"] = json!(1.5);
                page["imageinfo"] = json!(null);
            }
            2 => page["title"] = json!(null),
            _ => {}
        }
    }
    Json(answer).into_response()
}

fn status(code: u16) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(code).unwrap()
}

/// A PNG whose header says 30,000 × 30,000 pixels.
const HUGE: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00u0\x00\x00u0\x08\x02\x00\x00\x00\xe9Eo\xed\x00\x00\x00\x0cIDATx\x9cc`\xa0\x0c\x00\x00\x00@\x00\x01\xb74|\xef";
