//! A LINE bot that calls back after the seconds one writes to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Event, Job, Message, Result, TextMessage, Timer};

mod command;
mod language;
mod limit;
mod short;
mod words;

use command::{Command, LIMIT_SECONDS, Which};
use language::{Chat, Language};
use limit::TimersPerChat;
use short::ShortTimer;
use words::Words;

fn main() -> Result {
    app().run()
}

fn app() -> App<Chat> {
    App::new("timer-bot")
        .with_state::<Chat>()
        .setting::<ShortTimer>()
        .setting::<TimersPerChat>()
        .on_text(on_text)
        .on_other(on_other)
        .job::<TimeIsUp>()
}

/// What a text is answered with.
enum Answer {
    /// What was asked for: it is worth a push.
    Asked(Message),
    /// How to ask for it: it is not.
    Hint(Message),
}

async fn on_text(cx: Context<Chat>, message: TextMessage) -> Result {
    let text = message.plain_text();
    let words = Words {
        language: language::of_chat(&cx, &text).await,
        zone: cx.time_zone(),
        now: cx.now(),
    };
    let answer = match Command::parse(&text) {
        Command::Seconds(_) if !cx.can_push() => Answer::Asked(words.cannot_call_back()),
        Command::Seconds(seconds) => match start(&cx, seconds, &message, &words).await? {
            Some(answer) => answer,
            None => return Ok(()),
        },
        Command::TooLong => Answer::Hint(words.too_long(LIMIT_SECONDS)),
        Command::List => Answer::Asked(words.list(&timers(&cx).await?)),
        Command::Cancel(which) => cancel(&cx, which, &words).await?,
        Command::Unknown => Answer::Hint(words.not_a_number()),
    };
    let quote_token = message.quote_token.as_deref();
    match answer {
        Answer::Asked(answer) => cx.reply(quoting(answer, quote_token)),
        Answer::Hint(hint) => cx.reply(quoting(hint, quote_token)).free_only(),
    };
    Ok(())
}

/// Every other event that can be answered gets a smile.
async fn on_other(cx: Context<Chat>, _event: Event) -> Result {
    if cx.can_reply() {
        cx.reply("😄").free_only();
    }
    Ok(())
}

/// Starts a timer and returns what confirms it, or says that there are too many; the loading animation confirms a short one.
async fn start(
    cx: &Context<Chat>,
    seconds: u64,
    message: &TextMessage,
    words: &Words,
) -> Result<Option<Answer>> {
    let limit = *cx.data::<TimersPerChat>()?;
    if !limit.take(cx).await? {
        return Ok(Some(Answer::Hint(words.too_many(limit.0))));
    }
    let after = Duration::from_secs(seconds);
    let quote_token = message.quote_token.clone();
    let timer = cx.after(after, TimeIsUp { seconds, quote_token, language: words.language });
    if cx.data::<ShortTimer>()?.covers(cx, seconds) {
        timer.keep_reply();
        cx.show_loading(after);
        return Ok(None);
    }
    Ok(Some(Answer::Asked(words.started(seconds, cx.counts_from() + after))))
}

/// Returns the chat's timers with their jobs, the next one first.
async fn timers(cx: &Context<Chat>) -> Result<Vec<(Timer, TimeIsUp)>> {
    let timers = cx.timers().await?;
    Ok(timers.into_iter().filter_map(|timer| timer.job().map(|job| (timer, job))).collect())
}

async fn cancel(cx: &Context<Chat>, which: Which, words: &Words) -> Result<Answer> {
    let mut timers = timers(cx).await?;
    if timers.is_empty() {
        return Ok(Answer::Asked(words.list(&timers)));
    }
    let chosen = match which {
        Which::All => {
            cx.cancel_all::<TimeIsUp>();
            return Ok(Answer::Asked(words.cancelled(&timers, 0)));
        }
        Which::Newest => {
            let newest = (0..timers.len()).max_by_key(|&index| timers[index].0.created);
            newest.map(|index| timers.remove(index)).into_iter().collect()
        }
        Which::Number(number) if (1..=timers.len()).contains(&number) => {
            vec![timers.remove(number - 1)]
        }
        Which::Number(_) => return Ok(Answer::Hint(words.no_such_number(timers.len()))),
    };
    for (timer, _) in &chosen {
        cx.cancel(timer.id);
    }
    Ok(Answer::Asked(words.cancelled(&chosen, timers.len())))
}

/// The end of a timer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TimeIsUp {
    seconds: u64,
    quote_token: Option<String>,
    language: Language,
}

impl Job<Chat> for TimeIsUp {
    const KIND: &'static str = "time_is_up";

    async fn run(self, cx: Context<Chat>) -> Result {
        let words = Words { language: self.language, zone: cx.time_zone(), now: cx.now() };
        let due = cx.due().unwrap_or(words.now);
        cx.push(quoting(words.time_is_up(self.seconds, due), self.quote_token.as_deref()));
        Ok(())
    }
}

fn quoting(message: Message, quote_token: Option<&str>) -> Message {
    match quote_token {
        Some(token) => message.quote(token),
        None => message,
    }
}

#[cfg(test)]
mod tests;
