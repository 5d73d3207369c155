//! The messages of an answer, so few that one call to LINE carries them.

use std::fmt::Write as _;

use yamabiko::{Context, Message, Result};

use crate::{
    analysis::Analyzer,
    picture,
    published::Published,
    request::{Request, shortened},
    research::{Found, Origin, Shown},
    tools::Tools,
    wiki::Credit,
    words::Words,
};

/// How many words of the analysis an answer has.
const ANALYZED: usize = 30;

/// Returns the answer: the terms with their links, a picture for each, and the credits; or what the text itself tells.
///
/// # Errors
/// If a picture cannot be published now.
pub(crate) async fn messages(
    cx: &Context,
    request: &Request,
    found: &Found,
    quote_token: Option<String>,
) -> Result<Vec<Message>> {
    let words = Words(request.language);
    let quote = |message: Message| match quote_token {
        Some(token) => message.quote(token),
        None => message,
    };
    if found.shown.is_empty() {
        let analyzer = cx.data::<Tools>()?.analyzer.clone();
        let seed = request.text.clone();
        let work = move || (analysis(&analyzer, &seed, words), picture::nothing_found(&seed));
        let (analysis, own) = cx.blocking(work).await?;
        let own = Published::publish(cx, own).await?;
        let nothing = words.nothing_found(&request.repeated());
        let parts = [note(found.origin, words), Some(&nothing), analysis.as_deref()];
        return Ok(vec![quote(Message::text(joined(parts))), own.message()]);
    }
    let terms = terms(words.about(&request.repeated()), &found.shown);
    let credits = credits(words, &found.shown);
    let pictures = found.shown.iter().filter_map(|shown| shown.collage.as_ref());
    let mut messages =
        vec![quote(Message::text(joined([note(found.origin, words), Some(&terms)])))];
    messages.extend(pictures.map(Published::message));
    messages.push(Message::text(joined([credits.as_deref(), Some(words.done())])));
    Ok(messages)
}

/// Says where the answer comes from, if it is not what the user may expect.
const fn note(origin: Origin, words: Words) -> Option<&'static str> {
    match origin {
        Origin::Wiki => None,
        Origin::Demo => Some(words.demonstration()),
        Origin::Offline => Some(words.offline()),
        Origin::Unreachable => Some(words.unreachable()),
    }
}

fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// Lists the terms with their links.
fn terms(title: String, shown: &[Shown]) -> String {
    let mut list = title;
    for (number, Shown { word, url, .. }) in (1..).zip(shown) {
        write!(list, "\n{number}. {}", shortened(word)).expect("a string takes everything");
        if let Some(url) = url {
            write!(list, "\n{url}").expect("a string takes everything");
        }
    }
    list
}

/// Says whose the pictures are and what their licences are, each once, with the numbers of its terms.
fn credits(words: Words, shown: &[Shown]) -> Option<String> {
    let mut all: Vec<(Vec<usize>, &Credit)> = Vec::new();
    for (number, shown) in (1..).zip(shown) {
        for credit in &shown.credits {
            match all.iter_mut().find(|(_, known)| *known == credit) {
                Some((numbers, _)) if numbers.contains(&number) => {}
                Some((numbers, _)) => numbers.push(number),
                None => all.push((vec![number], credit)),
            }
        }
    }
    let mut list = words.pictures().to_owned();
    for (numbers, Credit { title, artist, license, url }) in &all {
        let numbers = numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let artist = if artist.is_empty() { String::new() } else { format!(", {artist}") };
        write!(list, "\n{numbers}. {title}{artist}, {license}\n{url}")
            .expect("a string takes everything");
    }
    (!all.is_empty()).then_some(list)
}

/// Lists the words of the text with part of speech, base form and reading.
fn analysis(analyzer: &Analyzer, text: &str, words: Words) -> Option<String> {
    let tokens = analyzer.tokens(text);
    let mut list = words.analysis().to_owned();
    for token in tokens.iter().take(ANALYZED) {
        let kind = token.pos.levels().collect::<Vec<_>>().join("-");
        write!(list, "\n{} {kind}", token.surface).expect("a string takes everything");
        if token.base != token.surface {
            write!(list, " ({})", token.base).expect("a string takes everything");
        }
        if let Some(reading) = token.reading {
            write!(list, " {reading}").expect("a string takes everything");
        }
    }
    if let Some(more) = tokens.len().checked_sub(ANALYZED).filter(|more| *more > 0) {
        write!(list, "\n{}", words.and_more(more)).expect("a string takes everything");
    }
    (!tokens.is_empty()).then_some(list)
}
