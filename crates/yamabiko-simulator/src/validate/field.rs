//! Fields of a request: what each may hold, and LINE's words for what it may not.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::Problem;
use super::action::{self, Holder};
use super::url;

/// Checks a nested value.
pub(super) type Check = fn(&Place<'_>, &mut Vec<Problem>);

/// Is what the objects of one union may be, by their `type`.
pub(super) type Variants = [(&'static str, &'static [Field])];

/// Is one property of an object.
pub(super) struct Field {
    name: &'static str,
    need: Need,
    kind: Kind,
}

#[derive(PartialEq)]
enum Need {
    Optional,
    /// The property has to be there, if only as an empty string.
    Present,
    Filled,
}

/// Describes a property that may be left out.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, need: Need::Optional, kind }
}

/// Describes a property that has to be there but may be empty.
pub(super) const fn present(name: &'static str, kind: Kind) -> Field {
    Field { name, need: Need::Present, kind }
}

/// Describes a property that has to be there and must not be empty.
pub(super) const fn needed(name: &'static str, kind: Kind) -> Field {
    Field { name, need: Need::Filled, kind }
}

/// Is what a property may hold.
pub(super) enum Kind {
    /// A string of any length.
    Text,
    /// A string of at most so many UTF-16 code units, LINE's usual way to count.
    Utf16(usize),
    /// A string of at most so many grapheme clusters, LINE's way to count in actions and templates.
    Clusters(usize),
    /// At most so many half-width letters, digits and of the given signs.
    Plain(usize, &'static str),
    Digits,
    /// An id, which LINE reads more strictly than other strings.
    Id(fn(&str) -> bool),
    /// A string in a form that LINE describes.
    Form(fn(&str) -> bool),
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// The address of something that LINE fetches.
    Url,
    /// An address that a user opens.
    Link,
    Flag,
    Number,
    Whole,
    AtLeast(i64),
    /// An array with a least and a most size, and the check of each item.
    List(usize, usize, Check),
    /// Whatever the check says.
    Nested(Check),
    /// An object in which LINE speaks as it does inside templates, actions and Flex Messages.
    Part(Check),
    Action(Holder),
}

/// Is a value of a request and where it stands.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) value: &'a Value,
    pub(super) path: String,
    inside_part: bool,
}

impl<'a> Place<'a> {
    /// The whole request.
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new(), inside_part: false }
    }

    pub(super) fn field(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.at(&self.value[name], format!("{}{dot}{name}", self.path))
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(|(n, item)| self.at(item, format!("{}[{n}]", self.path)))
    }

    pub(super) fn part(&self) -> Self {
        Self { inside_part: true, ..self.clone() }
    }

    fn at(&self, value: &'a Value, path: String) -> Self {
        Self { value, path, inside_part: self.inside_part }
    }

    /// The value if it is a string that is not empty.
    pub(super) fn filled(&self) -> Option<&'a str> {
        self.value.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path.as_str(), message)
    }

    pub(super) fn missing(&self) -> Problem {
        self.problem(if self.inside_part { "must be specified" } else { "May not be empty" })
    }

    fn wrong_type(&self) -> Problem {
        if self.inside_part { self.invalid() } else { Problem::unreadable(&self.path) }
    }

    pub(super) fn invalid(&self) -> Problem {
        self.problem("invalid property")
    }

    pub(super) fn too_long(&self, most: usize) -> Problem {
        let what = if self.inside_part { "size" } else { "Length" };
        self.problem(format!("{what} must be between 0 and {most}"))
    }

    pub(super) fn wrong_size(&self, least: usize, most: usize) -> Problem {
        let what = if self.inside_part { "size" } else { "Size" };
        self.problem(format!("{what} must be between {least} and {most}"))
    }

    fn none_of<'b>(&self, known: impl Iterator<Item = &'b str>) -> Problem {
        if self.inside_part {
            return self.invalid();
        }
        let known = known.collect::<Vec<_>>().join(", ");
        self.problem(format!("Must be one of the following values: [{known}]"))
    }
}

