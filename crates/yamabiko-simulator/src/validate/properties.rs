//! Properties of the components of Flex Messages.

use super::action::Holder;
use super::component::{check_alt_content, check_any, check_background, check_span};
use super::field::{Field, Kind, Variants, needed, optional};
use super::measure;

const FLEX: Field = optional("flex", Kind::AtLeast(0));
const MARGIN: Field = optional("margin", Kind::Form(measure::is_space));
const POSITION: Field = optional("position", Kind::OneOf(&["relative", "absolute"]));
const TOP: Field = optional("offsetTop", Kind::Form(measure::is_offset));
const BOTTOM: Field = optional("offsetBottom", Kind::Form(measure::is_offset));
const START: Field = optional("offsetStart", Kind::Form(measure::is_offset));
const END: Field = optional("offsetEnd", Kind::Form(measure::is_offset));
const ALIGN: Field = optional("align", Kind::OneOf(&["start", "end", "center"]));
const GRAVITY: Field = optional("gravity", Kind::OneOf(&["top", "bottom", "center"]));
const RATIO: Field = optional("aspectRatio", Kind::Form(measure::is_ratio));
const COLOR: Field = optional("color", Kind::Form(measure::is_color));
const BACKGROUND_COLOR: Field = optional("backgroundColor", Kind::Form(measure::is_color));
const ACTION: Field = optional("action", Kind::Action(Holder::Flex));
const SIZE: Field = optional("size", Kind::Form(measure::is_size));
const WEIGHT: Field = optional("weight", Kind::OneOf(&["regular", "bold"]));
const STYLE: Field = optional("style", Kind::OneOf(&["normal", "italic"]));
const DECORATION: Field =
    optional("decoration", Kind::OneOf(&["none", "underline", "line-through"]));
const ADJUST_MODE: Field = optional("adjustMode", Kind::OneOf(&["shrink-to-fit"]));
const SCALING: Field = optional("scaling", Kind::Flag);

pub(super) static COMPONENTS: &Variants = &[
    (
        "box",
        &[
            needed("layout", Kind::OneOf(&["horizontal", "vertical", "baseline"])),
            // LINE's reference: "You may also specify an empty array."
            needed("contents", Kind::List(0, usize::MAX, check_any)),
            BACKGROUND_COLOR,
            optional("borderColor", Kind::Form(measure::is_color)),
            optional("borderWidth", Kind::Form(measure::is_border)),
            optional("cornerRadius", Kind::Form(measure::is_space)),
            optional("width", Kind::Form(measure::is_pixels_or_percent)),
            optional("maxWidth", Kind::Form(measure::is_pixels_or_percent)),
            optional("height", Kind::Form(measure::is_pixels_or_percent)),
            optional("maxHeight", Kind::Form(measure::is_pixels_or_percent)),
            FLEX,
            optional("spacing", Kind::Form(measure::is_space)),
            MARGIN,
            optional("paddingAll", Kind::Form(measure::is_padding)),
            optional("paddingTop", Kind::Form(measure::is_padding)),
            optional("paddingBottom", Kind::Form(measure::is_padding)),
            optional("paddingStart", Kind::Form(measure::is_padding)),
            optional("paddingEnd", Kind::Form(measure::is_padding)),
            POSITION,
            TOP,
            BOTTOM,
            START,
            END,
            ACTION,
            optional("justifyContent", Kind::OneOf(JUSTIFY)),
            optional("alignItems", Kind::OneOf(&["flex-start", "center", "flex-end"])),
            optional("background", Kind::Nested(check_background)),
        ],
    ),
    (
        "button",
        &[
            needed("action", Kind::Action(Holder::FlexButton)),
            FLEX,
            MARGIN,
            POSITION,
            TOP,
            BOTTOM,
            START,
            END,
            optional("height", Kind::OneOf(&["sm", "md"])),
            optional("style", Kind::OneOf(&["primary", "secondary", "link"])),
            COLOR,
            GRAVITY,
            ADJUST_MODE,
            SCALING,
        ],
    ),
    ("filler", &[FLEX]),
    (
        "icon",
        &[
            needed("url", Kind::Url),
            MARGIN,
            POSITION,
            TOP,
            BOTTOM,
            START,
            END,
            SIZE,
            SCALING,
            RATIO,
        ],
    ),
    (
        "image",
        &[
            needed("url", Kind::Url),
            FLEX,
            MARGIN,
            POSITION,
            TOP,
            BOTTOM,
            START,
            END,
            ALIGN,
            GRAVITY,
            optional("size", Kind::Form(measure::is_image_size)),
            RATIO,
            optional("aspectMode", Kind::OneOf(&["fit", "cover"])),
            BACKGROUND_COLOR,
            ACTION,
            optional("animated", Kind::Flag),
        ],
    ),
    ("separator", &[MARGIN, COLOR]),
    ("span", &[optional("text", Kind::Text), COLOR, SIZE, WEIGHT, STYLE, DECORATION]),
    (
        "text",
        &[
            optional("text", Kind::Text),
            optional("contents", Kind::List(0, usize::MAX, check_span)),
            ADJUST_MODE,
            FLEX,
            MARGIN,
            POSITION,
            TOP,
            BOTTOM,
            START,
            END,
            SIZE,
            SCALING,
            ALIGN,
            GRAVITY,
            optional("wrap", Kind::Flag),
            optional("lineSpacing", Kind::Form(measure::is_pixels)),
            optional("maxLines", Kind::AtLeast(0)),
            WEIGHT,
            COLOR,
            ACTION,
            STYLE,
            DECORATION,
        ],
    ),
    (
        "video",
        &[
            needed("url", Kind::Url),
            needed("previewUrl", Kind::Url),
            needed("altContent", Kind::Nested(check_alt_content)),
            RATIO,
            optional("action", Kind::Action(Holder::FlexVideo)),
        ],
    ),
];

