//! Pictures that a bot publishes, and what users send to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use yamabiko::{
    App, Content, Context, ImageMessage, Job, Lane, Message, MessageId, Result, Snooze,
    TextMessage,
    testing::{Call, Fault, TestBot},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn draw(cx: Context, message: TextMessage) -> Result {
    let (size, content_type) = message.text.split_once(' ').unwrap();
    let bytes = vec![7; size.parse()?];
    let preview = cx.publish_preview(vec![7; 1000], content_type).await?;
    cx.reply(Message::image(cx.publish(bytes, content_type).await?, preview));
    Ok(())
}

fn painter() -> App {
    App::new("painter").with_media().on_text(draw)
}

#[test]
fn what_is_published_can_be_fetched_until_its_time_is_over() {
    let bot = TestBot::start(painter());
    let alice = bot.user("Alice");
    alice.says("5000 image/png");
    let image = alice.hears_in_detail().remove(0).message;
    let [original, preview] = ["originalContentUrl", "previewImageUrl"]
        .map(|key| image[key].as_str().unwrap().to_owned());
    let picture = bot.fetches(&original).unwrap();
    assert_eq!((picture.content_type.as_str(), picture.bytes), ("image/png", vec![7; 5000]));
    assert_eq!(bot.fetches(&preview).unwrap().bytes.len(), 1000);
    assert_eq!(bot.fetches(&original.replace(".png", ".jpg")), None);
    bot.crash();
    bot.advance(29 * DAY);
    assert!(bot.fetches(&original).is_some());
    bot.advance(DAY);
    assert_eq!(bot.fetches(&original), None);
}

#[test]
fn what_line_would_not_show_fails_for_good() {
    let bot = TestBot::start(painter());
    let alice = bot.user("Alice");
    for (request, reason) in [
        ("10 image/gif", "\"image/gif\" cannot be published: LINE takes image/png and image/jpeg"),
        ("0 image/png", "a picture is empty"),
        ("10000001 image/jpeg", "a picture has 10000001 bytes: LINE takes up to 10000000"),
    ] {
        alice.says(request);
        let dead = bot.dead_jobs();
        assert!(dead.iter().any(|job| job.error() == reason), "{dead:?}");
    }
    assert_eq!(bot.dead_jobs().len(), 3);
    let apologies = alice.hears().len();
    alice.says("10000000 image/jpeg");
    assert_eq!((apologies, alice.hears().len()), (3, 1));
}

#[test]
fn a_bot_that_does_not_say_that_it_publishes_cannot() {
    let bot = TestBot::start(App::new("painter").on_text(draw));
    bot.user("Alice").says("5000 image/png");
    assert!(bot.dead_jobs()[0].error().contains("add .with_media() to the App"));
}

/// Tells what it can get of an image, at once or later.
#[derive(Serialize, Deserialize)]
struct Look {
    message: MessageId,
}

impl Job for Look {
    const KIND: &'static str = "look";
    const LANE: Lane = Lane::None;

    async fn run(self, cx: Context) -> Result {
        let content = cx.content(&self.message, 1000).await?;
        if content == Content::Preparing {
            return Err(Snooze(Duration::from_secs(5)).into());
        }
        cx.push(format!("{content:?}"));
        Ok(())
    }
}

fn looker() -> App {
    async fn on_image(cx: Context, message: ImageMessage) -> Result {
        cx.enqueue(Look { message: message.id });
        Ok(())
    }
    App::new("looker").on_image(on_image).job::<Look>()
}

#[test]
fn what_a_user_sends_can_be_downloaded() {
    let bot = TestBot::start(looker());
    let alice = bot.user("Alice");
    alice.sends_picture([7; 1000]);
    assert_eq!(alice.hears(), ["Ready(image/jpeg, 1000 bytes)"]);
    alice.sends_picture([7; 1001]);
    assert_eq!(alice.hears(), ["TooLarge"]);
    alice.sends_image();
    assert_eq!(alice.hears(), ["Gone"]);
}

#[test]
fn content_that_is_being_prepared_is_there_later() {
    let bot = TestBot::start(looker());
    let alice = bot.user("Alice");
    bot.line().fail_next_call(Call::Content, Fault::Preparing);
    bot.line().fail_next_call(Call::Content, Fault::Preparing);
    alice.sends_picture("picture");
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(Duration::from_secs(10));
    assert_eq!(alice.hears(), ["Ready(image/jpeg, 7 bytes)"]);
    assert_eq!(bot.line().calls(Call::Content), 3);
}

#[test]
fn content_that_is_gone_or_too_large_is_no_error_and_what_else_fails_is_tried_again() {
    let bot = TestBot::start(looker());
    let alice = bot.user("Alice");
    for (fault, told) in
        [(Fault::Gone, "Gone"), (Fault::NotFound, "Gone"), (Fault::TooLarge, "TooLarge")]
    {
        bot.line().fail_next_call(Call::Content, fault);
        alice.sends_picture("picture");
        assert_eq!(alice.hears(), [told], "{fault:?}");
    }
    bot.line().fail_next_call(Call::Content, Fault::ServerError);
    alice.sends_picture("picture");
    assert_eq!(bot.failing_jobs().len(), 1);
    bot.advance(Duration::from_secs(10));
    assert_eq!(alice.hears(), ["Ready(image/jpeg, 7 bytes)"]);
}

#[test]
fn content_that_its_sender_took_back_is_gone() {
    async fn on_text(cx: Context, message: TextMessage) -> Result {
        let image = message.quoted_message_id.unwrap();
        cx.reply(format!("{:?}", cx.content(&image, 1000).await?));
        Ok(())
    }
    let bot = TestBot::start(App::new("looker").on_text(on_text));
    let alice = bot.user("Alice");
    let image = alice.sends_picture("picture");
    alice.quotes(&image.id(), "this");
    image.unsend();
    alice.quotes(&image.id(), "this");
    assert_eq!(alice.hears(), ["Ready(image/jpeg, 7 bytes)", "Gone"]);
}

#[test]
fn a_handler_is_told_that_line_does_not_hold_the_content() {
    async fn on_image(cx: Context, message: ImageMessage) -> Result {
        cx.reply(format!("{:?}", cx.content(&message.id, 1000).await?));
        Ok(())
    }
    let bot = TestBot::start(App::new("looker").on_image(on_image));
    let alice = bot.user("Alice");
    let elsewhere = json!({"type": "external", "originalContentUrl": "https://example.com/a.jpg"});
    alice.sends_message(json!({"type": "image", "contentProvider": elsewhere}));
    assert_eq!(alice.hears(), ["Elsewhere"]);
    assert_eq!(bot.line().calls(Call::Content), 0);
}

#[test]
fn a_download_that_never_ends_is_given_up() {
    let bot = TestBot::start(looker());
    let alice = bot.user("Alice");
    bot.line().fail_next_call(Call::Content, Fault::Endless);
    alice.sends_picture("picture");
    bot.advance(Duration::from_secs(59));
    assert_eq!(bot.failing_jobs().len(), 0);
    bot.advance(Duration::from_secs(1));
    assert_eq!(bot.failing_jobs()[0].error(), "the content did not come within a minute");
}
