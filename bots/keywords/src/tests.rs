//! Tests the whole bot on the test kit's clock.

use std::time::Duration;

use image::{ImageFormat, RgbImage};
use yamabiko::testing::{Call, Fault as LineFault, TestBot, TestUser};

use super::*;
use crate::{
    demo::{Demo, Fault, Where},
    wiki::settings::{MediaWikiRequestsPerSecond, MediaWikiTimeoutSeconds},
};

const SECOND: Duration = Duration::from_secs(1);
const WAIT: &str = "ちょっと待ってね";

/// The bot with the sample that comes with it.
fn demonstration() -> TestBot {
    TestBot::start(app().unwrap().data(Demonstration(true)))
}

/// The bot with a wiki that the test can let fail; it gives up on a request after a second.
fn with_wiki() -> (TestBot, Demo) {
    let wiki = Demo::start().unwrap();
    let app = app()
        .unwrap()
        .data(wiki.url())
        .data(MediaWikiRequestsPerSecond(100))
        .data(MediaWikiTimeoutSeconds(SECOND));
    (TestBot::start(app), wiki)
}

/// Returns the answer to a text: its messages behind the acknowledgement.
fn answer(user: &TestUser, text: &str) -> Vec<String> {
    user.says(text);
    let mut heard = user.hears();
    assert!(!heard.is_empty(), "{text:?} is not acknowledged");
    heard.remove(0);
    heard
}

/// Asserts that all pictures of messages, and their previews, can be fetched and are JPEG.
fn assert_pictures_are_there(bot: &TestBot, messages: &[serde_json::Value]) {
    let pictures = messages.iter().filter(|message| message["type"] == "image");
    for picture in pictures {
        for url in [&picture["originalContentUrl"], &picture["previewImageUrl"]] {
            let fetched = bot.fetches(url.as_str().unwrap()).unwrap();
            assert_eq!(fetched.content_type, "image/jpeg");
            image::load_from_memory(&fetched.bytes).unwrap();
        }
    }
}

#[test]
fn a_text_is_acknowledged_and_answered_with_terms_links_and_pictures_in_one_push() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    let asked = sakura.says("けものフレンズ");
    let heard = sakura.hears_in_detail();
    assert_eq!((heard[0].text(), heard[0].by), (WAIT.to_owned(), Call::Reply));
    assert!(heard[1..].iter().all(|heard| heard.by == Call::Push));
    assert_eq!(bot.line().calls(Call::Push), 1);
    let text = heard[1].text();
    assert!(text.starts_with("【デモ】"), "{text}");
    assert!(
        text.contains("「けものフレンズ」の話に出てくる言葉:\n1. サーバル\nhttp://127.0.0.1"),
        "{text}"
    );
    assert!(text.contains("\n3. "), "{text}");
    let kinds: Vec<_> = heard[2..].iter().map(yamabiko::testing::Heard::text).collect();
    // The third term, a place that is no page of its own, has no free picture.
    assert_eq!(kinds[..2], ["[image]"; 2], "{text}");
    assert!(kinds[2].starts_with("写真:\n1") && kinds[2].ends_with("おわた"), "{kinds:?}");
    let messages: Vec<_> = heard.into_iter().map(|heard| heard.message).collect();
    assert_pictures_are_there(&bot, &messages);
    assert!(messages[1]["quoteToken"].is_string());
    assert!(sakura.timers().is_empty(), "the animation is not kept going for {asked:?}");
}

#[test]
fn a_name_is_found_in_whatever_kana_it_is_typed() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    let terms = |text: &str| -> Vec<String> {
        let heard = answer(&sakura, text);
        let lines = heard[0].lines().map(str::to_owned);
        lines.filter(|line| !line.starts_with('「')).collect()
    };
    let expected = terms("けものフレンズ");
    assert!(expected.len() > 3, "{expected:?}");
    for text in [
        "けものフレンス\u{309b}",
        "けものフレンス\u{3099}",
        "ｹﾓﾉﾌﾚﾝｽﾞ",
        "ケモノフレンズ",
        "けものふれんず",
        "ｹものﾌレンｽﾞ",
    ] {
        assert_eq!(terms(text), expected, "{text:?}");
    }
}

