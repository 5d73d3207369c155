//! Several users, groups, postbacks, stickers, pictures.

use yamabiko::{
    App, Context, Event, EventKind, ImageMessage, Result, StickerMessage, TextMessage,
    testing::TestBot,
};

fn app() -> App {
    App::new("host")
        .on_text(on_text)
        .on_sticker(on_sticker)
        .on_image(on_image)
        .on_postback(on_postback)
        .on_join(on_join)
}

async fn on_text(cx: Context, message: TextMessage) -> Result {
    // In a group, only who mentions the bot gets an answer.
    let in_group = cx.chat().map(ToString::to_string) != cx.user().map(|user| user.to_string());
    if !in_group || message.mentions.iter().any(|mention| mention.is_self) {
        cx.reply(format!("Hello, {}", cx.profile().await?.display_name));
    }
    Ok(())
}

async fn on_sticker(cx: Context, sticker: StickerMessage) -> Result {
    cx.reply(format!("Sticker {} is nice", sticker.sticker_id));
    Ok(())
}

async fn on_image(cx: Context, _image: ImageMessage) -> Result {
    cx.reply("A picture!");
    Ok(())
}

async fn on_postback(cx: Context, event: Event) -> Result {
    if let EventKind::Postback { data, .. } = event.kind {
        cx.reply(format!("You chose {data}"));
    }
    Ok(())
}

async fn on_join(cx: Context, _event: Event) -> Result {
    cx.reply("Thank you for having me");
    Ok(())
}

#[test]
fn each_chat_hears_its_own() {
    let bot = TestBot::start(app());
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    alice.says("hi");
    bob.sends_sticker("446", "1988");
    bob.sends_image();
    bob.taps("tea");
    assert_eq!(alice.hears(), ["Hello, Alice"]);
    assert_eq!(bob.hears(), ["Sticker 1988 is nice", "A picture!", "You chose tea"]);
}

#[test]
fn in_a_group_it_answers_when_it_is_mentioned() {
    let bot = TestBot::start(app());
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    let family = bot.group("Family", &[&alice, &bob]);
    family.bot_joins();
    assert_eq!(family.hears(), ["Thank you for having me"]);

    alice.says_in(&family, "Where are you?");
    bob.inside(&family).mentions_bot("hi");
    assert_eq!(family.hears(), ["Hello, Bob"]);
}
