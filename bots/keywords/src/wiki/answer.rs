//! MediaWiki's answers: what the bot reads of them, and what their errors mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};

use super::{
    error::WikiError,
    http::{DEFAULT_PAUSE, Fetched},
};

/// The most pages of an answer; no question asks about so many.
const MAX_PAGES: usize = 50;

/// What was found, put together from all parts.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) pages: Vec<RawPage>,
    /// How many bytes it had.
    pub(super) bytes: usize,
}

/// One part of an answer; what is missing in it, or of another type than the API promises, is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part {
    #[serde(deserialize_with = "or_default")]
    batchcomplete: bool,
    #[serde(deserialize_with = "or_default", rename = "continue")]
    continuation: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    query: Query,
    error: Option<Value>,
    #[serde(deserialize_with = "or_default")]
    warnings: Map<String, Value>,
    #[serde(skip)]
    bytes: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    #[serde(deserialize_with = "readable")]
    pages: Readable<RawPage>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPage {
    #[serde(deserialize_with = "or_default")]
    ns: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) title: String,
    /// Its place among what a search found; negative where the search has added it to what it found.
    #[serde(deserialize_with = "or_default")]
    index: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    missing: bool,
    #[serde(deserialize_with = "or_default")]
    invalid: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) extract: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) canonicalurl: Option<String>,
    /// The name of the picture that stands for the page, without namespace.
    #[serde(deserialize_with = "or_default")]
    pub(super) pageimage: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) imageinfo: Vec<ImageInfo>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ImageInfo {
    #[serde(deserialize_with = "or_default")]
    pub(super) thumburl: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) thumbmime: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) descriptionurl: Option<String>,
    /// Leads to the same page.
    #[serde(deserialize_with = "or_default")]
    pub(super) descriptionshorturl: Option<String>,
    /// An object; an empty array where there is nothing.
    pub(super) extmetadata: Value,
}

/// The pages of an answer that can be read, and how many there are in all.
#[derive(Debug)]
struct Readable<T> {
    read: Vec<T>,
    given: usize,
}

impl<T> Default for Readable<T> {
    fn default() -> Self {
        Self { read: Vec::new(), given: 0 }
    }
}

/// Reads a value, or makes it the default if it is of another type.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// Reads those pages of a list that have a title.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Readable<RawPage>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let given: Vec<&RawValue> = match serde_json::from_str(raw.get()) {
        Ok(list) => list,
        // Older versions of the API name the pages by their ids, whatever form they are asked for.
        Err(_) => serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get())
            .map(|named| named.into_values().collect())
            .unwrap_or_default(),
    };
    let read = given.iter().filter_map(|page| serde_json::from_str::<RawPage>(page.get()).ok());
    let read = read.filter(|page| !page.title.is_empty()).collect();
    Ok(Readable { read, given: given.len() })
}

impl ImageInfo {
    /// Returns what is said about the file under a name, which may be HTML.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.extmetadata.get(name)?.get("value")?.as_str()
    }
}

impl RawPage {
    pub(super) fn is_article(&self) -> bool {
        self.ns == 0 && !self.missing && !self.invalid
    }

    /// Takes over what only a later part tells.
    fn add(&mut self, later: Self) {
        self.extract = self.extract.take().or(later.extract);
        self.canonicalurl = self.canonicalurl.take().or(later.canonicalurl);
        self.pageimage = self.pageimage.take().or(later.pageimage);
        if self.imageinfo.is_empty() {
            self.imageinfo = later.imageinfo;
        }
    }
}

impl Answer {
    pub(super) fn add(&mut self, part: Part) {
        self.bytes += part.bytes;
        for page in part.query.pages.read {
            let is_full = self.pages.len() == MAX_PAGES;
            match self.pages.iter_mut().find(|known| known.title == page.title) {
                Some(known) => known.add(page),
                None if is_full => {}
                None => self.pages.push(page),
            }
        }
    }

    /// Returns the pages as the search ranks them.
    pub(super) fn by_rank(&self) -> impl Iterator<Item = &RawPage> {
        let mut pages: Vec<_> = self.pages.iter().collect();
        pages.sort_by_key(|page| page.index.filter(|index| *index >= 0).unwrap_or(i64::MAX));
        pages.into_iter()
    }
}

impl Part {
    /// Returns what to add to the question for the next part of the same pages.
    pub(super) fn more(&self) -> Option<Vec<(String, String)>> {
        // Where one file is asked about, the rest are its older versions.
        let is_of_old_versions = self.continuation.contains_key("iistart");
        if self.batchcomplete || self.continuation.is_empty() || is_of_old_versions {
            return None;
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(self.continuation.iter().map(|(name, value)| (name.clone(), text(value))).collect())
    }
}

/// Reads a part of an answer.
pub(super) fn read(fetched: &Fetched) -> Result<Part, WikiError> {
    if !fetched.content_type.starts_with("application/json") {
        return Err(WikiError::Unexpected("it is not JSON".to_owned()));
    }
    // Straight into what is needed: making a tree of all values of a large answer would hold up what else the thread serves.
    let part: Part = serde_json::from_slice(&fetched.body).map_err(|error| not_read(&error))?;
    if let Some(error) = &part.error {
        return Err(refusal(error, fetched));
    }
    if part.query.pages.given > 0 && part.query.pages.read.is_empty() {
        return Err(WikiError::Unexpected("none of its pages can be read".to_owned()));
    }
    if !part.warnings.is_empty() {
        // Their texts may quote what was asked.
        let modules: Vec<_> = part.warnings.keys().map(|name| code(name)).collect();
        tracing::warn!("the wiki warns of parameters of {}", modules.join(", "));
    }
    Ok(Part { bytes: fetched.body.len(), ..part })
}

/// Says where an answer cannot be read, without quoting it.
fn not_read(error: &serde_json::Error) -> WikiError {
    let kind = if error.is_data() { "another shape" } else { "broken JSON" };
    WikiError::Unexpected(format!("{kind} at line {} column {}", error.line(), error.column()))
}

fn refusal(error: &Value, fetched: &Fetched) -> WikiError {
    let code = code(error.get("code").and_then(Value::as_str).unwrap_or("without a code"));
    match code.as_str() {
        "maxlag" | "ratelimited" | "readonly" | "cirrussearch-too-busy-error" => {
            WikiError::Busy { retry_after: fetched.retry_after.unwrap_or(DEFAULT_PAUSE) }
        }
        _ if code.starts_with("internal_api_error") => WikiError::Unavailable(code),
        _ => WikiError::Refused(code),
    }
}

/// Bounds a code of the API, so that it can be logged.
fn code(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(60).collect()
}