#[test]
fn a_paragraph_is_answered_with_what_it_is_about() {
    let bot = demonstration();
    let paragraph = "先週、友だちと新幹線に乗って京都へ行きました。車窓から見えた富士山がとてもきれいで、着いてからは桜の下で寿司を食べました。来年の春は北海道にも行ってみたいと思っています。";
    let heard = answer(&bot.user("さくら"), paragraph);
    assert!(heard[0].contains("「先週、友だちと新幹線に乗って京都へ行きました。"), "{heard:?}");
    assert!(heard[0].contains("\n3. ") && heard[0].contains("…」"), "{heard:?}");
    assert!(heard.contains(&"[image]".to_owned()), "{heard:?}");
}

#[test]
fn a_text_in_english_is_answered_in_english() {
    let bot = demonstration();
    let heard = answer(&bot.user_speaking("Alice", "en"), "We saw Mount Fuji from the Shinkansen");
    assert!(heard[0].starts_with("[Demonstration]"), "{heard:?}");
    assert!(heard.last().unwrap().ends_with("That is all"), "{heard:?}");
}

#[test]
fn where_nothing_is_found_the_text_itself_is_analysed_beside_a_picture() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    sakura.says("宿題がなかなか終わらない");
    let messages = sakura.hears_messages();
    let text = messages[1]["text"].as_str().unwrap();
    assert!(
        text.contains("「宿題がなかなか終わらない」については何も見つかりませんでした。"),
        "{text}"
    );
    assert!(text.contains("\n終わら 動詞-自立 (終わる) オワラ"), "{text}");
    assert_eq!(messages.len(), 3);
    assert_pictures_are_there(&bot, &messages);
}

#[test]
fn offline_the_text_alone_is_worked_on_and_the_answer_says_so() {
    let bot = TestBot::start(app().unwrap().data(Offline(true)));
    let heard = answer(&bot.user("さくら"), "東京タワーと富士山の写真");
    assert_eq!(heard.len(), 2);
    assert!(heard[0].starts_with("オフラインなので、送られた文章だけを調べました。"), "{heard:?}");
    assert!(heard[0].contains("富士山") && !heard[0].contains("http"), "{heard:?}");
}

#[test]
fn what_cannot_be_looked_up_is_answered_at_once_with_what_can() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    for text in [" ", "😀🎉", "180", "\0\u{7}\u{202e}", "https://example.com/", "مرحبا", "、。ー"]
    {
        sakura.says(text);
        let heard = sakura.hears();
        assert_eq!(heard.len(), 1, "{text:?} {heard:?}");
        assert!(heard[0].contains('\n') && heard[0].contains("Fuji"), "{text:?} {heard:?}");
    }
    assert_eq!(bot.line().calls(Call::Push), 0);
}

#[test]
fn five_thousand_characters_of_anything_are_answered() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    // The last two are the ones that grow most in their plain form.
    for unit in
        ["あ", "東京", "ア", "a", "Fuji ", "x\u{301}", "山\u{202e}ب", "。あ", "㌖", "\u{fdfa}あ"]
    {
        let text: String = unit.chars().cycle().take(5000).collect();
        let heard = answer(&sakura, &text);
        assert!(!heard.is_empty(), "{unit:?}");
    }
}

#[test]
fn a_text_that_is_one_endless_word_is_answered() {
    let bot = TestBot::start(app().unwrap().data(Offline(true)));
    let text: String = "アイウ".chars().cycle().take(10_000).collect();
    let heard = answer(&bot.user("さくら"), &text);
    assert!(heard[0].contains("\n1. アイウアイウ"), "{heard:?}");
}

