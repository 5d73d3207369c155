//! A bot whose every message can be matched to its request, whatever breaks.

use std::{error::Error, fmt, time::Duration};

use anyhow::bail;
use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Dead, Job, JobId, Lane, Message, Permanent, Result, TextMessage};
use yamabiko_chaos::{Ask, Fragile, Place, Said, What, filling};

/// How long a run takes that reads the chat's timers, so that it is killed between reading and commit now and then.
const THINKING: Duration = Duration::from_millis(50);
/// How long the timers of a pile take: longer than any clock is set ahead.
const PILED_FOR: Duration = Duration::from_secs(10 * 60 * 60);
/// How often a bulky timer repeats its filling: some 30 kB.
const FILLINGS: usize = 2_500;
/// The error of which the chat is never told.
const SILENTLY: &str = "fails silently";
/// How long a step of a job takes.
const STEP: Duration = Duration::from_millis(80);

fn main() -> Result {
    App::new("chaos")
        .with_state::<Runs>()
        .on_dead(tell)
        .on_text(on_text)
        .job::<Ring>()
        .job::<Piled>()
        .job::<Work>()
        .job::<Done>()
        .post("/chaos/double", |number: u64| {
            Place::Endpoint.reached();
            Ok(2 * number)
        })
        .run()
}

/// The chat's state: how many runs in its lane have been committed.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Runs {
    count: u64,
    fragile: Fragile,
}

/// Counts this run in the chat's state.
fn count(cx: &Context<Runs>) -> Option<u64> {
    let count = cx.state().count + 1;
    cx.set_state(Runs { count, fragile: Fragile });
    Some(count)
}

async fn on_text(cx: Context<Runs>, message: TextMessage) -> Result {
    Place::Handler.reached();
    let Some((request, ask)) = Ask::parse(&message.text) else {
        bail!(Permanent(format!("no request: {}", message.text)))
    };
    let run = count(&cx);
    // Every other request is quoted, by what comes of it later too.
    let quote = message.quote_token.filter(|_| request.is_multiple_of(2));
    let say = |what| {
        cx.reply(Quoting(Said { request, what, run }, quote.as_deref()));
    };
    match ask {
        Ask::Say => say(What::Answered),
        Ask::Slow(ms) => {
            cx.sleep(Duration::from_millis(ms)).await;
            cx.blocking(|| Place::Blocking.reached()).await?;
            say(What::Answered);
        }
        Ask::Flaky if cx.attempt() == 1 => {
            say(What::Wrong);
            cx.enqueue(Ring { request, quote: None, fragile: Fragile, filling: String::new() });
            bail!(FirstAttempt);
        }
        Ask::Flaky => say(What::Answered),
        Ask::Timer(ms) => {
            say(What::Set);
            let ring = Ring { request, quote, fragile: Fragile, filling: String::new() };
            cx.after(Duration::from_millis(ms), ring);
        }
        Ask::Bulky(ms) => {
            say(What::Set);
            let filling = filling(request).repeat(FILLINGS);
            cx.after(Duration::from_millis(ms), Ring { request, quote, fragile: Fragile, filling });
        }
        Ask::Work(steps) => {
            cx.enqueue(Work { request, done: 0, steps });
            say(What::Begun);
        }
        Ask::Many(messages) => (1..=messages).for_each(|n| say(What::Part(n))),
        Ask::List => {
            let timers = timers(&cx).await?;
            cx.sleep(THINKING).await;
            say(What::Listed(timers.into_iter().map(|(_, request)| request).collect()));
        }
        Ask::Cancel => {
            let timers = timers(&cx).await?;
            cx.sleep(THINKING).await;
            timers.iter().for_each(|(id, _)| cx.cancel(*id));
            say(What::Cancelled(timers.into_iter().map(|(_, request)| request).collect()));
        }
        Ask::Pile(timers) => {
            for _ in 0..timers {
                cx.after(PILED_FOR, Piled { request });
            }
            say(What::Set);
        }
        Ask::CancelAll => {
            cx.cancel_all::<Piled>();
            say(What::Cancelled(Vec::new()));
        }
        Ask::Fail => bail!(Permanent(request.to_string())),
        Ask::FailSilently => bail!(Permanent(SILENTLY.to_owned())),
    }
    Ok(())
}

