//! Tests the client against a wiki on the public internet, which in truth is on this machine, with pictures and redirects
//! that lead into a private network.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param, query_param_is_missing},
};

use super::*;
use crate::{
    language::Language,
    wiki::{Wiki, error::WikiError, tests::settings},
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// An address that documents may use; nobody has it.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// Makes the network around a wiki, where names lead to these addresses.
fn network(url: &str, lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Network {
    let lookup: Lookup = Arc::new(move |name| {
        let found = lookup(&name).into_iter().map(|address| SocketAddr::new(address, 0));
        let found = found.collect();
        Box::pin(async move { Ok(found) })
    });
    Network::with(&url.parse().unwrap(), lookup)
}

/// Makes a client of the wiki at `http://wiki.example:PORT`.
fn wiki(server: &MockServer, lookup: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Wiki {
    let url = format!("http://wiki.example:{}/w/api.php", server.address().port());
    Wiki::within(settings(url.parse().unwrap()), network(&url, lookup)).unwrap()
}

/// The wiki is public, but connections to it come here; everything else is in the private network.
fn public(name: &str) -> Vec<IpAddr> {
    if name == "wiki.example" { vec![HERE, PUBLIC] } else { vec![HERE] }
}

/// Lets the wiki answer that there is one picture, at this address.
async fn with_a_picture_at(server: &MockServer, address: &str) {
    let page = json!({ "ns": 0, "title": "桜", "pageimage": "桜.jpg" });
    let file = json!({ "ns": 6, "title": "File:桜.jpg", "imageinfo": [{
        "thumburl": address, "descriptionurl": "https://wiki.example/file",
        "extmetadata": { "LicenseShortName": { "value": "CC0" } },
    }] });
    let answer = |page| json!({ "batchcomplete": true, "query": { "pages": [page] } });
    let api = || Mock::given(path("/w/api.php"));
    api()
        .and(query_param_is_missing("iiprop"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer(page)))
        .mount(server)
        .await;
    api()
        .and(query_param("prop", "imageinfo"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer(file)))
        .mount(server)
        .await;
    let picture = ResponseTemplate::new(200).set_body_raw(b"\xff\xd8\xff".to_vec(), "image/jpeg");
    Mock::given(path("/picture")).respond_with(picture).mount(server).await;
}

async fn fetched(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == "/picture").count()
}

#[tokio::test]
async fn a_picture_in_a_private_network_is_left_out() {
    for host in ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "files.example"] {
        let server = MockServer::start().await;
        let address = format!("http://{host}:{}/picture", server.address().port());
        with_a_picture_at(&server, &address).await;
        let pictures = wiki(&server, public).pictures("桜", Language::Japanese, 8).await.unwrap();
        assert_eq!((pictures.len(), fetched(&server).await), (0, 0), "{host}");
    }
}

#[tokio::test]
async fn a_picture_at_the_wiki_itself_is_fetched() {
    let server = MockServer::start().await;
    let address = format!("http://wiki.example:{}/picture", server.address().port());
    with_a_picture_at(&server, &address).await;
    let pictures = wiki(&server, public).pictures("桜", Language::Japanese, 8).await.unwrap();
    assert_eq!((pictures.len(), fetched(&server).await), (1, 1));
}

#[tokio::test]
async fn a_wiki_in_a_private_network_may_have_its_pictures_there() {
    for host in ["127.0.0.1", "files.example"] {
        let server = MockServer::start().await;
        let address = format!("http://{host}:{}/picture", server.address().port());
        with_a_picture_at(&server, &address).await;
        let wiki = wiki(&server, |_| vec![HERE]);
        let pictures = wiki.pictures("桜", Language::Japanese, 8).await.unwrap();
        assert_eq!((pictures.len(), fetched(&server).await), (1, 1), "{host}");
    }
}

#[tokio::test]
async fn a_redirect_into_a_private_network_is_refused() {
    for host in ["127.0.0.1", "localhost", "files.example"] {
        let server = MockServer::start().await;
        let there = format!("http://{host}:{}/picture", server.address().port());
        let redirect = ResponseTemplate::new(302).insert_header("location", &*there);
        Mock::given(path("/w/api.php")).respond_with(redirect).mount(&server).await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
            .mount(&server)
            .await;
        let error = wiki(&server, public).look_up("桜", Language::Japanese).await.unwrap_err();
        assert_eq!(error, WikiError::Refused(PrivateAddress.to_string()), "{host}");
        assert_eq!(fetched(&server).await, 0, "{host}");
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_the_second_time_is_checked_each_time() {
    let lookups = AtomicUsize::new(0);
    let network = network("http://wiki.example/w/api.php", move |name| match name {
        "files.example" if lookups.fetch_add(1, Ordering::SeqCst) == 0 => vec![PUBLIC],
        name => public(name),
    });
    let resolve = async || network.resolve("files.example".parse().unwrap()).await;
    assert_eq!(resolve().await.unwrap().next().map(|address| address.ip()), Some(PUBLIC));
    assert!(resolve().await.err().unwrap().is::<PrivateAddress>());
}

#[test]
fn an_address_is_public_or_private_whatever_its_form() {
    for private in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.168.1.1",
        "198.19.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::192.168.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(is_private(private.parse().unwrap()), "{private}");
    }
    for public in [
        "1.1.1.1",
        "100.63.0.1",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "198.17.0.1",
        "203.0.113.1",
        "2001:4860:4860::8888",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::",
    ] {
        assert!(!is_private(public.parse().unwrap()), "{public}");
    }
}
