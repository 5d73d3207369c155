//! A stand-in of MediaWiki, in this process: whatever is asked for is there, with much text and large pictures.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::header::CONTENT_TYPE,
    response::IntoResponse,
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

use super::stock::Stock;

/// How many pages a search finds.
const HITS: usize = 10;
/// How many pictures a job fetches: eight for each of three terms.
pub(super) const PICTURES_OF_A_JOB: u64 = 24;
/// How often each name occurs in the first page that a search finds.
const REPEATED: usize = 10;
/// What numbers are made of in names that no dictionary has.
const DIGITS: [char; 10] = ['ザ', 'ベ', 'ド', 'ギ', 'ム', 'ロ', 'ネ', 'プ', 'ヅ', 'ワ'];

/// A running stand-in.
#[derive(Debug)]
pub(super) struct Wiki {
    url: String,
    shelf: Arc<Shelf>,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shelf {
    stock: Stock,
    /// How many pictures were fetched.
    served: AtomicU64,
}

type Parameters = Query<HashMap<String, String>>;

impl Wiki {
    /// Starts to serve.
    pub(super) async fn start(stock: Stock) -> anyhow::Result<Self> {
        let shelf = Arc::new(Shelf { stock, served: AtomicU64::new(0) });
        let router = Router::new()
            .route("/{language}/w/api.php", get(answer))
            .route("/media/{name}", get(picture))
            .with_state(Arc::clone(&shelf));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/{{language}}/w/api.php", listener.local_addr()?);
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shelf, server: server.abort_handle() })
    }

    /// Returns the address of the API as the bot takes it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns how many pictures were fetched.
    pub(super) fn served(&self) -> u64 {
        self.shelf.served.load(Ordering::Relaxed)
    }
}

impl Drop for Wiki {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Returns what a user writes: a number of their own leads to pages with names of their own.
pub(super) fn question(number: usize) -> String {
    format!("調べもの {number}")
}

/// Answers what the bot asks of the API.
async fn answer(State(shelf): State<Arc<Shelf>>, Query(asked): Parameters) -> impl IntoResponse {
    let asked = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let (search, titles) = (asked("gsrsearch"), asked("titles"));
    let files: Option<Vec<_>> =
        titles.split('|').map(|title| title.strip_prefix("File:")).collect();
    let pages = if asked("prop").contains("extracts") {
        format!("{}{}", first_page(search), shelf.stock.pages)
    } else if !search.is_empty() {
        joined((0..HITS).map(|index| with_picture(search, index)))
    } else if let Some(files) = files {
        joined(files.into_iter().map(file))
    } else {
        with_picture(titles, 0).to_string()
    };
    let json = format!(r#"{{"batchcomplete":true,"query":{{"pages":[{pages}]}}}}"#);
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], json)
}

fn joined(pages: impl Iterator<Item = Value>) -> String {
    pages.map(|page| page.to_string()).collect::<Vec<_>>().join(",")
}

/// Returns the page that is about three names which no other question leads to.
fn first_page(search: &str) -> Value {
    let number: usize = search.rsplit(' ').next().unwrap_or_default().parse().unwrap_or_default();
    let about = |index: usize| format!("{}の声は谷に響く。", name(3 * number + index));
    let text: String = (0..REPEATED).flat_map(|_| (0..3).map(about)).collect();
    json!({
        "ns": 0, "title": search, "index": 1,
        "canonicalurl": "http://127.0.0.1/wiki/page", "extract": text,
    })
}

/// Makes a name of a number below 1,000.
fn name(number: usize) -> String {
    let digits = [number / 100 % 10, number / 10 % 10, number % 10].map(|digit| DIGITS[digit]);
    format!("ヴォ{}ギュ", String::from_iter(digits))
}

/// Returns a page with a picture.
fn with_picture(term: &str, index: usize) -> Value {
    let title = if index == 0 { term.to_owned() } else { format!("{term} {index}") };
    json!({
        "ns": 0, "title": title, "index": index + 1,
        "canonicalurl": "http://127.0.0.1/wiki/page", "pageimage": format!("{term} {index}.jpg"),
    })
}

fn file(name: &str) -> Value {
    let said = |text: &str| json!({ "value": text, "source": "commons-desc-page" });
    json!({
        "ns": 6, "title": format!("ファイル:{name}"),
        "imageinfo": [{
            "thumburl": format!("/media/{name}"), "thumbmime": "image/jpeg",
            "descriptionurl": "http://127.0.0.1/file/picture",
            "extmetadata": { "License": said("cc0"), "LicenseShortName": said("CC0"), "Artist": said("A") },
        }],
    })
}

/// Serves a picture; its name's number says which.
async fn picture(State(shelf): State<Arc<Shelf>>, Path(name): Path<String>) -> impl IntoResponse {
    shelf.served.fetch_add(1, Ordering::Relaxed);
    let number = name.chars().filter_map(|c| c.to_digit(10)).sum::<u32>();
    let index = usize::try_from(number).unwrap_or_default() % shelf.stock.pictures.len();
    let bytes: Bytes = shelf.stock.pictures[index].clone();
    ([(CONTENT_TYPE, "image/jpeg")], bytes)
}
