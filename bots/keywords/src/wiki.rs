//! Asks MediaWiki's API (Wikipedia, unless set otherwise) for pages about a text, links and freely licensed pictures.

mod answer;
mod credit;
mod error;
mod http;
mod network;
mod pictures;
mod query;
pub(crate) mod settings;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use moka::future::Cache;
use reqwest::Url;

use self::{
    answer::{Answer, RawPage},
    http::{Http, Place},
    network::Network,
};
pub(crate) use self::{
    credit::Credit, error::WikiError, pictures::Thumbnail, settings::WikiSettings,
};
use crate::language::Language;

/// The largest answer in JSON, in bytes after decompression.
const MAX_JSON: usize = 2 * 1024 * 1024;
/// How many pages one search finds.
const HITS: &str = "10";
/// How many characters of a page's introduction are asked for; the API allows no more.
const EXTRACT_CHARS: &str = "1200";
/// The longest address in bytes; that of the longest title has some 800.
const MAX_ADDRESS: usize = 1000;
/// How many parts of one answer are asked for.
const MAX_PARTS: usize = 4;

/// A client of MediaWiki that all jobs of a process share.
///
/// It makes one request at a time, no faster than the settings allow, and none before the time that the wiki asked it to wait
/// (for pictures apart from all else).
/// Answers are cached; who asks what is being asked already waits for that answer.
#[derive(Clone)]
pub(crate) struct Wiki(Arc<Inner>);

struct Inner {
    settings: WikiSettings,
    http: Http,
    answers: Cache<String, Arc<Answer>>,
    pictures: Cache<String, Bytes>,
}

/// A page of the wiki.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// The address for people.
    pub(crate) url: String,
    /// The beginning of the page as plain text; empty where the wiki has none.
    pub(crate) extract: String,
}

impl fmt::Debug for Wiki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wiki").field(&self.0.settings).finish()
    }
}

impl Wiki {
    /// Makes a client.
    ///
    /// # Errors
    /// `Unavailable` where this machine cannot make connections at all.
    pub(crate) fn new(settings: WikiSettings) -> Result<Self, WikiError> {
        let network = Network::around(&settings.url);
        Self::within(settings, network)
    }

    fn within(settings: WikiSettings, network: Network) -> Result<Self, WikiError> {
        let url = settings.url.of(Language::English);
        let is_wikipedia = url.host_str().is_some_and(|host| host.ends_with(".wikipedia.org"));
        if is_wikipedia && !settings.user_agent.names_a_contact() {
            tracing::warn!(
                "Wikipedia may turn this bot away, since nobody can be written to about it: \
                 set MEDIAWIKI_USER_AGENT"
            );
        }
        let http = Http::new(&settings, network)?;
        let answers =
            cache(settings.answer_bytes, settings.keep, |answer: &Arc<Answer>| answer.bytes);
        let pictures = cache(settings.picture_bytes, settings.keep, Bytes::len);
        Ok(Self(Arc::new(Inner { settings, http, answers, pictures })))
    }

    /// Returns up to ten pages about a text, the best first; none where nothing is found.
    ///
    /// All words of the text must occur in a page, so a long text finds little; see [`Self::look_up_any`].
    pub(crate) async fn look_up(
        &self,
        text: &str,
        language: Language,
    ) -> Result<Vec<Page>, WikiError> {
        self.search(&query::all(text), language).await
    }

    /// Returns up to ten pages with at least one of the words, the best first.
    pub(crate) async fn look_up_any<S: AsRef<str>>(
        &self,
        words: &[S],
        language: Language,
    ) -> Result<Vec<Page>, WikiError> {
        self.search(&query::any(words), language).await
    }

    /// Returns the address of the page with exactly this title, if there is one; redirects are followed.
    pub(crate) async fn page(
        &self,
        term: &str,
        language: Language,
    ) -> Result<Option<String>, WikiError> {
        let page = self.page_of(term, language).await?;
        Ok(page.and_then(|page| page.canonicalurl).filter(|url| is_web(url)))
    }

    async fn search(&self, query: &str, language: Language) -> Result<Vec<Page>, WikiError> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self
            .ask(
                language,
                &[
                    ("generator", "search"),
                    ("gsrsearch", query),
                    ("gsrnamespace", "0"),
                    ("gsrlimit", HITS),
                    ("prop", "extracts|info"),
                    ("inprop", "url"),
                    ("exintro", "1"),
                    ("explaintext", "1"),
                    ("exlimit", "max"),
                    ("exchars", EXTRACT_CHARS),
                ],
            )
            .await?;
        Ok(answer.by_rank().filter_map(as_page).collect())
    }

    /// Returns the page of this title with its address and the name of its picture.
    async fn page_of(&self, term: &str, language: Language) -> Result<Option<RawPage>, WikiError> {
        let Some(title) = query::title(term) else { return Ok(None) };
        let answer = self
            .ask(
                language,
                &[
                    ("titles", title),
                    ("redirects", "1"),
                    ("prop", "info|pageimages"),
                    ("inprop", "url"),
                    ("piprop", "name"),
                    ("pilicense", "free"),
                ],
            )
            .await?;
        Ok(answer.pages.iter().find(|page| page.is_article()).cloned())
    }

    /// Asks the API, or the cache; an answer in parts is put together.
    async fn ask(
        &self,
        language: Language,
        parameters: &[(&str, &str)],
    ) -> Result<Arc<Answer>, WikiError> {
        let mut url = self.0.settings.url.of(language);
        url.query_pairs_mut()
            .extend_pairs([
                ("action", "query"),
                ("format", "json"),
                ("formatversion", "2"),
                ("maxlag", "5"),
            ])
            .extend_pairs(parameters);
        let fetch = self.fetch_parts(&url);
        self.0.answers.try_get_with(url.to_string(), fetch).await.map_err(|error| (*error).clone())
    }

    async fn fetch_parts(&self, url: &Url) -> Result<Arc<Answer>, WikiError> {
        let mut whole = Answer::default();
        let mut next = url.clone();
        for _ in 0..MAX_PARTS {
            let part = self.0.http.get(Place::Api, next, MAX_JSON, answer::read).await?;
            let more = part.more();
            whole.add(part);
            let Some(more) = more else { break };
            next = url.clone();
            next.query_pairs_mut().extend_pairs(more);
        }
        Ok(Arc::new(whole))
    }
}

/// Makes a cache bounded by the bytes of what it holds.
fn cache<V: Clone + Send + Sync + 'static>(
    bytes: u64,
    keep: Duration,
    size: impl Fn(&V) -> usize + Send + Sync + 'static,
) -> Cache<String, V> {
    Cache::builder()
        .max_capacity(bytes)
        .weigher(move |key: &String, value| {
            u32::try_from(key.len() + size(value)).unwrap_or(u32::MAX)
        })
        .time_to_live(keep)
        .build()
}

fn as_page(page: &RawPage) -> Option<Page> {
    let url = page.canonicalurl.clone().filter(|url| is_web(url))?;
    let extract = page.extract.clone().unwrap_or_default();
    page.is_article().then(|| Page { title: page.title.clone(), url, extract })
}

fn is_web(address: &str) -> bool {
    address.len() <= MAX_ADDRESS
        && Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
