//! The rules.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use reqwest::{Method, Response, header};
use tokio::{net::TcpListener, sync::OnceCell};
use yamabiko_queue::{Clock, ManualClock, Timestamp};

use super::{
    super::{Media, Use, choose_tls, name::Name, routes},
    places::TestPlace,
};
use crate::Permanent;

/// How long pictures are kept.
pub(super) const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The pictures of a bot, where they are kept, and a server that serves them.
pub(super) struct Shop<P> {
    pub(super) place: P,
    media: Media,
    clock: ManualClock,
    server: OnceCell<SocketAddr>,
}

impl<P: TestPlace> Shop<P> {
    pub(super) fn open(place: P) -> Self {
        let clock = ManualClock::new(START);
        let url = Some("https://bot.example.com/media".to_owned());
        let own = Clock::Manual(clock.clone());
        let media = Media::open(&place.place(), url, RETENTION, own).unwrap();
        Self { place, media, clock, server: OnceCell::new() }
    }

    /// Publishes a PNG and returns its public address.
    pub(super) async fn publishes(&self, bytes: &[u8]) -> String {
        let now = self.clock.now();
        self.media.publish(bytes.to_vec(), "image/png", Use::Picture, now).await.unwrap()
    }

    async fn server(&self) -> SocketAddr {
        let start = async || {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (address, routes) = (listener.local_addr().unwrap(), routes(self.media.clone()));
            tokio::spawn(async move { axum::serve(listener, routes).await });
            address
        };
        *self.server.get_or_init(start).await
    }

