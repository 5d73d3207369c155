//! Actions: what happens at a tap, and which of them may stand where.

use super::Problem;
use super::datetime;
use super::field::{self, Field, Kind, Place, Variants, needed, optional, present};

/// Is where an action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    QuickReply,
    /// A button of a template.
    Template,
    /// The `defaultAction` of a template, whose label is not shown.
    TemplateArea,
    ImageCarousel,
    FlexButton,
    /// Any other part of a Flex Message.
    Flex,
    FlexVideo,
}

impl Holder {
    /// LINE's reference, "Specifications of the label": whether it is needed, and its most length.
    ///
    /// It does not name `defaultAction`; there no label is asked for, since none is shown.
    fn label(self) -> Field {
        match self {
            Self::QuickReply | Self::Template => needed("label", Kind::Clusters(20)),
            Self::TemplateArea => optional("label", Kind::Clusters(20)),
            Self::ImageCarousel => optional("label", Kind::Clusters(12)),
            Self::FlexButton => needed("label", Kind::Clusters(40)),
            Self::Flex | Self::FlexVideo => optional("label", Kind::Clusters(40)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::QuickReply => "quick reply",
            Self::Template | Self::TemplateArea | Self::ImageCarousel => "template message",
            Self::FlexButton | Self::Flex | Self::FlexVideo => "flex message",
        }
    }

    /// LINE's reference: some "can be configured only with quick reply buttons", the switch of
    /// rich menus only with these, and a video has none but a URI action.
    fn takes(self, kind: &str) -> bool {
        match kind {
            "camera" | "cameraRoll" | "location" => self == Self::QuickReply,
            "richmenuswitch" => false,
            "uri" => true,
            _ => self != Self::FlexVideo,
        }
    }
}

/// LINE's reference, postback, datetime picker: "Max character limit: 300"; LINE's OpenAPI: from 0.
const DATA: Field = present("data", Kind::Utf16(300));

static ACTIONS: &Variants = &[
    ("camera", &[]),
    ("cameraRoll", &[]),
    // LINE's reference: "Max character limit: 1000".
    ("clipboard", &[needed("clipboardText", Kind::Utf16(1_000))]),
    ("datetimepicker", &[DATA, needed("mode", Kind::OneOf(datetime::MODES))]),
    ("location", &[]),
    // LINE's reference: "Max character limit: 300".
    ("message", &[needed("text", Kind::Clusters(300))]),
    // LINE's reference: "Max character limit: 300" for each of them.
    (
        "postback",
        &[
            DATA,
            optional("displayText", Kind::Clusters(300)),
            optional("text", Kind::Clusters(300)),
            optional("inputOption", Kind::OneOf(INPUT_OPTIONS)),
            optional("fillInText", Kind::Clusters(300)),
        ],
    ),
    ("richmenuswitch", &[]),
    ("uri", &[needed("uri", Kind::Link), optional("altUri", Kind::Nested(check_alt_uri))]),
];

const INPUT_OPTIONS: &[&str] = &["closeRichMenu", "openRichMenu", OPEN_KEYBOARD, "openVoice"];
const OPEN_KEYBOARD: &str = "openKeyboard";

static ALT_URI: &[Field] = &[optional("desktop", Kind::Link)];

/// Checks an action where it stands.
pub(super) fn check(place: &Place<'_>, holder: Holder, problems: &mut Vec<Problem>) {
    let Some(kind) = field::check_variant(place, ACTIONS, problems) else { return };
    if !holder.takes(kind) {
        let text = format!("{kind} action is not available for {}", holder.name());
        problems.push(place.field("type").problem(text));
        return;
    }
    field::check(place, &[holder.label()], problems);
    match kind {
        "postback" => check_postback(place, problems),
        "datetimepicker" => datetime::check(place, problems),
        _ => {}
    }
}

/// LINE's reference: `displayText` and `text` "can't both be used", and `fillInText` is "valid only
/// when the inputOption property is set to openKeyboard".
fn check_postback(place: &Place<'_>, problems: &mut Vec<Problem>) {
    let (text, fill_in) = (place.field("text"), place.field("fillInText"));
    if !text.value.is_null() && !place.field("displayText").value.is_null() {
        problems.push(text.invalid());
    }
    if !fill_in.value.is_null() && place.value["inputOption"] != OPEN_KEYBOARD {
        problems.push(fill_in.invalid());
    }
}

fn check_alt_uri(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, ALT_URI, problems);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, families, letters, problems, with,
        with_component, with_quick_reply, without,
    };

    /// The smallest action of each type that LINE takes in some message.
    fn actions() -> Vec<Value> {
        let mut actions = vec![
            json!({ "type": "camera" }),
            json!({ "type": "cameraRoll" }),
            json!({ "type": "location" }),
            json!({ "type": "clipboard", "clipboardText": "?" }),
            json!({ "type": "datetimepicker", "data": "?", "mode": "date" }),
            json!({ "type": "message", "text": "?" }),
            json!({ "type": "postback", "data": "?" }),
            json!({ "type": "uri", "uri": "https://a.jp/" }),
        ];
        actions.iter_mut().for_each(|action| action["label"] = "go".into());
        actions
    }

    fn quick(kind: &str) -> Value {
        let action = actions().into_iter().find(|action| action["type"] == kind);
        with_quick_reply(&action.expect("there is one of each type"))
    }

    const QUICK: &str = "/quickReply/items/0/action";

    #[test]
    fn a_quick_reply_takes_every_action_and_misses_what_it_must_have() {
        for action in actions() {
            let message = with_quick_reply(&action);
            assert_valid(&message);
            for name in action.as_object().expect("is an object").keys() {
                let pointer = format!("{QUICK}/{name}");
                assert_wrong(&without(&message, &pointer), &pointer);
            }
        }
        let silent = without(&quick("message"), &format!("{QUICK}/text"));
        assert_eq!(problems(&silent)[0].1, "must be specified");
    }

    #[test]
    fn camera_and_location_are_for_quick_replies_and_the_switch_for_rich_menus() {
        let switch = json!({ "type": "richmenuswitch", "richMenuAliasId": "a", "data": "?" });
        assert_wrong(&with_quick_reply(&switch), &format!("{QUICK}/type"));
        let button = with_component(&json!({ "type": "button", "action": {} }));
        for (message, pointer) in [
            (example("buttons"), "/template/actions/0"),
            (example("image_carousel"), "/template/columns/0/action"),
            (button, "/contents/body/contents/0/action"),
        ] {
            for action in actions() {
                let message = with(&message, pointer, action.clone());
                match action["type"].as_str() {
                    Some("camera" | "cameraRoll" | "location") => {
                        assert_wrong(&message, &format!("{pointer}/type"));
                    }
                    _ => assert_valid(&message),
                }
            }
        }
        for wrong in [json!("song"), json!(1), Value::Null] {
            let pointer = format!("{QUICK}/type");
            assert_wrong(&with(&quick("message"), &pointer, wrong), &pointer);
        }
    }

    #[test]
    fn labels_are_counted_in_clusters_by_where_they_stand() {
        let yes = json!({ "type": "message", "label": "yes", "text": "yes" });
        let button = with_component(&json!({ "type": "button", "action": yes }));
        let text = with_component(&json!({ "type": "text", "text": "?", "action": yes }));
        let area = with(&example("buttons"), "/template/defaultAction", yes);
        for (message, action, most, is_needed) in [
            (quick("message"), QUICK, 20, true),
            (example("buttons"), "/template/actions/0", 20, true),
            (example("confirm"), "/template/actions/1", 20, true),
            (example("carousel"), "/template/columns/0/actions/0", 20, true),
            (area, "/template/defaultAction", 20, false),
            (example("image_carousel"), "/template/columns/0/action", 12, false),
            (button, "/contents/body/contents/0/action", 40, true),
            (text, "/contents/body/contents/0/action", 40, false),
        ] {
            let label = format!("{action}/label");
            assert_limit(&message, &label, families(most), families(most + 1));
            let silent = without(&message, &label);
            if is_needed { assert_wrong(&silent, &label) } else { assert_valid(&silent) }
        }
    }

    #[test]
    fn each_length_is_taken_up_to_its_limit() {
        for (kind, name, right, wrong) in [
            ("message", "text", families(300), families(301)),
            ("postback", "data", letters(300), letters(301)),
            ("postback", "data", "🍎".repeat(150), "🍎".repeat(151)),
            ("postback", "displayText", families(300), families(301)),
            ("postback", "text", families(300), families(301)),
            ("datetimepicker", "data", letters(300), letters(301)),
            ("clipboard", "clipboardText", letters(1_000), letters(1_001)),
        ] {
            assert_limit(&quick(kind), &format!("{QUICK}/{name}"), right, wrong);
        }
        assert_valid(&with(&quick("postback"), &format!("{QUICK}/data"), ""));
    }

    #[test]
    fn a_postback_fills_in_only_with_the_keyboard_and_shows_one_text() {
        let pointer = |name: &str| format!("{QUICK}/{name}");
        let message = quick("postback");
        for option in ["closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"] {
            assert_limit(&message, &pointer("inputOption"), option, "openWindow");
        }
        assert_wrong(&with(&message, &pointer("fillInText"), "?"), &pointer("fillInText"));
        let voice = with(&message, &pointer("inputOption"), "openVoice");
        assert_wrong(&with(&voice, &pointer("fillInText"), "?"), &pointer("fillInText"));
        let keyboard = with(&message, &pointer("inputOption"), "openKeyboard");
        assert_limit(&keyboard, &pointer("fillInText"), families(300), families(301));
        let shown = with(&message, &pointer("displayText"), "?");
        assert_wrong(&with(&shown, &pointer("text"), "?"), &pointer("text"));
    }
}
