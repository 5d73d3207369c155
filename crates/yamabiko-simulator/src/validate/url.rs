//! Addresses: of what LINE fetches, and of what a user opens.

use std::net::IpAddr;

use reqwest::Url;

use super::Problem;
use super::field::{Place, utf16};

/// LINE's reference, at each picture, video and sound: "Max character limit: 2000".
const MAX_URL: usize = 2_000;
/// LINE's reference, URI action: "Max character limit: 1000".
const MAX_LINK: usize = 1_000;
/// LINE's reference, URI action: "The available schemes are http, https, line, and tel."
const LINK_SCHEMES: [&str; 4] = ["http", "https", "line", "tel"];

/// LINE's reference: "Protocol: HTTPS (TLS 1.2 or later)".
///
/// Unlike LINE, a picture may come by `http` from this machine, where a bot under test runs.
pub(super) fn check(text: &str, place: &Place<'_>) -> Option<Problem> {
    let fits = Url::parse(text).is_ok_and(|url| {
        url.scheme() == "https" || url.scheme() == "http" && url.host_str().is_some_and(is_loopback)
    });
    judge(text, place, MAX_URL, fits)
}

/// Checks where an action leads.
pub(super) fn check_link(text: &str, place: &Place<'_>) -> Option<Problem> {
    let fits = Url::parse(text).is_ok_and(|url| LINK_SCHEMES.contains(&url.scheme()));
    judge(text, place, MAX_LINK, fits)
}

fn judge(text: &str, place: &Place<'_>, most: usize, fits: bool) -> Option<Problem> {
    if utf16(text) > most {
        return Some(place.too_long(most));
    }
    (!fits).then(|| place.problem("invalid uri scheme"))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_limit, example, url, with_quick_reply};
    use serde_json::json;

    #[test]
    fn line_fetches_by_https_and_the_simulator_also_from_this_machine() {
        let image = example("image");
        for wrong in [
            "http://example.com/a.png",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "http://10.0.0.1/",
            "ftp://example.com/",
            "//example.com/a.png",
            "https://",
            "a.png",
        ] {
            let pointer = "/originalContentUrl";
            assert_limit(&image, pointer, "https://example.com/%E3%81%82.png", wrong);
            assert_limit(&image, pointer, "http://127.0.0.1:3000/a.png", wrong);
            assert_limit(&image, pointer, "http://localhost:3000/a.png", wrong);
            assert_limit(&image, pointer, "http://[::1]/a.png", wrong);
        }
    }

    #[test]
    fn a_link_has_one_of_four_schemes_and_1000_characters() {
        let message = with_quick_reply(
            &json!({ "type": "uri", "label": "go", "uri": "https://a.jp/", "altUri": {} }),
        );
        for pointer in
            ["/quickReply/items/0/action/uri", "/quickReply/items/0/action/altUri/desktop"]
        {
            assert_limit(&message, pointer, url(1_000), url(1_001));
            for right in ["http://example.com/", "line://nv/chat", "tel:09001234567"] {
                assert_limit(&message, pointer, right, "mailto:me@example.com");
                assert_limit(&message, pointer, right, "example.com");
            }
        }
    }
}