    async fn asks(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Response {
        choose_tls();
        let path = url.strip_prefix("https://bot.example.com").unwrap();
        let address = format!("http://{}{path}", self.server().await);
        let mut request = reqwest::Client::new().request(method, address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub(super) async fn gets(&self, url: &str) -> Response {
        self.asks(Method::GET, url, &[]).await
    }

    /// Asks for a path as it stands, which no client would.
    async fn status_of(&self, path: &str) -> String {
        let (server, path) = (self.server().await, path.to_owned());
        let ask = move || {
            let mut stream = TcpStream::connect(server).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nhost: bot\r\nconnection: close\r\n\r\n")
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.split(' ').nth(1).unwrap_or_default().to_owned()
        };
        tokio::task::spawn_blocking(ask).await.unwrap()
    }

    pub(super) fn passes(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(super) async fn sweeps(&self) -> usize {
        self.media.sweep(self.clock.now()).await.unwrap()
    }
}

fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

pub(super) async fn what_is_published_is_served(place: impl TestPlace) {
    let shop = Shop::open(place);
    for content_type in ["image/png", "image/jpeg"] {
        let now = shop.clock.now();
        let url =
            shop.media.publish(b"picture".to_vec(), content_type, Use::Preview, now).await.unwrap();
        assert!(Name::parse(name(&url)).is_some(), "{url}");
        shop.passes(60 * SECOND);
        for method in [Method::GET, Method::HEAD] {
            let answer = shop.asks(method.clone(), &url, &[]).await;
            assert_eq!(answer.status(), 200);
            let header = |name| answer.headers()[&name].to_str().unwrap().to_owned();
            assert_eq!(header(header::CONTENT_TYPE), content_type);
            assert_eq!(header(header::CONTENT_LENGTH), "7");
            assert_eq!(header(header::CACHE_CONTROL), "public, max-age=2591940, immutable");
            assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            let body = if method == Method::GET { "picture" } else { "" };
            assert_eq!(answer.bytes().await.unwrap(), body);
        }
    }
}

pub(super) async fn a_picture_as_large_as_line_takes_is_served(place: impl TestPlace) {
    let shop = Shop::open(place);
    let picture: Vec<u8> = (0..10_000_000_u32).map(|byte| byte.to_le_bytes()[1]).collect();
    let url = shop.publishes(&picture).await;
    assert!(shop.gets(&url).await.bytes().await.unwrap() == picture, "it is another one");
    let over = [picture, vec![0]].concat();
    let refused = shop.media.publish(over, "image/png", Use::Picture, START).await.unwrap_err();
    assert!(refused.is::<Permanent>(), "{refused}");
    let refused = shop.media.publish(vec![0; 1_000_001], "image/png", Use::Preview, START).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.to_string(), "a preview has 1000001 bytes: LINE takes up to 1000000");
}

pub(super) async fn a_client_that_has_it_is_told_so(place: impl TestPlace) {
    let shop = Shop::open(place);
    let url = shop.publishes(b"picture").await;
    let tag = shop.gets(&url).await.headers()["etag"].to_str().unwrap().to_owned();
    for known in [&tag, &format!("\"other\", W/{tag}"), "*"] {
        let answer = shop.asks(Method::GET, &url, &[("if-none-match", known)]).await;
        assert_eq!(answer.status(), 304, "{known}");
        assert_eq!(answer.headers()["etag"], tag.as_str());
        assert_eq!(answer.bytes().await.unwrap(), "");
    }
    let answer = shop.asks(Method::GET, &url, &[("if-none-match", "\"other\"")]).await;
    assert_eq!(answer.bytes().await.unwrap(), "picture");
}

pub(super) async fn a_part_can_be_asked_for(place: impl TestPlace) {
    let shop = Shop::open(place);
    let url = shop.publishes(b"picture").await;
    let tag = shop.gets(&url).await.headers()["etag"].to_str().unwrap().to_owned();
    for (range, part, bytes) in [
        ("bytes=2-4", "bytes 2-4/7", "ctu"),
        ("bytes=5-", "bytes 5-6/7", "re"),
        ("bytes=-3", "bytes 4-6/7", "ure"),
        ("bytes=0-99", "bytes 0-6/7", "picture"),
    ] {
        let answer = shop.asks(Method::GET, &url, &[("range", range), ("if-range", &tag)]).await;
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(answer.headers()["content-range"], part);
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
    let answer = shop.asks(Method::GET, &url, &[("range", "bytes=7-")]).await;
    assert_eq!(answer.status(), 416);
    assert_eq!(answer.headers()["content-range"], "bytes */7");
    for whole in [
        vec![("range", "bytes=0-1,3-4")],
        vec![("range", "lines=1-2")],
        vec![("range", "bytes=0-1"), ("if-range", "\"other\"")],
    ] {
        let answer = shop.asks(Method::GET, &url, &whole).await;
        assert_eq!(answer.status(), 200, "{whole:?}");
        assert_eq!(answer.bytes().await.unwrap(), "picture");
    }
}

pub(super) async fn nothing_is_found_but_by_its_exact_name(place: impl TestPlace) {
    let shop = Shop::open(place);
    let url = shop.publishes(b"picture").await;
    let known = name(&url);
    let unknown = known.replacen(|digit| digit != '0', "0", 1);
    shop.place.put_beside("secret.txt").await;
    shop.place.put_beside(&format!("below/{known}")).await;
    assert_eq!(shop.status_of(&format!("/media/{known}")).await, "200");
    assert_eq!(shop.status_of(&format!("/media/{known}?a=b")).await, "200");
    for path in [
        "/media".to_owned(),
        "/media/".to_owned(),
        "/media/.".to_owned(),
        "/media/..".to_owned(),
        "/media/%2e%2e".to_owned(),
        "/media/secret.txt".to_owned(),
        "/media/../secret.txt".to_owned(),
        "/media/..%2fbot-media%2fsecret.txt".to_owned(),
        "/media/....//secret.txt".to_owned(),
        "/media/%00".to_owned(),
        format!("/media/below/{known}"),
        format!("/media/below%2f{known}"),
        format!("/media//{known}"),
        format!("/media/%{:x}{}", known.as_bytes()[0], &known[1..]),
        format!("/media/{}", known.to_uppercase()),
        format!("/media/{known}/"),
        format!("/media/{known}%23"),
        format!("/media/{}", known.replace(".png", "")),
        format!("/media/{}", known.replace(".png", ".jpg")),
    ] {
        assert_eq!(shop.status_of(&path).await, "404", "{path}");
    }
    assert!(matches!(&*shop.status_of(&format!("/media/{unknown}")).await, "404" | "410"));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        assert_eq!(shop.asks(method, &url, &[]).await.status(), 405);
    }
    assert!(shop.place.has(known).await);
}

pub(super) async fn what_is_over_is_gone_at_once_and_removed_by_a_sweep(place: impl TestPlace) {
    let shop = Shop::open(place);
    let old = shop.publishes(b"old").await;
    let below = format!("below/{}", name(&old));
    shop.place.put_beside("of-another.png").await;
    shop.place.put_beside(&below).await;
    shop.passes(RETENTION - SECOND);
    let fresh = shop.publishes(b"fresh").await;
    assert_eq!(shop.gets(&old).await.headers()["cache-control"], "public, max-age=1, immutable");
    assert_eq!(shop.sweeps().await, 0);
    shop.passes(SECOND);
    assert_eq!(shop.gets(&old).await.status(), 410);
    assert!(shop.place.has(name(&old)).await, "nobody has swept yet");
    assert_eq!(shop.sweeps().await, 1);
    assert!(!shop.place.has(name(&old)).await);
    assert_eq!(shop.gets(&fresh).await.bytes().await.unwrap(), "fresh");
    assert!(shop.place.has("of-another.png").await && shop.place.has(&below).await);
    assert_eq!(shop.sweeps().await, 0);
}

pub(super) async fn sweeps_at_the_same_time_do_no_harm(place: impl TestPlace) {
    let shop = Shop::open(place);
    for _ in 0..20 {
        shop.publishes(b"old").await;
    }
    shop.passes(RETENTION);
    let (one, other) = tokio::join!(shop.sweeps(), shop.sweeps());
    assert!(one + other >= 20);
    assert_eq!(shop.sweeps().await, 0);
}

pub(super) async fn a_place_that_is_away_is_no_lost_picture(place: impl TestPlace) {
    let mut shop = Shop::open(place);
    let url = shop.publishes(b"picture").await;
    shop.place.goes_away();
    let now = shop.clock.now();
    let failed =
        shop.media.publish(b"other".to_vec(), "image/png", Use::Picture, now).await.unwrap_err();
    assert_eq!(failed.to_string(), "a picture cannot be stored");
    assert!(!failed.is::<Permanent>());
    assert!(!format!("{failed:?} {:?}", shop.media).contains("hush"));
    assert_eq!(shop.gets(&url).await.status(), 503);
    assert!(shop.media.sweep(now).await.is_err());
}
