//! What can be set about the wiki.

use std::{str::FromStr, time::Duration};

use reqwest::{Url, header::HeaderValue};
use yamabiko::Setting;

use crate::language::Language;

/// The address of MediaWiki's API, with `{language}` where the language's code belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaWikiUrl(String);

impl MediaWikiUrl {
    pub(super) fn of(&self, language: Language) -> Url {
        self.with(language.code()).expect("was parsed when it was set")
    }

    /// Returns the addresses in all languages.
    pub(super) fn all(&self) -> [Url; 2] {
        [Language::Japanese, Language::English].map(|language| self.of(language))
    }

    fn with(&self, code: &str) -> Result<Url, String> {
        Url::parse(&self.0.replace("{language}", code)).map_err(|error| error.to_string())
    }
}

impl FromStr for MediaWikiUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = Self(text.trim().to_owned());
        let good = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.query().is_none()
                && url.fragment().is_none()
                && !url.as_str().contains(['{', '}'])
                && !url.path().contains("%7B")
        };
        match address.with("en") {
            Ok(url) if good(&url) => Ok(address),
            _ => Err(format!("write the address of api.php, like {}", Self::DEFAULT)),
        }
    }
}

impl Setting for MediaWikiUrl {
    const NAME: &'static str = "MEDIAWIKI_URL";
    const DEFAULT: &'static str = "https://{language}.wikipedia.org/w/api.php";
    const ABOUT: &'static str =
        "Address of MediaWiki's API; {language} becomes ja or en, the text's language.";
}

/// How the bot names itself to the wiki.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaWikiUserAgent(HeaderValue);

impl MediaWikiUserAgent {
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Tells whether it says whom to write to, as Wikimedia's policy asks of bots.
    pub(crate) fn names_a_contact(&self) -> bool {
        self.0.to_str().is_ok_and(|text| text.contains('@') || text.contains("://"))
    }
}

impl FromStr for MediaWikiUserAgent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let printable = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        // Wikimedia takes bots that pass for browsers as malicious.
        if text.is_empty() || !printable || text.starts_with("Mozilla") {
            return Err("write the bot's name and whom to write to, in ASCII, \
                        like MyBot/1.0 (https://example.org/bot; bot@example.org)"
                .to_owned());
        }
        HeaderValue::from_str(text).map(Self).map_err(|error| error.to_string())
    }
}

impl Setting for MediaWikiUserAgent {
    const NAME: &'static str = "MEDIAWIKI_USER_AGENT";
    const DEFAULT: &'static str = concat!(
        "YamabikoKeywordBot/",
        env!("CARGO_PKG_VERSION"),
        " (a LINE bot; its operator has named no contact)"
    );
    const ABOUT: &'static str =
        "How the bot names itself to MediaWiki; Wikimedia asks for a page or mail address in it.";
}

/// How long one request to the wiki may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaWikiTimeoutSeconds(pub(crate) Duration);

impl FromStr for MediaWikiTimeoutSeconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        whole(text, 1..=60).map(|seconds| Self(Duration::from_secs(seconds.into())))
    }
}

impl Setting for MediaWikiTimeoutSeconds {
    const NAME: &'static str = "MEDIAWIKI_TIMEOUT_SECONDS";
    const DEFAULT: &'static str = "10";
    const ABOUT: &'static str = "How many seconds one request to MediaWiki may take, 1 to 60.";
}

/// How many requests go to the wiki in a second, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaWikiRequestsPerSecond(pub(crate) u32);

impl FromStr for MediaWikiRequestsPerSecond {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        whole(text, 1..=100).map(Self)
    }
}

impl Setting for MediaWikiRequestsPerSecond {
    const NAME: &'static str = "MEDIAWIKI_REQUESTS_PER_SECOND";
    const DEFAULT: &'static str = "5";
    const ABOUT: &'static str =
        "How many requests a process sends to MediaWiki in a second at most, 1 to 100.";
}

