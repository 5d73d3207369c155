//! Messages of each type, and what all of them share: quick replies and senders.

use super::action::Holder;
use super::field::{self, Field, Kind, Place, Variants, needed, optional};
use super::{Problem, flex, imagemap, template, text};

/// LINE's reference, imagemap, template and Flex Message: "Max character limit: 1500".
const ALT_TEXT: Field = needed("altText", Kind::Utf16(1_500));

static TYPES: &Variants = &[
    ("audio", &[needed("originalContentUrl", Kind::Url), needed("duration", Kind::Whole)]),
    // LINE's reference: "Max character limit: 30", of letters, digits and underscores.
    ("coupon", &[needed("couponId", Kind::Text), optional("deliveryTag", Kind::Plain(30, "_"))]),
    ("flex", &[ALT_TEXT, needed("contents", Kind::Part(flex::check))]),
    ("image", &[needed("originalContentUrl", Kind::Url), needed("previewImageUrl", Kind::Url)]),
    (
        "imagemap",
        &[
            needed("baseUrl", Kind::Url),
            ALT_TEXT,
            needed("baseSize", Kind::Nested(imagemap::check_base_size)),
            optional("video", Kind::Nested(imagemap::check_video)),
            // LINE's reference: "Max: 50".
            needed("actions", Kind::List(1, 50, imagemap::check_action)),
        ],
    ),
    // LINE's reference: "Max character limit: 100" for both.
    (
        "location",
        &[
            needed("title", Kind::Utf16(100)),
            needed("address", Kind::Utf16(100)),
            needed("latitude", Kind::Number),
            needed("longitude", Kind::Number),
        ],
    ),
    ("sticker", &[needed("packageId", Kind::Digits), needed("stickerId", Kind::Digits), QUOTE]),
    ("template", &[ALT_TEXT, needed("template", Kind::Part(template::check))]),
    // LINE's reference: "Max character limit: 5000", "Max: 20 LINE emoji".
    (
        "text",
        &[
            needed("text", Kind::Utf16(5_000)),
            optional("emojis", Kind::List(0, 20, text::check_emoji)),
            QUOTE,
        ],
    ),
    // LINE's reference: "Max character limit: 5000".
    (
        "textV2",
        &[
            needed("text", Kind::Utf16(5_000)),
            optional("substitution", Kind::Nested(text::check_substitution)),
            QUOTE,
        ],
    ),
    // LINE's reference: "Max character limit: 100", of letters, digits and these signs.
    (
        "video",
        &[
            needed("originalContentUrl", Kind::Url),
            needed("previewImageUrl", Kind::Url),
            optional("trackingId", Kind::Plain(100, "-.=,+*()%$&;:@{}!?<>[]")),
        ],
    ),
];

const QUOTE: Field = optional("quoteToken", Kind::Text);

/// The types that can quote, by LINE's reference.
const QUOTING: [&str; 3] = ["sticker", "text", "textV2"];

static COMMON: &[Field] = &[
    optional("quickReply", Kind::Nested(check_quick_reply)),
    optional("sender", Kind::Nested(check_sender)),
];

/// LINE's reference: "Max: 13 objects".
static QUICK_REPLY: &[Field] = &[needed("items", Kind::List(1, 13, check_quick_reply_item))];

static QUICK_REPLY_ITEM: &[Field] = &[
    needed("type", Kind::OneOf(&["action"])),
    optional("imageUrl", Kind::Url),
    needed("action", Kind::Action(Holder::QuickReply)),
];

/// LINE's reference: "Max character limit: 20".
static SENDER: &[Field] = &[optional("name", Kind::Utf16(20)), optional("iconUrl", Kind::Url)];

/// Checks one message.
pub(super) fn check(place: &Place<'_>, problems: &mut Vec<Problem>) {
    let Some(kind) = field::check_variant(place, TYPES, problems) else { return };
    match kind {
        "text" => text::check_positions(place, problems),
        "textV2" => text::check_placeholders(place, problems),
        _ => {}
    }
    let quote = place.field("quoteToken");
    if !quote.value.is_null() && !QUOTING.contains(&kind) {
        problems.push(quote.problem("Unknown property"));
    }
    field::check(place, COMMON, problems);
}

fn check_quick_reply(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, QUICK_REPLY, problems);
}

fn check_quick_reply_item(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, QUICK_REPLY_ITEM, problems);
}

