//! Imagemaps: the picture's size, the areas to tap, and the video on top.

use super::Problem;
use super::field::{self, Field, Kind, Place, Variants, needed, optional};

/// LINE's reference: "Width of base image in pixels. Set to 1040."
const BASE_WIDTH: i64 = 1_040;

static BASE_SIZE: &[Field] = &[needed("width", Kind::Whole), needed("height", Kind::Whole)];

/// LINE's reference: `x` and `y` "must be 0 or higher".
static AREA: &[Field] = &[
    needed("x", Kind::AtLeast(0)),
    needed("y", Kind::AtLeast(0)),
    needed("width", Kind::Whole),
    needed("height", Kind::Whole),
];

/// LINE's reference: "required if you set a video to play on the imagemap".
static VIDEO: &[Field] = &[
    needed("originalContentUrl", Kind::Url),
    needed("previewImageUrl", Kind::Url),
    TAP_AREA,
    optional("externalLink", Kind::Nested(check_external_link)),
];

/// LINE's reference: label "Max character limit: 30".
static EXTERNAL_LINK: &[Field] = &[needed("linkUri", Kind::Link), needed("label", Kind::Utf16(30))];

const TAP_AREA: Field = needed("area", Kind::Nested(check_area));
/// LINE's reference, imagemap action objects: "Max character limit: 100".
const LABEL: Field = optional("label", Kind::Utf16(100));

/// LINE's reference: text "Max character limit: 400", clipboard "Max character limit: 1000".
static ACTIONS: &Variants = &[
    ("clipboard", &[LABEL, needed("clipboardText", Kind::Utf16(1_000)), TAP_AREA]),
    ("message", &[LABEL, needed("text", Kind::Utf16(400)), TAP_AREA]),
    ("uri", &[LABEL, needed("linkUri", Kind::Link), TAP_AREA]),
];

pub(super) fn check_base_size(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, BASE_SIZE, problems);
    let width = place.field("width");
    if (width.value.is_i64() || width.value.is_u64()) && width.value != BASE_WIDTH {
        problems.push(width.problem(format!("Must be {BASE_WIDTH}")));
    }
}

pub(super) fn check_video(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, VIDEO, problems);
}

pub(super) fn check_action(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check_variant(place, ACTIONS, problems);
}

fn check_area(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, AREA, problems);
}

fn check_external_link(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, EXTERNAL_LINK, problems);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, letters, url, with, without,
    };

    #[test]
    fn the_picture_is_1040_pixels_wide() {
        let message = example("imagemap");
        assert_limit(&message, "/baseSize/width", 1_040, 1_024);
        assert_limit(&message, "/baseSize/width", 1_040, u64::MAX);
        assert_limit(&message, "/baseSize/height", 2_000, "2000");
        for pointer in ["/baseSize/width", "/baseSize/height"] {
            assert_wrong(&without(&message, pointer), pointer);
        }
    }

    #[test]
    fn there_are_1_to_50_actions_each_with_its_area() {
        let message = example("imagemap");
        let actions = |count: usize| vec![message["actions"][0].clone(); count];
        assert_limit(&message, "/actions", actions(50), actions(51));
        assert_limit(&message, "/actions", actions(1), actions(0));
        assert_limit(&message, "/actions/0/area/x", 0, -1);
        assert_limit(&message, "/actions/0/area/y", 0, -1);
        for name in ["x", "y", "width", "height"] {
            let pointer = format!("/actions/0/area/{name}");
            assert_wrong(&without(&message, &pointer), &pointer);
        }
    }

    #[test]
    fn each_action_has_its_limits() {
        let area = example("imagemap")["actions"][0]["area"].clone();
        for (action, pointer, right, wrong) in [
            (json!({ "type": "message", "text": "?" }), "/text", letters(400), letters(401)),
            (json!({ "type": "message", "text": "?" }), "/label", letters(100), letters(101)),
            (json!({ "type": "uri", "linkUri": "tel:1" }), "/linkUri", url(1_000), url(1_001)),
            (
                json!({ "type": "clipboard", "clipboardText": "?" }),
                "/clipboardText",
                letters(1_000),
                letters(1_001),
            ),
        ] {
            let message = with(&example("imagemap"), "/actions/0", action);
            assert_wrong(&message, "/actions/0/area");
            let message = with(&message, "/actions/0/area", area.clone());
            assert_limit(&message, &format!("/actions/0{pointer}"), right, wrong);
        }
        let postback = with(&example("imagemap"), "/actions/0/type", "postback");
        assert_wrong(&postback, "/actions/0/type");
    }

    #[test]
    fn a_video_is_complete() {
        let area = example("imagemap")["actions"][0]["area"].clone();
        let picture = url(30);
        let video = json!({ "originalContentUrl": picture, "previewImageUrl": picture,
            "area": area, "externalLink": { "linkUri": "https://a.jp/", "label": "more" } });
        let message = with(&example("imagemap"), "/video", video);
        assert_valid(&message);
        for name in ["originalContentUrl", "previewImageUrl", "area"] {
            let pointer = format!("/video/{name}");
            assert_wrong(&without(&message, &pointer), &pointer);
        }
        assert_limit(&message, "/video/externalLink/label", letters(30), letters(31));
        assert_limit(&message, "/video/externalLink/linkUri", url(1_000), url(1_001));
        assert_valid(&without(&message, "/video/externalLink"));
    }
}