/// Checks the fields of an object; what has no field is ignored, as LINE does.
pub(super) fn check(place: &Place<'_>, fields: &[Field], problems: &mut Vec<Problem>) {
    if !place.value.is_object() {
        problems.push(place.wrong_type());
        return;
    }
    for Field { name, need, kind } in fields {
        let place = place.field(name);
        let unfilled = place.value.is_null() || place.value == "" && *need == Need::Filled;
        if !unfilled {
            kind.check(&place, problems);
        } else if *need != Need::Optional {
            problems.push(place.missing());
        }
    }
}

/// Checks an object by its `type`, and gives this if it is known.
pub(super) fn check_variant(
    place: &Place<'_>,
    variants: &Variants,
    problems: &mut Vec<Problem>,
) -> Option<&'static str> {
    if !place.value.is_object() {
        problems.push(place.wrong_type());
        return None;
    }
    let kind = place.field("type");
    let known = variants.iter().find(|(name, _)| kind.value == *name);
    if let Some((name, fields)) = known {
        check(place, fields, problems);
        return Some(name);
    }
    let names = variants.iter().map(|(name, _)| *name);
    let missing = kind.inside_part && kind.value.is_null();
    problems.push(if missing { kind.missing() } else { kind.none_of(names) });
    None
}

impl Kind {
    fn check(&self, place: &Place<'_>, problems: &mut Vec<Problem>) {
        let problem = match self {
            Self::Flag => (!place.value.is_boolean()).then(|| place.wrong_type()),
            Self::Number => (!place.value.is_number()).then(|| place.wrong_type()),
            Self::Whole | Self::AtLeast(_) => self.check_whole(place),
            Self::List(least, most, each) => match place.value.as_array().map(Vec::len) {
                None => Some(place.wrong_type()),
                Some(size) if size < *least || size > *most => {
                    Some(place.wrong_size(*least, *most))
                }
                Some(_) => return place.items().for_each(|item| each(&item, problems)),
            },
            Self::Nested(check) => return check(place, problems),
            Self::Part(check) => return check(&place.part(), problems),
            Self::Action(holder) => return action::check(&place.part(), *holder, problems),
            _ => match place.value.as_str() {
                None => Some(place.wrong_type()),
                Some(text) => self.check_text(text, place),
            },
        };
        problems.extend(problem);
    }

    fn check_whole(&self, place: &Place<'_>) -> Option<Problem> {
        let number = place.value.as_i64().or_else(|| place.value.as_u64().map(|_| i64::MAX));
        match (self, number) {
            (_, None) => Some(place.wrong_type()),
            (Self::AtLeast(least), Some(number)) if number < *least => {
                Some(place.problem(format!("must be greater than or equal to {least}")))
            }
            _ => None,
        }
    }

    fn check_text(&self, text: &str, place: &Place<'_>) -> Option<Problem> {
        let (length, most) = match self {
            Self::Utf16(most) => (utf16(text), *most),
            Self::Clusters(most) => (clusters(text), *most),
            Self::Url => return url::check(text, place),
            Self::Link => return url::check_link(text, place),
            Self::Plain(most, _) if text.len() > *most => return Some(place.too_long(*most)),
            Self::Plain(_, signs) => {
                let message = "Invalid characters are included";
                return (!is_plain(text, signs)).then(|| place.problem(message));
            }
            Self::Digits => {
                let digits = text.bytes().all(|b| b.is_ascii_digit());
                return (!digits).then(|| place.problem("Must be a number"));
            }
            Self::Id(fits) => {
                return (!fits(text)).then(|| Problem::unreadable(&place.path));
            }
            Self::Form(fits) => return (!fits(text)).then(|| place.invalid()),
            Self::OneOf(words) => {
                let known = words.contains(&text);
                return (!known).then(|| place.none_of(words.iter().copied()));
            }
            _ => return None,
        };
        (length > most).then(|| place.too_long(most))
    }
}

/// Counts the UTF-16 code units of a text.
pub(super) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Counts the grapheme clusters of a text.
pub(super) fn clusters(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Tells whether a text has only half-width letters, digits and the given signs.
pub(super) fn is_plain(text: &str, signs: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}