/// LINE's reference: "Certain words such as LINE may not be used." It names no others.
fn check_sender(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, SENDER, problems);
    let name = place.field("name");
    let mut words = name.filled().unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric());
    if words.any(|word| word == "LINE") {
        problems.push(name.problem("LINE may not be used"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, examples, letters, problems, url, with,
        with_quick_reply, without,
    };
    use super::*;

    #[test]
    fn the_smallest_message_of_each_type_is_valid() {
        let examples = examples();
        for (kind, _) in TYPES {
            assert!(examples.iter().any(|message| message["type"] == *kind), "{kind}");
        }
        examples.iter().for_each(assert_valid);
    }

    #[test]
    fn what_a_message_must_have_is_missed() {
        for message in examples() {
            for name in message.as_object().expect("is an object").keys() {
                let pointer = format!("/{name}");
                assert_wrong(&without(&message, &pointer), &pointer);
            }
        }
    }

    #[test]
    fn an_unknown_type_is_told_the_known_ones() {
        for message in [json!({ "type": "song" }), json!({}), json!({ "type": 1 })] {
            let (property, text) = &problems(&message)[0];
            assert_eq!(property, "messages[0].type");
            assert!(text.starts_with("Must be one of the following values: [audio, coupon, flex"));
        }
    }

    #[test]
    fn unknown_properties_are_ignored_and_null_is_as_good_as_nothing() {
        assert_valid(&with(&example("text"), "/song", 1));
        assert_valid(&with(&example("text"), "/quickReply", Value::Null));
        assert_wrong(&with(&example("text"), "/text", Value::Null), "/text");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_unreadable() {
        for (kind, pointer, wrong) in [
            ("text", "/text", json!(1)),
            ("text", "/emojis", json!({})),
            ("text", "/quickReply", json!([])),
            ("text", "/sender", json!("me")),
            ("text", "/quoteToken", json!(1)),
            ("textV2", "/substitution", json!([])),
            ("image", "/originalContentUrl", json!(["https://example.com/"])),
            ("audio", "/duration", json!("60000")),
            ("audio", "/duration", json!(1.5)),
            ("location", "/latitude", json!("35.6")),
            ("imagemap", "/baseSize", json!(1_040)),
            ("sticker", "/stickerId", json!(1_988)),
        ] {
            let message = with(&example(kind), pointer, wrong);
            assert_wrong(&message, pointer);
            let request = json!({ "messages": [message] });
            assert!(super::super::messages(&request)[0].unreadable, "{message}");
        }
        for (kind, pointer) in [("bubble", "/contents"), ("buttons", "/template")] {
            assert_wrong(&with(&example(kind), pointer, "big"), pointer);
        }
    }

    #[test]
    fn each_length_is_taken_up_to_its_limit() {
        for (kind, pointer, most) in [
            ("text", "/text", 5_000),
            ("textV2", "/text", 5_000),
            ("bubble", "/altText", 1_500),
            ("buttons", "/altText", 1_500),
            ("imagemap", "/altText", 1_500),
            ("location", "/title", 100),
            ("location", "/address", 100),
            ("video", "/trackingId", 100),
            ("coupon", "/deliveryTag", 30),
        ] {
            assert_limit(&example(kind), pointer, letters(most), letters(most + 1));
        }
        for (kind, pointer) in [
            ("image", "/originalContentUrl"),
            ("image", "/previewImageUrl"),
            ("video", "/originalContentUrl"),
            ("video", "/previewImageUrl"),
            ("audio", "/originalContentUrl"),
            ("imagemap", "/baseUrl"),
        ] {
            assert_limit(&example(kind), pointer, url(2_000), url(2_001));
        }
    }

    #[test]
    fn texts_are_counted_in_utf_16_units() {
        let apples = |count: usize| "🍎".repeat(count);
        let long = format!("{}x", apples(2_500));
        assert_limit(&example("text"), "/text", apples(2_500), long.as_str());
        let message = with(&example("text"), "/text", long);
        assert_eq!(problems(&message)[0].1, "Length must be between 0 and 5000");
    }

    #[test]
    fn ids_have_the_signs_that_line_names() {
        for (kind, pointer, right, wrong) in [
            ("sticker", "/packageId", "446", "44a"),
            ("sticker", "/stickerId", "1988", "-1"),
            ("video", "/trackingId", "Az09-.=,+*()%$&;:@{}!?<>[]", "a_b"),
            ("coupon", "/deliveryTag", "2025_winter", "2025-winter"),
        ] {
            assert_limit(&example(kind), pointer, right, wrong);
        }
    }

    #[test]
    fn texts_and_stickers_quote_and_no_other_message() {
        for message in examples() {
            let quoting = with(&message, "/quoteToken", "q");
            match message["type"].as_str() {
                Some("text" | "textV2" | "sticker") => assert_valid(&quoting),
                _ => assert_wrong(&quoting, "/quoteToken"),
            }
        }
    }

    #[test]
    fn a_sender_has_a_short_name_that_is_not_line() {
        let message = with(&example("text"), "/sender", json!({}));
        assert_limit(&message, "/sender/name", letters(20), letters(21));
        for wrong in ["LINE", "LINE公式", "My LINE"] {
            assert_limit(&message, "/sender/name", "ONLINE", wrong);
        }
        assert_limit(&message, "/sender/iconUrl", url(2_000), url(2_001));
    }

    #[test]
    fn a_quick_reply_has_1_to_13_buttons() {
        let yes = json!({ "type": "message", "label": "yes", "text": "yes" });
        let message = with_quick_reply(&yes);
        let items = |count: usize| vec![message["quickReply"]["items"][0].clone(); count];
        assert_limit(&message, "/quickReply/items", items(13), items(14));
        assert_limit(&message, "/quickReply/items", items(1), items(0));
        assert_limit(&message, "/quickReply/items/0/imageUrl", url(2_000), url(2_001));
        assert_limit(&message, "/quickReply/items/0/type", "action", "button");
        assert_wrong(
            &without(&message, "/quickReply/items/0/action"),
            "/quickReply/items/0/action",
        );
        assert_wrong(&with(&message, "/quickReply", json!({})), "/quickReply/items");
    }
}
