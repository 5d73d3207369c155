//! Tests the client against the stand-in, and against answers that the stand-in never gives.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{
    Match, Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method, path, query_param, query_param_is_missing},
};
use yamabiko::Setting;

use super::{
    settings::{
        MediaWikiRequestsPerSecond, MediaWikiTimeoutSeconds, MediaWikiUrl, MediaWikiUserAgent,
    },
    *,
};
use crate::demo::{Demo, Fault, Where};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn settings(url: MediaWikiUrl) -> WikiSettings {
    let agent = MediaWikiUserAgent::DEFAULT.parse().unwrap();
    let timeout = MediaWikiTimeoutSeconds(20 * SECOND);
    WikiSettings::new(url, agent, timeout, MediaWikiRequestsPerSecond(100))
}

fn wiki(demo: &Demo) -> Wiki {
    Wiki::new(settings(demo.url())).unwrap()
}

/// A client whose patience for one request is short.
fn hasty(demo: &Demo) -> Wiki {
    let timeout = Duration::from_millis(200);
    Wiki::new(WikiSettings { timeout, ..settings(demo.url()) }).unwrap()
}

#[tokio::test]
async fn a_text_finds_pages_with_their_addresses_and_beginnings() {
    let demo = Demo::start().unwrap();
    let pages = wiki(&demo).look_up("富士山と新幹線", Language::Japanese).await.unwrap();
    assert!(pages.len() >= 3 && pages.len() <= 10, "{}", pages.len());
    let fuji = pages.iter().find(|page| page.title == "富士山").unwrap();
    assert!(fuji.extract.starts_with("富士山は、"));
    assert!(fuji.url.ends_with("/ja/wiki/%E5%AF%8C%E5%A3%AB%E5%B1%B1"), "{}", fuji.url);
    let pages = wiki(&demo).look_up("Mount Fuji", Language::English).await.unwrap();
    assert_eq!(pages[0].title, "Mount Fuji");
}

#[tokio::test]
async fn a_text_about_nothing_known_finds_no_pages() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    assert_eq!(wiki.look_up("宿題が終わらない", Language::Japanese).await, Ok(vec![]));
    assert_eq!(wiki.look_up("?!", Language::Japanese).await, Ok(vec![]));
    assert_eq!(demo.requests().len(), 1, "what has no words is not asked");
}

#[tokio::test]
async fn one_of_many_words_is_enough_to_find_pages() {
    let demo = Demo::start().unwrap();
    let words = ["宿題", "抹茶"];
    let pages = wiki(&demo).look_up_any(&words, Language::Japanese).await.unwrap();
    assert_eq!(pages[0].title, "抹茶");
    assert!(demo.requests()[0].contains("+OR+"));
}

#[tokio::test]
async fn a_term_has_the_page_of_its_title_or_redirect_and_no_other() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    let address = async |term| wiki.page(term, Language::Japanese).await.unwrap();
    let kemono = address("けものフレンズ").await;
    assert!(kemono.as_ref().is_some_and(|url| url.contains("/ja/wiki/")), "{kemono:?}");
    assert_eq!(address("けもフレ").await, kemono);
    for term in ["けもの", "宿題", "東京|京都", "", "File:Yamabiko"] {
        assert_eq!(address(term).await, None, "{term}");
    }
}

#[tokio::test]
async fn pictures_are_free_small_and_come_with_their_credit() {
    let demo = Demo::start().unwrap();
    let pictures = wiki(&demo).pictures("東京", Language::Japanese, 8).await.unwrap();
    assert!(pictures.len() >= 6, "{}", pictures.len());
    for picture in &pictures {
        let size = image::load_from_memory(&picture.bytes).unwrap();
        assert!(size.width().max(size.height()) <= 240);
        assert_eq!(picture.credit.artist, "Yamabiko demonstration");
        assert_eq!(picture.credit.license, "CC0");
        assert!(picture.credit.url.starts_with("http://127.0.0.1:"));
    }
    assert_eq!(pictures[0].credit.title, "Yamabiko demonstration 東京.jpg");
}

#[tokio::test]
async fn a_picture_that_only_says_to_be_free_is_left_out() {
    let demo = Demo::start().unwrap();
    let pictures = wiki(&demo).pictures("LINE", Language::Japanese, 8).await.unwrap();
    let asked = demo.requests();
    assert!(
        asked.iter().any(|url| url.contains("imageinfo") && url.contains("demonstration_LINE"))
    );
    assert!(pictures.iter().all(|picture| !picture.credit.title.contains("LINE")));
    assert!(!asked.iter().any(|url| url.contains("/media/") && url.contains("LINE")));
}

