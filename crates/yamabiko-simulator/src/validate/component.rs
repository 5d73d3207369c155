//! Components of Flex Messages: what each may have, and which may stand in which.

use super::Problem;
use super::field::{self, Place};
use super::properties::{BACKGROUNDS, COMPONENTS};

/// LINE's reference, box: what it takes when the layout is `baseline`, and when it is another.
const IN_BASELINE_BOX: [&str; 3] = ["icon", "text", "filler"];
const IN_OTHER_BOX: [&str; 6] = ["box", "button", "image", "text", "separator", "filler"];

/// Checks a block that has to be a box.
pub(super) fn check_box(place: &Place<'_>, problems: &mut Vec<Problem>) {
    check_one_of(place, &["box"], problems);
}

/// LINE's reference, bubble: the hero is a box, an image or a video.
pub(super) fn check_hero(place: &Place<'_>, problems: &mut Vec<Problem>) {
    check_one_of(place, &["box", "image", "video"], problems);
}

/// LINE's reference, video: "Specify a box or an image."
pub(super) fn check_alt_content(place: &Place<'_>, problems: &mut Vec<Problem>) {
    check_one_of(place, &["box", "image"], problems);
}

pub(super) fn check_span(place: &Place<'_>, problems: &mut Vec<Problem>) {
    check_one_of(place, &["span"], problems);
}

fn check_one_of(place: &Place<'_>, allowed: &[&str], problems: &mut Vec<Problem>) {
    let kind = place.field("type");
    if kind.value.as_str().is_some_and(|kind| !allowed.contains(&kind)) {
        problems.push(kind.invalid());
    } else {
        check_any(place, problems);
    }
}

pub(super) fn check_any(place: &Place<'_>, problems: &mut Vec<Problem>) {
    match field::check_variant(place, COMPONENTS, problems) {
        Some("box") => check_children(place, problems),
        Some("text") => check_words(place, problems),
        _ => {}
    }
}

fn check_children(place: &Place<'_>, problems: &mut Vec<Problem>) {
    let allowed: &[&str] = match place.value["layout"].as_str() {
        Some("baseline") => &IN_BASELINE_BOX,
        _ => &IN_OTHER_BOX,
    };
    for child in place.field("contents").items() {
        let kind = child.field("type");
        let known = kind.value.as_str().filter(|kind| COMPONENTS.iter().any(|(k, _)| k == kind));
        if known.is_some_and(|kind| !allowed.contains(&kind)) {
            problems.push(kind.problem("invalid box content type"));
        }
    }
}

/// LINE's reference, text: "Be sure to set either one of the text property or contents property."
fn check_words(place: &Place<'_>, problems: &mut Vec<Problem>) {
    let text = place.field("text");
    if !place.field("contents").value.is_null() {
        return;
    }
    if text.value.is_null() {
        problems.push(text.problem("`text` or `contents` must be specified"));
    } else if text.value == "" {
        problems.push(text.problem("must be non-empty text"));
    }
}

pub(super) fn check_background(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check_variant(place, BACKGROUNDS, problems);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, problems, with, with_component, without,
    };

    const AT: &str = "/contents/body/contents/0";

    fn components() -> [Value; 7] {
        let yes = json!({ "type": "message", "label": "yes", "text": "yes" });
        [
            json!({ "type": "box", "layout": "vertical", "contents": [] }),
            json!({ "type": "button", "action": yes }),
            json!({ "type": "image", "url": "https://a.jp/" }),
            json!({ "type": "text", "text": "?" }),
            json!({ "type": "separator" }),
            json!({ "type": "filler" }),
            json!({ "type": "icon", "url": "https://a.jp/" }),
        ]
    }

    #[test]
    fn a_box_takes_the_components_of_its_layout() {
        for component in components() {
            let kind = component["type"].as_str().expect("is a string");
            for layout in ["horizontal", "vertical", "baseline"] {
                let message = with_component(&component);
                let message = with(&message, "/contents/body/layout", layout);
                let baseline = layout == "baseline";
                match kind {
                    "text" | "filler" => assert_valid(&message),
                    "icon" if baseline => assert_valid(&message),
                    "icon" => assert_wrong(&message, &format!("{AT}/type")),
                    _ if baseline => assert_wrong(&message, &format!("{AT}/type")),
                    _ => assert_valid(&message),
                }
            }
        }
        assert_limit(&example("bubble"), "/contents/body/layout", "vertical", "diagonal");
        for wrong in [json!({ "type": "song" }), json!({})] {
            assert_wrong(&with_component(&wrong), &format!("{AT}/type"));
        }
        assert_wrong(&with_component(&json!(1)), AT);
    }

    #[test]
    fn what_a_component_must_have_is_missed() {
        for (component, name) in
            [(0, "layout"), (0, "contents"), (1, "action"), (2, "url"), (3, "text")]
        {
            let (message, pointer) =
                (with_component(&components()[component]), format!("{AT}/{name}"));
            assert_wrong(&without(&message, &pointer), &pointer);
        }
        let silent = with_component(&json!({ "type": "text", "text": "" }));
        assert_eq!(problems(&silent)[0].1, "must be non-empty text");
        let spans = json!({ "type": "text", "contents": [{ "type": "span", "text": "?" }] });
        assert_valid(&with_component(&spans));
        let nested = with(&with_component(&spans), &format!("{AT}/contents/0/type"), "text");
        assert_wrong(&nested, &format!("{AT}/contents/0/type"));
    }
}
