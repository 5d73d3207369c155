//! Flex Messages: bubbles, carousels of bubbles, and the blocks of a bubble.

use serde_json::Value;

use super::Problem;
use super::action::Holder;
use super::component;
use super::field::{self, Field, Kind, Place, Variants, needed, optional};
use super::measure;

/// LINE's reference: "The maximum size of JSON data that defines a bubble is 30 KB."
const MAX_BUBBLE_BYTES: usize = 30 * 1_024;
/// LINE's reference: "The maximum size of JSON data that defines a carousel is 50 KB."
const MAX_CAROUSEL_BYTES: usize = 50 * 1_024;
/// LINE's reference, image: `animated` is true for "up to 10 images in a single message".
const MAX_ANIMATED: usize = 10;

const BLOCKS: [&str; 4] = ["header", "hero", "body", "footer"];

/// LINE's reference: the default is `mega`.
const DEFAULT_SIZE: &str = "mega";
/// LINE's reference, video: the bubble is `kilo`, `mega` or `giga`.
const SIZES_WITH_VIDEO: [&str; 3] = ["kilo", "mega", "giga"];

static CONTAINERS: &Variants = &[
    ("bubble", BUBBLE),
    // LINE's reference: "Max: 12 bubbles".
    ("carousel", &[needed("contents", Kind::List(1, 12, check_bubble_of_carousel))]),
];

static BUBBLE: &[Field] = &[
    optional("size", Kind::OneOf(&["nano", "micro", "deca", "hecto", "kilo", "mega", "giga"])),
    optional("direction", Kind::OneOf(&["ltr", "rtl"])),
    optional("header", Kind::Nested(component::check_box)),
    optional("hero", Kind::Nested(component::check_hero)),
    optional("body", Kind::Nested(component::check_box)),
    optional("footer", Kind::Nested(component::check_box)),
    optional("styles", Kind::Nested(check_styles)),
    optional("action", Kind::Action(Holder::Flex)),
];

static STYLES: &[Field] = &[
    optional("header", Kind::Nested(check_block_style)),
    optional("hero", Kind::Nested(check_block_style)),
    optional("body", Kind::Nested(check_block_style)),
    optional("footer", Kind::Nested(check_block_style)),
];

static BLOCK_STYLE: &[Field] = &[
    optional("backgroundColor", Kind::Form(measure::is_color)),
    optional("separator", Kind::Flag),
    optional("separatorColor", Kind::Form(measure::is_color)),
];

/// Checks the `contents` of a Flex Message.
pub(super) fn check(place: &Place<'_>, problems: &mut Vec<Problem>) {
    match field::check_variant(place, CONTAINERS, problems) {
        Some("bubble") => check_whole_bubble(place, problems),
        Some("carousel") => {
            check_bytes(place, MAX_CAROUSEL_BYTES, problems);
            check_widths(&place.field("contents"), problems);
        }
        _ => return,
    }
    if count_animated(place.value) > MAX_ANIMATED {
        problems.push(place.problem(format!("up to {MAX_ANIMATED} images can be animated")));
    }
}

/// Checks what the fields of a bubble do not tell by themselves.
fn check_whole_bubble(bubble: &Place<'_>, problems: &mut Vec<Problem>) {
    check_bytes(bubble, MAX_BUBBLE_BYTES, problems);
    if BLOCKS.iter().all(|block| bubble.field(block).value.is_null()) {
        problems.push(bubble.problem("At least one block must be specified"));
    }
    if has_video(bubble) && !SIZES_WITH_VIDEO.contains(&size(bubble)) {
        problems.push(bubble.field("size").invalid());
    }
}

fn check_bubble_of_carousel(place: &Place<'_>, problems: &mut Vec<Problem>) {
    match field::check_variant(place, CONTAINERS, problems) {
        Some("bubble") => check_whole_bubble(place, problems),
        Some(_) => problems.push(place.field("type").invalid()),
        None => return,
    }
    // LINE's reference, video: "The bubble is not the child element of a carousel".
    if has_video(place) {
        problems.push(place.field("hero").invalid());
    }
}

/// LINE's reference: "A carousel can't contain bubbles of different widths".
fn check_widths(bubbles: &Place<'_>, problems: &mut Vec<Problem>) {
    let mut bubbles = bubbles.items();
    let Some(first) = bubbles.next() else { return };
    problems.extend(
        bubbles
            .filter(|bubble| size(bubble) != size(&first))
            .map(|bubble| bubble.field("size").invalid()),
    );
}

fn check_bytes(place: &Place<'_>, most: usize, problems: &mut Vec<Problem>) {
    if place.value.to_string().len() > most {
        problems.push(place.too_long(most));
    }
}

fn has_video(bubble: &Place<'_>) -> bool {
    bubble.value["hero"]["type"] == "video"
}

fn size<'a>(bubble: &Place<'a>) -> &'a str {
    bubble.value["size"].as_str().unwrap_or(DEFAULT_SIZE)
}

fn count_animated(value: &Value) -> usize {
    let this = usize::from(value["type"] == "image" && value["animated"] == true);
    let within: usize = match value {
        Value::Array(items) => items.iter().map(count_animated).sum(),
        Value::Object(fields) => fields.values().map(count_animated).sum(),
        _ => 0,
    };
    this + within
}

fn check_styles(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, STYLES, problems);
}

