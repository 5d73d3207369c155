//! Sizes, colors, ratios and angles of Flex Messages, in the forms of LINE's reference.

/// LINE's reference, Flex Message layout: margin, spacing, offset and padding.
const SPACES: [&str; 7] = ["none", "xs", "sm", "md", "lg", "xl", "xxl"];
/// LINE's reference, Flex Message layout: "Icon, text, and span size".
const SIZES: [&str; 10] = ["xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl"];
/// LINE's reference, box: border width.
const BORDERS: [&str; 6] = ["none", "light", "normal", "medium", "semi-bold", "bold"];
/// LINE's reference, image: "`{width}` and `{height}` in the range from 1 to 100000".
const RATIO: std::ops::RangeInclusive<f64> = 1.0..=100_000.0;

/// Margin, spacing and corner radius: "in pixels or with a keyword".
pub(super) fn is_space(text: &str) -> bool {
    SPACES.contains(&text) || is_pixels(text)
}

/// Padding: "in pixels, percentage or with a keyword".
pub(super) fn is_padding(text: &str) -> bool {
    SPACES.contains(&text) || is_pixels_or_percent(text)
}

/// Offset: as padding, and to either side.
pub(super) fn is_offset(text: &str) -> bool {
    is_padding(text.strip_prefix('-').unwrap_or(text))
}

/// Width and height of a box: "in pixels or as a percentage".
pub(super) fn is_pixels_or_percent(text: &str) -> bool {
    is_pixels(text) || number_before("%", text).is_some()
}

/// Line spacing: a number "that ends in px".
pub(super) fn is_pixels(text: &str) -> bool {
    number_before("px", text).is_some()
}

/// Border width: "in pixels or any one of" its keywords.
pub(super) fn is_border(text: &str) -> bool {
    BORDERS.contains(&text) || is_pixels(text)
}

/// Size of icons, texts and spans: "in pixels or with a keyword".
pub(super) fn is_size(text: &str) -> bool {
    SIZES.contains(&text) || is_pixels(text)
}

/// Size of images: "in pixels, as a percentage, or with a keyword".
pub(super) fn is_image_size(text: &str) -> bool {
    text == "full" || is_size(text) || is_pixels_or_percent(text)
}

/// "Use a hexadecimal color code", `#RRGGBB` or `#RRGGBBAA`.
pub(super) fn is_color(text: &str) -> bool {
    is_rgb(text) || text.len() == 9 && is_hexadecimal(text)
}

/// "Specify a RGB color value": `#RRGGBB`.
pub(super) fn is_rgb(text: &str) -> bool {
    text.len() == 7 && is_hexadecimal(text)
}

fn is_hexadecimal(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `{width}:{height}`, where the height is at most "three times the value of `{width}`".
pub(super) fn is_ratio(text: &str) -> bool {
    let sides = text.split_once(':').and_then(|(w, h)| Some((decimal(w)?, decimal(h)?)));
    sides.is_some_and(|(w, h)| RATIO.contains(&w) && RATIO.contains(&h) && h <= 3.0 * w)
}

/// "in the half-open interval [0, 360)".
pub(super) fn is_angle(text: &str) -> bool {
    number_before("deg", text).is_some_and(|degrees| degrees < 360.0)
}

/// "between 0% and 100%".
pub(super) fn is_position(text: &str) -> bool {
    number_before("%", text).is_some_and(|percent| percent <= 100.0)
}

fn number_before(unit: &str, text: &str) -> Option<f64> {
    decimal(text.strip_suffix(unit)?)
}

/// Reads an integer or decimal number without a sign.
fn decimal(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if digits(whole) && digits(part) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_has_its_units() {
        type Form = fn(&str) -> bool;
        let cases: [(Form, &[&str], &[&str]); 12] = [
            (is_space, &["none", "xxl", "0px", "23.5px"], &["10%", "-1px", "full", "5", "px", ""]),
            (is_padding, &["md", "10%", "5px"], &["-5px", "10", "3xl", "1.px"]),
            (is_offset, &["md", "-10%", "-5.5px", "5px"], &["--5px", "5", "light"]),
            (is_pixels_or_percent, &["30px", "30%"], &["md", "30", "-1%", "%"]),
            (is_pixels, &["30px"], &["30%", "md", "1e3px", "+1px", " 1px"]),
            (is_border, &["light", "semi-bold", "1px"], &["md", "1%"]),
            (is_size, &["xxs", "5xl", "12px"], &["none", "full", "12%"]),
            (is_image_size, &["full", "xxs", "5xl", "12px", "50%"], &["none", "big"]),
            (is_color, &["#00ff7F", "#00FF7F80"], &["#fff", "red", "00ff7f", "#00ff7g"]),
            (is_rgb, &["#00ff7F"], &["#00FF7F80", "#0f", "#12345é"]),
            (is_angle, &["0deg", "23.5deg", "359.9deg"], &["360deg", "-1deg", "90"]),
            (is_position, &["0%", "100%", "12.5%"], &["100.1%", "50px"]),
        ];
        for (form, right, wrong) in cases {
            for text in right {
                assert!(form(text), "{text} fits");
            }
            for text in wrong {
                assert!(!form(text), "{text} does not fit");
            }
        }
    }

    #[test]
    fn a_ratio_is_at_most_three_times_as_high_as_wide() {
        for right in ["1:1", "1.91:1", "1:3", "100000:100000", "20:13"] {
            assert!(is_ratio(right), "{right}");
        }
        for wrong in ["1:3.1", "0:1", "1:0", "100001:1", "1", "1:1:1", "a:b", "-1:1"] {
            assert!(!is_ratio(wrong), "{wrong}");
        }
    }
}