fn whole(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, String> {
    let number = text.trim().parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("write a whole number from {} to {}", range.start(), range.end()))
}

/// All that can be set about the wiki.
#[derive(Clone, Debug)]
pub(crate) struct WikiSettings {
    pub(crate) url: MediaWikiUrl,
    pub(crate) user_agent: MediaWikiUserAgent,
    /// How long one request may take, its redirects and its body included.
    pub(crate) timeout: Duration,
    pub(crate) requests_per_second: u32,
    /// How many bytes of answers are kept in memory.
    pub(crate) answer_bytes: u64,
    /// How many bytes of pictures are kept in memory.
    pub(crate) picture_bytes: u64,
    /// How long answers and pictures are kept.
    pub(crate) keep: Duration,
}

impl WikiSettings {
    /// Takes what was set; caches hold 8 MiB of answers and 16 MiB of pictures for an hour.
    pub(crate) fn new(
        url: MediaWikiUrl,
        user_agent: MediaWikiUserAgent,
        timeout: MediaWikiTimeoutSeconds,
        rate: MediaWikiRequestsPerSecond,
    ) -> Self {
        Self {
            url,
            user_agent,
            timeout: timeout.0,
            requests_per_second: rate.0,
            answer_bytes: 8 * 1024 * 1024,
            picture_bytes: 16 * 1024 * 1024,
            keep: Duration::from_secs(60 * 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<T: Setting>(text: &str) -> Result<T, String> {
        text.parse::<T>().map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_can_be_parsed() {
        let url: MediaWikiUrl = parse(MediaWikiUrl::DEFAULT).unwrap();
        assert_eq!(url.of(Language::Japanese).as_str(), "https://ja.wikipedia.org/w/api.php");
        assert_eq!(url.of(Language::English).as_str(), "https://en.wikipedia.org/w/api.php");
        let agent: MediaWikiUserAgent = parse(MediaWikiUserAgent::DEFAULT).unwrap();
        assert!(!agent.names_a_contact());
        parse::<MediaWikiTimeoutSeconds>(MediaWikiTimeoutSeconds::DEFAULT).unwrap();
        parse::<MediaWikiRequestsPerSecond>(MediaWikiRequestsPerSecond::DEFAULT).unwrap();
    }

    #[test]
    fn what_is_not_the_address_of_an_api_is_refused_with_an_example() {
        for text in ["", "ja.wikipedia.org", "ftp://wiki/api.php", "https://{lang}.wiki/api.php"] {
            let error = parse::<MediaWikiUrl>(text).unwrap_err();
            assert!(error.contains("https://{language}.wikipedia.org/w/api.php"), "{text}");
        }
        assert!(parse::<MediaWikiUrl>("http://127.0.0.1:80/w/api.php?a=b").is_err());
        assert!(parse::<MediaWikiUrl>("http://127.0.0.1:80/w/{lang}/api.php").is_err());
        assert!(parse::<MediaWikiUrl>("http://127.0.0.1:80/w/api.php").is_ok());
    }

    #[test]
    fn a_user_agent_is_ascii_and_no_browsers() {
        for text in ["", "ボット", "Mozilla/5.0", "bot\nx: y"] {
            assert!(parse::<MediaWikiUserAgent>(text).is_err(), "{text:?}");
        }
        assert!(parse::<MediaWikiUserAgent>("Bot/1 (me@example.org)").unwrap().names_a_contact());
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        let error = parse::<MediaWikiTimeoutSeconds>("0").unwrap_err();
        assert_eq!(error, "write a whole number from 1 to 60");
        assert_eq!(parse::<MediaWikiTimeoutSeconds>(" 60 ").unwrap().0.as_secs(), 60);
        let error = parse::<MediaWikiRequestsPerSecond>("101").unwrap_err();
        assert_eq!(error, "write a whole number from 1 to 100");
    }
}
