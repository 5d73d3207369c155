//! Time: timers, sleeping, being late.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Job, Result, TextMessage, testing::TestBot};

fn app() -> App {
    App::new("kitchen").on_text(on_text).job::<Ready>()
}

async fn on_text(cx: Context, message: TextMessage) -> Result {
    if message.text == "taste" {
        cx.sleep(Duration::from_secs(15)).await;
        cx.reply("More salt");
    } else {
        cx.after(Duration::from_secs(180), Ready { dish: message.text });
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Ready {
    dish: String,
}

impl Job for Ready {
    const KIND: &'static str = "ready";

    async fn run(self, cx: Context) -> Result {
        match cx.late_by().as_secs() {
            0 => cx.push(format!("{} is ready", self.dish)),
            _ => cx.push(format!("{} is ready, later than promised", self.dish)),
        }
        Ok(())
    }
}

#[test]
fn a_dish_is_ready_after_three_minutes() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("soup");
    let timers = alice.timers();
    assert_eq!(timers[0].kind, "ready");
    assert_eq!(timers[0].due, bot.now() + Duration::from_secs(180));
    assert_eq!(timers[0].job::<Ready>().unwrap().dish, "soup");

    bot.advance(Duration::from_secs(179));
    assert!(alice.hears().is_empty());
    bot.advance(Duration::from_secs(1));
    assert_eq!(alice.hears(), ["soup is ready"]);
}

#[test]
fn a_timer_waits_for_the_handler_that_sleeps_in_its_chat() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("soup");
    bot.advance(Duration::from_secs(170));
    alice.says("taste");
    assert!(alice.hears().is_empty(), "it takes a while");
    bot.advance(Duration::from_secs(15));
    assert_eq!(alice.hears(), ["More salt", "soup is ready, later than promised"]);
}
