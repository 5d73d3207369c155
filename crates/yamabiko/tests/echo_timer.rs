//! The README's bot and its test, as they stand there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Job, Result, TextMessage};

fn main() -> Result {
    app().run() // web | worker | timer | all | dev from the command line
}

fn app() -> App {
    App::new("echo-timer").on_text(on_text).job::<TimeIsUp>()
}

async fn on_text(cx: Context, message: TextMessage) -> Result {
    let Ok(seconds) = message.plain_text().parse() else {
        // A hint is not worth a push: it is sent by the reply token, or not at all.
        cx.reply("Send me a number of seconds").free_only();
        return Ok(());
    };
    cx.after(Duration::from_secs(seconds), TimeIsUp { seconds });
    cx.reply(format!("I will call back in {seconds} s"));
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct TimeIsUp {
    seconds: u64,
}

impl Job for TimeIsUp {
    const KIND: &'static str = "time_is_up";

    async fn run(self, cx: Context) -> Result {
        cx.push(format!("{} s are over", self.seconds));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use yamabiko::testing::TestBot;

    #[test]
    fn it_calls_back() {
        let bot = TestBot::start(super::app());
        let alice = bot.user("Alice");
        alice.says("180");
        assert_eq!(alice.hears(), ["I will call back in 180 s"]);
        bot.advance(Duration::from_secs(180));
        assert_eq!(alice.hears(), ["180 s are over"]);
    }
}
