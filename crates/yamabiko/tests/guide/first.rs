//! A first test.

use yamabiko::{App, Context, Result, TextMessage, testing::TestBot};

fn app() -> App {
    App::new("parrot").on_text(on_text)
}

async fn on_text(cx: Context, message: TextMessage) -> Result {
    cx.reply(format!("You said {}", message.text));
    Ok(())
}

#[test]
fn it_repeats_what_is_said() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("hello");
    assert_eq!(alice.hears(), ["You said hello"]);
}