fn check_block_style(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, BLOCK_STYLE, problems);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, letters, problems, with, with_component,
        without,
    };
    use super::*;

    fn bubbles(count: usize, bubble: &Value) -> Value {
        let contents = json!({ "type": "carousel", "contents": vec![bubble.clone(); count] });
        with(&example("bubble"), "/contents", contents)
    }

    fn carousel() -> Value {
        bubbles(1, &example("bubble")["contents"])
    }

    /// Text that makes the contents of a message this long.
    fn filled(message: &Value, text: &str, bytes: usize) -> Value {
        let empty = with(message, text, "")["contents"].to_string().len();
        letters(bytes - empty).into()
    }

    #[test]
    fn a_bubble_has_at_least_one_block_and_the_right_component_in_each() {
        let message = example("bubble");
        let empty = without(&message, "/contents/body");
        assert_wrong(&empty, "/contents");
        assert_eq!(problems(&empty)[0].1, "At least one block must be specified");
        let a_box = message["contents"]["body"].clone();
        let image = json!({ "type": "image", "url": "https://a.jp/" });
        for block in BLOCKS {
            let pointer = format!("/contents/{block}");
            assert_valid(&with(&message, &pointer, a_box.clone()));
            let with_image = with(&message, &pointer, image.clone());
            match block {
                "hero" => assert_valid(&with_image),
                _ => assert_wrong(&with_image, &format!("{pointer}/type")),
            }
            let style = json!({ "backgroundColor": "#00ff00", "separator": true });
            let styled = with(&message, "/contents/styles", json!({ block: style }));
            let style = format!("/contents/styles/{block}");
            assert_limit(&styled, &format!("{style}/separator"), false, "no");
            assert_limit(&styled, &format!("{style}/separatorColor"), "#00ff00", "green");
        }
        assert_limit(&message, "/contents/direction", "rtl", "ttb");
        for size in ["nano", "micro", "deca", "hecto", "kilo", "mega", "giga"] {
            assert_limit(&message, "/contents/size", size, "tera");
        }
    }

    #[test]
    fn a_carousel_has_1_to_12_bubbles_of_one_width() {
        let bubble = example("bubble")["contents"].clone();
        let contents = |count: usize| bubbles(count, &bubble)["contents"]["contents"].clone();
        assert_limit(&carousel(), "/contents/contents", contents(12), contents(13));
        assert_limit(&carousel(), "/contents/contents", contents(1), contents(0));
        assert_limit(&bubbles(2, &bubble), "/contents/contents/1/size", "mega", "kilo");
        let nested = with(&carousel(), "/contents/contents/0", carousel()["contents"].clone());
        assert_wrong(&nested, "/contents/contents/0/type");
    }

    #[test]
    fn a_bubble_has_30_kb_and_a_carousel_50() {
        let message = with_component(&json!({ "type": "text", "text": "?" }));
        let text = "/contents/body/contents/0/text";
        let (most, within) = (30 * 1_024, |bytes| filled(&message, text, bytes));
        assert_valid(&with(&message, text, within(most)));
        assert_wrong(&with(&message, text, within(most + 1)), "/contents");

        let big = with(&message, text, within(20_000))["contents"].clone();
        let message = bubbles(3, &big);
        let text = "/contents/contents/2/body/contents/0/text";
        let (most, within) = (50 * 1_024, |bytes| filled(&message, text, bytes));
        assert_valid(&with(&message, text, within(most)));
        assert_wrong(&with(&message, text, within(most + 1)), "/contents");
    }

    #[test]
    fn a_video_is_the_hero_of_a_big_bubble_outside_of_a_carousel() {
        let image = json!({ "type": "image", "url": "https://a.jp/" });
        let video = json!({ "type": "video", "url": "https://a.jp/", "previewUrl": "https://a.jp/",
            "altContent": image });
        let hero = with(&example("bubble"), "/contents/hero", video.clone());
        assert_valid(&hero);
        for right in SIZES_WITH_VIDEO {
            assert_limit(&hero, "/contents/size", right, "hecto");
        }
        for name in ["url", "previewUrl", "altContent"] {
            let pointer = format!("/contents/hero/{name}");
            assert_wrong(&without(&hero, &pointer), &pointer);
        }
        let text = json!({ "type": "text", "text": "?" });
        assert_wrong(
            &with(&hero, "/contents/hero/altContent", text),
            "/contents/hero/altContent/type",
        );
        let uri = json!({ "type": "uri", "uri": "https://a.jp/" });
        let acting = with(&hero, "/contents/hero/action", uri);
        assert_valid(&acting);
        let yes = json!({ "type": "message", "text": "yes" });
        let saying = with(&acting, "/contents/hero/action", yes);
        assert_wrong(&saying, "/contents/hero/action/type");
        let in_carousel = bubbles(1, &hero["contents"]);
        assert_wrong(&in_carousel, "/contents/contents/0/hero");
        assert_wrong(&with_component(&video), "/contents/body/contents/0/type");
    }

    #[test]
    fn at_most_10_images_are_animated() {
        let image = json!({ "type": "image", "url": "https://a.jp/", "animated": true });
        let images = |count: usize| {
            with(&example("bubble"), "/contents/body/contents", json!(vec![image.clone(); count]))
        };
        assert_valid(&images(10));
        assert_wrong(&images(11), "/contents");
    }
}