#[tokio::test]
async fn a_term_costs_three_questions_and_a_request_for_each_picture() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    let pictures = wiki.pictures("サーバル", Language::Japanese, 2).await.unwrap();
    assert_eq!((pictures.len(), demo.requests().len()), (2, 5));
    wiki.page("サーバル", Language::Japanese).await.unwrap();
    wiki.pictures("サーバル", Language::Japanese, 2).await.unwrap();
    assert_eq!(demo.requests().len(), 5, "the rest comes from the cache");
    assert!(wiki.pictures("宿題", Language::Japanese, 8).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_question_is_asked_once_at_a_time() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    let ask = || wiki.look_up("桜", Language::Japanese);
    let (one, other, third) = tokio::join!(ask(), ask(), ask());
    assert!(one.is_ok() && one == other && other == third);
    assert_eq!(demo.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_failed_is_asked_for_again() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    demo.fail(Where::Api, Fault::Status(500));
    let error = wiki.look_up("桜", Language::Japanese).await.unwrap_err();
    assert!(matches!(error, WikiError::Unavailable(_)), "{error:?}");
    demo.heal();
    assert!(!wiki.look_up("桜", Language::Japanese).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_pause_that_the_wiki_asks_for_is_kept_by_all() {
    for (fault, seconds) in [
        (Fault::RetryAfter(429, "7"), 7),
        (Fault::RetryAfter(503, "120"), 120),
        (Fault::RetryAfter(429, "0"), 1),
        (Fault::RetryAfter(429, "999999999"), 3600),
        (Fault::MaxLag, 5),
        (Fault::Status(429), 10),
    ] {
        let demo = Demo::start().unwrap();
        let wiki = wiki(&demo);
        demo.fail(Where::Api, fault);
        let error = wiki.look_up("桜", Language::Japanese).await.unwrap_err();
        assert_eq!(error, WikiError::Busy { retry_after: seconds * SECOND }, "{fault:?}");
        demo.heal();
        let error = wiki.page("京都", Language::Japanese).await.unwrap_err();
        let WikiError::Busy { retry_after } = error else { panic!("{error:?}") };
        assert!(retry_after <= seconds * SECOND, "{retry_after:?}");
        assert_eq!(demo.requests().len(), 1, "nothing goes out meanwhile");
    }
}

#[tokio::test]
async fn after_the_pause_questions_go_out_again() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    demo.fail(Where::Api, Fault::RetryAfter(429, "1"));
    wiki.look_up("桜", Language::Japanese).await.unwrap_err();
    demo.heal();
    let answered = async {
        while wiki.look_up("桜", Language::Japanese).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(10 * SECOND, answered).await.unwrap();
}

#[tokio::test]
async fn a_date_to_wait_for_is_held_against_the_servers_clock() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503)
        .insert_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .insert_header("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT");
    Mock::given(method("GET")).respond_with(busy).mount(&server).await;
    let error = mocked(&server).look_up("桜", Language::Japanese).await.unwrap_err();
    assert_eq!(error, WikiError::Busy { retry_after: 30 * SECOND });
}

#[tokio::test]
async fn whatever_the_wiki_does_becomes_an_error_and_no_panic() {
    for fault in [Fault::Endless, Fault::OtherType, Fault::BrokenJson, Fault::OtherShape] {
        let demo = Demo::start().unwrap();
        demo.fail(Where::Api, fault);
        let error = wiki(&demo).look_up("桜", Language::Japanese).await.unwrap_err();
        assert!(matches!(error, WikiError::Unexpected(_)), "{fault:?}: {error:?}");
        assert!(!error.to_string().contains('桜'));
    }
    let demo = Demo::start().unwrap();
    demo.fail(Where::Api, Fault::Silent);
    let error = hasty(&demo).look_up("桜", Language::Japanese).await.unwrap_err();
    assert_eq!(error, WikiError::Unavailable("no answer in 0.2 s".to_owned()));
    demo.fail(Where::Api, Fault::Status(403));
    let error = wiki(&demo).look_up("桜", Language::Japanese).await.unwrap_err();
    assert!(matches!(error, WikiError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn who_would_wait_long_for_a_turn_is_told_to_come_again() {
    let demo = Demo::start().unwrap();
    demo.fail(Where::Api, Fault::Silent);
    let wiki = hasty(&demo);
    let ask = |text| wiki.look_up(text, Language::Japanese);
    let (first, .., last) =
        tokio::join!(ask("桜"), ask("寿司"), ask("東京"), ask("京都"), ask("大阪"));
    assert!(matches!(first, Err(WikiError::Unavailable(_))), "{first:?}");
    assert!(matches!(last, Err(WikiError::Busy { .. })), "{last:?}");
    assert!(demo.requests().len() < 5);
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_the_error_keeps_the_text_to_itself() {
    let demo = Demo::start().unwrap();
    let url = demo.url();
    drop(demo);
    let gone = async {
        loop {
            let wiki = Wiki::new(settings(url.clone())).unwrap();
            if let Err(error) = wiki.look_up("secret", Language::English).await {
                break error;
            }
        }
    };
    let error = tokio::time::timeout(10 * SECOND, gone).await.unwrap();
    assert!(matches!(error, WikiError::Unavailable(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn pictures_that_cannot_be_had_are_left_out() {
    for fault in [Fault::OtherType, Fault::Endless, Fault::Status(404)] {
        let demo = Demo::start().unwrap();
        demo.fail(Where::Pictures, fault);
        let pictures = wiki(&demo).pictures("抹茶", Language::Japanese, 2).await;
        assert!(pictures.unwrap().is_empty(), "{fault:?}");
    }
    let demo = Demo::start().unwrap();
    demo.fail(Where::Pictures, Fault::Status(500));
    let error = wiki(&demo).pictures("抹茶", Language::Japanese, 2).await.unwrap_err();
    assert!(matches!(error, WikiError::Unavailable(_)), "{error:?}");
    demo.fail(Where::Pictures, Fault::RetryAfter(429, "3"));
    let error = wiki(&demo).pictures("抹茶", Language::Japanese, 2).await.unwrap_err();
    assert_eq!(error, WikiError::Busy { retry_after: 3 * SECOND });
}

#[tokio::test]
async fn of_pictures_that_do_not_come_two_are_waited_for() {
    let demo = Demo::start().unwrap();
    demo.fail(Where::Pictures, Fault::Silent);
    let error = hasty(&demo).pictures("東京", Language::Japanese, 8).await.unwrap_err();
    assert!(matches!(error, WikiError::Unavailable(_)), "{error:?}");
    let asked = demo.requests();
    assert_eq!(asked.iter().filter(|url| url.contains("/media/")).count(), 2, "{asked:?}");
}

#[tokio::test]
async fn corrupt_and_huge_pictures_are_for_the_decoder_to_refuse() {
    for fault in [Fault::CorruptPicture, Fault::HugePicture] {
        let demo = Demo::start().unwrap();
        demo.fail(Where::Pictures, fault);
        let pictures = wiki(&demo).pictures("抹茶", Language::Japanese, 1).await.unwrap();
        let limits = crate::picture::Limits::default();
        assert!(crate::picture::decode(&pictures[0].bytes, &limits).is_err(), "{fault:?}");
    }
}

fn mocked(server: &MockServer) -> Wiki {
    let url = format!("{}/w/api.php", server.uri());
    Wiki::new(settings(url.parse().unwrap())).unwrap()
}

async fn answer(server: &MockServer, when: impl Match + 'static, body: Value) {
    let answer = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(when).respond_with(answer).mount(server).await;
}

#[tokio::test]
async fn every_question_names_the_bot_and_minds_the_wikis_load() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/w/api.php"))
        .and(query_param("maxlag", "5"))
        .and(query_param("formatversion", "2"))
        .and(header("accept-encoding", "gzip"))
        .and(|request: &Request| {
            let agent = request.headers["user-agent"].to_str().unwrap();
            agent.starts_with("YamabikoKeywordBot/")
        })
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "batchcomplete": true })))
        .expect(1)
        .mount(&server)
        .await;
    let pages = mocked(&server).look_up("桜", Language::Japanese).await;
    assert_eq!(pages, Ok(vec![]));
}

#[tokio::test]
async fn an_answer_in_parts_is_put_together() {
    let server = MockServer::start().await;
    let page = |index: u32, title: &str| {
        json!({ "ns": 0, "title": title, "index": index,
        "canonicalurl": format!("https://ja.wikipedia.org/wiki/{index}") })
    };
    let first = json!({
        "continue": { "excontinue": 1, "continue": "||info" },
        "warnings": { "extracts": { "warnings": "too many" } },
        "query": { "pages": [page(2, "b"), page(1, "a")] },
    });
    let second = json!({
        "batchcomplete": true,
        "continue": { "gsroffset": 10, "continue": "gsroffset||" },
        "query": { "pages": [
            { "ns": 0, "title": "a", "index": 1, "extract": "A." },
            { "ns": 0, "title": "b", "index": 2, "extract": "B." },
        ] },
    });
    answer(&server, query_param_is_missing("excontinue"), first).await;
    answer(&server, query_param("excontinue", "1"), second).await;
    let pages = mocked(&server).look_up("桜", Language::Japanese).await.unwrap();
    let said: Vec<_> = pages.iter().map(|page| (&*page.title, &*page.extract)).collect();
    assert_eq!(said, [("a", "A."), ("b", "B.")]);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_missing_or_odd_in_a_page_costs_only_itself() {
    let server = MockServer::start().await;
    let url = |n: u32| format!("https://ja.wikipedia.org/wiki/{n}");
    let found = json!({ "batchcomplete": "", "continue": null, "warnings": [], "query": { "pages": [
        { "ns": 0, "title": "added", "index": -1, "canonicalurl": url(1), "extract": "A." },
        { "title": "second", "index": 2, "canonicalurl": url(2), "imageinfo": null },
        { "ns": null, "title": "first", "index": 1, "canonicalurl": url(3), "extract": 7, "missing": "" },
        { "ns": "0", "title": "nowhere", "index": 3, "canonicalurl": null },
        { "ns": 0, "index": 4, "canonicalurl": url(5), "extract": "E." },
        { "ns": 0, "title": ["f"], "canonicalurl": url(6) },
        7, null, "page", [],
        { "ns": 0, "title": "last", "index": 4294967296_u64, "canonicalurl": url(7) },
    ] } });
    answer(&server, method("GET"), found).await;
    let pages = mocked(&server).look_up("桜", Language::Japanese).await.unwrap();
    let said: Vec<_> = pages.iter().map(|page| (&*page.title, &*page.extract)).collect();
    assert_eq!(said, [("first", ""), ("second", ""), ("last", ""), ("added", "A.")]);
}

#[tokio::test]
async fn pages_that_are_named_by_their_ids_are_read() {
    let server = MockServer::start().await;
    let page = json!({ "ns": 0, "title": "桜", "canonicalurl": "https://a.example/桜" });
    let found = json!({ "query": { "pages": { "12": page, "-1": { "missing": "" } } } });
    answer(&server, method("GET"), found).await;
    let pages = mocked(&server).look_up("桜", Language::Japanese).await.unwrap();
    assert_eq!(pages.len(), 1);
}

#[tokio::test]
async fn a_pause_for_pictures_is_none_for_questions() {
    let demo = Demo::start().unwrap();
    let wiki = wiki(&demo);
    demo.fail(Where::Pictures, Fault::RetryAfter(429, "60"));
    let error = wiki.pictures("抹茶", Language::Japanese, 2).await.unwrap_err();
    assert_eq!(error, WikiError::Busy { retry_after: 60 * SECOND });
    assert!(wiki.page("京都", Language::Japanese).await.unwrap().is_some());
    let asked = demo.requests().len();
    wiki.pictures("抹茶", Language::Japanese, 2).await.unwrap_err();
    assert_eq!(demo.requests().len(), asked, "no picture is asked for meanwhile");
}

#[tokio::test]
async fn pictures_that_came_before_a_pause_are_shown() {
    let demo = Demo::start().unwrap();
    demo.fail_after(1, Where::Pictures, Fault::Status(429));
    let pictures = wiki(&demo).pictures("東京", Language::Japanese, 8).await.unwrap();
    assert_eq!(pictures.len(), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_asked_for_in_four_parts_at_most() {
    let server = MockServer::start().await;
    let again = json!({ "continue": { "excontinue": 1 }, "query": { "pages": [] } });
    answer(&server, method("GET"), again).await;
    assert_eq!(mocked(&server).look_up("桜", Language::Japanese).await, Ok(vec![]));
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
}

#[tokio::test]
async fn older_versions_of_a_file_are_not_asked_for() {
    let server = MockServer::start().await;
    let page = json!({ "ns": 0, "title": "桜", "pageimage": "桜.jpg" });
    let file = json!({ "ns": 6, "title": "File:桜.jpg", "imageinfo": [] });
    let found = json!({ "batchcomplete": true, "query": { "pages": [page] } });
    let info = json!({
        "continue": { "iistart": "2020-01-01T00:00:00Z", "continue": "||" },
        "query": { "pages": [file] },
    });
    answer(&server, query_param_is_missing("iiprop"), found).await;
    answer(&server, query_param("prop", "imageinfo"), info).await;
    let pictures = mocked(&server).pictures("桜", Language::Japanese, 8).await.unwrap();
    assert!(pictures.is_empty());
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_error_of_the_api_is_known_by_its_code_only() {
    for (code, expected) in [
        ("badvalue", WikiError::Refused("badvalue".to_owned())),
        (
            "internal_api_error_DBQueryError",
            WikiError::Unavailable("internal_api_error_DBQueryError".to_owned()),
        ),
        ("ratelimited", WikiError::Busy { retry_after: 10 * SECOND }),
        ("a 桜 b", WikiError::Refused("ab".to_owned())),
    ] {
        let server = MockServer::start().await;
        let error = json!({ "error": { "code": code, "info": "Unrecognized value \"桜\"" } });
        answer(&server, method("GET"), error).await;
        assert_eq!(mocked(&server).look_up("桜", Language::Japanese).await, Err(expected));
    }
}

#[tokio::test]
async fn redirects_are_followed_three_times_at_most() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "/w/api.php?again");
    Mock::given(method("GET")).respond_with(elsewhere).mount(&server).await;
    let error = mocked(&server).look_up("桜", Language::Japanese).await.unwrap_err();
    assert!(matches!(error, WikiError::Unexpected(_)), "{error:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
}

#[tokio::test]
async fn addresses_that_are_not_of_the_web_are_never_given_or_fetched() {
    let server = MockServer::start().await;
    let page = json!({ "ns": 0, "title": "桜", "canonicalurl": "javascript:alert(1)",
        "pageimage": "桜.jpg" });
    let file = |thumb: &str, page: &str| {
        json!({ "batchcomplete": true, "query": { "pages": [{
        "ns": 6, "title": "File:桜.jpg", "imageinfo": [{
            "thumburl": thumb, "descriptionurl": page,
            "extmetadata": { "LicenseShortName": { "value": "CC0" } },
        }],
    }] } })
    };
    answer(
        &server,
        query_param_is_missing("iiprop"),
        json!({ "batchcomplete": true, "query": { "pages": [page] } }),
    )
    .await;
    assert_eq!(mocked(&server).page("桜", Language::Japanese).await, Ok(None));
    answer(&server, query_param("prop", "imageinfo"), file("file:///etc/hosts", "https://a.b"))
        .await;
    let pictures = mocked(&server).pictures("桜", Language::Japanese, 8).await.unwrap();
    assert!(pictures.is_empty());
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
}

#[tokio::test]
async fn an_address_longer_than_any_of_a_page_is_not_given() {
    for (length, is_given) in [(1000, true), (1001, false)] {
        let server = MockServer::start().await;
        let url = format!("{:x<length$}", "https://wiki.example/");
        let page = json!({ "ns": 0, "title": "桜", "canonicalurl": url });
        let found = json!({ "batchcomplete": true, "query": { "pages": [page] } });
        answer(&server, method("GET"), found).await;
        let given = mocked(&server).page("桜", Language::Japanese).await.unwrap();
        assert_eq!(given.is_some(), is_given, "{length}");
    }
}

#[tokio::test]
async fn of_more_pages_than_were_asked_for_few_are_kept() {
    let server = MockServer::start().await;
    let pages: Vec<_> = (0..30_000).map(|n| json!({ "title": n.to_string() })).collect();
    let found = json!({ "batchcomplete": true, "query": { "pages": pages } });
    answer(&server, method("GET"), found).await;
    let answer = mocked(&server).ask(Language::Japanese, &[]).await.unwrap();
    assert_eq!(answer.pages.len(), 50);
}

#[tokio::test]
async fn requests_go_out_no_faster_than_was_set() {
    let demo = Demo::start().unwrap();
    let slow = WikiSettings { requests_per_second: 1, ..settings(demo.url()) };
    let wiki = Wiki::new(slow).unwrap();
    let before = std::time::Instant::now();
    wiki.page("桜", Language::Japanese).await.unwrap();
    wiki.page("京都", Language::Japanese).await.unwrap();
    assert!(before.elapsed() >= SECOND - Duration::from_millis(50));
}
