//! Users, groups and rooms.

use yamabiko::{
    App, Context, Event, Result, TextMessage,
    testing::{Call, TestBot},
};

async fn on_text(cx: Context, message: TextMessage) -> Result {
    let profile = cx.profile().await?;
    cx.reply(format!("{}: {}", profile.display_name, message.text));
    Ok(())
}

async fn on_other(cx: Context, event: Event) -> Result {
    if cx.can_reply() {
        cx.reply(format!("{} {}", event.event_type(), event.raw["source"]));
    }
    Ok(())
}

fn app() -> App {
    App::new("parrot").on_text(on_text).on_other(on_other)
}

#[test]
fn what_is_said_in_a_group_is_answered_there() {
    let bot = TestBot::start(app());
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    let family = bot.group("Family", &[&alice, &bob]);
    alice.says_in(&family, "180");
    bob.inside(&family).says("60");
    alice.says("just me");
    assert_eq!(family.hears(), ["Alice: 180", "Bob: 60"]);
    assert_eq!(alice.hears(), ["Alice: just me"]);
    assert_eq!((family.name(), bob.hears().len()), ("Family", 0));
}

#[test]
fn events_of_groups_and_rooms_come_with_lines_sources() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    let (group, room) = (bot.group("Family", &[&alice]), bot.room(&[&alice]));
    alice.inside(&group).sends_sticker("1", "2");
    alice.inside(&room).sends_sticker("1", "2");
    group.bot_joins();
    let user = alice.id();
    let id = group.id();
    assert_eq!(
        group.hears(),
        [
            format!(r#"message {{"groupId":"{id}","type":"group","userId":"{user}"}}"#),
            format!(r#"join {{"groupId":"{id}","type":"group"}}"#),
        ]
    );
    let id = room.id();
    assert!(id.starts_with('R'));
    assert_eq!(
        room.hears(),
        [format!(r#"message {{"roomId":"{id}","type":"room","userId":"{user}"}}"#)]
    );
}

#[test]
fn members_join_and_leave() {
    let bot = TestBot::start(app());
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    let family = bot.group("Family", &[&alice]);
    bob.joins(&family);
    assert!(family.hears()[0].starts_with("memberJoined"));
    bob.leaves(&family);
    assert_eq!(family.hears(), [""; 0], "leaving cannot be answered");
}

#[test]
fn a_group_is_pushed_to_as_long_as_the_bot_is_there_and_each_member_counts() {
    async fn pushes(cx: Context, message: TextMessage) -> Result {
        let chat = message.text.as_str().into();
        cx.push_to(&chat, "hello");
        Ok(())
    }
    let bot = TestBot::start(App::new("pusher").on_text(pushes));
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    let family = bot.group("Family", &[&alice, &bob]);
    alice.says(family.id());
    assert_eq!((family.hears(), bot.line().quota_used()), (vec!["hello".to_owned()], 2));
    family.bot_leaves();
    alice.says(family.id());
    assert!(bot.dead_jobs()[0].error().contains("Failed to send messages"));
    assert_eq!((bot.line().quota_used(), bot.line().calls(Call::Push)), (2, 2));
}

#[test]
fn one_who_has_blocked_the_bot_hears_nothing_and_has_no_profile() {
    async fn pushes(cx: Context, message: TextMessage) -> Result {
        let chat = message.text.as_str().into();
        cx.push_to(&chat, "hello");
        Ok(())
    }
    let bot = TestBot::start(App::new("pusher").on_text(pushes));
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    bob.unfollows();
    alice.says(bob.id());
    assert_eq!((bob.hears().len(), bot.line().quota_used()), (0, 0));
    bob.follows();
    alice.says(bob.id());
    assert_eq!((bob.hears(), bot.line().quota_used()), (vec!["hello".to_owned()], 1));
}
