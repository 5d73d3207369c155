//! A LINE bot that finds out what a text is about, and comes back with links and pictures.

mod analysis;

use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Job, Lane, Result, TextMessage};

fn main() -> Result {
    app().run()
}

fn app() -> App {
    App::new("keyword-bot").on_text(on_text).job::<Research>()
}

async fn on_text(cx: Context, message: TextMessage) -> Result {
    cx.reply("ちょっと待ってね");
    cx.enqueue(Research { text: message.text });
    Ok(())
}

/// Finds out what a text is about.
#[derive(Serialize, Deserialize)]
struct Research {
    text: String,
}

impl Job for Research {
    const KIND: &'static str = "research";
    const LANE: Lane = Lane::None;
    const QUEUE: &'static str = "default";

    async fn run(self, cx: Context) -> Result {
        cx.push(self.text);
        Ok(())
    }
}
