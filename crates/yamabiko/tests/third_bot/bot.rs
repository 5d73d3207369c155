//! A bot that counts: `main.rs` of a package that nobody but its author knows.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Job, Lane, Result, TextMessage};

fn main() -> Result {
    app().run()
}

fn app() -> App<Tally> {
    App::new("third-bot").with_state::<Tally>().on_text(on_text).job::<Sum>().job::<Again>()
}

/// What the bot keeps of a chat.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Tally {
    texts: u64,
}

async fn on_text(cx: Context<Tally>, message: TextMessage) -> Result {
    assert_ne!(message.text, "boom", "an author's mistake");
    let texts = cx.state().texts + 1;
    cx.set_state(Tally { texts });
    cx.reply(format!("text {texts}"));
    match message.text.parse() {
        Ok(up_to) => drop(cx.enqueue(Sum { up_to })),
        Err(_) => drop(cx.after(Duration::from_secs(1), Again { text: message.text })),
    }
    Ok(())
}

/// Adds up numbers, slowly.
#[derive(Serialize, Deserialize)]
struct Sum {
    up_to: u64,
}

impl Job<Tally> for Sum {
    const KIND: &'static str = "sum";
    const LANE: Lane = Lane::None;
    const QUEUE: &'static str = "sums";

    async fn run(self, cx: Context<Tally>) -> Result {
        let sum: u64 = cx.blocking(move || (1..=self.up_to).sum()).await?;
        cx.push(format!("the sum is {sum}"));
        Ok(())
    }
}

/// Says a text again.
#[derive(Serialize, Deserialize)]
struct Again {
    text: String,
}

impl Job<Tally> for Again {
    const KIND: &'static str = "again";

    async fn run(self, cx: Context<Tally>) -> Result {
        cx.push(format!("once more: {}", self.text));
        Ok(())
    }
}
