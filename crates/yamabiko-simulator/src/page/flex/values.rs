//! The values of flex properties, checked, and put as CSS knows them.

use serde_json::Value;

/// Collects CSS declarations; `page.js` sets them, since the page allows no inline styles.
#[derive(Debug, Default)]
pub(crate) struct Style(String);

impl Style {
    /// Adds a declaration, if there is a value.
    pub(crate) fn set(&mut self, property: &str, value: Option<String>) {
        if let Some(value) = value {
            if !self.0.is_empty() {
                self.0.push(';');
            }
            self.0.push_str(property);
            self.0.push(':');
            self.0.push_str(&value);
        }
    }

    /// All declarations; `None` if there are none.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

/// Reads `#RRGGBB` or `#RRGGBBAA`.
pub(crate) fn colour(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let digits = text.strip_prefix('#')?;
    let valid = matches!(digits.len(), 6 | 8) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    valid.then(|| text.to_owned())
}

/// Finds a keyword's pixels.
fn keyword(words: &[(&str, &str)], value: &Value) -> Option<String> {
    let text = value.as_str()?;
    words.iter().find(|(word, _)| *word == text).map(|(_, pixels)| format!("{pixels}px"))
}

/// Reads a number with a unit.
fn measure(value: &Value, units: &[&str]) -> Option<String> {
    let text = value.as_str()?;
    let unit = units.iter().find(|unit| text.ends_with(**unit))?;
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    number.is_finite().then(|| format!("{number}{unit}"))
}

/// Reads a margin, a spacing or a padding.
pub(crate) fn space(value: &Value) -> Option<String> {
    let words = [
        ("none", "0"),
        ("xs", "2"),
        ("sm", "4"),
        ("md", "8"),
        ("lg", "12"),
        ("xl", "16"),
        ("xxl", "20"),
    ];
    keyword(&words, value).or_else(|| measure(value, &["px", "%"]))
}

/// Reads a width or a height.
pub(crate) fn length(value: &Value) -> Option<String> {
    measure(value, &["px", "%"])
}

/// Reads the size of a text or an icon.
pub(crate) fn font(value: &Value) -> Option<String> {
    let words = [
        ("xxs", "11"),
        ("xs", "13"),
        ("sm", "14"),
        ("md", "16"),
        ("lg", "19"),
        ("xl", "22"),
        ("xxl", "29"),
        ("3xl", "35"),
        ("4xl", "48"),
        ("5xl", "74"),
    ];
    keyword(&words, value).or_else(|| measure(value, &["px"]))
}

/// Reads the width of a picture; 100 px is the usual one.
pub(crate) fn picture(value: &Value) -> String {
    let words = [
        ("xxs", "40"),
        ("xs", "60"),
        ("sm", "80"),
        ("md", "100"),
        ("lg", "120"),
        ("xl", "140"),
        ("xxl", "160"),
        ("3xl", "180"),
        ("4xl", "200"),
        ("5xl", "220"),
    ];
    if value == "full" {
        return "100%".into();
    }
    keyword(&words, value).or_else(|| length(value)).unwrap_or_else(|| "100px".into())
}

/// Reads the radius of corners.
pub(crate) fn radius(value: &Value) -> Option<String> {
    space(value)
}

/// Reads the width of a border.
pub(crate) fn border(value: &Value) -> Option<String> {
    let words = [
        ("none", "0"),
        ("light", "0.5"),
        ("normal", "1"),
        ("medium", "2"),
        ("semi-bold", "3"),
        ("bold", "4"),
    ];
    keyword(&words, value).or_else(|| measure(value, &["px"]))
}

/// Reads `20:13`.
pub(crate) fn ratio(value: &Value) -> Option<String> {
    let (width, height) = value.as_str()?.split_once(':')?;
    let number =
        |text: &str| text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
    Some(format!("{} / {}", number(width)?, number(height)?))
}

/// Finds what CSS calls an alignment.
pub(crate) fn one_of(value: &Value, words: &[(&str, &str)]) -> Option<String> {
    let text = value.as_str()?;
    words.iter().find(|(word, _)| *word == text).map(|(_, css)| (*css).to_owned())
}

/// Lets only known words through.
pub(crate) fn among<'a>(value: &'a Value, known: &[&str]) -> Option<&'a str> {
    value.as_str().filter(|word| known.contains(word))
}

/// Reads a box's gradient.
pub(crate) fn gradient(background: &Value) -> Option<String> {
    let angle = measure(&background["angle"], &["deg"])?;
    let (start, end) = (colour(&background["startColor"])?, colour(&background["endColor"])?);
    let center = colour(&background["centerColor"]).map(|center| {
        let at = measure(&background["centerPosition"], &["%"]).unwrap_or_else(|| "50%".into());
        format!("{center} {at}, ")
    });
    Some(format!("linear-gradient({angle}, {start}, {}{end})", center.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_colours_of_hexadecimal_digits_get_through() {
        assert_eq!(colour(&json!("#17c950")).as_deref(), Some("#17c950"));
        assert_eq!(colour(&json!("#17c95080")).as_deref(), Some("#17c95080"));
        for wrong in ["red", "#fff", "#12345g", "#123456;position:fixed", "url(x)"] {
            assert_eq!(colour(&json!(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn spaces_are_keywords_or_measures_and_nothing_else() {
        assert_eq!(space(&json!("xl")).as_deref(), Some("16px"));
        assert_eq!(space(&json!("7.5px")).as_deref(), Some("7.5px"));
        assert_eq!(space(&json!("10%")).as_deref(), Some("10%"));
        for wrong in [json!("1px;x:y"), json!("infpx"), json!("em"), json!(3)] {
            assert_eq!(space(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_ratio_is_two_numbers_above_zero() {
        assert_eq!(ratio(&json!("20:13")).as_deref(), Some("20 / 13"));
        assert_eq!(ratio(&json!("1:0")), None);
    }

    #[test]
    fn a_gradient_needs_its_angle_and_two_colours() {
        let mut given = json!({ "angle": "90deg", "startColor": "#000000", "endColor": "#ffffff" });
        assert_eq!(gradient(&given).as_deref(), Some("linear-gradient(90deg, #000000, #ffffff)"));
        given["endColor"] = "white".into();
        assert_eq!(gradient(&given), None);
    }
}