#[test]
fn everything_else_hears_what_the_bot_does() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    sakura.sends_sticker("446", "1988");
    sakura.sends_location("東京タワー", 35.6586, 139.7454);
    sakura.follows();
    assert_eq!(sakura.hears(), [HELP; 3]);
    sakura.unfollows();
    assert_eq!(sakura.hears(), [""; 0]);
}

#[test]
fn in_a_group_only_texts_that_mention_the_bot_are_looked_up() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    let group = bot.group("旅行", &[&sakura]);
    sakura.says_in(&group, "富士山");
    sakura.inside(&group).sends_image();
    sakura.inside(&group).sends_sticker("446", "1988");
    assert_eq!(group.hears(), [""; 0]);
    sakura.inside(&group).mentions_bot("富士山");
    let heard = group.hears();
    assert_eq!(heard[0], WAIT);
    assert!(heard[1].contains("「富士山」の話に出てくる言葉:"), "{heard:?}");
}

#[test]
fn where_nobody_can_be_pushed_to_the_reply_says_so() {
    let bot = demonstration();
    for source in [serde_json::json!(null), serde_json::json!({"type": "planet"})] {
        let stranger = bot.stranger(source);
        stranger.says("富士山");
        stranger.says("180");
        stranger.sends_image();
        stranger.sends_sticker("446", "1988");
        let heard = stranger.hears();
        let no_words = words::hint(request::Hint::NoWords);
        assert_eq!(heard, [CANNOT_COME_BACK, no_words, CANNOT_COME_BACK, HELP]);
    }
    assert_eq!(bot.line().calls(Call::Push), 0);
}

#[test]
fn i4_in_standby_nothing_is_sent_and_no_wiki_is_asked() {
    let (bot, wiki) = with_wiki();
    let sakura = bot.user("さくら");
    bot.stand_by(true);
    sakura.says("富士山");
    sakura.says("180");
    sakura.sends_picture(picture(ImageFormat::Png, 8, 8));
    bot.advance(600 * SECOND);
    assert_eq!((sakura.hears().len(), wiki.requests().len()), (0, 0));
    assert_eq!(bot.line().calls(Call::Loading), 0);
}

#[test]
fn a_wiki_that_asks_for_a_pause_is_left_alone_while_the_chat_sees_that_the_bot_is_at_work() {
    let (bot, wiki) = with_wiki();
    let sakura = bot.user("さくら");
    // The wiki's pauses go by real time, so this one never ends here.
    wiki.fail(Where::Api, Fault::RetryAfter(429, "70"));
    sakura.says("富士山");
    assert_eq!(sakura.hears(), [WAIT]);
    let asked = wiki.requests().len();
    wiki.heal();
    for _ in 0..6 {
        bot.advance(10 * SECOND);
        assert!(sakura.loading().is_some());
    }
    assert_eq!((sakura.hears(), wiki.requests().len()), (vec![], asked));
    bot.advance(10 * SECOND);
    let heard = sakura.hears();
    assert!(heard[0].starts_with("ウィキペディアにつながらないので"), "{heard:?}");
    assert_eq!(wiki.requests().len(), asked);
}

#[test]
fn a_wiki_that_stays_away_is_done_without_after_three_attempts() {
    let faults = [
        Fault::Status(500),
        Fault::Silent,
        Fault::Endless,
        Fault::OtherType,
        Fault::BrokenJson,
        Fault::OtherShape,
        Fault::Status(404),
    ];
    for fault in faults {
        let (bot, wiki) = with_wiki();
        let sakura = bot.user("さくら");
        wiki.fail(Where::Api, fault);
        sakura.says("富士山と東京");
        bot.advance(60 * SECOND);
        let heard = sakura.hears();
        assert_eq!(heard[0], WAIT, "{fault:?}");
        assert!(heard[1].starts_with("ウィキペディアにつながらないので"), "{fault:?} {heard:?}");
        assert!(heard[1].contains("富士山"), "{fault:?} {heard:?}");
    }
}

