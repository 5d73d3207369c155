//! A LINE bot that finds out what a text is about, and comes back with links and pictures.

use std::{
    io::{stdin, stdout},
    num::NonZeroUsize,
};

use yamabiko::{App, ChatKind, Context, Event, ImageMessage, Result, TextMessage};

mod analysis;
mod analyze;
mod answer;
mod colours;
mod demo;
mod kana;
mod language;
mod picture;
mod published;
mod request;
mod research;
mod settings;
mod tools;
mod waiting;
mod wiki;
mod words;

use colours::Colours;
use request::Request;
use research::Research;
use settings::{Demonstration, Offline};
use tools::Tools;
use waiting::KeepWaiting;
use words::{CANNOT_COME_BACK, HELP, Words, to_a_picture};

/// The queue of the jobs that look things up and make pictures.
const HEAVY: &str = "heavy";
/// How many of them a process runs at once; each may hold some hundred megabytes for a moment.
const HEAVY_AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("is not zero");

fn main() -> Result {
    app()?.run()
}

fn app() -> Result<App> {
    let tools = Tools::new()?;
    let analyzer = tools.analyzer.clone();
    let app = App::new("keyword-bot")
        .with_media()
        .data(tools)
        .setting::<Offline>()
        .setting::<Demonstration>()
        .setting::<wiki::settings::MediaWikiUrl>()
        .setting::<wiki::settings::MediaWikiUserAgent>()
        .setting::<wiki::settings::MediaWikiTimeoutSeconds>()
        .setting::<wiki::settings::MediaWikiRequestsPerSecond>()
        .on_text(on_text)
        .on_image(on_image)
        .on_other(on_other)
        .job::<Research>()
        .job::<Colours>()
        .job::<KeepWaiting>()
        .queue_concurrency(HEAVY, HEAVY_AT_ONCE)
        .post("/analyze", move |asked| analyze::answer(&analyzer, asked))
        .command("analyze", "Reads lines of text, writes their words as lines of JSON", || {
            analyze::lines(stdin().lock(), stdout().lock())
        });
    Ok(app)
}

/// Looks a text up; in a group, only one that mentions the bot.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    if is_with_one_user(&cx) || request::is_for_bot(&message) {
        match Request::read(&message) {
            Ok(_) if !cx.can_push() => drop(cx.reply(CANNOT_COME_BACK)),
            Ok(request) => {
                cx.reply(Words(request.language).wait());
                Research::start(&cx, request, &message);
            }
            Err(hint) => {
                cx.reply(words::hint(hint)).free_only();
            }
        }
    }
    Ok(())
}

/// Tells the colours of a picture; in a group, pictures are not meant for the bot.
async fn on_image(cx: Context, image: ImageMessage) -> Result {
    if !is_with_one_user(&cx) {
    } else if !cx.can_push() {
        cx.reply(CANNOT_COME_BACK);
    } else if image.is_held_by_line {
        cx.reply(to_a_picture::WAIT);
        Colours::start(&cx, image);
    } else {
        cx.reply(to_a_picture::ELSEWHERE).free_only();
    }
    Ok(())
}

/// Everything else that can be answered hears what the bot does.
async fn on_other(cx: Context, _event: Event) -> Result {
    if cx.can_reply() && is_with_one_user(&cx) {
        cx.reply(HELP).free_only();
    }
    Ok(())
}

/// Returns whether all that is written is meant for the bot; where LINE names no chat, silence would be worse than too much.
fn is_with_one_user(cx: &Context) -> bool {
    cx.chat().is_none_or(|chat| chat.kind() == ChatKind::User)
}

#[cfg(test)]
mod tests;
