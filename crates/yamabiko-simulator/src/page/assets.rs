//! The page's styles, scripts and icon.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::stickers;
use crate::platform::Platform;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// All files, by the addresses under which they are served.
const FILES: [(&str, &str, &str); 14] = [
    ("/page.css", CSS, include_str!("page.css")),
    ("/page/said.css", CSS, include_str!("said.css")),
    ("/page/beside.css", CSS, include_str!("beside.css")),
    ("/page.js", JS, include_str!("page.js")),
    ("/page/base.js", JS, include_str!("base.js")),
    ("/page/draw.js", JS, include_str!("draw.js")),
    ("/page/live.js", JS, include_str!("live.js")),
    ("/page/compose.js", JS, include_str!("compose.js")),
    ("/page/attach.js", JS, include_str!("attach.js")),
    ("/page/actions.js", JS, include_str!("actions.js")),
    ("/page/people.js", JS, include_str!("people.js")),
    ("/page/rules.js", JS, include_str!("rules.js")),
    ("/page/faults.js", JS, include_str!("faults.js")),
    ("/page/scripts.js", JS, include_str!("scripts.js")),
];

/// Serves all files.
pub(crate) fn router() -> Router<Arc<Platform>> {
    let router = Router::new().route("/icon.svg", get(icon));
    FILES.into_iter().fold(router, |router, (path, kind, body)| {
        let file = async move || {
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], body)
        };
        router.route(path, get(file))
    })
}

async fn icon() -> Response {
    let svg = maud::html! { (stickers::mascot()) }.into_string();
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response()
}