#[test]
fn terms_are_shown_without_pictures_where_pictures_cannot_be_had() {
    let faults = [
        Fault::Status(404),
        Fault::OtherType,
        Fault::Endless,
        Fault::CorruptPicture,
        Fault::HugePicture,
    ];
    for fault in faults {
        let (bot, wiki) = with_wiki();
        let sakura = bot.user("さくら");
        wiki.fail(Where::Pictures, fault);
        sakura.says("富士山");
        bot.advance(60 * SECOND);
        let heard = sakura.hears();
        assert_eq!((heard.len(), heard.last().unwrap().as_str()), (3, "おわた"), "{fault:?}");
        assert!(heard[1].contains("http://"), "{fault:?} {heard:?}");
    }
}

/// Returns the messages of the one answer to a text, once it has come.
fn one_answer(bot: &TestBot, user: &TestUser, text: &str) -> Vec<String> {
    user.says(text);
    bot.advance(180 * SECOND);
    let heard = user.hears();
    let answers = heard.iter().filter(|text| text.contains("「富士山")).count();
    assert_eq!(
        (heard[0].as_str(), answers, bot.line().calls(Call::Push)),
        (WAIT, 1, 1),
        "{heard:?}"
    );
    heard
}

#[test]
fn what_a_wiki_tells_oddly_costs_only_itself() {
    let (bot, wiki) = with_wiki();
    wiki.fail(Where::Api, Fault::OddMembers);
    let heard = one_answer(&bot, &bot.user("さくら"), "富士山と新幹線");
    assert!(heard[1].contains("の話に出てくる言葉:\n1. "), "{heard:?}");
    assert!(heard[1].contains("http://") && heard.contains(&"[image]".to_owned()), "{heard:?}");
}

#[test]
fn a_wiki_that_turns_the_bot_away_at_any_moment_gets_one_answer_with_what_there_was() {
    for spared in 0..12 {
        let (bot, wiki) = with_wiki();
        wiki.fail_after(spared, Where::Api, Fault::Forbidden);
        let heard = one_answer(&bot, &bot.user("さくら"), "富士山");
        let is_reached = !heard[1].starts_with("ウィキペディアにつながらないので");
        assert_eq!(is_reached, spared > 0, "{spared} {heard:?}");
        assert!(spared < 11 || heard[1].contains("http://"), "{spared} {heard:?}");
    }
}

#[test]
fn a_wiki_that_gives_no_thumbnails_gets_one_answer_with_all_links() {
    for (spared, pause) in [(0, "10"), (0, "3600"), (2, "10")] {
        let (bot, wiki) = with_wiki();
        wiki.fail_after(spared, Where::Pictures, Fault::RetryAfter(429, pause));
        let heard = one_answer(&bot, &bot.user("さくら"), "富士山");
        assert!(heard[1].matches("http://").count() >= 2, "{heard:?}");
        let images = heard.iter().filter(|text| *text == "[image]").count();
        assert_eq!(images, spared.min(1), "{heard:?}");
        assert!(heard.last().unwrap().ends_with("おわた"), "{heard:?}");
    }
}

/// A picture of one colour.
fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_pixel(width, height, image::Rgb([200, 40, 40]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn a_picture_is_answered_with_its_colours_and_a_card() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        sakura.sends_picture(picture(format, 64, 48));
        let messages = sakura.hears_messages();
        assert_eq!(messages[0]["text"], to_a_picture::WAIT);
        let colours = messages[1]["text"].as_str().unwrap();
        assert!(colours.starts_with(to_a_picture::COLOURS), "{colours}");
        assert!(colours.contains("\n#c8282") && colours.contains(" 100 %"), "{colours}");
        assert_eq!(messages[2]["type"], "image");
        assert_pictures_are_there(&bot, &messages);
        assert!(sakura.timers().is_empty());
    }
}

