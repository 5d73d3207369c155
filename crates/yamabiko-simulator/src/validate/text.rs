//! Texts: LINE's own emojis in them, and mentions and emojis between braces.

use super::Problem;
use super::field::{self, Field, Kind, Place, Variants, needed, utf16};
use crate::id;

/// LINE's reference, text message (v2): "Max number of objects: 100".
const MAX_SUBSTITUTIONS: usize = 100;
/// LINE's reference, text message (v2): "the maximum length of the key is 20 characters".
const MAX_KEY: usize = 20;
/// LINE's reference: "Up to 20 mentions [and up to 20 emoji] can be substituted".
const MAX_OF_A_KIND: usize = 20;

static EMOJI: &[Field] =
    &[needed("index", Kind::Whole), needed("productId", Kind::Text), needed("emojiId", Kind::Text)];

static SUBSTITUTES: &Variants = &[
    ("emoji", &[needed("productId", Kind::Text), needed("emojiId", Kind::Text)]),
    ("mention", &[needed("mentionee", Kind::Nested(check_mentionee))]),
];

static MENTIONEES: &Variants =
    &[("all", &[]), ("user", &[needed("userId", Kind::Id(id::is_user))])];

pub(super) fn check_emoji(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, EMOJI, problems);
}

/// LINE's reference: an `index` that is not the position of a `$` is answered 400.
pub(super) fn check_positions(message: &Place<'_>, problems: &mut Vec<Problem>) {
    let text = message.field("text").filled().unwrap_or_default();
    let units: Vec<u16> = text.encode_utf16().collect();
    for emoji in message.field("emojis").items() {
        let index = emoji.field("index");
        if !index.value.is_i64() && !index.value.is_u64() {
            continue;
        }
        let at = index.value.as_u64().and_then(|at| usize::try_from(at).ok());
        let unit = at.and_then(|at| units.get(at));
        if unit != Some(&u16::from(b'$')) {
            problems.push(index.problem("Must be the position of a $ in the text"));
        }
    }
}

/// Checks what the text's braces may stand for.
pub(super) fn check_substitution(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check(place, &[], problems);
    let Some(substitution) = place.value.as_object() else { return };
    if substitution.len() > MAX_SUBSTITUTIONS {
        problems.push(place.wrong_size(0, MAX_SUBSTITUTIONS));
    }
    for key in substitution.keys() {
        let place = place.field(key);
        if utf16(key) > MAX_KEY {
            problems.push(place.too_long(MAX_KEY));
        } else if key.is_empty() || !field::is_plain(key, "_") {
            problems.push(place.problem("Invalid characters are included"));
        }
        field::check_variant(&place, SUBSTITUTES, problems);
    }
}

fn check_mentionee(place: &Place<'_>, problems: &mut Vec<Problem>) {
    field::check_variant(place, MENTIONEES, problems);
}

/// Finds the mentions of a message.
pub(super) fn mentions<'a>(message: &Place<'a>) -> impl Iterator<Item = Place<'a>> {
    let place = message.field("substitution");
    let keys = place.value.as_object().into_iter().flat_map(serde_json::Map::keys);
    let places: Vec<_> = keys.map(|key| place.field(key)).collect();
    places.into_iter().filter(|place| place.value["type"] == "mention")
}

/// LINE's reference: braces "must be used in pairs", and each pair has its substitution.
pub(super) fn check_placeholders(message: &Place<'_>, problems: &mut Vec<Problem>) {
    let place = message.field("text");
    let Some(text) = place.filled() else { return };
    let Some(keys) = placeholders(text) else {
        problems.push(place.problem("{ and } must be used in pairs"));
        return;
    };
    let substitution = message.field("substitution");
    let kinds = keys.iter().map(|key| (key, &substitution.value[*key]["type"]));
    for (key, _) in kinds.clone().filter(|(key, _)| substitution.value[**key].is_null()) {
        problems.push(substitution.field(key).missing());
    }
    for kind in ["mention", "emoji"] {
        if kinds.clone().filter(|(_, this)| *this == kind).count() > MAX_OF_A_KIND {
            problems
                .push(place.problem(format!("Up to {MAX_OF_A_KIND} {kind}s can be substituted")));
        }
    }
}

