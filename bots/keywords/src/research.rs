//! The heavy job: finds out what a text is about, with links and pictures.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{Context, Job, JobId, Lane, Result, Snooze, TextMessage, Timestamp};

use crate::{
    HEAVY,
    analysis::Term,
    answer, kana,
    picture::{self, Collage, Limits},
    published::Published,
    request::Request,
    tools::Tools,
    waiting::{self, KeepWaiting},
    wiki::{Credit, Page, Thumbnail, Wiki, WikiError},
};

/// How many terms an answer has.
const TERMS: usize = 3;
/// How many pictures a collage has at most.
const PICTURES: usize = 8;
/// Up to how many characters a text is looked up as it is; of a longer one, its terms are.
const SHORT: usize = 40;
/// How many terms of a longer text are looked up.
const LOOKED_UP: usize = 8;
/// How long a wiki that is busy is waited for, counted from the first time that it said so.
const PATIENCE: Duration = Duration::from_secs(120);
/// In which attempt the job does without a wiki that does not answer.
const TRIES: u32 = 3;
/// How many characters of a term are kept; no page has a longer title.
const WORD_CHARS: usize = 255;

/// A text that is looked up, and how far that has come.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Research {
    request: Request,
    quote_token: Option<String>,
    /// What keeps the loading animation going.
    waiting: Option<JobId>,
    /// When the wiki first asked to be left alone for a while.
    busy_since: Option<Timestamp>,
    found: Option<Found>,
}

/// What was found so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) origin: Origin,
    /// The terms, the best first.
    words: Vec<String>,
    /// What is ready to be shown of them.
    pub(crate) shown: Vec<Shown>,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// Pages of a wiki.
    Wiki,
    /// Pages of the sample that comes with the bot.
    Demo,
    /// The user's text alone, as the bot was told.
    Offline,
    /// The user's text alone, since the wiki did not answer.
    Unreachable,
}

/// A term as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) word: String,
    /// The address of its page.
    pub(crate) url: Option<String>,
    pub(crate) collage: Option<Published>,
    pub(crate) credits: Vec<Credit>,
}

impl Research {
    /// Starts to look a text up; the chat sees that it has to wait.
    pub(crate) fn start(cx: &Context, request: Request, message: &TextMessage) {
        let waiting = KeepWaiting::start(cx);
        let quote_token = message.quote_token.clone();
        cx.enqueue(Self { request, quote_token, waiting, busy_since: None, found: None });
    }
}

impl Job for Research {
    const KIND: &'static str = "research";
    const LANE: Lane = Lane::None;
    const QUEUE: &'static str = HEAVY;

    async fn run(mut self, cx: Context) -> Result {
        let mut found = match self.found.clone() {
            Some(found) => found,
            None => {
                let found = self.find(&cx).await?;
                self.save(&cx, &found).await?;
                found
            }
        };
        while let Some(word) = found.words.get(found.shown.len()).cloned() {
            let shown = self.show(&cx, found.origin, word, found.shown.len() + 1).await?;
            found.shown.push(shown);
            waiting::show(&cx);
            self.save(&cx, &found).await?;
        }
        for message in answer::messages(&cx, &self.request, &found, self.quote_token).await? {
            cx.push(message);
        }
        if let Some(waiting) = self.waiting {
            cx.cancel(waiting);
        }
        Ok(())
    }
}

impl Research {
    /// Commits how far the job has come, so that no later run does it again.
    async fn save(&mut self, cx: &Context, found: &Found) -> Result {
        self.found = Some(found.clone());
        cx.checkpoint(self).await
    }

    /// Finds the terms.
    async fn find(&mut self, cx: &Context) -> Result<Found> {
        let (origin, wiki) = cx.data::<Tools>()?.wiki(cx).await?;
        let found = match wiki {
            Some(wiki) => self.pages(cx, wiki).await?,
            None => return Ok(Found::new(origin, self.own_words(cx, TERMS).await?)),
        };
        let Some(pages) = found else {
            return Ok(Found::new(Origin::Unreachable, self.own_words(cx, TERMS).await?));
        };
        if pages.is_empty() {
            return Ok(Found::new(origin, Vec::new()));
        }
        let titles: Vec<_> = pages.iter().map(|page| page.title.clone()).collect();
        let texts = pages.into_iter().map(|page| page.extract).collect();
        // The wiki may spell the user's word in other kana: it is no news then, nor are its parts.
        let text = &self.request.text;
        let own = titles.iter().find(|title| kana::folded(title) == kana::folded(text));
        let mut words = self.terms(cx, texts, own.unwrap_or(text).clone()).await?;
        if words.is_empty() {
            words = titles;
            words.truncate(TERMS);
        }
        Ok(Found::new(origin, words))
    }

