//! What holds wherever pictures are kept: each rule runs on a folder and on a bucket.

use axum::http::StatusCode;
use yamabiko_queue::Clock;

use super::{Bucket, Media, Use, Where};

mod places;
mod rules;

macro_rules! on_both_places {
    ($($rule:ident),+ $(,)?) => {
        mod on_a_folder {
            $(#[tokio::test]
            async fn $rule() {
                super::rules::$rule(super::places::Folder::new()).await;
            })+
        }

        mod on_a_bucket {
            $(#[tokio::test]
            async fn $rule() {
                super::rules::$rule(super::places::S3::start()).await;
            })+
        }
    };
}

on_both_places![
    what_is_published_is_served,
    a_picture_as_large_as_line_takes_is_served,
    a_client_that_has_it_is_told_so,
    a_part_can_be_asked_for,
    nothing_is_found_but_by_its_exact_name,
    what_is_over_is_gone_at_once_and_removed_by_a_sweep,
    sweeps_at_the_same_time_do_no_harm,
    a_place_that_is_away_is_no_lost_picture,
];

#[cfg(unix)]
#[test]
fn a_new_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = places::Folder::new();
    let shop = rules::Shop::open(place);
    let mode = shop.place.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn what_a_killed_process_left_in_a_folder_is_never_served_and_goes_with_its_time() {
    let shop = rules::Shop::open(places::Folder::new());
    let url = shop.publishes(b"whole").await;
    let half = shop.place.path().join(format!("{}#1", url.rsplit('/').next().unwrap()));
    std::fs::rename(shop.place.path().join(url.rsplit('/').next().unwrap()), &half).unwrap();
    assert_eq!(shop.gets(&url).await.status(), 404);
    assert_eq!(shop.sweeps().await, 0);
    shop.passes(rules::RETENTION);
    assert_eq!(shop.sweeps().await, 1);
    assert!(!half.exists());
}

#[tokio::test]
async fn a_sweep_removes_all_that_is_over_however_much_it_is() {
    let shop = rules::Shop::open(places::Folder::new());
    shop.publishes(b"old").await;
    let many = super::sweep::AT_ONCE;
    for number in 0..many {
        // Their names say 2001.
        let name = format!("3b9aca00-{number:032x}.png");
        std::fs::write(shop.place.path().join(name), "").unwrap();
    }
    shop.passes(rules::RETENTION);
    assert_eq!(shop.sweeps().await, many + 1);
    assert_eq!(shop.place.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_bucket_tells_type_and_time_to_those_who_fetch_from_it() {
    let shop = rules::Shop::open(places::S3::start());
    let url = shop.publishes(b"whole").await;
    let name = url.rsplit('/').next().unwrap();
    let answer = shop.place.object(reqwest::Method::GET, name, "").await;
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=2592000, immutable");
    assert_eq!(answer.bytes().await.unwrap(), "whole");
}

#[tokio::test]
async fn a_bucket_that_repeats_the_keys_makes_nobody_print_them() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let refusal = "<Error><Code>ExpiredToken</Code><AWSAccessKeyId>the-key</AWSAccessKeyId>\
        <Token-0>the-token</Token-0><Wrong>the-secret</Wrong></Error>";
    let refuse = axum::Router::new().fallback(async move || (StatusCode::FORBIDDEN, refusal));
    tokio::spawn(async move { axum::serve(listener, refuse).await });
    let bucket = Bucket {
        name: "pictures".to_owned(),
        prefix: String::new(),
        region: None,
        endpoint: Some(endpoint),
        key_id: "the-key".to_owned(),
        secret: "the-secret".to_owned(),
        session_token: Some("the-token".to_owned()),
    };
    let url = Some("https://bot.example.com/media".to_owned());
    let media = Media::open(&Where::Bucket(bucket), url, rules::RETENTION, Clock::Own).unwrap();
    let now = Clock::Own.roughly_now();
    let published = media.publish(b"x".to_vec(), "image/png", Use::Picture, now).await;
    for error in [published.unwrap_err(), media.sweep(now).await.unwrap_err()] {
        let told = format!("{error:#} {error:?} {media:?}");
        assert!(told.contains("ExpiredToken"), "{told}");
        assert!(!["the-key", "the-secret", "the-token"].iter().any(|key| told.contains(key)));
    }
}
