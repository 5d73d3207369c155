//! Finds freely licensed pictures of a term.

use std::collections::HashSet;

use bytes::Bytes;
use reqwest::Url;

use super::{
    HITS, Language, Wiki,
    answer::RawPage,
    credit::Credit,
    error::WikiError,
    http::{Fetched, Place},
    query,
};

/// The most pictures of one term.
const MAX_PICTURES: usize = 8;
/// How many files are asked about, since some are not free or cannot be shown.
const MAX_FILES: usize = 16;
/// The width of thumbnails: the least of Wikimedia's usual widths that fills a collage's cell of 240 px.
const WIDTH: &str = "250";
/// How many pictures of a term may be unavailable before no more are asked for: each may cost the time-out of a request.
const MAX_UNAVAILABLE: usize = 2;
/// The largest thumbnail in bytes.
const MAX_PICTURE: usize = 4 * 1024 * 1024;

/// A small picture with its credit.
#[derive(Clone, Debug)]
pub(crate) struct Thumbnail {
    /// A JPEG or PNG, by its first bytes and by what the server says.
    pub(crate) bytes: Bytes,
    pub(crate) credit: Credit,
}

/// A free file, before it is fetched.
struct File {
    url: Url,
    credit: Credit,
}

impl Wiki {
    /// Returns up to `at_most` (and never more than 8) freely licensed pictures: of the term's page, then of the pages found for it.
    ///
    /// A picture that cannot be had is left out.
    ///
    /// # Errors
    /// As for all questions; `Unavailable` and `Busy` for thumbnails only where none could be had.
    pub(crate) async fn pictures(
        &self,
        term: &str,
        language: Language,
        at_most: usize,
    ) -> Result<Vec<Thumbnail>, WikiError> {
        let at_most = at_most.min(MAX_PICTURES);
        let names = self.picture_names(term, language).await?;
        if names.is_empty() || at_most == 0 {
            return Ok(Vec::new());
        }
        let mut thumbnails = Vec::new();
        let mut unavailable = Vec::new();
        for File { url, credit } in self.free_files(&names, language).await? {
            match self.thumbnail(url).await {
                Ok(bytes) => thumbnails.push(Thumbnail { bytes, credit }),
                // A few pictures now are better than all of them after a pause.
                Err(WikiError::Busy { .. }) if !thumbnails.is_empty() => break,
                Err(busy @ WikiError::Busy { .. }) => return Err(busy),
                Err(error @ WikiError::Unavailable(_)) => unavailable.push(error),
                Err(WikiError::Refused(_) | WikiError::Unexpected(_)) => {}
            }
            if thumbnails.len() == at_most || unavailable.len() == MAX_UNAVAILABLE {
                break;
            }
        }
        match unavailable.pop() {
            Some(error) if thumbnails.is_empty() => Err(error),
            _ => Ok(thumbnails),
        }
    }

    /// Returns the names of the pictures that stand for the term's page and the pages found for it.
    async fn picture_names(
        &self,
        term: &str,
        language: Language,
    ) -> Result<Vec<String>, WikiError> {
        let page = self.page_of(term, language).await?;
        let search = query::all(term);
        if search.is_empty() {
            return Ok(Vec::new());
        }
        let found = self
            .ask(
                language,
                &[
                    ("generator", "search"),
                    ("gsrsearch", &search),
                    ("gsrnamespace", "0"),
                    ("gsrlimit", HITS),
                    ("prop", "pageimages"),
                    ("piprop", "name"),
                    ("pilicense", "free"),
                    ("pilimit", "max"),
                ],
            )
            .await?;
        let found = found.by_rank().filter_map(|page| page.pageimage.clone());
        let mut seen = HashSet::new();
        let names = page.and_then(|page| page.pageimage).into_iter().chain(found);
        Ok(names
            .filter(|name| query::title(name).is_some() && seen.insert(plain_name(name)))
            .take(MAX_FILES)
            .collect())
    }

    /// Returns those of the files that are free and can be shown, in the same order.
    async fn free_files(
        &self,
        names: &[String],
        language: Language,
    ) -> Result<Vec<File>, WikiError> {
        let titles: Vec<_> = names.iter().map(|name| format!("File:{name}")).collect();
        let answer = self
            .ask(
                language,
                &[
                    ("titles", &titles.join("|")),
                    ("prop", "imageinfo"),
                    ("iiprop", "url|size|mime|thumbmime|extmetadata"),
                    ("iiurlwidth", WIDTH),
                    ("iiextmetadatalanguage", language.code()),
                    ("iiextmetadatafilter", "License|LicenseShortName|Artist|NonFree"),
                ],
            )
            .await?;
        let base = self.0.settings.url.of(language);
        let place = |page: &RawPage| {
            let title = page.title.split_once(':').map_or("", |(_, name)| name);
            names.iter().position(|name| plain_name(name) == plain_name(title))
        };
        let mut files: Vec<_> = answer
            .pages
            .iter()
            .filter_map(|page| Some((place(page)?, file(page, &base)?)))
            .collect();
        files.sort_by_key(|(place, _)| *place);
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// Fetches a thumbnail, or takes it from the cache.
    async fn thumbnail(&self, url: Url) -> Result<Bytes, WikiError> {
        let key = url.to_string();
        let fetch = self.0.http.get(Place::Pictures, url, MAX_PICTURE, read_picture);
        self.0.pictures.try_get_with(key, fetch).await.map_err(|error| (*error).clone())
    }
}

/// What every PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What every JPEG begins with.
const JPEG: &[u8] = b"\xff\xd8\xff";

/// Takes a body that says to be a picture and begins like one.
fn read_picture(fetched: &Fetched) -> Result<Bytes, WikiError> {
    let said = |kind| fetched.content_type.starts_with(kind);
    let body = &fetched.body;
    if (said("image/png") && body.starts_with(PNG))
        || (said("image/jpeg") && body.starts_with(JPEG))
    {
        Ok(body.clone())
    } else {
        Err(WikiError::Unexpected("it is neither JPEG nor PNG".to_owned()))
    }
}

fn file(page: &RawPage, base: &Url) -> Option<File> {
    let info = page.imageinfo.first()?;
    let shown = |mime: &String| matches!(mime.as_str(), "image/jpeg" | "image/png");
    if !info.thumbmime.as_ref().is_none_or(shown) {
        return None;
    }
    let url = base.join(info.thumburl.as_deref()?).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Some(File { url, credit: Credit::of(page, info)? })
}

/// Returns a file's name as the wiki compares it.
fn plain_name(name: &str) -> String {
    name.replace('_', " ")
}
