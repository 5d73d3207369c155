//! Whose picture it is, and whether its licence lets the bot show it.

use serde::{Deserialize, Serialize};

use super::answer::{ImageInfo, RawPage};

/// How many characters of an artist's name are said.
const ARTIST_CHARS: usize = 100;
/// How many characters of a title or licence are said.
const NAME_CHARS: usize = 80;

/// What must be said beside a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credit {
    /// The file's name.
    pub(crate) title: String,
    /// Who made it, as plain text; empty where the wiki does not say.
    pub(crate) artist: String,
    /// The short name of the licence, like `CC BY-SA 4.0`.
    pub(crate) license: String,
    /// The page that tells all about the file.
    pub(crate) url: String,
}

impl Credit {
    /// Returns the credit of a file, if it is free.
    pub(super) fn of(file: &RawPage, info: &ImageInfo) -> Option<Self> {
        let is_set = |value: &str| !matches!(value.trim(), "" | "0" | "false");
        if info.said("NonFree").is_some_and(is_set) {
            return None;
        }
        let named = info.said("LicenseShortName").map(|name| plain(name, NAME_CHARS));
        let license = named
            .or_else(|| info.said("License").map(|code| plain(code, NAME_CHARS)))
            .filter(|license| is_free(license))?;
        // With long addresses, as Japanese names make them, the credits of three collages are more than one message.
        let urls = [&info.descriptionshorturl, &info.descriptionurl];
        let url = urls.into_iter().flatten().find(|url| super::is_web(url))?.clone();
        let name = file.title.split_once(':').map_or(file.title.as_str(), |(_, name)| name);
        Some(Self {
            title: plain(name, NAME_CHARS),
            artist: info.said("Artist").map(|html| plain(html, ARTIST_CHARS)).unwrap_or_default(),
            license,
            url,
        })
    }
}

/// Tells whether a licence lets everybody use and change a work, also for money.
fn is_free(license: &str) -> bool {
    let license = license.to_lowercase().replace(['_', ' '], "-");
    let words: Vec<_> = license.split('-').filter(|word| !word.is_empty()).collect();
    let restricts = |word: &&str| {
        matches!(*word, "nc" | "nd" | "non" | "noncommercial" | "noderivs" | "noderivatives")
            || matches!(*word, "commercial" | "derivs" | "derivatives")
    };
    if words.iter().any(restricts) {
        return false;
    }
    match words.as_slice() {
        ["public", "domain", ..] | ["pd" | "cc0" | "gfdl" | "fal" | "attribution", ..] => true,
        ["cc", "by", "sa", version @ ..] | ["cc", "by", version @ ..] => is_version(version),
        ["cc", "zero" | "pd", ..] => true,
        _ => false,
    }
}

/// Tells whether words name a version of a licence and perhaps a country, like `3.0-de`.
fn is_version(words: &[&str]) -> bool {
    words.iter().all(|word| {
        word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '+'))
            || (word.len() <= 8 && word.chars().all(|c| c.is_ascii_alphabetic()))
    })
}

/// Turns HTML into one line of plain text.
fn plain(html: &str, max_chars: usize) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let Some((tag, after)) = tag.split_once('>') else {
            rest = "";
            break;
        };
        let name = tag.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        rest = match name.as_str() {
            // Their content is not text.
            "style" | "script" => after.split_once("</").map_or("", |(_, end)| end),
            _ => after,
        };
        if matches!(name.as_str(), "style" | "script") {
            rest = rest.split_once('>').map_or("", |(_, after)| after);
        }
        if matches!(name.as_str(), "br" | "br/" | "p" | "/p" | "/div" | "/li" | "/td") {
            text.push(' ');
        }
    }
    text.push_str(rest);
    one_line(&decode(&text), max_chars)
}

fn decode(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let entity = after.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        match entity {
            Some((character, after)) => {
                decoded.push(character);
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "copy" => '©',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// Makes one line of at most `max_chars` characters, without what could disturb the text around it.
fn one_line(text: &str, max_chars: usize) -> String {
    // Marks of direction and invisible characters.
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let visible: String = text
        .chars()
        .filter(|c| !hidden(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max_chars {
        return line;
    }
    let short: String = line.chars().take(max_chars - 1).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn free_licences_are_known_by_their_names_and_codes() {
        for license in [
            "Public domain",
            "CC0",
            "CC BY 4.0",
            "CC BY-SA 3.0",
            "CC BY-SA 3.0 de",
            "cc-by-sa-4.0",
            "CC BY-SA 2.5,2.0,1.0",
            "cc-by-sa-3.0-migrated",
            "GFDL",
            "GFDL 1.2",
            "pd",
            "PD-old",
            "FAL",
            "Attribution",
            "cc-zero",
            "CC BY-SA 3.0 igo",
        ] {
            assert!(is_free(license), "{license}");
        }
    }

    #[test]
    fn all_other_licences_are_left_out() {
        for license in [
            "",
            "Fair use",
            "CC BY-NC 4.0",
            "CC BY-ND 2.0",
            "CC BY-NC-SA 3.0",
            "cc-by-nc-nd-4.0",
            "All rights reserved",
            "Copyrighted",
            "CC",
            "cc-by-sa-unknownlicence",
            "GFDL-NC",
            "Attribution Non-Commercial 2.0",
            "Attribution-NoDerivatives 4.0",
            "CC BY-No-Derivs 2.0",
            "by",
        ] {
            assert!(!is_free(license), "{license}");
        }
    }

    #[test]
    fn a_credit_has_the_short_address_if_there_is_one() {
        let url = |short: Option<&str>| {
            let info = serde_json::json!({
                "descriptionurl": "https://wiki.example/wiki/File:A.jpg",
                "descriptionshorturl": short,
                "extmetadata": { "LicenseShortName": { "value": "CC0" } },
            });
            let info = serde_json::from_str(&info.to_string()).unwrap();
            Credit::of(&RawPage::default(), &info).unwrap().url
        };
        let short = "https://wiki.example/w/index.php?curid=7";
        assert_eq!(url(Some(short)), short);
        for none in [None, Some("javascript:alert(1)")] {
            assert_eq!(url(none), "https://wiki.example/wiki/File:A.jpg");
        }
    }

    #[test]
    fn an_artist_is_plain_text() {
        let html = "<style data-mw=\"x\">.a{color:red}</style><a href=\"//x\" title=\"a\">J&#246;rg\n \
                    &amp; &lt;Co&gt;</a><br/>Tokyo&nbsp;\u{202e}\u{7}";
        assert_eq!(plain(html, 100), "Jörg & <Co> Tokyo");
        assert_eq!(plain("a <b", 100), "a");
        assert_eq!(plain("R&D; &unknown; &#xffffffff; &", 100), "R&D; &unknown; &#xffffffff; &");
    }

    #[test]
    fn an_artist_has_at_most_100_characters() {
        let long = plain(&"山".repeat(101), ARTIST_CHARS);
        assert_eq!(long.chars().count(), 100);
        assert!(long.ends_with('…'));
        assert_eq!(plain(&"山".repeat(100), ARTIST_CHARS), "山".repeat(100));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_bounded_line(html in "(<|>|&|#|;|style|script|/|\\PC|\n){0,60}") {
            let line = plain(&html, 20);
            prop_assert!(line.chars().count() <= 20);
            prop_assert!(!line.contains('\n'));
        }
    }
}
