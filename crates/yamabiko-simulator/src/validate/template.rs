//! Templates: buttons, confirm, carousel and image carousel.

use super::Problem;
use super::action::Holder;
use super::field::{self, Field, Kind, Place, Variants, clusters, needed, optional};
use super::measure;

/// LINE's reference, buttons: "Max character limit: 160 (no image or title)".
const MAX_BUTTONS_TEXT: usize = 160;
/// LINE's reference, column object: "Max character limit: 120 (no image or title)".
const MAX_COLUMN_TEXT: usize = 120;
/// LINE's reference, both: "Max character limit: 60 (message with an image or title)".
const MAX_TEXT_WITH_IMAGE_OR_TITLE: usize = 60;

const ASPECT_RATIO: Field = optional("imageAspectRatio", Kind::OneOf(&["rectangle", "square"]));
const SIZE: Field = optional("imageSize", Kind::OneOf(&["cover", "contain"]));
const IMAGE: Field = optional("thumbnailImageUrl", Kind::Url);
/// LINE's reference: "Specify a RGB color value."
const BACKGROUND: Field = optional("imageBackgroundColor", Kind::Form(measure::is_rgb));
/// LINE's reference, buttons and column object: "Max character limit: 40".
const TITLE: Field = optional("title", Kind::Clusters(40));
const DEFAULT_ACTION: Field = optional("defaultAction", Kind::Action(Holder::TemplateArea));

static TEMPLATES: &Variants = &[
    (
        "buttons",
        &[
            IMAGE,
            ASPECT_RATIO,
            SIZE,
            BACKGROUND,
            TITLE,
            needed("text", Kind::Text),
            DEFAULT_ACTION,
            // LINE's reference: "Max objects: 4".
            needed("actions", Kind::List(1, 4, check_action)),
        ],
    ),
    // LINE's reference: "Max columns: 10".
    ("carousel", &[needed("columns", Kind::List(1, 10, check_column)), ASPECT_RATIO, SIZE]),
    // LINE's reference: "Max character limit: 240", "Set 2 actions for the 2 buttons".
    (
        "confirm",
        &[needed("text", Kind::Clusters(240)), needed("actions", Kind::List(2, 2, check_action))],
    ),
    // LINE's reference: "Max columns: 10".
    ("image_carousel", &[needed("columns", Kind::List(1, 10, check_image_column))]),
];

static COLUMN: &[Field] = &[
    IMAGE,
    BACKGROUND,
    TITLE,
    needed("text", Kind::Text),
    DEFAULT_ACTION,
    // LINE's reference: "Max objects: 3".
    needed("actions", Kind::List(1, 3, check_action)),
];

static IMAGE_COLUMN: &[Field] =
    &[needed("imageUrl", Kind::Url), needed("action", Kind::Action(Holder::ImageCarousel))];

pub(super) fn check(place: &Place<'_>, problems: &mut Vec<Problem>) {
    match field::check_variant(place, TEMPLATES, problems) {
        Some("buttons") => check_text(place, MAX_BUTTONS_TEXT, problems),
        Some("carousel") => check_likeness(&place.field("columns"), problems),
        _ => {}
    }
}

fn check_column(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, COLUMN, problems);
    check_text(place, MAX_COLUMN_TEXT, problems);
}

fn check_image_column(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, IMAGE_COLUMN, problems);
}

fn check_action(place: &Place<'_>, problems: &mut Vec<Problem>) {
    super::action::check(place, Holder::Template, problems);
}

fn check_text(place: &Place<'_>, without: usize, problems: &mut Vec<Problem>) {
    let with = has(place, "thumbnailImageUrl") || has(place, "title");
    let most = if with { MAX_TEXT_WITH_IMAGE_OR_TITLE } else { without };
    let text = place.field("text");
    if text.filled().is_some_and(|text| clusters(text) > most) {
        problems.push(text.too_long(most));
    }
}

/// LINE's reference, carousel: "Keep the number of actions consistent for all columns. If you use
/// an image or title for a column, make sure to do the same for all other columns."
fn check_likeness(columns: &Place<'_>, problems: &mut Vec<Problem>) {
    let mut shapes = columns.items().map(|column| {
        let actions = column.field("actions").items().count();
        (has(&column, "thumbnailImageUrl"), has(&column, "title"), actions)
    });
    let first = shapes.next();
    if shapes.any(|shape| Some(shape) != first) {
        let text = "The use of image, title and the number of actions should be consistent for all \
                    columns.";
        problems.push(columns.problem(text));
    }
}

