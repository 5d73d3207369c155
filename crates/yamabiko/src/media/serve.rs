//! `/media/…`: what LINE fetches.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use object_store::{GetOptions, GetResult};

use super::{Media, cache_control, name::Name};
use crate::Result;

/// How long a picture may take to begin.
const BEGINNING: Duration = Duration::from_secs(10);
/// Where pictures are.
const FOLDER: &str = "/media/";

/// Returns `/media/{name}`.
pub(crate) fn routes(media: Media) -> Router {
    Router::new().route("/media/{name}", get(serve)).with_state(media)
}

async fn serve(
    State(media): State<Media>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    answer_to(&media, &method, &uri, &headers).await
}

pub(super) async fn answer_to(
    media: &Media,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    // The path as it was sent: another spelling of a name is none.
    let Some(name) = uri.path().strip_prefix(FOLDER).and_then(Name::parse) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(left) = media.time_left(&name, media.clock.roughly_now()) else {
        return StatusCode::GONE.into_response();
    };
    let answer = if is_known(headers, &name) {
        Ok(StatusCode::NOT_MODIFIED.into_response())
    } else {
        let answer = read(media, &name, method, headers);
        tokio::time::timeout(BEGINNING, answer).await.unwrap_or_else(|_| Err(None))
    };
    match answer {
        Ok(mut response) => {
            describe(response.headers_mut(), &name, left);
            response
        }
        Err(Some(object_store::Error::NotFound { .. })) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            let explain = |error| media.place.explain(&error).to_string();
            let error = error.map_or_else(|| "no answer in time".to_owned(), explain);
            tracing::warn!(error, "web: a published picture cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Reads the picture, or the part of it that was asked for.
async fn read(
    media: &Media,
    name: &Name,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Option<object_store::Error>> {
    let mut options = GetOptions { head: method == Method::HEAD, ..GetOptions::default() };
    if let Some(asked) = asked_range(headers, name).filter(|_| !options.head) {
        let size =
            media.place.get(name, GetOptions { head: true, ..options.clone() }).await?.meta.size;
        match asked.validate(size).as_deref() {
            Ok([range]) => options.range = Some((*range.start()..range.end() + 1).into()),
            // Several parts at once are more than anybody asks of a picture: all of it is a right answer.
            Ok(_) => {}
            Err(_) => {
                let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
            }
        }
    }
    let is_part = options.range.is_some();
    let found = media.place.get(name, options).await?;
    Ok(if is_part { part(found) } else { whole(found) })
}

fn whole(found: GetResult) -> Response {
    let length = [(header::CONTENT_LENGTH, found.meta.size)];
    (length, Body::from_stream(found.into_stream())).into_response()
}

fn part(found: GetResult) -> Response {
    let (range, size) = (found.range.clone(), found.meta.size);
    let headers = [
        (header::CONTENT_LENGTH, (range.end - range.start).to_string()),
        (header::CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1)),
    ];
    (StatusCode::PARTIAL_CONTENT, headers, Body::from_stream(found.into_stream())).into_response()
}

fn describe(headers: &mut HeaderMap, name: &Name, left: Duration) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(name.format().content_type()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let texts = [(header::ETAG, etag(name)), (header::CACHE_CONTROL, cache_control(left))];
    for (header, text) in texts {
        headers.insert(header, text.try_into().expect("a name and a number are ASCII"));
    }
}

/// What is under a name never changes, so the name says which content it is.
fn etag(name: &Name) -> String {
    format!("\"{name}\"")
}

/// Says whether the client has the picture already.
fn is_known(headers: &HeaderMap, name: &Name) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).into_iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag(name))
}

/// Returns the part that is asked for, if it is one of the picture that the client knows.
fn asked_range(headers: &HeaderMap, name: &Name) -> Option<http_range_header::ParsedRanges> {
    let of_this = headers.get(header::IF_RANGE).is_none_or(|tag| tag == etag(name).as_str());
    let range = headers.get(header::RANGE).filter(|_| of_this)?.to_str().ok()?;
    // What is no range asks for nothing.
    http_range_header::parse_range_header(range).ok()
}
