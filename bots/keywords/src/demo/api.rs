//! Speaks the part of MediaWiki's API that the bot uses.

use serde_json::{Map, Value, json};

use super::{
    pages::{DemoPage, License, PAGES},
    scene,
    search::{search, titled},
};
use crate::wiki::Language;

/// The name that stands as the author of all pictures.
const ARTIST: &str = "Yamabiko demonstration";

/// The parameters of a request.
pub(super) type Parameters = std::collections::HashMap<String, String>;

/// Answers a request; `base` is the address before the paths.
pub(super) fn answer(parameters: &Parameters, language: Language, base: &str) -> Value {
    let parameter = |name: &str| parameters.get(name).map(String::as_str);
    if parameter("action") != Some("query") || parameter("formatversion") != Some("2") {
        return json!({ "error": { "code": "badvalue", "info": "the demonstration knows action=query, formatversion=2" } });
    }
    let site = Site { parameters, language, base };
    let query = if parameter("generator") == Some("search") {
        site.found(parameter("gsrsearch").unwrap_or_default())
    } else {
        let titles = parameter("titles").unwrap_or_default();
        let files: Option<Vec<_>> =
            titles.split('|').map(|title| title.strip_prefix("File:")).collect();
        match files {
            Some(files) => site.files(&files),
            None => site.titled(titles),
        }
    };
    match query {
        Some(query) => json!({ "batchcomplete": true, "query": query }),
        None => json!({ "batchcomplete": true }),
    }
}

struct Site<'a> {
    parameters: &'a Parameters,
    language: Language,
    base: &'a str,
}

impl Site<'_> {
    fn found(&self, text: &str) -> Option<Value> {
        let limit = self.parameters.get("gsrlimit").and_then(|limit| limit.parse().ok());
        let found = search(text, self.language, limit.unwrap_or(10));
        let numbered = found.into_iter().zip(1..);
        let pages: Vec<_> = numbered
            .map(|(page, index)| {
                let mut value = self.page(page);
                value.insert("index".to_owned(), index.into());
                value
            })
            .collect();
        (!pages.is_empty()).then(|| json!({ "pages": pages }))
    }

    fn titled(&self, title: &str) -> Option<Value> {
        Some(match titled(title, self.language) {
            Some((page, None)) => json!({ "pages": [self.page(page)] }),
            Some((page, Some(redirect))) => json!({
                "redirects": [{ "from": redirect, "to": page.title }],
                "pages": [self.page(page)],
            }),
            None => json!({ "pages": [{
                "ns": 0, "title": title, "missing": true, "canonicalurl": self.address("wiki", title),
            }] }),
        })
    }

    fn page(&self, page: &DemoPage) -> Map<String, Value> {
        let asked = |parameter: &str, value: &str| {
            let values = self.parameters.get(parameter);
            values.is_some_and(|values| values.split('|').any(|one| one == value))
        };
        let mut value = Map::new();
        let mut put = |name: &str, what: Value| value.insert(name.to_owned(), what);
        let id = PAGES.iter().position(|one| one.title == page.title);
        put("pageid", id.map_or(0, |id| id + 1).into());
        put("ns", 0.into());
        put("title", page.title.into());
        if asked("prop", "info") && asked("inprop", "url") {
            put("pagelanguage", self.language.code().into());
            put("fullurl", self.address("wiki", page.title).into());
            put("canonicalurl", self.address("wiki", page.title).into());
        }
        if asked("prop", "extracts") {
            put("extract", page.text.into());
        }
        let any = self.parameters.get("pilicense").is_some_and(|license| license == "any");
        if asked("prop", "pageimages") && (any || page.picture.license != License::Unfree) {
            put("pageimage", page.file().replace(' ', "_").into());
        }
        value
    }

    fn files(&self, names: &[&str]) -> Option<Value> {
        let files: Vec<_> = names.iter().map(|name| self.file(&name.replace('_', " "))).collect();
        Some(json!({ "pages": files }))
    }

    fn file(&self, name: &str) -> Value {
        let namespace = if self.language == Language::Japanese { "ファイル" } else { "File" };
        let title = format!("{namespace}:{name}");
        let Some(page) = PAGES.iter().find(|page| page.file() == name) else {
            return json!({ "ns": 6, "title": title, "missing": true, "imagerepository": "" });
        };
        let mime = page.picture.motif.mime();
        let (width, height) = page.picture.motif.size();
        json!({
            "ns": 6, "title": title, "missing": true, "known": true, "imagerepository": "shared",
            "imageinfo": [{
                "width": width * scene::ORIGINAL_SCALE,
                "height": height * scene::ORIGINAL_SCALE,
                "thumburl": self.address("media", name),
                "thumbwidth": width,
                "thumbheight": height,
                "descriptionurl": self.address("file", name),
                "mime": mime,
                "thumbmime": mime,
                "extmetadata": said(page.picture.license),
            }],
        })
    }

    fn address(&self, kind: &str, name: &str) -> String {
        let mut url = reqwest::Url::parse(self.base).expect("is the server's own address");
        url.path_segments_mut().expect("an http address has a path").extend([
            self.language.code(),
            kind,
            name,
        ]);
        url.into()
    }
}

/// What is said about a file.
fn said(license: License) -> Value {
    let value = |text: &str| json!({ "value": text, "source": "commons-desc-page" });
    let mut said = json!({ "Artist": value(&format!("<a href=\"//localhost\">{ARTIST}</a>")) });
    if license == License::Free {
        said["License"] = value("cc0");
        said["LicenseShortName"] = value("CC0");
    } else {
        said["LicenseShortName"] = value("Fair use");
        said["NonFree"] = value("true");
    }
    said
}