fn has(place: &Place<'_>, name: &str) -> bool {
    place.field(name).filled().is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, families, problems, url, with, without,
    };

    fn of_first(message: &Value, list: &str, count: usize) -> Value {
        json!(vec![message["template"][list][0].clone(); count])
    }

    #[test]
    fn each_list_has_its_sizes() {
        for (kind, list, least, most) in [
            ("buttons", "actions", 1, 4),
            ("confirm", "actions", 2, 2),
            ("carousel", "columns", 1, 10),
            ("image_carousel", "columns", 1, 10),
        ] {
            let message = example(kind);
            let pointer = format!("/template/{list}");
            let items = |count| of_first(&message, list, count);
            assert_limit(&message, &pointer, items(most), items(most + 1));
            assert_limit(&message, &pointer, items(least), items(least - 1));
            assert_wrong(&without(&message, &pointer), &pointer);
        }
        let carousel = example("carousel");
        let action = carousel["template"]["columns"][0]["actions"][0].clone();
        let actions = |count: usize| vec![action.clone(); count];
        assert_limit(&carousel, "/template/columns/0/actions", actions(3), actions(4));
        assert_limit(&carousel, "/template/columns/0/actions", actions(1), actions(0));
    }

    #[test]
    fn texts_are_counted_in_clusters_and_shorter_beside_an_image_or_a_title() {
        for (kind, at, most) in [
            ("buttons", "/template", 160),
            ("confirm", "/template", 240),
            ("carousel", "/template/columns/0", 120),
        ] {
            let (message, text) = (example(kind), format!("{at}/text"));
            assert_limit(&message, &text, families(most), families(most + 1));
            assert_wrong(&with(&message, &text, ""), &text);
            if kind == "confirm" {
                continue;
            }
            assert_limit(&message, &format!("{at}/title"), families(40), families(41));
            let image = format!("{at}/thumbnailImageUrl");
            assert_limit(&message, &image, url(2_000), url(2_001));
            for more in [format!("{at}/title"), image] {
                let message = with(&message, &more, "https://a.jp/");
                assert_limit(&message, &text, families(60), families(61));
            }
        }
        let long = with(&example("buttons"), "/template/text", families(161));
        assert_eq!(problems(&long)[0].1, "size must be between 0 and 160");
    }

    #[test]
    fn pictures_have_their_words_and_colors() {
        for kind in ["buttons", "carousel"] {
            let message = example(kind);
            assert_limit(&message, "/template/imageAspectRatio", "square", "round");
            assert_limit(&message, "/template/imageSize", "contain", "fit");
        }
        for (kind, at) in [("buttons", "/template"), ("carousel", "/template/columns/0")] {
            let color = format!("{at}/imageBackgroundColor");
            assert_limit(&example(kind), &color, "#00ff7F", "#00ff7F80");
        }
        let message = example("image_carousel");
        assert_limit(&message, "/template/columns/0/imageUrl", url(2_000), url(2_001));
        for name in ["imageUrl", "action"] {
            let pointer = format!("/template/columns/0/{name}");
            assert_wrong(&without(&message, &pointer), &pointer);
        }
    }

    #[test]
    fn the_columns_of_a_carousel_are_alike() {
        let message = example("carousel");
        let message = with(&message, "/template/columns", of_first(&message, "columns", 2));
        assert_valid(&message);
        let column = |name: &str, value: Value| {
            with(&message, &format!("/template/columns/1/{name}"), value)
        };
        let action = message["template"]["columns"][0]["actions"][0].clone();
        for wrong in [
            column("title", json!("?")),
            column("thumbnailImageUrl", json!("https://a.jp/")),
            column("actions", json!([action, action])),
        ] {
            assert_wrong(&wrong, "/template/columns");
        }
    }

    #[test]
    fn an_unknown_template_is_refused() {
        assert_wrong(&with(&example("buttons"), "/template/type", "song"), "/template/type");
        assert_wrong(&without(&example("buttons"), "/template/type"), "/template/type");
    }
}
