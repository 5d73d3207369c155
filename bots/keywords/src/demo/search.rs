//! Finds pages of the demonstration for a text.

use super::pages::{DemoPage, PAGES};
use crate::wiki::Language;

/// What a page's own name in the text counts for, beside mentions of other names in the page.
const OWN_NAME: usize = 100;

/// Returns the pages that a text speaks of, the best first.
pub(super) fn search(text: &str, language: Language, at_most: usize) -> Vec<&'static DemoPage> {
    let text = text.to_lowercase();
    let pages = || PAGES.iter().filter(|page| page.language == language);
    let spoken_of: Vec<_> =
        pages().flat_map(DemoPage::names).filter(|name| speaks_of(&text, name)).collect();
    let score = |page: &DemoPage| -> usize {
        let own = page.names().filter(|name| speaks_of(&text, name)).count();
        let words = page.text.to_lowercase();
        let mentions: usize =
            spoken_of.iter().map(|name| words.matches(&name.to_lowercase()).count()).sum();
        own * OWN_NAME + mentions
    };
    let mut found: Vec<_> =
        pages().map(|page| (score(page), page)).filter(|(score, _)| *score > 0).collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().take(at_most).map(|(_, page)| page).collect()
}

/// Returns the page of a title and, where a redirect leads to it, the redirect's title.
pub(super) fn titled(
    title: &str,
    language: Language,
) -> Option<(&'static DemoPage, Option<&'static str>)> {
    PAGES.iter().filter(|page| page.language == language).find_map(|page| {
        if page.title == title {
            return Some((page, None));
        }
        let redirect = page.redirects.iter().find(|redirect| **redirect == title)?;
        Some((page, Some(*redirect)))
    })
}

/// Tells whether a text in small letters has a name; of names in Latin letters, only whole words.
fn speaks_of(text: &str, name: &str) -> bool {
    let name = name.to_lowercase();
    text.match_indices(&name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !name.is_ascii()
            || ![before, after].into_iter().flatten().any(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str, language: Language) -> Vec<&'static str> {
        search(text, language, 10).into_iter().map(|page| page.title).collect()
    }

    #[test]
    fn a_paragraph_finds_the_pages_that_it_is_about() {
        let found = titles("昨日は新幹線に乗って、富士山まで行ったよ", Language::Japanese);
        assert!(found[..2].contains(&"新幹線") && found[..2].contains(&"富士山"), "{found:?}");
        let found = titles("We took the bullet train past Mt. Fuji.", Language::English);
        assert!(found.contains(&"Shinkansen") && found.contains(&"Mount Fuji"), "{found:?}");
    }

    #[test]
    fn an_unrelated_text_finds_nothing() {
        assert_eq!(titles("宿題がなかなか終わらない", Language::Japanese), Vec::<&str>::new());
        assert_eq!(titles("My keyboard edonism is online", Language::English), Vec::<&str>::new());
        assert_eq!(titles("", Language::Japanese), Vec::<&str>::new());
    }

    #[test]
    fn one_name_finds_pages_that_mention_it() {
        let found = titles("東京", Language::Japanese);
        assert_eq!(found[0], "東京");
        assert!(found.len() >= 8, "{found:?}");
    }

    #[test]
    fn titles_and_redirects_lead_to_pages_of_their_language_only() {
        let (page, redirect) = titled("けもフレ", Language::Japanese).unwrap();
        assert_eq!((page.title, redirect), ("けものフレンズ", Some("けもフレ")));
        assert!(titled("けもフレ", Language::English).is_none());
        assert!(titled("東", Language::Japanese).is_none());
    }

    #[test]
    fn every_page_mentions_others() {
        for page in PAGES {
            let others = PAGES.iter().filter(|other| other.title != page.title);
            let words = page.text.to_lowercase();
            let mentioned = others.filter(|other| words.contains(&other.title.to_lowercase()));
            assert!(mentioned.count() >= 2, "{}", page.title);
        }
    }
}