const JUSTIFY: &[&str] =
    &["flex-start", "center", "flex-end", "space-between", "space-around", "space-evenly"];

pub(super) static BACKGROUNDS: &Variants = &[(
    "linearGradient",
    &[
        needed("angle", Kind::Form(measure::is_angle)),
        needed("startColor", Kind::Form(measure::is_color)),
        needed("endColor", Kind::Form(measure::is_color)),
        optional("centerColor", Kind::Form(measure::is_color)),
        optional("centerPosition", Kind::Form(measure::is_position)),
    ],
)];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{
        assert_limit, assert_wrong, example, url, with, with_component, without,
    };

    const AT: &str = "/contents/body/contents/0";

    #[test]
    fn each_property_has_its_words_and_units() {
        let yes = json!({ "type": "message", "label": "yes", "text": "yes" });
        let a_box = json!({ "type": "box", "layout": "vertical", "contents": [] });
        let button = json!({ "type": "button", "action": yes });
        let image = json!({ "type": "image", "url": "https://a.jp/" });
        let text = json!({ "type": "text", "text": "?" });
        let separator = json!({ "type": "separator" });
        for (component, name, right, wrong) in [
            (&a_box, "flex", json!(0), json!(-1)),
            (&a_box, "spacing", json!("md"), json!("5%")),
            (&a_box, "margin", json!("5px"), json!("5%")),
            (&a_box, "cornerRadius", json!("5px"), json!("5%")),
            (&a_box, "borderWidth", json!("semi-bold"), json!("md")),
            (&a_box, "borderColor", json!("#00000080"), json!("black")),
            (&a_box, "width", json!("50%"), json!("md")),
            (&a_box, "maxHeight", json!("50px"), json!(50)),
            (&a_box, "paddingStart", json!("5%"), json!("-5px")),
            (&a_box, "offsetTop", json!("-5px"), json!("5")),
            (&a_box, "position", json!("absolute"), json!("fixed")),
            (&a_box, "justifyContent", json!("space-evenly"), json!("start")),
            (&a_box, "alignItems", json!("flex-end"), json!("end")),
            (&button, "height", json!("sm"), json!("lg")),
            (&button, "style", json!("link"), json!("bold")),
            (&button, "color", json!("#00ff00"), json!("#0f0")),
            (&button, "adjustMode", json!("shrink-to-fit"), json!("grow")),
            (&button, "scaling", json!(true), json!("true")),
            (&image, "url", json!(url(2_000)), json!(url(2_001))),
            (&image, "size", json!("full"), json!("none")),
            (&image, "aspectRatio", json!("1:3"), json!("1:4")),
            (&image, "aspectMode", json!("fit"), json!("contain")),
            (&image, "animated", json!(false), json!("no")),
            (&text, "size", json!("5xl"), json!("50%")),
            (&text, "align", json!("end"), json!("right")),
            (&text, "gravity", json!("bottom"), json!("end")),
            (&text, "weight", json!("bold"), json!("semi-bold")),
            (&text, "style", json!("italic"), json!("oblique")),
            (&text, "decoration", json!("line-through"), json!("blink")),
            (&text, "wrap", json!(true), json!(1)),
            (&text, "maxLines", json!(0), json!(-1)),
            (&text, "lineSpacing", json!("2.5px"), json!("md")),
            (&separator, "color", json!("#00ff00"), json!("green")),
        ] {
            assert_limit(&with_component(component), &format!("{AT}/{name}"), right, wrong);
        }
    }

    #[test]
    fn a_gradient_has_its_angle_and_its_colors() {
        let gradient = json!({ "type": "linearGradient", "angle": "0deg",
            "startColor": "#000000", "endColor": "#ffffff" });
        let message = with(&example("bubble"), "/contents/body/background", gradient);
        let pointer = |name: &str| format!("/contents/body/background/{name}");
        assert_limit(&message, &pointer("angle"), "359deg", "360deg");
        assert_limit(&message, &pointer("centerColor"), "#ff000080", "red");
        assert_limit(&message, &pointer("centerPosition"), "100%", "101%");
        for name in ["type", "angle", "startColor", "endColor"] {
            assert_wrong(&without(&message, &pointer(name)), &pointer(name));
        }
    }
}
