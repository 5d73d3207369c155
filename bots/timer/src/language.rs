//! Which language a chat is spoken to in: the profile's, else the text's, else Japanese.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{Context, Timestamp};

/// A language that the bot speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Japanese,
    English,
}

/// What the bot remembers of a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chat {
    /// What the user's profile says, if it says anything.
    profile: Option<Language>,
    /// When the profile was last asked for.
    asked: Option<Timestamp>,
    /// How many timers are pending, or were when they were last counted, with those that were started since.
    #[serde(default)]
    pub(crate) pending_at_most: u32,
}

/// How long an answer waits for a profile that has not been seen yet.
const PATIENCE: Duration = Duration::from_millis(300);
/// After how long a known profile is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// After how long a profile that failed to load is asked for again.
const TRY_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Returns the language for the answer to `text`; a profile that fails to load is done without.
pub(crate) async fn of_chat(cx: &Context<Chat>, text: &str) -> Language {
    let mut chat = cx.state();
    let wait = if chat.profile.is_some() { ASK_AGAIN } else { TRY_AGAIN };
    if chat.asked.is_none_or(|asked| cx.now().since(asked) >= wait) {
        tokio::select! {
            profile = cx.profile() => {
                let language = profile.ok().and_then(|profile| profile.language);
                chat.profile = language.as_deref().map(of_tag).or(chat.profile);
            }
            () = cx.sleep(PATIENCE) => {}
        }
        chat.asked = Some(cx.now());
        cx.set_state(chat.clone());
    }
    chat.profile.or_else(|| of_script(text)).unwrap_or(Language::Japanese)
}

/// Returns the language for a BCP 47 tag as LINE's profile has it.
fn of_tag(tag: &str) -> Language {
    if tag == "ja" || tag.starts_with("ja-") { Language::Japanese } else { Language::English }
}

/// Returns the language of a text by its script, if that tells.
fn of_script(text: &str) -> Option<Language> {
    let japanese = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9f}');
    if text.chars().any(japanese) {
        Some(Language::Japanese)
    } else {
        text.chars().any(|c| c.is_ascii_alphabetic()).then_some(Language::English)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_in_another_language_is_spoken_to_in_english() {
        assert_eq!(of_tag("ja"), Language::Japanese);
        assert_eq!(of_tag("ja-JP"), Language::Japanese);
        assert_eq!(of_tag("en"), Language::English);
        assert_eq!(of_tag("zh-Hant"), Language::English);
        assert_eq!(of_tag("jam"), Language::English);
    }

    #[test]
    fn a_text_tells_its_language_by_its_script() {
        assert_eq!(of_script("一覧"), Some(Language::Japanese));
        assert_eq!(of_script("hello を"), Some(Language::Japanese));
        assert_eq!(of_script("hello"), Some(Language::English));
        assert_eq!(of_script("180"), None);
        assert_eq!(of_script("１８０"), None);
        assert_eq!(of_script("😄"), None);
    }
}