/// A message that quotes the user's if there is a quote token.
struct Quoting<'a>(Said, Option<&'a str>);

impl From<Quoting<'_>> for Message {
    fn from(Quoting(said, quote): Quoting<'_>) -> Self {
        Place::Message.reached();
        let message = Self::text(said.to_string());
        match quote {
            Some(token) => message.quote(token),
            None => message,
        }
    }
}

/// The error of a first attempt that fails.
#[derive(Debug)]
struct FirstAttempt;

impl fmt::Display for FirstAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Place::Display.reached();
        f.write_str("the first attempt fails")
    }
}

impl Error for FirstAttempt {}

/// Returns the chat's timers with the requests that set them.
async fn timers(cx: &Context<Runs>) -> Result<Vec<(JobId, u64)>> {
    let timers = cx.timers().await?.into_iter().filter(|timer| timer.kind == Ring::KIND);
    Ok(timers.filter_map(|timer| Some((timer.id, timer.job::<Ring>()?.request))).collect())
}

/// Tells the chat of a request that failed for good.
fn tell(dead: &Dead) -> Option<Message> {
    if dead.error == SILENTLY {
        Place::OnDead.reached();
    }
    let text = match dead.error.parse() {
        Ok(request) => Said { request, what: What::Dead, run: None }.to_string(),
        Err(_) => dead.error.clone(),
    };
    Some(Message::text(text))
}

/// A timer.
#[derive(Serialize, Deserialize)]
struct Ring {
    request: u64,
    quote: Option<String>,
    fragile: Fragile,
    /// Makes the record large.
    filling: String,
}

impl Job<Runs> for Ring {
    const KIND: &'static str = "ring";

    async fn run(self, cx: Context<Runs>) -> Result {
        Place::Run.reached();
        let run = count(&cx);
        let rang = Said { request: self.request, what: What::Rang, run };
        cx.push(Quoting(rang, self.quote.as_deref()));
        Ok(())
    }
}

/// One of very many timers, which is cancelled before it is due.
#[derive(Serialize, Deserialize)]
struct Piled {
    request: u64,
}

impl Job<Runs> for Piled {
    const KIND: &'static str = "piled";

    async fn run(self, cx: Context<Runs>) -> Result {
        cx.push(Said { request: self.request, what: What::Wrong, run: None }.to_string());
        Ok(())
    }
}

/// Work beside the chat, in steps.
#[derive(Serialize, Deserialize)]
struct Work {
    request: u64,
    done: u32,
    steps: u32,
}

impl Job<Runs> for Work {
    const KIND: &'static str = "work";
    const LANE: Lane = Lane::None;

    async fn run(mut self, cx: Context<Runs>) -> Result {
        let request = self.request;
        let say = |what| cx.push(Said { request, what, run: None }.to_string());
        Place::Run.reached();
        while self.done < self.steps {
            cx.sleep(STEP).await;
            if self.done == 1 && cx.attempt() == 1 && request.is_multiple_of(5) {
                say(What::Wrong);
                bail!("the first attempt fails at its second step");
            }
            self.done += 1;
            say(What::Step(self.done));
            cx.checkpoint(&self).await?;
        }
        cx.enqueue(Done { request });
        Ok(())
    }
}

/// The end of the work, in the chat's lane.
#[derive(Serialize, Deserialize)]
struct Done {
    request: u64,
}

impl Job<Runs> for Done {
    const KIND: &'static str = "done";

    async fn run(self, cx: Context<Runs>) -> Result {
        let run = count(&cx);
        cx.push(Said { request: self.request, what: What::Done, run }.to_string());
        Ok(())
    }
}
