//! A stand-in of MediaWiki on this machine, with pages and pictures of our own, to try the bot without a network.

mod api;
#[cfg(test)]
mod faults;
mod pages;
mod scene;
mod search;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::oneshot;

#[cfg(test)]
pub(crate) use self::faults::{Fault, Where};
use crate::wiki::{Language, settings::MediaWikiUrl};

/// A running stand-in; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    address: SocketAddr,
    /// Dropped to end the server.
    _end: oneshot::Sender<()>,
    #[cfg(test)]
    faults: faults::Faults,
}

impl Demo {
    /// Starts a stand-in on a free port of 127.0.0.1, in a thread of its own.
    ///
    /// # Errors
    /// Fails if no port or thread can be had.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let router = router(format!("http://{address}"));
        #[cfg(test)]
        let (router, faults) = faults::layer(router);
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name("demo".to_owned()).spawn(move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::select! {
                    served = axum::serve(listener, router) => served,
                    _ = ended => Ok(()),
                }
            });
            if let Err(error) = served {
                tracing::error!("the demonstration has ended: {error}");
            }
        })?;
        Ok(Self {
            address,
            _end: end,
            #[cfg(test)]
            faults,
        })
    }

    /// Returns the address of its API, as a setting.
    pub(crate) fn url(&self) -> MediaWikiUrl {
        let url = format!("http://{}/{{language}}/w/api.php", self.address);
        url.parse().expect("is an address of an API")
    }
}

fn router(base: String) -> Router {
    Router::new()
        .route("/{language}/w/api.php", get(api))
        .route("/{language}/wiki/{title}", get(page))
        .route("/{language}/file/{name}", get(file))
        .route("/{language}/media/{name}", get(media))
        .with_state(base)
}

fn language(code: &str) -> Language {
    if code == "ja" { Language::Japanese } else { Language::English }
}

async fn api(
    State(base): State<String>,
    Path(code): Path<String>,
    headers: HeaderMap,
    Query(parameters): Query<api::Parameters>,
) -> Response {
    if !headers.contains_key(header::USER_AGENT) {
        return (StatusCode::FORBIDDEN, "please set a user agent").into_response();
    }
    Json(api::answer(&parameters, language(&code), &base)).into_response()
}

async fn page(Path((code, title)): Path<(String, String)>) -> Response {
    match search::titled(&title, language(&code)) {
        Some((page, _)) => {
            format!("{}\n\n{}\n\n(A page of Yamabiko's demonstration)\n", page.title, page.text)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn file(Path((_, name)): Path<(String, String)>) -> Response {
    match pages::PAGES.iter().find(|page| page.file() == name) {
        Some(page) if page.picture.license == pages::License::Free => {
            format!("{name}\n\nDrawn by Yamabiko's demonstration, CC0.\n").into_response()
        }
        Some(_) => format!("{name}\n\nStands for a picture that is not free.\n").into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn media(Path((_, name)): Path<(String, String)>) -> Response {
    match pages::PAGES.iter().find(|page| page.file() == name) {
        Some(page) => {
            let motif = page.picture.motif;
            ([(header::CONTENT_TYPE, motif.mime())], motif.draw()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