#[test]
fn a_picture_that_cannot_be_read_is_answered_with_the_reason() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    let mut broken = picture(ImageFormat::Png, 64, 48);
    broken.truncate(60);
    // A header that says 30,000 × 30,000 pixels, with its checksum.
    let mut huge = picture(ImageFormat::Png, 10, 10);
    huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    huge[29..33].copy_from_slice(&[0xe9, 0x45, 0x6f, 0xed]);
    for (bytes, instead) in [
        (b"no picture".to_vec(), "JPEG か PNG を送ってください。"),
        (Vec::new(), "JPEG か PNG を送ってください。"),
        (broken, "別の写真を送ってください。"),
        (huge, "縮小して送ってください。"),
    ] {
        sakura.sends_picture(bytes);
        let heard = sakura.hears();
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert!(heard[1].contains("I could not read the picture: "), "{heard:?}");
        assert!(heard[1].contains(instead), "{heard:?}");
    }
}

#[test]
fn a_picture_may_be_as_large_as_the_bot_says() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    let mut large = picture(ImageFormat::Png, 8, 8);
    // What comes after the end of a picture is no part of it.
    large.resize(20_000_000, 0);
    sakura.sends_picture(large);
    assert!(sakura.hears()[1].starts_with(to_a_picture::COLOURS));
}

#[test]
fn a_picture_that_line_no_longer_has_or_that_is_too_large_is_asked_for_again() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    sakura.sends_image();
    assert_eq!(sakura.hears(), [to_a_picture::WAIT, to_a_picture::GONE]);
    bot.line().fail_next_call(Call::Content, LineFault::TooLarge);
    sakura.sends_picture(picture(ImageFormat::Png, 8, 8));
    assert_eq!(sakura.hears()[1..], [to_a_picture::too_large(20)]);
    let external = serde_json::json!({"type": "image", "contentProvider": {"type": "external",
        "originalContentUrl": "https://example.com/a.png", "previewImageUrl": "https://example.com/a.png"}});
    sakura.sends_message(external);
    assert_eq!(sakura.hears(), [to_a_picture::ELSEWHERE]);
}

#[test]
fn a_picture_that_line_still_prepares_is_asked_for_again() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    for _ in 0..2 {
        bot.line().fail_next_call(Call::Content, LineFault::Preparing);
    }
    sakura.sends_picture(picture(ImageFormat::Png, 8, 8));
    assert_eq!(sakura.hears(), [to_a_picture::WAIT]);
    bot.advance(6 * SECOND);
    assert_eq!(sakura.hears().len(), 2);
}

#[test]
fn the_animation_ends_with_a_job_that_dies() {
    let bot = demonstration();
    let sakura = bot.user("さくら");
    for _ in 0..10 {
        bot.line().fail_next_call(Call::Content, LineFault::ServerError);
    }
    sakura.sends_picture(picture(ImageFormat::Png, 8, 8));
    bot.advance(3 * 60 * 60 * SECOND);
    assert_eq!(bot.dead_jobs()[0].kind, "colours");
    let heard = sakura.hears();
    assert_eq!((heard.len(), heard[0].as_str()), (2, to_a_picture::WAIT));
    assert!(sakura.loading().is_none());
    let shown = bot.line().calls(Call::Loading);
    bot.advance(60 * 60 * SECOND);
    assert_eq!(bot.line().calls(Call::Loading), shown);
}

#[test]
fn a_crash_in_the_middle_makes_no_second_answer() {
    let (bot, wiki) = with_wiki();
    let sakura = bot.user("さくら");
    wiki.fail(Where::Api, Fault::RetryAfter(503, "30"));
    sakura.says("富士山");
    bot.crash();
    bot.advance(40 * SECOND);
    bot.crash();
    bot.advance(120 * SECOND);
    let heard = sakura.hears();
    assert_eq!(
        heard.iter().filter(|text| text.contains("「富士山」の話に出てくる言葉:")).count(),
        1
    );
    assert_eq!(heard[0], WAIT);
}