    /// Returns the pages about the text; `None` if the wiki does not answer.
    async fn pages(&mut self, cx: &Context, wiki: &Wiki) -> Result<Option<Vec<Page>>> {
        let Request { text, language, .. } = self.request.clone();
        if text.chars().count() <= SHORT {
            let pages = wiki.look_up(&text, language).await;
            match self.or_without(cx, pages).await? {
                Some(pages) if pages.is_empty() => {}
                pages => return Ok(pages),
            }
        }
        let mut words = self.own_words(cx, LOOKED_UP).await?;
        words.extend(kana::spellings(&text));
        let pages = wiki.look_up_any(&words, language).await;
        self.or_without(cx, pages).await
    }

    /// Returns the names in the user's text itself, and its other nouns behind them.
    async fn own_words(&self, cx: &Context, at_most: usize) -> Result<Vec<String>> {
        let analyzer = cx.data::<Tools>()?.analyzer.clone();
        let Request { text, language, .. } = self.request.clone();
        let find = move || {
            let names = analyzer.key_terms(&[&text], "", language);
            let nouns = analyzer.own_nouns(&text);
            let mut words: Vec<String> = Vec::new();
            for Term { word, .. } in names.into_iter().chain(nouns) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            words.truncate(at_most);
            words
        };
        cx.blocking(find).await
    }

    /// Returns the terms of texts about the user's own, the best first.
    async fn terms(&self, cx: &Context, texts: Vec<String>, own: String) -> Result<Vec<String>> {
        let analyzer = cx.data::<Tools>()?.analyzer.clone();
        let language = self.request.language;
        let find = move || {
            let texts: Vec<_> = texts.iter().map(String::as_str).chain([&*own]).collect();
            let terms = analyzer.key_terms(&texts, &own, language);
            terms.into_iter().take(TERMS).map(|term| term.word).collect()
        };
        cx.blocking(find).await
    }

    /// Looks a term up: its page, and a collage of pictures.
    async fn show(
        &mut self,
        cx: &Context,
        origin: Origin,
        word: String,
        number: usize,
    ) -> Result<Shown> {
        let mut shown = Shown { word, url: None, collage: None, credits: Vec::new() };
        let (_, Some(wiki)) = cx.data::<Tools>()?.wiki(cx).await? else { return Ok(shown) };
        if origin == Origin::Unreachable {
            return Ok(shown);
        }
        let language = self.request.language;
        let page = wiki.page(&shown.word, language).await;
        shown.url = self.or_without(cx, page).await?.flatten();
        let pictures = wiki.pictures(&shown.word, language, PICTURES).await;
        let pictures = self.or_without(cx, pictures).await?.unwrap_or_default();
        let make = move || collage(pictures, number);
        if let Some((collage, credits)) = cx.blocking(make).await? {
            shown.collage = Some(Published::publish(cx, collage).await?);
            shown.credits = credits;
        }
        Ok(shown)
    }

    /// Returns what the wiki said; `None` if the job is to do without.
    ///
    /// # Errors
    /// If it is worth while to ask the wiki again.
    async fn or_without<T>(
        &mut self,
        cx: &Context,
        said: Result<T, WikiError>,
    ) -> Result<Option<T>> {
        let error = match said {
            Ok(said) => return Ok(Some(said)),
            Err(error) => error,
        };
        match error {
            WikiError::Busy { retry_after } => {
                let since = *self.busy_since.get_or_insert(cx.now());
                if cx.now().since(since) + retry_after <= PATIENCE {
                    cx.checkpoint(self).await?;
                    return Err(Snooze(retry_after).into());
                }
            }
            WikiError::Unavailable(_) if cx.attempt() < TRIES => return Err(error.into()),
            _ => {}
        }
        tracing::warn!(%error, "the wiki is done without");
        Ok(None)
    }
}

impl Found {
    fn new(origin: Origin, words: Vec<String>) -> Self {
        let kept = |word: String| word.chars().take(WORD_CHARS).collect();
        Self { origin, words: words.into_iter().map(kept).collect(), shown: Vec::new() }
    }
}

/// Makes a collage of the pictures that can be read, with their credits.
fn collage(pictures: Vec<Thumbnail>, number: usize) -> Option<(Collage, Vec<Credit>)> {
    let limits = Limits::default();
    let read = pictures.into_iter().filter_map(|thumbnail| {
        // A picture that cannot be read is one less; the others are shown.
        Some((picture::decode(&thumbnail.bytes, &limits).ok()?, thumbnail.credit))
    });
    let (pictures, credits): (Vec<_>, Vec<_>) = read.unzip();
    let number = u8::try_from(number).ok();
    (!pictures.is_empty()).then(|| (picture::collage(&pictures, number), credits))
}