/// Finds what stands between braces; `{{` and `}}` stand for themselves.
fn placeholders(text: &str) -> Option<Vec<&str>> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            rest = after;
        } else {
            let (key, after) = after.split_once('}').filter(|_| brace == "{")?;
            if key.contains('{') {
                return None;
            }
            keys.push(key);
            rest = after;
        }
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{
        assert_limit, assert_valid, assert_wrong, example, letters, with, without,
    };

    fn emoji(index: usize) -> Value {
        json!({ "index": index, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001" })
    }

    #[test]
    fn an_emoji_stands_at_a_dollar_sign_counted_in_utf_16_units() {
        let message = with(&example("text"), "/text", "🍎$a$");
        let message = with(&message, "/emojis", json!([emoji(2), emoji(4)]));
        assert_valid(&message);
        for wrong in [json!(1), json!(3), json!(5), json!(-1), json!(u64::MAX)] {
            assert_limit(&message, "/emojis/0/index", 2, wrong);
        }
        for name in ["index", "productId", "emojiId"] {
            let pointer = format!("/emojis/1/{name}");
            assert_wrong(&without(&message, &pointer), &pointer);
        }
    }

    #[test]
    fn a_text_has_at_most_20_emojis() {
        let message = with(&example("text"), "/text", "$".repeat(21));
        let emojis = |count: usize| (0..count).map(emoji).collect::<Vec<_>>();
        assert_limit(&message, "/emojis", emojis(20), emojis(21));
    }

    fn substituted(text: &str, keys: &[&str], object: &Value) -> Value {
        let message = with(&example("textV2"), "/substitution", json!({}));
        let message = with(&message, "/text", text);
        keys.iter()
            .fold(message, |m, key| with(&m, &format!("/substitution/{key}"), object.clone()))
    }

    fn smile() -> Value {
        json!({ "type": "emoji", "productId": "p", "emojiId": "e" })
    }

    fn everyone() -> Value {
        json!({ "type": "mention", "mentionee": { "type": "all" } })
    }

    #[test]
    fn braces_stand_in_pairs_and_have_their_substitution() {
        for text in ["{a}", "{a}{a} {a}", "{{a}}", "{{{a}}}", "{{ }} {{", "é{a}é", "a"] {
            assert_valid(&substituted(text, &["a"], &smile()));
        }
        for text in ["{a", "a}", "{a{a}}", "}{", "{{a}", "{a}}"] {
            assert_wrong(&substituted(text, &["a"], &smile()), "/text");
        }
        assert_wrong(&substituted("{a}{b}", &["a"], &smile()), "/substitution/b");
        assert_wrong(&with(&example("textV2"), "/text", "{a}"), "/substitution/a");
    }

    #[test]
    fn keys_have_20_letters_digits_and_underscores() {
        let key = |key: &str| substituted("hi", &[key], &smile());
        assert_valid(&key(&letters(20)));
        assert_valid(&key("user_1"));
        assert_wrong(&key(&letters(21)), &format!("/substitution/{}", letters(21)));
        assert_wrong(&key("user-1"), "/substitution/user-1");
    }

    #[test]
    fn there_are_at_most_100_substitutions_20_mentions_and_20_emojis() {
        let keys: Vec<String> = (0..101).map(|n| format!("k{n}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        assert_valid(&substituted("hi", &keys[..100], &smile()));
        assert_wrong(&substituted("hi", &keys, &smile()), "/substitution");
        for object in [smile(), everyone()] {
            assert_valid(&substituted(&"{a}".repeat(20), &["a"], &object));
            assert_wrong(&substituted(&"{a}".repeat(21), &["a"], &object), "/text");
        }
    }

    #[test]
    fn a_substitution_is_an_emoji_or_a_mention() {
        let user = |id: &str| json!({ "type": "user", "userId": id });
        let message = substituted("{a}", &["a"], &everyone());
        let pointer = "/substitution/a/mentionee";
        let right = user("U11111111111111111111111111111111");
        assert_valid(&with(&message, pointer, right));
        for (wrong, at) in [(user("me"), "/userId"), (json!({ "type": "some" }), "/type")] {
            assert_wrong(&with(&message, pointer, wrong), &format!("{pointer}{at}"));
        }
        for (object, at) in [
            (json!({ "type": "song" }), "/type"),
            (json!({ "type": "mention" }), "/mentionee"),
            (json!({ "type": "emoji", "emojiId": "e" }), "/productId"),
            (json!({ "type": "emoji", "productId": "p" }), "/emojiId"),
        ] {
            let wrong = substituted("{a}", &["a"], &object);
            assert_wrong(&wrong, &format!("/substitution/a{at}"));
        }
    }
}
